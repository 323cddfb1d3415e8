//! The sources of a client secret: stdin, a file, a command, the environment. Never an argument.

use std::io::{BufRead, IsTerminal, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::oauth::secret::{Secret, SecretBuf};
use crate::process;
use crate::system::deadline::Deadline;

/// The longest input that is read for a client secret.
const MAX_BYTES: usize = 64 * 1024;

/// How often the end of the secret command is checked.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How long a secret command may run on after it has printed the secret, or keep its stdout open after it has ended.
const EXIT_TIMEOUT: Duration = Duration::from_millis(500);

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
    check_length(&line, "stdin")?;
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

/// Returns the first line that a shell command prints. The command inherits stderr, and stdin only if it is a terminal:
/// what is piped into oneup belongs to the caller's script.
///
/// # Errors
/// Usage, when the command fails, does not print a client secret, or is still running at the deadline.
pub fn from_command(command: &str, deadline: Deadline) -> Result<Secret> {
    let stdin = if std::io::stdin().is_terminal() { Stdio::inherit() } else { Stdio::null() };
    let mut child = shell(command)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| Error::usage("can't run the client secret command").with_cause(error))?;
    let chunks = read_in_background(child.stdout.take())?;
    let (mut output, mut is_closed, mut ended) = (SecretBuf::default(), false, None);
    let mut complete_since = None;
    loop {
        match chunks.recv_timeout(POLL_INTERVAL.min(deadline.remaining())) {
            Ok(chunk) => output.extend(&chunk),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                is_closed = true;
                std::thread::sleep(POLL_INTERVAL);
            }
        }
        check_length(&output, "the command")?;
        let wait = |error| Error::failure("can't wait for the client secret command").with_cause(error);
        ended = ended.or(child.try_wait().map_err(wait)?);
        if is_closed && ended.is_some() {
            break;
        }
        // A process that the command started may keep the pipe open.
        if ended.is_some() || output.contains(&b'\n') {
            let since = *complete_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= EXIT_TIMEOUT {
                break;
            }
        }
        if deadline.has_passed() {
            let _ = child.kill();
            return Err(timed_out(deadline));
        }
    }
    match ended {
        Some(status) if !status.success() => {
            Err(Error::usage(format!("the client secret command failed ({status})"))
                .with_hint("run it by hand; the first line of its stdout must be the client secret"))
        }
        _ => first_line(&output, "the command"),
    }
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
    let invalid = |problem: &str| {
        Err(Error::usage(format!("the client secret from {source} {problem}; nothing was sent")))
    };
    if text.trim().is_empty() {
        return invalid("is empty").map_err(|error| error.with_hint("copy it from the Dev Portal again"));
    }
    if text.starts_with('\u{feff}') {
        return invalid("begins with a byte order mark").map_err(|error| error.with_hint(save_hint(source)));
    }
    if text.contains(['\n', '\r']) {
        return invalid("has more than one line")
            .map_err(|error| error.with_hint("save the client secret alone, on one line"));
    }
    if text.contains(char::is_control) {
        return invalid("has control characters").map_err(|error| error.with_hint(save_hint(source)));
    }
    Ok(Secret::new(text))
}

/// Removes what a terminal adds to pasted text: brackets around the paste, color codes, whitespace at both ends.
pub fn clean_typed(text: &str) -> Zeroizing<String> {
    let mut cleaned = Zeroizing::new(String::with_capacity(text.len()));
    let mut rest = text;
    while let Some(start) = rest.find('\u{1b}') {
        cleaned.push_str(&rest[..start]);
        let sequence = &rest[start + 1..];
        // A control sequence (ECMA-48): `[`, parameters, one final character.
        rest = match sequence.strip_prefix('[') {
            Some(parameters) => {
                parameters.find(|c: char| matches!(c, '@'..='~')).map_or("", |end| &parameters[end + 1..])
            }
            None => sequence,
        };
    }
    cleaned.push_str(rest);
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
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(Error::usage(format!("the client secret from {source} is UTF-16; nothing was sent"))
            .with_hint(save_hint(source)));
    }
    std::str::from_utf8(bytes).map_err(|_| {
        Error::usage(format!("the client secret from {source} is not UTF-8; nothing was sent"))
            .with_hint(save_hint(source))
    })
}

fn save_hint(source: &str) -> String {
    format!("save {source} as plain text: UTF-8 without a byte order mark (in PowerShell: -Encoding ascii)")
}

fn check_length(bytes: &[u8], name: &str) -> Result<()> {
    if bytes.len() > MAX_BYTES { Err(too_long(name)) } else { Ok(()) }
}

fn too_long(name: &str) -> Error {
    Error::usage(format!("{name} is too long for a client secret; nothing was sent"))
        .with_hint("pass a source that holds the client secret and nothing else")
}

fn timed_out(deadline: Deadline) -> Error {
    Error::usage(format!("the client secret command timed out after {} s", deadline.timeout().as_secs()))
        .with_hint("run it by hand to see what it waits for, or allow more time with --timeout SECS")
}

/// Reads in a thread, which ends when the pipe is closed or its receiver is dropped.
fn read_in_background(
    pipe: Option<std::process::ChildStdout>,
) -> Result<std::sync::mpsc::Receiver<Zeroizing<Vec<u8>>>> {
    let (sender, receiver) = sync_channel(1);
    let spawned = std::thread::Builder::new().spawn(move || {
        let mut pipe = pipe;
        let mut chunk = Zeroizing::new(vec![0; 4096]);
        while let Some(Ok(count @ 1..)) = pipe.as_mut().map(|pipe| pipe.read(&mut chunk)) {
            if sender.send(Zeroizing::new(chunk[..count].to_vec())).is_err() {
                return;
            }
        }
    });
    spawned.map_err(|error| Error::failure("can't read from the client secret command").with_cause(error))?;
    Ok(receiver)
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = process::command("sh".as_ref());
    shell.args(["-c", command]);
    shell
}

#[cfg(windows)]
fn shell(command: &str) -> Command {
    // As it is: cmd does not read the backslashes that would quote it as an argument.
    let mut shell = process::command("cmd".as_ref());
    std::os::windows::process::CommandExt::raw_arg(&mut shell, format!("/D /S /C \"{command}\""));
    shell
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

    #[cfg(unix)]
    #[test]
    fn command_is_bounded_by_its_first_line_and_the_deadline() {
        let run = |command, millis| {
            let begun = Instant::now();
            let result = from_command(command, Deadline::after(Duration::from_millis(millis)));
            (result.map(|secret| secret.expose().to_owned()), begun.elapsed())
        };
        for command in
            ["echo s3", "printf s3", "echo s3; sleep 30 &", "printf s3; sleep 30 &", "echo s3; sleep 30"]
        {
            let (secret, took) = run(command, 20_000);
            assert_eq!(secret.expect(command), "s3");
            assert!(took < Duration::from_secs(15), "{command}: {took:?}");
        }
        let (result, took) = run("sleep 30", 300);
        assert!(result.expect_err("too slow").to_string().contains("timed out after"));
        assert!(took < Duration::from_secs(15));
        assert!(run("echo s3; exit 3", 20_000).0.is_err());
    }
}
