//! Where a client secret comes from: stdin, a file, a command, the environment. Never an argument.

use std::io::{BufRead, Read};
use std::path::Path;
use std::process::{Command, Stdio};

use zeroize::Zeroizing;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::oauth::secret::Secret;
use crate::process;
use crate::system::deadline::Deadline;

/// No client secret is longer; what is, is some other file.
const MAX_BYTES: u64 = 64 * 1024;

/// The first line of stdin.
///
/// # Errors
/// Usage, when there is none.
pub fn from_stdin() -> Result<Secret> {
    let mut line = Zeroizing::new(Vec::with_capacity(4096));
    std::io::stdin()
        .lock()
        .take(MAX_BYTES + 1)
        .read_until(b'\n', &mut line)
        .map_err(|error| Error::usage("can't read the client secret from stdin").with_cause(error))?;
    check_length(&line, "stdin")?;
    first_line(&line, "stdin")
}

/// A whole file, one trailing line ending stripped. Warns when others can read it.
///
/// # Errors
/// Usage, when it can't be read or holds no secret.
pub fn from_file(context: &Context, path: &Path) -> Result<Secret> {
    let name = path.display().to_string();
    let file = std::fs::File::open(path).map_err(|error| {
        Error::usage(format!("can't read the client secret from {name}")).with_cause(error)
    })?;
    warn_if_shared(context, &file, &name);
    let bytes = read(file, &name)?;
    let text = checked(&bytes, &name)?;
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    sound(text, &name)
}

/// The first line of what a shell command prints. Its stderr is the person's.
///
/// # Errors
/// Usage, when it fails or prints no secret.
pub fn from_command(command: &str, _deadline: Deadline) -> Result<Secret> {
    let what = "the client secret command";
    let output = shell(command)
        .stdin(Stdio::inherit())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| Error::usage(format!("can't run {what}")).with_cause(error))?;
    let bytes = Zeroizing::new(output.stdout);
    if !output.status.success() {
        return Err(Error::usage(format!("{what} failed ({})", output.status))
            .with_hint("run it by hand; its first line of stdout must be the client secret"));
    }
    first_line(&bytes, "the command")
}

/// `ONEUP_CLIENT_SECRET`, when it is set.
///
/// # Errors
/// Usage, when it holds no secret.
pub fn from_environment() -> Result<Option<Secret>> {
    match std::env::var("ONEUP_CLIENT_SECRET") {
        Ok(text) => sound(&text, "ONEUP_CLIENT_SECRET").map(Some),
        Err(std::env::VarError::NotPresent) => Ok(None),
        Err(std::env::VarError::NotUnicode(_)) => {
            Err(Error::usage("ONEUP_CLIENT_SECRET is not UTF-8")
                .with_hint("copy it from the Dev Portal again"))
        }
    }
}

/// Refuses what can't be a secret: blank, a NUL, a line end, a byte order mark.
///
/// # Errors
/// Usage; nothing was sent.
pub fn sound(text: &str, source: &str) -> Result<Secret> {
    let refuse = |why: &str| {
        Err(Error::usage(format!("the client secret from {source} {why}; nothing was sent"))
            .with_hint("copy it from the Dev Portal again"))
    };
    if text.trim().is_empty() {
        return refuse("is blank");
    }
    if text.starts_with('\u{feff}') {
        return refuse("begins with a byte order mark");
    }
    if text.contains(['\0', '\n', '\r']) {
        return refuse("holds a NUL or a line break");
    }
    Ok(Secret::new(text))
}

fn first_line(bytes: &[u8], source: &str) -> Result<Secret> {
    let text = checked(bytes, source)?;
    sound(text.lines().next().unwrap_or_default(), source)
}

fn checked<'a>(bytes: &'a [u8], source: &str) -> Result<&'a str> {
    std::str::from_utf8(bytes)
        .map_err(|_| Error::usage(format!("the client secret from {source} is not UTF-8")))
}

fn read(source: impl Read, name: &str) -> Result<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(4096));
    source.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|error| {
        Error::usage(format!("can't read the client secret from {name}")).with_cause(error)
    })?;
    check_length(&bytes, name)?;
    Ok(bytes)
}

fn check_length(bytes: &[u8], name: &str) -> Result<()> {
    if bytes.len() as u64 > MAX_BYTES {
        return Err(Error::usage(format!("{name} is too long for a client secret; nothing was sent"))
            .with_hint("give what holds the client secret and nothing else"));
    }
    Ok(())
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = process::command("sh".as_ref());
    shell.args(["-c", command]);
    shell
}

#[cfg(windows)]
fn shell(command: &str) -> Command {
    let mut shell = process::command("cmd".as_ref());
    shell.args(["/C", command]);
    shell
}

#[cfg(unix)]
fn warn_if_shared(context: &Context, file: &std::fs::File, name: &str) {
    use std::os::unix::fs::PermissionsExt;
    let shared = file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o077 != 0);
    if shared {
        context.warn(format_args!("others can read {name}; chmod 600 {name}"));
    }
}

#[cfg(not(unix))]
fn warn_if_shared(_: &Context, _: &std::fs::File, _: &str) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_taken_byte_for_byte_or_refused() {
        for text in ["p&a=s+s% wörd", " inner  spaces ", "\"quoted\"", &"x".repeat(4096)] {
            assert_eq!(sound(text, "test").expect(text).expose(), text);
        }
        for text in ["", " \t", "a\0b", "\u{feff}secret", "two\nlines"] {
            assert_eq!(sound(text, "test").expect_err(text).kind().exit().code(), 2);
        }
    }

    #[test]
    fn the_first_line_ends_before_lf_and_crlf() {
        for bytes in [&b"s3"[..], b"s3\n", b"s3\r\n", b"s3\nmore"] {
            assert_eq!(first_line(bytes, "test").expect("a secret").expose(), "s3");
        }
        assert!(first_line(b"\ns3", "test").is_err());
        assert!(first_line(b"\xff\xfe", "test").is_err());
    }
}
