//! `--help`, built only when it is asked for: examples and exit codes are appended from each command's [`Sections`].

pub mod man;
pub mod tables;

use clap::builder::Styles;
use clap::{Arg, Command, CommandFactory};
use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

use super::Cli;
use super::sections::Sections;
use crate::text::wrap::push_wrapped;

/// Columns of the examples and exit codes; clap wraps the rest at the terminal's width.
const WIDTH: usize = 78;

/// Below `oneup` and `oneup -h`.
const FIRST_STEP: &str = "Try it without an account:  oneup sandbox demo";

/// Returns the whole command line with everything that `--help` says.
pub fn command() -> Command {
    for_each(described(), &with_sections).after_help(FIRST_STEP)
}

/// Returns the whole command line as the arguments describe it.
pub fn described() -> Command {
    let mut root = Cli::command();
    root.build();
    for_each(root, &|command| {
        let is_help = command.get_name() == "help";
        command.hide(is_help)
    })
}

/// Returns the command line that completion works on.
pub fn completion_command() -> Command {
    command().mut_subcommand("man", |man| man.mut_arg("command", |arg| arg.add(page_names())))
}

/// Completes the names of manual pages.
fn page_names() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let root = described();
        let names = man::commands(&root).into_iter().map(man::name);
        let names = names.filter_map(|name| name.strip_prefix("oneup-").map(str::to_owned));
        names.map(CompletionCandidate::new).collect()
    })
}

/// Changes a command and all below it.
fn for_each(command: Command, change: &impl Fn(Command) -> Command) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let command = change(command);
    names.iter().fold(command, |command, name| command.mut_subcommand(name, |sub| for_each(sub, change)))
}

fn with_sections(command: Command) -> Command {
    let command = command.mut_args(with_less_help);
    match command.get::<Sections>().copied() {
        Some(sections) => command.after_long_help(render(sections)),
        None => command,
    }
}

/// Hides the values of variables. `-h` shows the options of the command itself; `--help` shows all.
fn with_less_help(arg: Arg) -> Arg {
    let arg = arg.hide_env_values(true);
    let is_rare =
        matches!(arg.get_help_heading(), Some("Global options" | "Server" | "Private key" | "Simulation"));
    if is_rare && arg.get_id() != "profile" { arg.hide_short_help(true) } else { arg }
}

fn render(sections: Sections) -> String {
    let styles = Styles::styled();
    let header = styles.get_header();
    let mut text = format!("{header}Examples:{header:#}\n");
    for (what, lines) in sections.examples {
        text += &format!("  {what}:\n");
        for line in lines.lines() {
            text += &format!("    {line}\n");
        }
    }
    text += &format!("\n{header}Exit codes:{header:#}\n");
    for (codes, meaning) in tables::exit_codes(sections) {
        let label = format!("  {codes:<3}  ");
        text += &label;
        push_wrapped(&mut text, meaning, label.len(), WIDTH);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walk(command: &Command, visit: &mut impl FnMut(&Command)) {
        visit(command);
        let subs = command.get_subcommands().filter(|sub| sub.get_name() != "help");
        subs.for_each(|sub| walk(sub, visit));
    }

    #[test]
    fn clap_accepts_the_command_line() {
        command().debug_assert();
        completion_command().debug_assert();
    }

    #[test]
    fn short_help_fits_a_screen() {
        let mut too_long = Vec::new();
        walk(&command(), &mut |command| {
            let lines = command.clone().term_width(80).render_help().to_string().lines().count();
            let limit = match command.get_name() {
                "oneup" => 30,
                // Most options: the browser's, and those of a bulk export.
                "patient" | "export" => 34,
                _ => 24,
            };
            if lines > limit {
                too_long.push(format!("{}: {lines}", command.get_bin_name().unwrap_or_default()));
            }
        });
        assert_eq!(too_long, Vec::<String>::new());
    }

    #[test]
    fn every_command_has_two_examples_that_fit_80_columns_and_its_exit_codes() {
        walk(&command(), &mut |command| {
            let name = command.get_bin_name().unwrap_or_default();
            let sections = command.get::<Sections>().unwrap_or_else(|| panic!("{name}: no sections"));
            assert!(sections.examples.len() >= 2, "{name}");
            for (what, lines) in sections.examples {
                assert!(what.len() <= 76, "{what}");
                assert!(lines.lines().all(|line| line.len() <= 76 && line.is_ascii()), "{lines}");
            }
            assert_eq!(tables::exit_codes(*sections).count(), sections.exit_codes.len(), "{name}");
        });
    }

    #[test]
    fn every_command_and_flag_has_a_help_line_of_its_own() {
        let mut abouts = std::collections::BTreeSet::new();
        walk(&command(), &mut |command| {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(!about.is_empty() && abouts.insert(about), "{}", command.get_name());
            for arg in command.get_arguments().filter(|arg| !arg.is_hide_set()) {
                assert!(arg.get_help().is_some(), "{} {}", command.get_name(), arg.get_id());
            }
        });
    }

    /// clap's own completion of paths offers names that can't be quoted.
    #[test]
    fn paths_complete_only_with_our_completers() {
        use clap::ValueHint;
        use clap_complete::engine::ArgValueCompleter;
        walk(&command(), &mut |command| {
            for arg in command.get_arguments() {
                let hint = arg.get_value_hint();
                let is_ours = arg.get::<ArgValueCompleter>().is_some();
                assert!(
                    matches!(hint, ValueHint::Unknown | ValueHint::Other) || is_ours,
                    "{}: use complete::…",
                    arg.get_id()
                );
            }
        });
    }

    /// Returns the words of a command line as a shell splits them, up to the first `|`, `<`, `>` or `||`.
    fn words(line: &str) -> Vec<String> {
        let quoted = line.split('\'').enumerate().flat_map(|(index, part)| match index % 2 {
            0 => part.split_whitespace().map(str::to_owned).collect(),
            _ => vec![part.to_owned()],
        });
        quoted.take_while(|word| !matches!(word.as_str(), "|" | "<" | ">" | "||")).collect()
    }

    #[test]
    fn every_example_parses() {
        walk(&command(), &mut |described| {
            let sections = described.get::<Sections>().expect("sections");
            for line in sections.examples.iter().flat_map(|(_, lines)| {
                lines.replace("\\\n", " ").lines().map(str::to_owned).collect::<Vec<_>>()
            }) {
                let start = line.find("oneup ").expect("oneup");
                let substituted = line[..start].contains('(');
                let end = line.find(')').filter(|_| substituted).unwrap_or(line.len());
                let result = command().try_get_matches_from(words(&line[start..end]));
                assert!(result.is_ok(), "{line}: {}", result.expect_err("an error"));
            }
        });
    }
}
