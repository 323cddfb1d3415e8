//! A private key that `oneup key generate` made, until the profile's next login makes it the login's own.
//!
//! The private part is in the store, under an ID of its own. `CONFIG/keys/NAME.json` holds the ID and the public part, so
//! that the public key can be printed without opening the store. `session/key_lifecycle.rs` makes and deletes it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::open_store;
use crate::context::Context;
use crate::error::{Error, Result, StoreErrorKind};
use crate::oauth::client_key::ClientKey;
use crate::profile;
use crate::store::{Binding, CredentialKey, StoreKind};
use crate::system::files::{self, Purpose};

/// Where a generated key is, and its public part.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GeneratedKey {
    /// The profile that will use it; from the file's name.
    #[serde(skip)]
    pub profile: String,
    /// Names the private part in the store.
    pub id: String,
    /// Where the private part is.
    pub store: StoreKind,
    /// The public key as a JWK.
    pub jwk: Value,
}

/// Returns the generated key of the profile with this name, which need not exist.
///
/// # Errors
/// A file that can't be read or is not valid.
pub fn load(context: &Context, name: &str) -> Result<Option<GeneratedKey>> {
    let path = path(context, name)?;
    let Some(bytes) = files::read(&path, Purpose::State)? else { return Ok(None) };
    let key: Option<GeneratedKey> = serde_json::from_slice(&bytes).ok();
    let key = key.filter(|key| profile::is_id(&key.id)).ok_or_else(|| {
        Error::failure(format!("{} is not valid", path.display()))
            .with_hint("delete the file, then run oneup key generate again")
    })?;
    Ok(Some(GeneratedKey { profile: name.to_owned(), ..key }))
}

impl GeneratedKey {
    /// Reads the private part.
    ///
    /// # Errors
    /// Store.
    pub fn read(&self, context: &Context) -> Result<ClientKey> {
        let stored = open_store(context, self.store, context.deadline())?.read(&self.credential_key())?;
        let text = stored.and_then(|stored| stored.private_key).ok_or_else(|| {
            let message = format!("the store no longer holds the generated key of profile {}", self.profile);
            Error::store(StoreErrorKind::Corrupt, message)
                .with_hint(format!("oneup key generate --replace --profile {}", self.profile))
        })?;
        ClientKey::parse(text.expose(), "the store")
    }

    /// The key of the private part in the store. It is not a login's yet, so it is bound to no client.
    pub fn credential_key(&self) -> CredentialKey {
        CredentialKey { id: self.id.clone(), profile: self.profile.clone(), binding: Binding::default() }
    }
}

/// The file of the profile with this name.
///
/// # Errors
/// Usage: an invalid name, or no config directory.
pub fn path(context: &Context, name: &str) -> Result<PathBuf> {
    profile::check_name(name)?;
    Ok(context.config_dir()?.join("keys").join(format!("{name}.json")))
}
