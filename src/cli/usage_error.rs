//! Usage errors in the form of every other error: what is wrong, then a hint.

use std::ffi::OsString;
use std::num::{IntErrorKind, ParseIntError};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory};

use crate::cli::Cli;
use crate::cli::help::man::{self, bin_name};
use crate::error::Error;
use crate::process;
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
    let error = match word {
        Some(word) => unknown_command(&root, command, word),
        None => invalid_argument(error, command, args),
    };
    if runs_program(command, args) { process::before_start(error) } else { error }
}

/// Returns whether the command runs a program, whose exit codes its own must not be confused with.
fn runs_program(command: &Command, args: &[OsString]) -> bool {
    match command.get_bin_name() {
        Some("oneup curl" | "oneup exec" | "oneup sandbox run") => true,
        Some("oneup proxy") => args.iter().any(|arg| arg == "--"),
        _ => false,
    }
}

fn invalid_argument(error: &clap::Error, command: &Command, args: &[OsString]) -> Error {
    let arg = text(error, ContextKind::InvalidArg).unwrap_or_default();
    if arg.starts_with("--client-secret [") && error.kind() == ErrorKind::UnknownArgument {
        return Error::usage("a client secret is not accepted as an argument: other processes can read it")
            .with_hint(
                "use --client-secret-stdin, --client-secret-file FILE, --client-secret-command CMD or \
                 ONEUP_CLIENT_SECRET",
            );
    }
    let described = if may_be_secret(error, command) {
        Error::usage("unexpected argument (not shown: it may be a secret)")
    } else {
        describe(error)
    };
    described.with_hint(hint(error, command, args))
}

fn unknown_command(root: &Command, parent: &Command, word: &str) -> Error {
    let name = bin_name(parent);
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
        None => format!("{name} --help"),
    })
}

fn describe(error: &clap::Error) -> Error {
    let arg = sanitize(text(error, ContextKind::InvalidArg).unwrap_or_default(), MAX_ARG_LEN);
    let value = sanitize(text(error, ContextKind::InvalidValue).unwrap_or_default(), MAX_ARG_LEN);
    let valid_values = texts(error, ContextKind::ValidValue).join(", ");
    let message = match error.kind() {
        ErrorKind::UnknownArgument => format!("unexpected argument '{arg}'"),
        ErrorKind::InvalidValue if value.is_empty() => format!("missing value for '{arg}'"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            format!("invalid value '{value}' for '{arg}'")
        }
        ErrorKind::MissingRequiredArgument => {
            format!("missing argument: {}", texts(error, ContextKind::InvalidArg).join(" "))
        }
        ErrorKind::ArgumentConflict => match texts(error, ContextKind::PriorArg).as_slice() {
            [prior] if *prior == arg => format!("'{arg}' is given more than once"),
            prior => {
                let arg = arg.trim_matches(['[', ']']);
                format!("'{arg}' cannot be used with '{}'", prior.join("', '"))
            }
        },
        ErrorKind::TooManyValues => format!("'{arg}' takes no value"),
        ErrorKind::InvalidUtf8 => "an argument is not valid UTF-8".into(),
        kind => kind.as_str().unwrap_or("invalid arguments").to_owned(),
    };
    let described = Error::usage(message);
    match std::error::Error::source(error) {
        Some(source) if is_not_a_number(source) => described.with_detail("it must be a whole number"),
        Some(source) if error.kind() == ErrorKind::ValueValidation => described.with_detail(source),
        _ if valid_values.is_empty() => described,
        _ => described.with_detail(format_args!("[possible values: {valid_values}]")),
    }
}

fn is_not_a_number(error: &(dyn std::error::Error + 'static)) -> bool {
    let kind = error.downcast_ref::<ParseIntError>().map(ParseIntError::kind);
    matches!(kind, Some(IntErrorKind::Empty | IntErrorKind::InvalidDigit))
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
    let closest = |commands: &[&Command]| {
        let meant = closest_match(word, commands.iter().map(|command| command.get_name()))?;
        commands
            .iter()
            .find(|command| command.get_name() == meant)
            .map(|command| bin_name(command).to_owned())
    };
    let siblings: Vec<&Command> = parent.get_subcommands().collect();
    let synonym = SYNONYMS.iter().find(|(synonym, _)| *synonym == word.to_lowercase());
    closest(&siblings)
        .or_else(|| synonym.map(|(_, command)| format!("oneup {command}")))
        .or_else(|| closest(&man::commands(root)[1..]))
}

/// Returns whether the argument in error is a positional one.
fn is_positional(error: &clap::Error) -> bool {
    text(error, ContextKind::InvalidArg).is_some_and(|arg| !arg.starts_with('-'))
        && matches!(error.kind(), ErrorKind::UnknownArgument | ErrorKind::InvalidValue)
}

/// Returns whether the argument in error may be a secret: a positional one of a command that handles secrets, or the
/// value of a flag that takes no secret.
fn may_be_secret(error: &clap::Error, command: &Command) -> bool {
    let arg = text(error, ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::TooManyValues => arg.starts_with("--client-secret"),
        ErrorKind::InvalidValue if arg.starts_with("--code") => true,
        _ => {
            let name = bin_name(command);
            is_positional(error) && (name.starts_with("oneup login ") || name.starts_with("oneup token "))
        }
    }
}

fn hint(error: &clap::Error, command: &Command, args: &[OsString]) -> String {
    let name = bin_name(command);
    let has = |flag: &str| args.iter().filter_map(|arg| arg.to_str()).any(|arg| arg.starts_with(flag));
    let arg = text(error, ContextKind::InvalidArg).unwrap_or_default();
    if error.kind() == ErrorKind::InvalidValue && arg.starts_with("--code") {
        return format!("use --code - to read the code from stdin: {name} --code - < FILE");
    }
    if let Some(variable) = origin_variable(error, command, args) {
        return format!("the value comes from {variable}; correct or unset it");
    }
    if let Some(suggestion) = suggestion(error) {
        return format!("did you mean `{suggestion}`?");
    }
    match name {
        "oneup token inspect" if is_positional(error) && has("--allows") => {
            "quote method and URL together: --allows 'GET /Patient/1'".into()
        }
        "oneup token inspect" if is_positional(error) => {
            "to inspect a token, pass it on stdin: oneup token inspect - < FILE".into()
        }
        "oneup logout" | "oneup status" | "oneup token show" if is_positional(error) => {
            "to choose a profile, use --profile NAME".into()
        }
        _ if is_positional(error) && may_be_secret(error, command) && has("--scope") => {
            "quote a scope of several words: --scope 'patient/*.read openid'".into()
        }
        _ => format!("{name} --help"),
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
