//! `sandbox run`: a sandbox for as long as a command runs.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::process::{Child, Command, ExitStatus};

use super::{Options, environment, server};
use crate::error::{Error, Exit, Result};

/// Runs a command against a sandbox of its own and returns its exit code (128+N when signal N ended it).
/// Nothing is left behind. SIGTERM, SIGHUP and SIGINT are passed on.
///
/// # Errors
/// Usage, for options that can't be served; [`Exit::NotFound`], [`Exit::NotExecutable`] and
/// [`Exit::NotStarted`] when the command does not start.
pub fn run(options: Options, command: &[OsString]) -> Result<u8> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| Error::usage("sandbox run needs a command to run"))?;
    let failed = |error: io::Error| Error::new(Exit::NotStarted, "the sandbox did not start").because(error);
    let running = server::start(options)?;
    let dir = tempfile::Builder::new().prefix("oneup-sandbox-").tempdir().map_err(failed)?;
    let mut command = Command::new(program);
    command.args(arguments);
    environment::enter(&mut command, &running, dir.path());
    let status = supervise(command).map_err(|error| {
        let what = format!("can't run {}", program.to_string_lossy().escape_debug());
        let exit = match error.kind() {
            ErrorKind::NotFound => Exit::NotFound,
            ErrorKind::PermissionDenied => Exit::NotExecutable,
            _ => Exit::NotStarted,
        };
        Error::new(exit, what).because(error)
    })?;
    Ok(code(status))
}

/// Starts a command, passes signals on to it, and waits for it.
#[cfg(unix)]
fn supervise(mut command: Command) -> io::Result<ExitStatus> {
    use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGCHLD, SIGHUP, SIGINT, SIGTERM])?;
    let mut child = command.spawn()?;
    loop {
        // The child is reaped here and nowhere else, so its id can't be another process's below.
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        for signal in signals.wait() {
            if signal != SIGCHLD {
                pass_on(signal, &child);
            }
        }
    }
}

#[cfg(unix)]
fn pass_on(signal: i32, child: &Child) {
    use std::io::IsTerminal;
    // A terminal's Ctrl-C reaches the whole foreground group by itself; twice would be once too often.
    if signal == signal_hook::consts::SIGINT && io::stdin().is_terminal() {
        return;
    }
    let id = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    if let (Some(id), Some(signal)) = (id, rustix::process::Signal::from_named_raw(signal)) {
        let _ = rustix::process::kill_process(id, signal);
    }
}

#[cfg(not(unix))]
fn supervise(mut command: Command) -> io::Result<ExitStatus> {
    // The console sends Ctrl-C to the child too; oneup itself only has to survive it.
    let ignored = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, ignored)?;
    let mut child: Child = command.spawn()?;
    child.wait()
}

/// A status as a shell would tell it.
pub(super) fn code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return 128_u8.saturating_add(u8::try_from(signal).unwrap_or(0));
    }
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
