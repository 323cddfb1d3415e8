//! From arguments to [`Cli`].

use std::ffi::OsString;
use std::io::Write;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Subcommand};

use super::{Cli, Command, Globals, TokenCommand, help, usage_error};
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
    parse_frequent(args).map_or_else(|| parse_any(args), Ok)
}

/// Parses the commands that scripts repeat, described without subcommands: with subcommands, clap copies the global flags into
/// each of them, and their values back. Returns `None` for other commands, help and errors.
fn parse_frequent(args: &[OsString]) -> Option<Cli> {
    match (args.get(1)?.to_str()?, args.get(2).and_then(|arg| arg.to_str())) {
        ("token", Some("show")) => parse_flat(&args[2..], |show| Command::Token(TokenCommand::Show(show))),
        ("status", _) => parse_flat(&args[1..], Command::Status),
        ("curl", _) => parse_flat(&args[1..], Command::Curl),
        ("exec", _) => parse_flat(&args[1..], Command::Exec),
        _ => None,
    }
}

/// Parses the command's name and what follows it.
fn parse_flat<T: Args>(args: &[OsString], command: fn(T) -> Command) -> Option<Cli> {
    let all = Globals::augment_args(T::augment_args(clap::Command::new("oneup")));
    let mut matches = leak(all.mut_args(|arg| arg.global(false))).try_get_matches_from_mut(args).ok()?;
    let globals = globals(&mut matches).ok()?;
    Some(Cli { globals, command: command(T::from_arg_matches_mut(&mut matches).ok()?) })
}

/// Keeps a description until the process ends: freeing it takes as long as building it.
fn leak(description: clap::Command) -> &'static mut clap::Command {
    Box::leak(Box::new(description))
}

fn parse_any(args: &[OsString]) -> Result<Cli, clap::Error> {
    let mut matches = match leak(named_subcommands(args)).try_get_matches_from_mut(args) {
        Ok(matches) if matches.subcommand_name().is_some() => matches,
        Err(error) if error.kind() == ErrorKind::DisplayVersion => return Err(error),
        // Errors and help need the whole description.
        _ => leak(Cli::command()).try_get_matches_from_mut(args)?,
    };
    Ok(Cli { globals: globals(&mut matches)?, command: Command::from_arg_matches_mut(&mut matches)? })
}

fn globals(matches: &mut ArgMatches) -> Result<Globals, clap::Error> {
    let profile_from_flag = matches.value_source("profile") == Some(ValueSource::CommandLine);
    Ok(Globals { profile_from_flag, ..Globals::from_arg_matches_mut(matches)? })
}

/// Describes the global flags, and the subcommands that an argument names. clap copies the flags into each subcommand, which
/// for all of them takes longer than the rest of `token show`.
fn named_subcommands(args: &[OsString]) -> clap::Command {
    let command = Globals::augment_args(clap::Command::new("oneup").version(env!("CARGO_PKG_VERSION")))
        .subcommand_required(true);
    if args.iter().skip(1).all(|arg| arg.as_encoded_bytes().starts_with(b"-")) {
        return command;
    }
    let all = leak(Command::augment_subcommands(clap::Command::new("oneup")));
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

    fn parsed_globals(line: &str) -> Globals {
        let args: Vec<OsString> = line.split(' ').map(Into::into).collect();
        try_parse(&args).expect(line).globals
    }

    #[test]
    fn profile_flag_is_recognized_before_and_after_the_subcommand() {
        for line in
            ["oneup --profile p token show", "oneup token show --profile p", "oneup token --profile p show"]
        {
            let globals = parsed_globals(line);
            assert_eq!((globals.profile.as_deref(), globals.profile_from_flag), (Some("p"), true), "{line}");
        }
        assert!(!parsed_globals("oneup token show").profile_from_flag);
    }

    #[test]
    fn commands_that_scripts_repeat_need_one_level_of_description() {
        for line in
            ["token show --profile p", "status -q", "curl --tenant t -sS /Patient", "exec --var V -- env -v"]
        {
            let args: Vec<OsString> = ["oneup"].into_iter().chain(line.split(' ')).map(Into::into).collect();
            assert!(parse_frequent(&args).is_some(), "{line}");
        }
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(2_000))]
        #[test]
        fn one_level_of_description_means_the_same_as_all(
            command in proptest::sample::select(vec!["token show", "token", "status", "curl", "exec", "-q status"]),
            rest in proptest::collection::vec(proptest::sample::select(ARGS.split_whitespace().collect::<Vec<_>>()), 0..5),
        ) {
            let args = ["oneup"].into_iter().chain(command.split(' ')).chain(rest);
            let args: Vec<OsString> = args.map(Into::into).collect();
            if let Some(cli) = parse_frequent(&args) {
                proptest::prop_assert_eq!(parse_any(&args).map(|cli| format!("{cli:?}")).ok(), Some(format!("{cli:?}")));
            }
        }
    }

    const ARGS: &str = "token show status curl exec help -- - -q -v -qv -h --help --version -V --profile --profile=p p \
        --timeout=5 --no-input --format json --scope --tenant=t --color=always /Patient";
}
