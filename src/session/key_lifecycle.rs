//! Makes and deletes generated keys. Whatever interrupts it, the next login deletes what no file refers to.

use super::generated_key::{GeneratedKey, load, path};
use super::open_store;
use super::orphans::Orphans;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::oauth::client_key::ClientKey;
use crate::oauth::secret::Secret;
use crate::profile::Profile;
use crate::store::{StoreKind, StoredCredentials};
use crate::system::files;

/// Stores a new key, and deletes the one that it replaces.
///
/// # Errors
/// Store; failure, when the config directory can't be written.
pub fn save(context: &Context, name: &str, store: StoreKind, key: &ClientKey) -> Result<()> {
    let record =
        GeneratedKey { profile: name.to_owned(), id: Profile::new_id(), store, jwk: key.public_jwk() };
    let mut orphans = Orphans::open(context)?;
    let previous = load(context, name)?;
    orphans.record(previous.iter().chain([&record]))?;
    let credentials =
        StoredCredentials { private_key: Some(key.text().clone()), ..StoredCredentials::default() };
    open_store(context, store, context.deadline())?.write(&record.credential_key(), &credentials)?;
    let bytes = serde_json::to_vec(&record)
        .map_err(|error| Error::failure("can't encode the public key").with_cause(error))?;
    files::replace(&path(context, name)?, &bytes)?;
    orphans.sweep();
    Ok(())
}

/// Deletes the generated key of a profile; returns whether there was one.
///
/// # Errors
/// Failure, when the config directory can't be written.
pub fn remove(context: &Context, name: &str) -> Result<bool> {
    let Some(key) = load(context, name)? else { return Ok(false) };
    let mut orphans = Orphans::open(context)?;
    orphans.record([&key])?;
    files::remove(&path(context, name)?)?;
    orphans.sweep();
    Ok(true)
}

/// Deletes the generated key of a profile if a login has made it its own.
///
/// # Errors
/// As [`remove`].
pub fn remove_if(context: &Context, name: &str, login_key: Option<&Secret>) -> Result<bool> {
    let Some(key) = load(context, name)? else { return Ok(false) };
    let login_key = login_key.map(|text| ClientKey::parse(text.expose(), "the login")).transpose()?;
    if login_key.is_some_and(|login_key| login_key.public_jwk() == key.jwk) {
        remove(context, name)
    } else {
        Ok(false)
    }
}
