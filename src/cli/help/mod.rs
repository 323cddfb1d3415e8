//! What a person reads of the command line. `--help`, the manual pages, the README and the errors of wrong usage take
//! their words from here and from `cli`, so that they say the same. None of it is made unless somebody asks.

pub mod examples;
pub mod man;
pub mod tables;

use std::ffi::OsString;
use std::io::Write;

use clap::builder::{Resettable, Styles};
use clap::error::ErrorKind;
use clap::{Arg, Command, CommandFactory, FromArgMatches};

use crate::cli::{Cli, usage_error};
use crate::error::{Exit, Result, ignore_broken_pipe};
use examples::Topic;

/// Columns of what is wrapped here; clap wraps at the terminal's.
const WIDTH: usize = 78;

/// Below `oneup` and `oneup -h`.
const START: &str = "Start here, without an account:  oneup sandbox demo";

/// Reads the whole command line. Where it asks for help, or is wrong, this is the answer: an exit code after help was
/// printed, or the error to print.
pub fn parse(args: &[OsString]) -> Result<Cli, Result<Exit>> {
    if matches!(args, [_, flag] if flag == "--version" || flag == "-V") {
        return Err(version());
    }
    read(args).map_err(|error| match error.kind() {
        ErrorKind::DisplayVersion => printed(&error),
        ErrorKind::DisplayHelp => printed(&command().try_get_matches_from(args).err().unwrap_or(error)),
        // The same to a person; which of them it is depends on the environment.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            let help = usage_error::place(&command(), args, None).clone().render_help();
            let _ = write!(anstream::stderr(), "{}", help.ansi());
            Ok(Exit::Usage)
        }
        _ => Err(usage_error::explain(&error, args)),
    })
}

fn read(args: &[OsString]) -> Result<Cli, clap::Error> {
    let mut matches = forget_empty_variables(Cli::command()).try_get_matches_from(args)?;
    Cli::from_arg_matches_mut(&mut matches)
}

/// A variable that is empty is unset: a CI system has those for secrets and settings that nobody gave it.
fn forget_empty_variables(command: Command) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let rest = command.mut_args(|arg| match arg.get_env().and_then(std::env::var_os) {
        Some(value) if value.is_empty() => arg.env(Resettable::Reset),
        _ => arg,
    });
    names.iter().fold(rest, |command, name| command.mut_subcommand(name, forget_empty_variables))
}

/// Prints name and version, without describing the commands.
fn version() -> Result<Exit> {
    let described = Command::new("oneup").version(env!("CARGO_PKG_VERSION"));
    described
        .try_get_matches_from(["oneup", "--version"])
        .map_or_else(|version| printed(&version), |_| Ok(Exit::Success))
}

fn printed(help: &clap::Error) -> Result<Exit> {
    ignore_broken_pipe(help.print()).map(|()| if help.exit_code() == 0 { Exit::Success } else { Exit::Usage })
}

/// The command line with everything that its help says.
pub fn command() -> Command {
    let mut root = Cli::command();
    root.build();
    complete(root, "").after_help(START)
}

fn complete(command: Command, path: &str) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let whole = names.iter().fold(command.mut_args(on_one_screen), |command, name| {
        command
            .mut_subcommand(name, |sub| complete(sub, format!("{path} {name}").trim()).hide(name == "help"))
    });
    match examples::of(path) {
        Some(topic) => whole.after_long_help(closing(topic)),
        None => whole,
    }
}

/// `-h` shows what the command itself needs; `--help` has the rest.
fn on_one_screen(arg: Arg) -> Arg {
    let rare = matches!(arg.get_help_heading(), Some("Global options" | "Server"));
    let hidden = rare && arg.get_id() != "profile";
    arg.hide_short_help(hidden)
}

/// Examples and exit codes, below the flags.
fn closing(topic: &Topic) -> String {
    let style = Styles::styled();
    let (heading, reset) = (style.get_header().render(), style.get_header().render_reset());
    let mut text = format!("{heading}Examples:{reset}\n");
    for (what, lines) in topic.examples {
        text += &format!("  {what}:\n");
        for line in lines.lines() {
            text += &format!("    {line}\n");
        }
    }
    text += &format!("\n{heading}Exit codes:{reset}\n");
    for (codes, meaning) in tables::EXIT_CODES.iter().filter(|(code, _)| topic.exits.contains(code)) {
        text += &hanging(&format!("  {codes:<3}  "), meaning);
    }
    text
}

/// A paragraph that is set in below the end of its label.
fn hanging(label: &str, text: &str) -> String {
    let (mut shown, mut column) = (label.to_owned(), label.len());
    for (count, word) in text.split(' ').enumerate() {
        if count > 0 && column + 1 + word.len() > WIDTH {
            shown += "\n";
            shown += &" ".repeat(label.len());
            column = label.len();
        } else if count > 0 {
            shown += " ";
            column += 1;
        }
        shown += word;
        column += word.len();
    }
    shown + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clap_finds_the_description_consistent() {
        command().debug_assert();
    }

    #[test]
    fn short_help_fits_a_screen_of_24_lines() {
        fn walk(command: &Command, too_long: &mut Vec<String>) {
            let lines = command.clone().term_width(80).render_help().to_string().lines().count();
            // Whoever logs in as a person has the browser's flags to choose from as well.
            let limit = if command.get_name() == "patient" { 32 } else { 24 };
            if lines > limit {
                too_long.push(format!("{}: {lines}", command.get_bin_name().unwrap_or_default()));
            }
            let subs = command.get_subcommands().filter(|sub| sub.get_name() != "help");
            subs.for_each(|sub| walk(sub, too_long));
        }
        let mut too_long = Vec::new();
        walk(&command(), &mut too_long);
        assert_eq!(too_long, Vec::<String>::new());
    }
}
