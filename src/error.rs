//! What went wrong, told as what the user must do next.
//!
//! Every failure that a person can act on becomes an [`Error`]: its [`Exit`] is the contract with scripts, its
//! text the contract with people. Nothing here ever holds a secret.

use std::fmt;

/// The process's exit code. The numbers are promised in the README and never change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Any failure without a code of its own.
    Failure = 1,
    /// Wrong usage: flags, empty or malformed input, plain http to a host that is not loopback.
    Usage = 2,
    /// The server's answer is not a valid OAuth answer.
    Protocol = 3,
    /// No such profile, nobody logged in, or the server refused the client, the code or the refresh token.
    Auth = 4,
    /// DNS, refused, timeout, TLS, proxy, 429 or 5xx after retries.
    Network = 5,
    /// The credential store is missing, locked or failed.
    Store = 6,
    /// `token inspect`: the token does not hold; `doctor`: a check failed.
    Verdict = 7,
    /// `curl`, `exec`, `sandbox run`: oneup itself failed before it started the program.
    NotStarted = 125,
    /// The program is there and can't be run.
    NotExecutable = 126,
    /// The program isn't there.
    NotFound = 127,
    /// SIGINT, where it did not end the process by itself.
    Interrupted = 130,
}

/// A failure: what, why (where known), and the exact next step (where there is one).
#[derive(Debug, thiserror::Error)]
pub struct Error {
    /// The code that the process exits with.
    pub exit: Exit,
    what: String,
    cause: Option<String>,
    hint: Option<String>,
}

/// What most of the crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What came of writing to stdout. A reader that has gone away (`| head`) is no failure.
///
/// # Errors
/// Anything else: a full disk, say.
pub fn written(outcome: std::io::Result<()>) -> Result<()> {
    match outcome {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::failure("can't write to stdout").because(error))
        }
        _ => Ok(()),
    }
}

impl Error {
    /// A failure with this exit code; `what` is one line without a full stop.
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), cause: None, hint: None }
    }

    /// [`Exit::Usage`].
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// [`Exit::Protocol`].
    pub fn protocol(what: impl Into<String>) -> Self {
        Self::new(Exit::Protocol, what)
    }

    /// [`Exit::Auth`].
    pub fn auth(what: impl Into<String>) -> Self {
        Self::new(Exit::Auth, what)
    }

    /// [`Exit::Network`].
    pub fn network(what: impl Into<String>) -> Self {
        Self::new(Exit::Network, what)
    }

    /// [`Exit::Store`].
    pub fn store(what: impl Into<String>) -> Self {
        Self::new(Exit::Store, what)
    }

    /// [`Exit::Failure`].
    pub fn failure(what: impl Into<String>) -> Self {
        Self::new(Exit::Failure, what)
    }

    /// Adds the reason, shown indented below the first line. It must already be fit for a terminal.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// Adds one more reason, below those that are there.
    #[must_use]
    pub fn and_because(self, cause: impl fmt::Display) -> Self {
        let causes = self.cause.iter().cloned().chain([cause.to_string()]).collect::<Vec<_>>().join("\n");
        self.because(causes)
    }

    /// What and why on one line, without the next step.
    pub fn reason(&self) -> String {
        let causes = self.cause.iter().flat_map(|cause| cause.lines());
        std::iter::once(self.what.as_str()).chain(causes).collect::<Vec<_>>().join(": ")
    }

    /// The next step.
    pub fn next_step(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Adds the next step: a command where there is one.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure under another exit code (`curl` and `exec` answer 125 for all of their own).
    #[must_use]
    pub fn exit_as(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }
}

impl fmt::Display for Error {
    /// `WHAT`, then indented causes, then `hint: …`; the caller writes `error: ` before it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.what)?;
        for line in self.cause.iter().flat_map(|cause| cause.lines()) {
            write!(f, "\n  {line}")?;
        }
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_what_then_cause_then_hint() {
        let error = Error::auth("nobody is logged in").because("one\ntwo").hint("oneup login provider");
        assert_eq!(error.to_string(), "nobody is logged in\n  one\n  two\nhint: oneup login provider");
        assert_eq!(error.exit as u8, 4);
        let error = error.and_because("three");
        assert_eq!(error.reason(), "nobody is logged in: one: two: three");
        assert_eq!(error.next_step(), Some("oneup login provider"));
    }
}
