//! Failures: what happened, why, and the next step; and the exit codes that scripts see.
//!
//! Every failure that a user can act on becomes an [`Error`]. Nothing here ever holds a secret.

use std::fmt;

use crate::text::Sanitized;

/// What happened. [`Exit::code`] derives the exit code from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// A failure without a kind of its own.
    Other,
    /// Wrong flags, empty or malformed input, plain http to a host that is not loopback, an unusable proxy.
    Usage,
    /// The server's response is not a valid OAuth or FHIR response.
    Protocol,
    /// No such profile, not logged in, or the server rejected the client, the code or the refresh token.
    Auth,
    /// DNS, connection, timeout, TLS, proxy, 429 or 5xx after retries.
    Network,
    /// The credential store failed.
    Store(StoreErrorKind),
    /// Another oneup process held a lock for too long.
    LockTimeout,
    /// A check ran and failed: `token inspect`, `doctor`, `export`.
    CheckFailed,
    /// oneup failed before it started the user's program.
    NotStarted,
    /// The user's program exists and can't be executed.
    NotExecutable,
    /// The user's program does not exist.
    NotFound,
    /// SIGINT, where it did not end the process by itself. The error is not printed.
    Interrupted,
}

/// How a credential store failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// It does not exist here: no service, no bus, no kernel support.
    Unavailable,
    /// It is locked, and no one can unlock it now.
    Locked,
    /// It did not respond in time.
    Timeout,
    /// What it holds can't be read.
    Corrupt,
    /// Another machine changed the credentials at the same time.
    Conflict,
    /// It reported an error.
    Failed,
}

/// How a command ended, as its exit code tells scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It did its work.
    Success,
    /// It failed.
    Failed(ErrorKind),
    /// The exit code of the user's program (on Windows it can exceed 255); 128+N when signal N ended it.
    Program(i32),
}

impl Exit {
    /// Returns the exit code of the process. The numbers are promised in the README.
    pub fn code(self) -> i32 {
        match self {
            Self::Success => 0,
            Self::Program(code) => code,
            Self::Failed(kind) => match kind {
                ErrorKind::Other | ErrorKind::LockTimeout => 1,
                ErrorKind::Usage => 2,
                ErrorKind::Protocol => 3,
                ErrorKind::Auth => 4,
                ErrorKind::Network => 5,
                ErrorKind::Store(_) => 6,
                ErrorKind::CheckFailed => 7,
                ErrorKind::NotStarted => 125,
                ErrorKind::NotExecutable => 126,
                ErrorKind::NotFound => 127,
                ErrorKind::Interrupted => 130,
            },
        }
    }
}

impl ErrorKind {
    /// Returns how a command ends that fails with this kind.
    pub fn exit(self) -> Exit {
        Exit::Failed(self)
    }
}

/// A failure: what happened, its causes, and the next step where there is one.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<anyhow::Error>,
    hint: Option<String>,
}

/// The result of most functions of the crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Ignores that the reader of stdout has closed it (`| head`).
///
/// # Errors
/// Any other failure to write, such as a full disk.
pub fn ignore_broken_pipe(result: std::io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::failure("can't write to stdout").with_cause(error))
        }
        _ => Ok(()),
    }
}

impl Error {
    /// An error of this kind; `message` is one line without a period.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None, hint: None }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Usage, message)
    }

    pub fn protocol(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, message)
    }

    pub fn auth(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Auth, message)
    }

    pub fn network(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Network, message)
    }

    pub fn store(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Store(kind), message)
    }

    pub fn failure(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Other, message)
    }

    /// Adds an error as the cause of this one. Its whole chain is printed, indented, outermost first.
    #[must_use]
    pub fn with_cause(mut self, cause: impl Into<anyhow::Error>) -> Self {
        self.source = Some(cause.into());
        self
    }

    /// Adds details as the cause: text of one or more lines.
    #[must_use]
    pub fn with_detail(self, detail: impl fmt::Display) -> Self {
        self.with_cause(anyhow::Error::msg(detail.to_string()))
    }

    /// Sets the next step: a command that works when pasted, where there is one.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Returns the same failure as another kind: `curl` and `exec` report all of their own as
    /// [`ErrorKind::NotStarted`].
    #[must_use]
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    /// What happened, for control flow.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the message and its causes on one line, sanitized, without the hint.
    pub fn summary(&self) -> String {
        let lines = std::iter::once(self.message.clone()).chain(self.cause_lines());
        Sanitized(&lines.collect::<Vec<_>>().join(": ")).to_string()
    }

    /// The next step.
    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The lines of the causes, outermost first. A cause that repeats the line before it is left out.
    fn cause_lines(&self) -> impl Iterator<Item = String> {
        let mut lines: Vec<String> = Vec::new();
        for cause in self.source.iter().flat_map(anyhow::Error::chain) {
            let text = cause.to_string();
            for line in text.lines().filter(|line| !line.is_empty()) {
                if lines.last().is_none_or(|last| !last.contains(line)) {
                    lines.push(line.to_owned());
                }
            }
        }
        lines.into_iter()
    }
}

impl fmt::Display for Error {
    /// Writes `MESSAGE`, the causes indented, and `hint: …`, everything sanitized. The caller writes `error: ` first.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Sanitized(&self.message))?;
        for line in self.cause_lines() {
            write!(f, "\n  {}", Sanitized(&line))?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {}", Sanitized(hint)),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displays_message_then_causes_then_hint() {
        let error = Error::auth("not logged in").with_detail("one\ntwo").with_hint("oneup login provider");
        assert_eq!(error.to_string(), "not logged in\n  one\n  two\nhint: oneup login provider");
        assert_eq!(error.summary(), "not logged in: one: two");
        let inner = std::io::Error::other("disk on fire");
        let error =
            Error::failure("can't save").with_cause(anyhow::Error::new(inner).context("can't write x"));
        assert_eq!(error.to_string(), "can't save\n  can't write x\n  disk on fire");
    }

    #[test]
    fn sanitizes_everything_it_displays() {
        let error = Error::usage("a\x1b[31m").with_detail("b\x1b]0;x\x07").with_hint("c\u{202e}\r");
        assert_eq!(error.to_string(), "a\\u{1b}[31m\n  b\\u{1b}]0;x\\u{7}\nhint: c\\u{202e}\\u{d}");
        assert!(!error.summary().contains('\x1b'));
    }

    #[test]
    fn each_kind_has_its_exit_code() {
        for (kind, code) in [
            (ErrorKind::Other, 1),
            (ErrorKind::LockTimeout, 1),
            (ErrorKind::Usage, 2),
            (ErrorKind::Protocol, 3),
            (ErrorKind::Auth, 4),
            (ErrorKind::Network, 5),
            (ErrorKind::Store(StoreErrorKind::Locked), 6),
            (ErrorKind::CheckFailed, 7),
            (ErrorKind::NotStarted, 125),
            (ErrorKind::NotExecutable, 126),
            (ErrorKind::NotFound, 127),
            (ErrorKind::Interrupted, 130),
        ] {
            assert_eq!(kind.exit().code(), code, "{kind:?}");
        }
        assert_eq!((Exit::Success.code(), Exit::Program(42).code()), (0, 42));
    }
}
