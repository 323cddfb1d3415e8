//! `oneup man [COMMAND…]`: a manual page in roff, made from the help texts.

use clap::{Command, CommandFactory};

use crate::cli::{Cli, Man};
use crate::error::{Error, Result};
use crate::output::plain;

/// Prints the page of oneup, or of one of its commands.
///
/// # Errors
/// Usage, for a command that isn't there.
pub fn run(args: &Man) -> Result<u8> {
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let mut command = &root;
    for name in &args.command {
        command = command.find_subcommand(name).ok_or_else(|| {
            Error::usage(format!("there is no command {}", plain(&args.command.join(" "), 80)))
                .hint("oneup --help")
        })?;
    }
    super::print(page(command)?).map(|()| 0)
}

fn page(command: &Command) -> Result<Vec<u8>> {
    let name = command.get_bin_name().unwrap_or("oneup").replace(' ', "-");
    let mut roff = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name.to_uppercase())
        .render(&mut roff)
        .map_err(|error| Error::failure("can't make the manual page").because(error))?;
    Ok(roff)
}
