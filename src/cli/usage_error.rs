//! Wrong usage, told as every other failure: what, then the next step; where a word was probably meant, that word.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};

use crate::cli::Cli;
use crate::error::Error;
use crate::text::closest_match::closest_match;

/// What other tools call it, and what it is here.
const SYNONYMS: &[(&str, &str)] = &[
    ("auth", "login"),
    ("signin", "login"),
    ("sign-in", "login"),
    ("init", "login"),
    ("payer", "login p2p"),
    ("payer-to-payer", "login p2p"),
    ("member", "login patient"),
    ("signout", "logout"),
    ("sign-out", "logout"),
    ("revoke", "logout"),
    ("list", "status"),
    ("ls", "status"),
    ("profile", "status"),
    ("profiles", "status"),
    ("get", "token show"),
    ("print", "token show"),
    ("access-token", "token show"),
    ("print-access-token", "token show"),
    ("refresh", "token show --refresh"),
    ("renew", "token show --refresh"),
    ("decode", "token inspect"),
    ("whoami", "token inspect"),
    ("introspect", "token inspect --introspect"),
    ("verify", "token inspect --verify"),
    ("api", "curl"),
    ("fetch", "curl"),
    ("request", "curl"),
    ("run", "exec"),
    ("env", "exec"),
    ("check", "doctor"),
    ("server", "sandbox serve"),
    ("mock", "sandbox serve"),
    ("try", "sandbox demo"),
    ("completion", "completions"),
    ("manual", "man"),
    ("version", "--version"),
];

/// What clap refused, and what to do instead.
pub fn explain(error: &clap::Error, args: &[OsString]) -> Error {
    let mut root = Cli::command();
    root.build();
    let rendered = error.render().to_string();
    let (what, cause) = first_paragraph(&rendered);
    let bad = text(error, ContextKind::InvalidSubcommand);
    let place = place(&root, args, bad);
    let name = place.get_bin_name().unwrap_or("oneup");
    if may_be_secret(error, name) {
        return Error::usage("there is an argument too many; it is not shown, as it may be a secret")
            .with_hint(match name {
                "oneup token inspect" => {
                    "a token is read from stdin: oneup token inspect - < FILE".to_owned()
                }
                "oneup token show" => "a profile is chosen with --profile NAME".to_owned(),
                _ => format!("{name} --help"),
            });
    }
    let meant = match (bad, suggestion(error)) {
        (Some(word), _) => subcommand(&root, place, word),
        (None, suggestion) => suggestion.map(str::to_owned),
    };
    let what = match bad {
        // It may be a token.
        Some(_) if name == "oneup token" && meant.is_none() => {
            "there is no such command of oneup token".into()
        }
        Some(word) => format!("there is no command `{name} {}`", crate::text::sanitize(word, 80)),
        None => what.to_owned(),
    };
    let error = Error::usage(what).with_hint(match (variable(error, place, args), meant) {
        (Some(variable), _) => format!("the value is {variable}'s: unset it, or correct it"),
        (None, Some(meant)) => format!("did you mean `{meant}`?"),
        (None, None) if is_profile(error, name) => "a profile is chosen with --profile NAME".to_owned(),
        (None, None) => format!("{name} --help"),
    });
    if cause.is_empty() { error } else { error.with_detail(cause) }
}

/// `error: WHAT` and the indented lines below it.
fn first_paragraph(rendered: &str) -> (&str, String) {
    let paragraph = rendered.split("\n\n").next().unwrap_or(rendered).trim_end();
    let (what, cause) = paragraph.split_once('\n').unwrap_or((paragraph, ""));
    let cause = cause.lines().map(str::trim_start).collect::<Vec<_>>().join("\n");
    (what.strip_prefix("error: ").unwrap_or(what).trim_end_matches(':'), cause)
}

/// The innermost command that was named rightly, before the word that is wrong.
pub fn place<'a>(root: &'a Command, args: &[OsString], bad: Option<&str>) -> &'a Command {
    let takes_value = |flag: &str| {
        let long = flag.strip_prefix("--");
        let found = root.get_arguments().find(|arg| long.is_some() && arg.get_long() == long);
        found.is_some_and(|arg| arg.get_action().takes_values())
    };
    let mut is_value = false;
    let words = args
        .iter()
        .skip(1)
        .filter_map(|arg| arg.to_str())
        .filter(|word| !std::mem::replace(&mut is_value, takes_value(word)));
    words
        .take_while(|word| Some(*word) != bad)
        .filter(|word| *word != "help")
        .fold(root, |command, word| command.find_subcommand(word).unwrap_or(command))
}

/// The command that was probably meant: here, by another name, or elsewhere.
fn subcommand(root: &Command, place: &Command, word: &str) -> Option<String> {
    let here = place.get_subcommands().map(Command::get_name);
    let place = place.get_bin_name().unwrap_or("oneup");
    let mut all = Vec::new();
    leaves(root, "", &mut all);
    let elsewhere = || {
        let last = |path: &str| path.rsplit(' ').next().unwrap_or_default().to_owned();
        let names: Vec<String> = all.iter().map(|path| last(path)).collect();
        let meant = closest_match(word, names.iter().map(String::as_str))?;
        all.iter().find(|path| last(path) == meant).map(|path| format!("oneup {path}"))
    };
    let synonym = SYNONYMS.iter().find(|(other, _)| *other == word.to_lowercase());
    closest_match(word, here)
        .map(|name| format!("{place} {name}"))
        .or_else(|| synonym.map(|(_, name)| format!("oneup {name}")))
        .or_else(elsewhere)
}

fn leaves(command: &Command, path: &str, found: &mut Vec<String>) {
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let path = format!("{path} {}", sub.get_name()).trim().to_owned();
        leaves(sub, &path, found);
        found.push(path);
    }
}

/// Whether the argument in error is a word, and no flag.
fn is_stray(error: &clap::Error) -> bool {
    text(error, ContextKind::InvalidArg).is_some_and(|arg| !arg.starts_with('-'))
}

/// Whether the argument in error is a word where a profile's name would make sense.
fn is_profile(error: &clap::Error, name: &str) -> bool {
    is_stray(error)
        && error.kind() == ErrorKind::UnknownArgument
        && ["oneup logout", "oneup status"].contains(&name)
}

/// Whether the argument in error is a word where there should be none, where secrets are handled.
fn may_be_secret(error: &clap::Error, name: &str) -> bool {
    let arg = text(error, ContextKind::InvalidArg).unwrap_or_default();
    if arg.starts_with("--client-secret") && error.kind() == ErrorKind::TooManyValues {
        return true;
    }
    let handled = ["oneup login ", "oneup token "].iter().any(|beginning| name.starts_with(beginning));
    is_stray(error) && handled && matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::InvalidValue)
}

/// The variable that a refused value came from, where no flag gave it.
fn variable(error: &clap::Error, place: &Command, args: &[OsString]) -> Option<String> {
    if !matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) {
        return None;
    }
    let flag = text(error, ContextKind::InvalidArg)?.split(' ').next()?;
    let given = args.iter().filter_map(|arg| arg.to_str()).any(|arg| arg.split('=').next() == Some(flag));
    let long = flag.strip_prefix("--").filter(|_| !given)?;
    let arg = place.get_arguments().find(|arg| arg.get_long() == Some(long))?;
    arg.get_env().map(|name| name.to_string_lossy().into_owned())
}

/// The flag or value that clap finds most like the one that was given.
fn suggestion(error: &clap::Error) -> Option<&str> {
    match error.kind() {
        // The flag that only says where to put the secret instead.
        ErrorKind::UnknownArgument => text(error, ContextKind::SuggestedArg).map(|flag| match flag {
            "--client-secret" => "--client-secret-stdin",
            flag => flag,
        }),
        // clap suggests zsh for tcsh: nobody's slip of the finger.
        ErrorKind::InvalidValue => {
            closest_match(text(error, ContextKind::InvalidValue)?, text(error, ContextKind::SuggestedValue))
        }
        _ => None,
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    match error.get(kind)? {
        ContextValue::String(text) => Some(text),
        ContextValue::Strings(texts) => texts.first().map(String::as_str),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[track_caller]
    fn told(line: &str) -> String {
        let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        explain(&Cli::try_parse_from(&args).expect_err(line), &args).to_string()
    }

    #[test]
    fn the_near_miss_is_named() {
        for (line, meant) in [
            ("oneup token shwo", "oneup token show"),
            ("oneup show", "oneup token show"),
            ("oneup --profile acme logn", "oneup login"),
            ("oneup --profile sandbox token shwo", "oneup token show"),
            ("oneup login payer", "oneup login p2p"),
            ("oneup auth", "oneup login"),
            ("oneup auth login", "oneup login"),
            ("oneup provider", "oneup login provider"),
            ("oneup sandbox serv", "oneup sandbox serve"),
            ("oneup help tokn", "oneup token"),
            ("oneup refresh", "oneup token show --refresh"),
            ("oneup version", "oneup --version"),
            ("oneup status --profle x", "--profile"),
            ("oneup status --format jsn", "json"),
            ("oneup completions bsh", "bash"),
        ] {
            let told = told(line);
            assert!(told.contains(&format!("did you mean `{meant}`?")), "{line}: {told}");
        }
    }

    #[test]
    fn without_a_near_miss_the_help_is_named() {
        assert_eq!(told("oneup teapot"), "there is no command `oneup teapot`\nhint: oneup --help");
        assert_eq!(
            told("oneup exec"),
            "the following required arguments were not provided\n  <COMMAND>...\nhint: oneup exec --help"
        );
        assert_eq!(
            told("oneup token show --min-ttl abc"),
            "invalid value 'abc' for '--min-ttl <SECS>': invalid digit found in string\nhint: oneup token show --help"
        );
    }

    #[test]
    fn another_shell_is_no_slip_of_the_finger() {
        for shell in ["tcsh", "ksh", "nushell"] {
            let told = told(&format!("oneup completions {shell}"));
            assert!(told.ends_with("\nhint: oneup completions --help"), "{told}");
        }
    }

    #[test]
    fn a_profiles_name_goes_behind_its_flag() {
        for line in ["oneup logout acme", "oneup status acme", "oneup token show acme"] {
            assert!(told(line).ends_with("\nhint: a profile is chosen with --profile NAME"), "{line}");
        }
    }

    #[test]
    fn what_may_be_a_secret_is_not_repeated() {
        for (line, hint) in [
            ("oneup token inspect eyJhbGciOi", "a token is read from stdin: oneup token inspect - < FILE"),
            ("oneup token show eyJhbGciOi", "a profile is chosen with --profile NAME"),
            ("oneup login provider --client-secret-stdin eyJhbGciOi", "oneup login provider --help"),
            ("oneup login provider --client-secrt=eyJhbGciOi", "did you mean `--client-secret-stdin`?"),
            ("oneup login provider --client-secret-stdin=eyJhbGciOi", "oneup login provider --help"),
            ("oneup token eyJhbGciOi", "oneup token --help"),
        ] {
            let told = told(line);
            assert!(!told.contains("eyJ") && told.ends_with(&format!("hint: {hint}")), "{told}");
        }
        assert!(told("oneup status teapot").contains("teapot"));
    }

    #[test]
    fn every_synonym_is_a_command() {
        for (other, name) in SYNONYMS {
            let mut words = name.split(' ').take_while(|word| !word.starts_with('-'));
            let mut command = Cli::command();
            assert!(
                words.all(|word| {
                    let found = command.find_subcommand(word).cloned();
                    found.is_some_and(|found| {
                        command = found;
                        true
                    })
                }),
                "{other}: {name}"
            );
        }
    }
}
