//! `oneup completions SHELL`.

use clap::CommandFactory;

use crate::cli::{Cli, Completions};
use crate::error::Result;

/// Prints the completion script of a shell.
///
/// # Errors
/// A stdout that can't be written.
pub fn run(args: &Completions) -> Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "oneup", &mut script);
    super::print(script).map(|()| 0)
}
