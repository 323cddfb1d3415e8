//! Starting the person's program: in our place where nothing is left to do, else as a child whose end is ours.
//!
//! Exit codes are those of `env` and of shells: 127 when the program isn't there, 126 when it can't be run, 128+N
//! when signal N ended it.

pub mod inherited_pipe;
pub mod redact;
#[cfg(unix)]
mod signals;
pub mod temp_token_dir;
mod termination;

use std::process::{Child, Command, ExitStatus};

pub use termination::TerminationSignals;

use crate::error::{Error, ErrorKind, Exit, Result};

/// Variables of ours that no program we start needs: `exec` sets the token's itself.
const SECRETS: [&str; 4] =
    ["ONEUP_CLIENT_SECRET", "ONEUP_CLIENT_SECRET_FILE", "ONEUP_CLIENT_SECRET_COMMAND", "ONEUP_TOKEN"];

/// A command for this program, without a secret in its environment.
pub fn command(program: &std::ffi::OsStr) -> Command {
    let mut command = Command::new(program);
    for name in SECRETS {
        command.env_remove(name);
    }
    command
}

/// Becomes the program: its signals and its exit code are its own. Where a process can't do that, runs it.
///
/// # Errors
/// 126 or 127: it could not be started.
pub fn replace(mut command: Command) -> Result<Exit> {
    #[cfg(unix)]
    {
        let error = std::os::unix::process::CommandExt::exec(&mut command);
        Err(not_started(&command, error))
    }
    #[cfg(not(unix))]
    run(&mut command, |_| {})
}

/// Runs the program to its end and passes on the signals that ask it to stop. `started` gets the child.
///
/// # Errors
/// 126 or 127: it could not be started. Failure: it could not be waited for.
pub fn run(command: &mut Command, started: impl FnOnce(&mut Child)) -> Result<Exit> {
    // Before the child is there, so that no signal falls between.
    #[cfg(unix)]
    let signals = signals::SignalForwarder::catch()?;
    let mut child = command.spawn().map_err(|error| not_started(command, error))?;
    #[cfg(unix)]
    let relay = signals.to(&child);
    started(&mut child);
    #[cfg(unix)]
    relay.until_exit(&child);
    let status =
        child.wait().map_err(|error| Error::failure("can't wait for the program").with_cause(error))?;
    Ok(exit(status))
}

/// The exit code of what fails before a program starts: 126 and 127 stay, all else is 125.
pub fn before_start(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotExecutable => error,
        _ => error.with_kind(ErrorKind::NotStarted),
    }
}

/// The exit code as a shell reports it: 128+N when signal N ended the program.
pub fn exit(status: ExitStatus) -> Exit {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Exit::Program(u8::try_from(128 + signal).unwrap_or(u8::MAX));
    }
    Exit::Program(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

fn not_started(command: &Command, error: std::io::Error) -> Error {
    let program = command.get_program().display();
    if error.kind() == std::io::ErrorKind::NotFound {
        Error::new(ErrorKind::NotFound, format!("there is no program {program}"))
    } else {
        Error::new(ErrorKind::NotExecutable, format!("can't run {program}")).with_cause(error)
    }
}
