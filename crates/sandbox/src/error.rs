//! Errors that keep a sandbox from starting.

use std::path::PathBuf;
use std::{fmt, io};

/// A failure to start a sandbox. `Display` gives one line without a period.
#[derive(Debug)]
pub enum Error {
    /// `--fail` names a fault that does not exist.
    UnknownFault(String),
    /// The part of a fault after `=` is not a number, or a number is required and missing.
    InvalidFaultValue(String),
    /// A realm or tenant is not one path segment of letters, digits, `.`, `_` and `-`.
    InvalidName(String),
    /// The file of the client's keys can't be read.
    ReadClientJwks { path: PathBuf, source: io::Error },
    /// It is not a JWK set of public RSA and P-384 keys.
    InvalidClientJwks { path: PathBuf, why: String },
    /// The port can't be bound.
    Bind { port: u16, source: io::Error },
    /// The operating system provides no socket or no runtime.
    Start(io::Error),
}

pub type Result<T, E = Error> = std::result::Result<T, E>;

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownFault(kind) => write!(f, "unknown fault {kind:?}"),
            Self::InvalidFaultValue(kind) => write!(f, "fault {kind:?} takes a number"),
            Self::InvalidName(name) => write!(f, "invalid realm or tenant name {name:?}"),
            Self::ReadClientJwks { path, .. } => write!(f, "can't read {}", path.display()),
            Self::InvalidClientJwks { path, why } => {
                write!(f, "invalid JWK set in {}: {why}", path.display())
            }
            Self::Bind { port, .. } => write!(f, "can't listen on 127.0.0.1:{port}"),
            Self::Start(_) => f.write_str("can't start the sandbox"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::ReadClientJwks { source, .. } | Self::Bind { source, .. } | Self::Start(source) => {
                Some(source)
            }
            Self::UnknownFault(_)
            | Self::InvalidFaultValue(_)
            | Self::InvalidName(_)
            | Self::InvalidClientJwks { .. } => None,
        }
    }
}
