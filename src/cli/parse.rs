//! From arguments to [`Cli`].

use std::ffi::OsString;
use std::io::Write;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Args, CommandFactory, FromArgMatches, Subcommand};

use super::{Cli, Command, Globals, help, usage_error};
use crate::error::{self, Exit, Result, ignore_broken_pipe};

/// What the command line asks for.
pub enum Parsed {
    /// A command to run.
    Run(Box<Cli>),
    /// Nothing more: help or the version was printed.
    Done(Exit),
}

/// Parses the command line `args`, the program's name first, and prints help where it asks for help.
///
/// # Errors
/// Usage; a stdout that can't be written.
pub fn parse(args: &[OsString]) -> Result<Parsed> {
    match try_parse(args) {
        Ok(cli) => Ok(Parsed::Run(Box::new(cli))),
        Err(error) => match error.kind() {
            ErrorKind::DisplayVersion => print(&error),
            ErrorKind::DisplayHelp => {
                print(&help::command().try_get_matches_from(args).err().unwrap_or(error))
            }
            // clap's choice between the two depends on the environment.
            ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
                let mut command = usage_error::innermost_command(&help::command(), args, None).clone();
                let _ = write!(anstream::stderr(), "{}", command.render_help().ansi());
                Ok(Parsed::Done(Exit::Failed(error::ErrorKind::Usage)))
            }
            _ => Err(usage_error::into_error(&error, args)),
        },
    }
}

fn try_parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    // Leaked: freeing the description, which the end of the process does anyway, takes as long as building it.
    let named = Box::leak(Box::new(named_subcommands(args)));
    let mut matches = match named.try_get_matches_from_mut(args) {
        Ok(matches) if matches.subcommand_name().is_some() => matches,
        Err(error) if error.kind() == ErrorKind::DisplayVersion => return Err(error),
        // Errors and help need the whole description.
        _ => Box::leak(Box::new(Cli::command())).try_get_matches_from_mut(args)?,
    };
    let profile_from_flag = matches.value_source("profile") == Some(ValueSource::CommandLine);
    let mut cli = Cli::from_arg_matches_mut(&mut matches)?;
    cli.globals.profile_from_flag = profile_from_flag;
    Ok(cli)
}

/// Describes the global flags, and the subcommands that an argument names. clap copies the flags into each subcommand, which
/// for all of them takes longer than the rest of `token show`.
fn named_subcommands(args: &[OsString]) -> clap::Command {
    let command = Globals::augment_args(clap::Command::new("oneup").version(env!("CARGO_PKG_VERSION")))
        .subcommand_required(true);
    if args.iter().skip(1).all(|arg| arg.as_encoded_bytes().starts_with(b"-")) {
        return command;
    }
    let all = Box::leak(Box::new(Command::augment_subcommands(clap::Command::new("oneup"))));
    let named = |command: &&mut clap::Command| args.iter().any(|arg| arg == command.get_name());
    command.subcommands(all.get_subcommands_mut().filter(named).map(std::mem::take))
}

fn print(help: &clap::Error) -> Result<Parsed> {
    ignore_broken_pipe(help.print())?;
    Ok(Parsed::Done(Exit::Success))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn globals(line: &str) -> crate::cli::Globals {
        let args: Vec<OsString> = line.split(' ').map(Into::into).collect();
        try_parse(&args).expect(line).globals
    }

    #[test]
    fn profile_flag_is_recognized_before_and_after_the_subcommand() {
        for line in
            ["oneup --profile p token show", "oneup token show --profile p", "oneup token --profile p show"]
        {
            let globals = globals(line);
            assert_eq!((globals.profile.as_deref(), globals.profile_from_flag), (Some("p"), true), "{line}");
        }
        assert!(!globals("oneup token show").profile_from_flag);
    }
}
