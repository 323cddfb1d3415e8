//! The sources of a client secret: stdin, a file, a command, the environment. Never an argument.

use std::io::{BufRead, Read};
use std::path::Path;

use zeroize::Zeroizing;

use super::secret_command::{self, MAX_BYTES, SecretKind};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::oauth::secret::{Secret, SecretBuf};
use crate::system::deadline::Deadline;

/// Reads the first line of stdin.
///
/// # Errors
/// Usage, when it is not a client secret.
pub fn from_stdin() -> Result<Secret> {
    let mut line = Zeroizing::new(Vec::with_capacity(4096));
    std::io::stdin()
        .lock()
        .take(MAX_BYTES as u64 + 1)
        .read_until(b'\n', &mut line)
        .map_err(|error| Error::usage("can't read the client secret from stdin").with_cause(error))?;
    if line.len() > MAX_BYTES {
        return Err(too_long("stdin"));
    }
    first_line(&line, "stdin")
}

/// Reads a file and strips one trailing line ending. Warns when others can read the file.
///
/// # Errors
/// Usage, when it can't be read or is not a client secret.
pub fn from_file(context: &Context, path: &Path) -> Result<Secret> {
    let name = path.display().to_string();
    let unreadable =
        |error| Error::usage(format!("can't read the client secret from {name}")).with_cause(error);
    let file = std::fs::File::open(path).map_err(unreadable)?;
    warn_if_shared(context, &file, &name);
    let bytes = SecretBuf::read_from(file, 4096, MAX_BYTES).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => too_long(&name),
        _ => unreadable(error),
    })?;
    let text = decode(&bytes, &name)?;
    check(strip_line_ending(text), &name)
}

/// Returns the first line that a shell command prints.
///
/// # Errors
/// Usage, when the command fails, does not print a client secret, or is still running at the deadline.
pub fn from_command(command: &str, deadline: Deadline) -> Result<Secret> {
    let output = secret_command::run(command, SecretKind::ClientSecret, deadline)?;
    first_line(&output, "the command")
}

/// Returns `ONEUP_CLIENT_SECRET` without a trailing line ending, `None` when it is unset or empty.
///
/// # Errors
/// Usage, when it is not a client secret.
pub fn from_environment() -> Result<Option<Secret>> {
    const NAME: &str = "ONEUP_CLIENT_SECRET";
    match std::env::var(NAME).map(Zeroizing::new) {
        Ok(text) if text.is_empty() => Ok(None),
        Ok(text) => check(strip_line_ending(&text), NAME).map(Some),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => Err(Error::usage(format!("{NAME} is not UTF-8"))),
    }
}

/// Returns the text as a secret, unless it is empty or has characters that no client secret has.
///
/// # Errors
/// Usage; nothing was sent.
pub fn check(text: &str, source: &str) -> Result<Secret> {
    if text.trim().is_empty() {
        Err(invalid(source, "is empty").with_hint("copy it from the Dev Portal again"))
    } else if text.starts_with('\u{feff}') {
        Err(badly_saved(source, "begins with a byte order mark"))
    } else if text.contains(['\n', '\r']) {
        Err(invalid(source, "has more than one line").with_hint("save the client secret alone, on one line"))
    } else if text.contains(char::is_control) {
        Err(badly_saved(source, "has control characters"))
    } else {
        Ok(Secret::new(text))
    }
}

/// Removes what a terminal adds to pasted text: brackets around the paste, color codes, whitespace at both ends.
pub fn clean_typed(text: &str) -> Zeroizing<String> {
    let mut cleaned = Zeroizing::new(String::with_capacity(text.len()));
    for (index, piece) in text.split('\u{1b}').enumerate() {
        // A control sequence (ECMA-48): `[`, parameters, one final character.
        cleaned.push_str(match piece.strip_prefix('[').filter(|_| index > 0) {
            Some(sequence) => sequence.split_once(|c| matches!(c, '@'..='~')).map_or("", |(_, rest)| rest),
            None => piece,
        });
    }
    Zeroizing::new(cleaned.trim().to_owned())
}

fn first_line(bytes: &[u8], source: &str) -> Result<Secret> {
    let text = decode(bytes, source)?;
    check(text.lines().next().unwrap_or_default(), source)
}

fn strip_line_ending(text: &str) -> &str {
    text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text))
}

fn decode<'a>(bytes: &'a [u8], source: &str) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| {
        let is_utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
        badly_saved(source, if is_utf16 { "is UTF-16" } else { "is not UTF-8" })
    })
}

fn invalid(source: &str, problem: &str) -> Error {
    Error::usage(format!("the client secret from {source} {problem}; nothing was sent"))
}

fn badly_saved(source: &str, problem: &str) -> Error {
    invalid(source, problem).with_hint(format!(
        "save {source} as plain text: UTF-8 without a byte order mark (in PowerShell: -Encoding ascii)"
    ))
}

fn too_long(name: &str) -> Error {
    Error::usage(format!("{name} is too long for a client secret; nothing was sent"))
        .with_hint("pass a source that holds the client secret and nothing else")
}

#[cfg(unix)]
fn warn_if_shared(context: &Context, file: &std::fs::File, name: &str) {
    use std::os::unix::fs::PermissionsExt;
    let mode = file.metadata().ok().filter(std::fs::Metadata::is_file).map(|meta| meta.permissions().mode());
    if let Some(mode) = mode.filter(|mode| mode & 0o077 != 0) {
        context.warn(format_args!(
            "{name}: permissions too open ({:04o}); run `chmod 600 '{name}'`",
            mode & 0o7777
        ));
    }
}

#[cfg(not(unix))]
fn warn_if_shared(_: &Context, _: &std::fs::File, _: &str) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secret_is_taken_byte_for_byte_or_rejected() {
        for text in ["p&a=s+s% wörd", " inner  spaces ", "\"quoted\"", &"x".repeat(4096)] {
            assert_eq!(check(text, "test").expect(text).expose(), text);
        }
        for text in ["", " \t", "a\0b", "a\x1b[0m", "\u{feff}secret", "two\nlines"] {
            assert_eq!(check(text, "test").expect_err(text).kind().exit().code(), 2);
        }
    }

    #[test]
    fn first_line_ends_before_lf_and_crlf() {
        for bytes in [&b"s3"[..], b"s3\n", b"s3\r\n", b"s3\nmore"] {
            assert_eq!(first_line(bytes, "test").expect("a secret").expose(), "s3");
        }
        assert!(first_line(b"\ns3", "test").is_err());
        let utf16 = first_line(b"\xff\xfes\x003\0", "test").expect_err("UTF-16").to_string();
        assert!(utf16.contains("UTF-16") && utf16.contains("hint: save test as plain text"), "{utf16}");
    }

    #[test]
    fn typed_text_loses_what_the_terminal_added() {
        for typed in [" s3\t", "\x1b[200~s3\x1b[201~", "\x1b[31ms3\x1b[0m\r", "s\x1b[1;31m3"] {
            assert_eq!(*clean_typed(typed), "s3");
        }
        assert_eq!(*clean_typed("a b"), "a b");
    }
}
