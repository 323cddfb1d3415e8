//! `sandbox run`: a sandbox for as long as a command runs.

use std::ffi::OsString;

use super::{environment, start};
use crate::cli::SandboxOptions;
use crate::error::{Error, Exit, Result};
use crate::process::{self, SignalForwarder};

/// Runs a command against a sandbox of its own and returns its exit code (128+N when signal N ended it).
/// Nothing is left behind.
///
/// # Errors
/// Usage, for options that can't be served; [`ErrorKind`] and
/// [`ErrorKind`] when the command does not start.
pub fn run(options: &SandboxOptions, command: &[OsString]) -> Result<Exit> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| Error::usage("sandbox run needs a command to run"))?;
    let sandbox = start(options)?;
    let dir = environment::temp_dir()?;
    let mut command = process::command(program);
    command.args(arguments);
    environment::enter(&mut command, &sandbox, dir.path());
    process::run(&mut command, SignalForwarder::catch()?, |_| {})
}
