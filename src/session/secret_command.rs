//! A shell command that prints a client secret or a private key (`--client-secret-command`, `--key-command`).

use std::io::{IsTerminal, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::oauth::secret::SecretBuf;
use crate::process;
use crate::system::deadline::Deadline;

/// The longest client secret or private key that is read.
pub const MAX_BYTES: usize = 64 * 1024;

/// How often the end of the command is checked.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// How long a command may run on after it has printed a client secret, or keep its stdout open after it has ended.
const EXIT_TIMEOUT: Duration = Duration::from_millis(500);

/// What a command prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretKind {
    /// One line, which counts even while the command runs on.
    ClientSecret,
    /// Any number of lines, which end with the command.
    PrivateKey,
}

impl SecretKind {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::ClientSecret => "client secret",
            Self::PrivateKey => "private key",
        }
    }

    fn is_complete(self, output: &[u8]) -> bool {
        self == Self::ClientSecret && output.contains(&b'\n')
    }
}

/// Returns what a shell command prints. The command inherits stderr, and stdin only if it is a terminal: what is piped
/// into oneup belongs to the caller's script.
///
/// # Errors
/// Usage, when the command fails, prints too much, or is still running at the deadline.
pub fn run(command: &str, kind: SecretKind, deadline: Deadline) -> Result<SecretBuf> {
    let name = kind.name();
    let stdin = if std::io::stdin().is_terminal() { Stdio::inherit() } else { Stdio::null() };
    let mut child = shell(command)
        .stdin(stdin)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .map_err(|error| Error::usage(format!("can't run the {name} command")).with_cause(error))?;
    let (output, status) = read_output(&mut child, kind, deadline)?;
    match status {
        Some(status) if !status.success() => {
            Err(Error::usage(format!("the {name} command failed ({status})")).with_hint(match kind {
                SecretKind::ClientSecret => {
                    "run it by hand; the first line of its stdout must be the client secret"
                }
                SecretKind::PrivateKey => "run it by hand; its stdout must be the private key, as PEM or JWK",
            }))
        }
        _ => Ok(output),
    }
}

/// Returns the output, and how the command ended if it did.
fn read_output(
    child: &mut Child,
    kind: SecretKind,
    deadline: Deadline,
) -> Result<(SecretBuf, Option<ExitStatus>)> {
    let name = kind.name();
    let chunks = read_in_background(child.stdout.take(), name)?;
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
        if output.len() > MAX_BYTES {
            let _ = child.kill();
            return Err(Error::usage(format!("the command prints too much for a {name}; nothing was sent"))
                .with_hint(format!("use a command that prints the {name} and nothing else")));
        }
        let wait = |error| Error::failure(format!("can't wait for the {name} command")).with_cause(error);
        ended = ended.or(child.try_wait().map_err(wait)?);
        if is_closed && ended.is_some() {
            return Ok((output, ended));
        }
        // A process that the command started may keep the pipe open.
        if ended.is_some() || kind.is_complete(&output) {
            let since = *complete_since.get_or_insert_with(Instant::now);
            if since.elapsed() >= EXIT_TIMEOUT {
                return Ok((output, ended));
            }
        }
        if deadline.has_passed() {
            let _ = child.kill();
            let seconds = deadline.timeout().as_secs();
            return Err(Error::usage(format!("the {name} command timed out after {seconds} s")).with_hint(
                "run it by hand to see what it waits for, or allow more time with --timeout SECS",
            ));
        }
    }
}

/// Reads in a thread, which ends when the pipe is closed or its receiver is dropped.
fn read_in_background(
    pipe: Option<std::process::ChildStdout>,
    name: &str,
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
    spawned
        .map_err(|error| Error::failure(format!("can't read from the {name} command")).with_cause(error))?;
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

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn run_for(command: &str, kind: SecretKind, millis: u64) -> (Result<String>, Duration) {
        let begun = Instant::now();
        let output = run(command, kind, Deadline::after(Duration::from_millis(millis)));
        (output.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()), begun.elapsed())
    }

    #[test]
    fn command_is_bounded_by_its_first_line_and_the_deadline() {
        for command in
            ["echo s3", "printf s3", "echo s3; sleep 30 &", "printf s3; sleep 30 &", "echo s3; sleep 30"]
        {
            let (secret, took) = run_for(command, SecretKind::ClientSecret, 20_000);
            assert_eq!(secret.expect(command).trim_end(), "s3");
            assert!(took < Duration::from_secs(15), "{command}: {took:?}");
        }
        for kind in [SecretKind::ClientSecret, SecretKind::PrivateKey] {
            let (result, took) = run_for("sleep 30", kind, 300);
            let message = result.expect_err("too slow").to_string();
            assert!(message.contains(kind.name()) && message.contains("timed out after"), "{message}");
            assert!(took < Duration::from_secs(15));
            assert!(run_for("echo s3; exit 3", kind, 20_000).0.is_err());
            assert!(
                run_for("yes", kind, 20_000).0.is_err_and(|error| error.to_string().contains("too much"))
            );
        }
    }

    #[test]
    fn private_key_is_all_that_the_command_prints() {
        for command in ["printf 'a\\nb\\n'", "echo a; sleep 0.7; echo b", "echo a; echo b; sleep 30 &"] {
            let (key, took) = run_for(command, SecretKind::PrivateKey, 20_000);
            assert_eq!(key.expect(command), "a\nb\n", "{command}");
            assert!(took < Duration::from_secs(15), "{command}: {took:?}");
        }
    }
}
