//! `sandbox run`: a sandbox that runs as long as a command.

use std::ffi::OsString;

use super::{environment, start};
use crate::cli::SandboxOptions;
use crate::error::{Error, Exit, Result};
use crate::process::{self, SignalForwarder};

/// Runs a command against a sandbox of its own and returns its exit code (128+N when signal N ended it).
/// Removes all files afterwards.
///
/// # Errors
/// As [`start`]; [`ErrorKind::NotFound`](crate::error::ErrorKind) and `NotExecutable` if the command does not start.
pub fn run(options: &SandboxOptions, command: &[OsString]) -> Result<Exit> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| Error::usage("sandbox run needs a command"))?;
    let sandbox = start(options)?;
    let dir = environment::temp_dir()?;
    let mut command = process::command(program);
    command.args(arguments);
    environment::apply(&mut command, &sandbox, dir.path());
    process::run(&mut command, SignalForwarder::catch()?, |_| {})
}
