//! Usage errors in the form of every other error: what is wrong, then a hint.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};

use crate::cli::Cli;
use crate::error::Error;
use crate::text::closest_match::closest_match;
use crate::text::sanitize;

/// Names that other tools have for a command.
const SYNONYMS: [(&str, &str); 11] = [
    ("auth", "login"),
    ("signin", "login"),
    ("list", "status"),
    ("ls", "status"),
    ("profiles", "status"),
    ("refresh", "token show --refresh"),
    ("print-access-token", "token show"),
    ("whoami", "token inspect"),
    ("verify", "token inspect --verify"),
    ("api", "curl"),
    ("version", "--version"),
];

/// The longest argument that is repeated in a message, in characters.
const MAX_ARG_LEN: usize = 80;

/// The longest unknown command that is repeated in a message, in bytes.
const MAX_COMMAND_LEN: usize = 24;

/// Turns an error of clap's into oneup's. An argument that may be a secret is not repeated.
pub fn into_error(error: &clap::Error, args: &[OsString]) -> Error {
    let mut root = Cli::command();
    root.build();
    let word = text(error, ContextKind::InvalidSubcommand);
    let command = innermost_command(&root, args, word);
    let name = command.get_bin_name().unwrap_or("oneup");
    let help = format!("{name} --help");
    if let Some(word) = word {
        return unknown_command(&root, command, word, &help);
    }
    if text(error, ContextKind::InvalidArg).is_some_and(|arg| arg.starts_with("--client-secret ["))
        && error.kind() == ErrorKind::UnknownArgument
    {
        return Error::usage("a client secret is not accepted as an argument: other processes can read it")
            .with_hint(
                "use --client-secret-stdin, --client-secret-file FILE, --client-secret-command CMD or \
                 ONEUP_CLIENT_SECRET",
            );
    }
    if may_be_secret(error, name) {
        return Error::usage("unexpected argument (not shown: it may be a secret)")
            .with_hint(secret_hint(error, name, args).unwrap_or(help));
    }
    let (message, detail) = describe(error);
    let hint = match (origin_variable(error, command, args), suggestion(error)) {
        (Some(variable), _) => format!("the value comes from {variable}; correct or unset it"),
        (None, Some(suggestion)) => format!("did you mean `{suggestion}`?"),
        (None, None) if is_profile(error, name) => "to choose a profile, use --profile NAME".to_owned(),
        (None, None) => help,
    };
    let error = Error::usage(message).with_hint(hint);
    match detail {
        Some(detail) => error.with_detail(detail),
        None => error,
    }
}

fn unknown_command(root: &Command, parent: &Command, word: &str, help: &str) -> Error {
    let name = parent.get_bin_name().unwrap_or("oneup");
    let suggestion = closest_command(root, parent, word);
    // What is in the place of a product, of a token command, or is too long for a command, may be a secret.
    let may_be_secret = name != "oneup" || word.len() > MAX_COMMAND_LEN;
    let message = if suggestion.is_none() && may_be_secret {
        format!("unknown command of {name} (not shown: it may be a secret)")
    } else {
        format!("unknown command `{name} {}`", sanitize(word, MAX_ARG_LEN))
    };
    Error::usage(message).with_hint(match suggestion {
        Some(suggestion) => format!("did you mean `{suggestion}`?"),
        None => help.to_owned(),
    })
}

/// Returns the message and, where there is one, its detail.
fn describe(error: &clap::Error) -> (String, Option<String>) {
    let arg = sanitize(text(error, ContextKind::InvalidArg).unwrap_or_default(), MAX_ARG_LEN);
    let value = sanitize(text(error, ContextKind::InvalidValue).unwrap_or_default(), MAX_ARG_LEN);
    let source = || std::error::Error::source(error).map(ToString::to_string);
    match error.kind() {
        ErrorKind::UnknownArgument => (format!("unexpected argument '{arg}'"), None),
        ErrorKind::InvalidValue if value.is_empty() => {
            (format!("missing value for '{arg}'"), valid_values(error))
        }
        ErrorKind::InvalidValue => (format!("invalid value '{value}' for '{arg}'"), valid_values(error)),
        ErrorKind::ValueValidation => (format!("invalid value '{value}' for '{arg}'"), source()),
        ErrorKind::MissingRequiredArgument => {
            (format!("missing argument: {}", texts(error, ContextKind::InvalidArg).join(" ")), None)
        }
        ErrorKind::ArgumentConflict => match texts(error, ContextKind::PriorArg).as_slice() {
            [prior] if *prior == arg => (format!("'{arg}' is given more than once"), None),
            prior => (format!("'{arg}' cannot be used with '{}'", prior.join("', '")), None),
        },
        ErrorKind::TooManyValues => (format!("'{arg}' takes no value"), None),
        ErrorKind::InvalidUtf8 => ("an argument is not valid UTF-8".into(), None),
        kind => (kind.as_str().unwrap_or("invalid arguments").to_owned(), None),
    }
}

fn valid_values(error: &clap::Error) -> Option<String> {
    let values = texts(error, ContextKind::ValidValue);
    (!values.is_empty()).then(|| format!("[possible values: {}]", values.join(", ")))
}

/// Returns the innermost subcommand that `args` name, before the word `until`.
pub fn innermost_command<'a>(root: &'a Command, args: &[OsString], until: Option<&str>) -> &'a Command {
    let takes_value = |flag: &str| {
        let long = flag.strip_prefix("--");
        let arg = root.get_arguments().find(|arg| long.is_some() && arg.get_long() == long);
        arg.is_some_and(|arg| arg.get_action().takes_values())
    };
    let mut is_value = false;
    let words = args
        .iter()
        .skip(1)
        .filter_map(|arg| arg.to_str())
        .filter(|word| !std::mem::replace(&mut is_value, takes_value(word)));
    words
        .take_while(|word| Some(*word) != until)
        .filter(|word| *word != "help")
        .fold(root, |command, word| command.find_subcommand(word).unwrap_or(command))
}

/// Returns the command that was probably meant: one of `parent`, a synonym, or one elsewhere in the tree.
fn closest_command(root: &Command, parent: &Command, word: &str) -> Option<String> {
    let name = parent.get_bin_name().unwrap_or("oneup");
    let siblings = parent.get_subcommands().map(Command::get_name);
    let synonym = SYNONYMS.iter().find(|(synonym, _)| *synonym == word.to_lowercase());
    let mut all = Vec::new();
    push_commands(root, &mut all);
    let elsewhere = || {
        let meant = closest_match(word, all.iter().map(|command| command.get_name()))?;
        all.iter().find(|command| command.get_name() == meant)?.get_bin_name().map(str::to_owned)
    };
    closest_match(word, siblings)
        .map(|sibling| format!("{name} {sibling}"))
        .or_else(|| synonym.map(|(_, command)| format!("oneup {command}")))
        .or_else(elsewhere)
}

fn push_commands<'a>(command: &'a Command, all: &mut Vec<&'a Command>) {
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        push_commands(sub, all);
        all.push(sub);
    }
}

/// Returns whether the argument in error is a positional one.
fn is_positional(error: &clap::Error) -> bool {
    text(error, ContextKind::InvalidArg).is_some_and(|arg| !arg.starts_with('-'))
}

/// Returns whether the argument in error is where a user would expect to name a profile.
fn is_profile(error: &clap::Error, name: &str) -> bool {
    is_positional(error)
        && error.kind() == ErrorKind::UnknownArgument
        && ["oneup logout", "oneup status"].contains(&name)
}

/// Returns whether the argument in error may be a secret: a positional one of a command that handles secrets, or the
/// value of a flag that takes no secret.
fn may_be_secret(error: &clap::Error, name: &str) -> bool {
    let arg = text(error, ContextKind::InvalidArg).unwrap_or_default();
    let is_flag_value = match error.kind() {
        ErrorKind::TooManyValues => arg.starts_with("--client-secret"),
        ErrorKind::InvalidValue => arg.starts_with("--code"),
        _ => false,
    };
    let handles_secrets = ["oneup login ", "oneup token "].iter().any(|prefix| name.starts_with(prefix));
    is_flag_value
        || is_positional(error)
            && handles_secrets
            && matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::InvalidValue)
}

fn secret_hint(error: &clap::Error, name: &str, args: &[OsString]) -> Option<String> {
    let has_flag = |flag: &str| args.iter().filter_map(|arg| arg.to_str()).any(|arg| arg.starts_with(flag));
    if text(error, ContextKind::InvalidArg).is_some_and(|arg| arg.starts_with("--code")) {
        return Some(format!("use --code - to read the code from stdin: {name} --code - < FILE"));
    }
    match name {
        "oneup token inspect" => {
            Some("to inspect a token, pass it on stdin: oneup token inspect - < FILE".into())
        }
        "oneup token show" => Some("to choose a profile, use --profile NAME".into()),
        _ if has_flag("--scope") => {
            Some("quote a scope of several words: --scope 'patient/*.read openid'".into())
        }
        _ => None,
    }
}

/// Returns the environment variable that an invalid value comes from, unless a flag is in `args`.
fn origin_variable(error: &clap::Error, command: &Command, args: &[OsString]) -> Option<String> {
    if !matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) {
        return None;
    }
    let flag = text(error, ContextKind::InvalidArg)?.split(' ').next()?;
    let given = args.iter().filter_map(|arg| arg.to_str()).any(|arg| arg.split('=').next() == Some(flag));
    let long = flag.strip_prefix("--").filter(|_| !given)?;
    let arg = command.get_arguments().find(|arg| arg.get_long() == Some(long))?;
    arg.get_env().map(|name| name.to_string_lossy().into_owned())
}

/// Returns clap's suggestion of a flag or value.
fn suggestion(error: &clap::Error) -> Option<&str> {
    match error.kind() {
        ErrorKind::UnknownArgument => match text(error, ContextKind::SuggestedArg)? {
            "--client-secret" => Some("--client-secret-stdin"),
            flag => Some(flag),
        },
        // clap's threshold is too low here: it suggests zsh for tcsh.
        ErrorKind::InvalidValue => {
            closest_match(text(error, ContextKind::InvalidValue)?, text(error, ContextKind::SuggestedValue))
        }
        _ => None,
    }
}

fn text(error: &clap::Error, kind: ContextKind) -> Option<&str> {
    texts(error, kind).first().copied()
}

fn texts(error: &clap::Error, kind: ContextKind) -> Vec<&str> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text],
        Some(ContextValue::Strings(texts)) => texts.iter().map(String::as_str).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests;
