//! What is known about a profile's token without opening its store: a file per profile in the state directory.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::oauth::token::{Lifetime, Token};
use crate::system::files::{self, Purpose};

/// A token without its secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenMetadata {
    /// Seconds since the epoch.
    pub issued_at: i64,
    /// Seconds from `issued_at`; `None` when unknown.
    pub expires_in: Option<u64>,
    /// Whether a refresh token is stored.
    pub refreshable: bool,
    /// The granted scope.
    pub scope: Option<String>,
    /// The SMART launch context.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub launch_context: Map<String, Value>,
}

impl TokenMetadata {
    /// When the token was issued and for how long.
    pub fn lifetime(&self) -> Lifetime {
        Lifetime { issued_at: self.issued_at, expires_in: self.expires_in }
    }
}

impl From<&Token> for TokenMetadata {
    fn from(token: &Token) -> Self {
        Self {
            issued_at: token.issued_at,
            expires_in: token.expires_in,
            refreshable: token.refresh_token.is_some(),
            scope: token.scope.clone(),
            launch_context: token.launch_context.clone(),
        }
    }
}

fn path(context: &Context, id: &str) -> Result<PathBuf> {
    Ok(context.state_dir()?.join("metadata").join(format!("{id}.json")))
}

/// Returns the metadata of a profile by its ID; `None` also when the file can't be read, as nothing depends on it.
pub fn load(context: &Context, id: &str) -> Option<TokenMetadata> {
    serde_json::from_slice(&files::read(&path(context, id).ok()?, Purpose::State).ok()??).ok()
}

/// Replaces the metadata.
///
/// # Errors
/// A state directory that can't be written.
pub fn save(context: &Context, id: &str, metadata: &TokenMetadata) -> Result<()> {
    let bytes = serde_json::to_vec(metadata)
        .map_err(|error| Error::failure("can't encode the token metadata").with_cause(error))?;
    files::replace(&path(context, id)?, &bytes)
}

/// Records that the refresh token was rejected, if the metadata can be written.
pub fn mark_unrefreshable(context: &Context, id: &str) {
    if let Some(metadata) = load(context, id) {
        let _ = save(context, id, &TokenMetadata { refreshable: false, ..metadata });
    }
}

/// Deletes the metadata.
///
/// # Errors
/// A state directory that can't be written.
pub fn remove(context: &Context, id: &str) -> Result<bool> {
    files::remove(&path(context, id)?)
}
