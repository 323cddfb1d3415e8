//! The sources of a client's private key: a file, a command, the store. Never an argument, and no variable holds it.

use std::path::Path;
use std::sync::Arc;

use super::secret_command::{self, SecretKind};
use crate::error::{Error, ErrorKind, Result};
use crate::oauth::client_key::ClientKey;
use crate::profile::Profile;
use crate::store::StoredCredentials;
use crate::system::deadline::Deadline;
use crate::system::files::{self, Purpose};

/// Reads a PEM file or a JWK that no one else can read.
///
/// # Errors
/// Usage, when it can't be read, others can read it, or it is not a private key.
pub fn from_file(path: &Path) -> Result<ClientKey> {
    let name = path.display().to_string();
    let bytes = files::read(path, Purpose::PrivateKey)
        .map_err(|error| error.with_kind(ErrorKind::Usage))?
        .ok_or_else(|| Error::usage(format!("private key file {name} does not exist")))?;
    parse(&bytes, &name)
}

/// Returns the key that a shell command prints.
///
/// # Errors
/// Usage, when the command fails, does not print a private key, or is still running at the deadline.
pub fn from_command(command: &str, deadline: Deadline) -> Result<ClientKey> {
    parse(&secret_command::run(command, SecretKind::PrivateKey, deadline)?, "the command")
}

/// Returns the key of a saved profile: from its command, else from the store.
///
/// # Errors
/// Authentication when none is stored; usage when the command fails.
pub fn of_profile(
    profile: &Profile,
    credentials: &StoredCredentials,
    deadline: Deadline,
) -> Result<Arc<ClientKey>> {
    if let Some(command) = &profile.key_command {
        return from_command(command, deadline).map(Arc::new);
    }
    let key = credentials.private_key.as_ref().ok_or_else(|| {
        Error::auth(format!("the store holds no private key for profile {}", profile.name))
            .with_hint(profile.login_command())
    })?;
    ClientKey::parse(key.expose(), "the store").map(Arc::new)
}

fn parse(bytes: &[u8], source: &str) -> Result<ClientKey> {
    let text = std::str::from_utf8(bytes).map_err(|_| {
        Error::usage(format!("the private key from {source} is not text; nothing was sent"))
            .with_hint("convert it to PEM: openssl pkey -inform DER -in FILE -out key.pem")
    })?;
    ClientKey::parse(text, source)
}
