//! Starting the user's program: with exec(2) if nothing is left to do, else spawn and wait.
//!
//! Exit codes are those of `env` and of shells: 127 if the program is not found, 126 if it can't be executed, 128+N if
//! signal N ended it.

pub mod inherited_pipe;
pub mod redact;
mod signals;
pub mod temp_token_dir;
mod termination;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};

pub use signals::SignalForwarder;
pub use termination::TerminationSignals;

use crate::error::{Error, ErrorKind, Exit, Result};

/// Variables that no child process needs: `exec` sets the token's itself.
const SECRET_VARIABLES: [&str; 4] =
    ["ONEUP_CLIENT_SECRET", "ONEUP_CLIENT_SECRET_FILE", "ONEUP_CLIENT_SECRET_COMMAND", "ONEUP_TOKEN"];

/// Returns a command for this program, without a secret in its environment.
pub fn command(program: &std::ffi::OsStr) -> Command {
    let mut command = Command::new(program);
    remove_secrets(&mut command);
    command
}

/// Removes oneup's secrets from the environment of a command.
pub fn remove_secrets(command: &mut Command) {
    for name in SECRET_VARIABLES {
        command.env_remove(name);
    }
}

/// Returns the file of a program on the PATH, as exec(2) would find it.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&path).map(|dir| dir.join(&name)).find(|file| is_executable(file))
}

fn is_executable(file: &Path) -> bool {
    #[cfg(unix)]
    return file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok();
    #[cfg(not(unix))]
    return file.is_file();
}

/// Replaces this process by the program (exec(2)), so that signals and exit code are the program's own. Windows can't do
/// that: there it runs the program.
///
/// # Errors
/// 126 or 127: the program could not be started.
pub fn replace(mut command: Command) -> Result<Exit> {
    #[cfg(unix)]
    {
        let error = std::os::unix::process::CommandExt::exec(&mut command);
        Err(start_error(&command, error))
    }
    #[cfg(not(unix))]
    run(&mut command, SignalForwarder::catch()?, |_| {})
}

/// Runs the program until it exits and forwards signals to it, those too that were caught before it started. `started`
/// gets the child.
///
/// # Errors
/// 126 or 127: the program could not be started. Failure: it could not be waited for.
pub fn run(
    command: &mut Command,
    signals: SignalForwarder,
    started: impl FnOnce(&mut Child),
) -> Result<Exit> {
    let mut child = command.spawn().map_err(|error| start_error(command, error))?;
    let forwarding = signals.forward_to(&child);
    started(&mut child);
    forwarding.wait_for_exit(&child);
    let status =
        child.wait().map_err(|error| Error::failure("could not wait for the program").with_cause(error))?;
    Ok(exit(status))
}

/// Turns off core dumps of this process and of the programs it starts, which have a token in their memory.
pub fn disable_core_dumps() {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Core).maximum;
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
    }
}

/// Returns the error of what fails before a program starts: 126 and 127 stay, all else is 125.
pub fn before_start(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotExecutable => error,
        _ => error.with_kind(ErrorKind::NotStarted),
    }
}

/// Returns the exit code as a shell reports it: 128+N if signal N ended the program.
pub fn exit(status: ExitStatus) -> Exit {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return Exit::Program(128 + signal);
    }
    Exit::Program(status.code().unwrap_or(1))
}

fn start_error(command: &Command, error: std::io::Error) -> Error {
    let program = command.get_program().display();
    if error.kind() == std::io::ErrorKind::NotFound {
        Error::new(ErrorKind::NotFound, format!("command not found: {program}"))
    } else {
        Error::new(ErrorKind::NotExecutable, format!("cannot execute {program}")).with_cause(error)
    }
}
