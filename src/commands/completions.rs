//! `oneup completions SHELL`: a script by which the shell asks oneup itself, so that names of profiles complete too.

use clap_complete::env::Shells;

use crate::cli::Completions;
use crate::error::{Error, Result};

/// Prints the completion script of a shell.
///
/// # Errors
/// A stdout that can't be written.
pub fn run(args: &Completions) -> Result<u8> {
    let mut script = Vec::new();
    Shells::builtins()
        .completer(&args.shell.to_string())
        .ok_or_else(|| Error::usage("there are no completions for this shell"))?
        .write_registration("COMPLETE", "oneup", "oneup", "oneup", &mut script)
        .map_err(|error| Error::failure("can't make the completions").because(error))?;
    super::print(script).map(|()| 0)
}
