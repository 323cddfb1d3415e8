//! What is known about a profile's tokens without opening its store: a file per profile in the state directory.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::oauth::token::{Lifetime, Token};
use crate::store::StoredCredentials;
use crate::system::files::{self, Purpose};

/// The tokens of a profile without their secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenMetadata {
    /// When the token was issued and for how long.
    #[serde(flatten)]
    pub lifetime: Lifetime,
    /// Whether a refresh token is stored that was not rejected.
    pub refreshable: bool,
    /// When the refresh token was issued, in seconds since the epoch.
    pub refresh_issued_at: Option<i64>,
    /// Seconds from `refresh_issued_at`; 0 when it does not expire, `None` when unknown.
    pub refresh_expires_in: Option<u64>,
    /// Whether the server rejected the client at the last token request.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub client_rejected: bool,
    /// The granted scope.
    pub scope: Option<String>,
    /// The SMART launch context.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub launch_context: Map<String, Value>,
    /// The tokens of other scopes, by requested scope.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scoped_tokens: BTreeMap<String, TokenMetadata>,
}

/// When a refresh token expires, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshExpiry {
    /// At this time, in seconds since the epoch.
    At(i64),
    /// The server said that it does not expire.
    Never,
    /// The server did not say.
    Unknown,
}

impl TokenMetadata {
    /// When the refresh token expires.
    pub fn refresh_expiry(&self) -> RefreshExpiry {
        match (self.refresh_issued_at, self.refresh_expires_in) {
            (_, Some(0)) => RefreshExpiry::Never,
            (Some(issued_at), Some(seconds)) => RefreshExpiry::At(issued_at.saturating_add_unsigned(seconds)),
            _ => RefreshExpiry::Unknown,
        }
    }

    /// Whether there is a refresh token that has not expired, as far as is known.
    pub fn has_refresh_token(&self, now: i64) -> bool {
        let has_expired = matches!(self.refresh_expiry(), RefreshExpiry::At(time) if time <= now);
        self.refreshable && !has_expired
    }
}

impl From<&Token> for TokenMetadata {
    fn from(token: &Token) -> Self {
        Self {
            lifetime: token.lifetime,
            refreshable: token.refresh_token.is_some(),
            refresh_issued_at: token.refresh_issued_at,
            refresh_expires_in: token.refresh_expires_in,
            client_rejected: false,
            scope: token.scope.clone(),
            launch_context: token.launch_context.clone(),
            scoped_tokens: BTreeMap::new(),
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

/// Replaces the metadata by that of credentials which have just been stored.
///
/// # Errors
/// A state directory that can't be written.
pub fn save(context: &Context, id: &str, credentials: &StoredCredentials) -> Result<()> {
    let Some(token) = &credentials.token else { return Ok(()) };
    let scoped = credentials.scoped_tokens.iter();
    let scoped_tokens = scoped.map(|(scope, token)| (scope.clone(), TokenMetadata::from(token))).collect();
    write(context, id, &TokenMetadata { scoped_tokens, ..TokenMetadata::from(token) })
}

fn write(context: &Context, id: &str, metadata: &TokenMetadata) -> Result<()> {
    let bytes = serde_json::to_vec(metadata)
        .map_err(|error| Error::failure("can't encode the token metadata").with_cause(error))?;
    files::replace(&path(context, id)?, &bytes)
}

/// Records what an error response says about the refresh token or the client, if the metadata can be written.
pub fn update(context: &Context, id: &str, change: impl FnOnce(&mut TokenMetadata)) {
    if let Some(mut metadata) = load(context, id) {
        change(&mut metadata);
        let _ = write(context, id, &metadata);
    }
}

/// Deletes the metadata.
///
/// # Errors
/// A state directory that can't be written.
pub fn remove(context: &Context, id: &str) -> Result<bool> {
    files::remove(&path(context, id)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::secret::Secret;

    #[test]
    fn refresh_expiry_is_a_time_never_or_unknown() {
        let lifetime = Lifetime { issued_at: 1_000, expires_in: Some(60) };
        let token = Token {
            refresh_token: Some(Secret::new("r")),
            refresh_issued_at: Some(1_000),
            ..Token::new(Secret::new("t"), lifetime)
        };
        for (refresh_expires_in, expiry, at_end) in [
            (Some(600), RefreshExpiry::At(1_600), false),
            (Some(0), RefreshExpiry::Never, true),
            (None, RefreshExpiry::Unknown, true),
        ] {
            let metadata = TokenMetadata::from(&Token { refresh_expires_in, ..token.clone() });
            assert_eq!(metadata.refresh_expiry(), expiry);
            assert!(metadata.has_refresh_token(1_599));
            assert_eq!(metadata.has_refresh_token(1_600), at_end, "{expiry:?}");
        }
    }
}
