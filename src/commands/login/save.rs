//! A login becomes a profile. The profile's file is replaced last, so a crash leaves the previous login or the new one.

use crate::context::Context;
use crate::error::Result;
use crate::profile::{self, Profile};
use crate::session::metadata;
use crate::session::orphans::Orphans;
use crate::session::{lock_path, open_store};
use crate::store::StoredCredentials;
use crate::store::cache::TokenCache;
use crate::system::clock::now;
use crate::system::lock;

/// Stores the credentials under the profile's new ID, replaces the profile's file, which makes them valid, and deletes
/// those of the previous login.
///
/// # Errors
/// Store, or a directory that can't be written; the previous login is then unchanged.
pub fn save_login(context: &Context, profile: &Profile, credentials: &StoredCredentials) -> Result<()> {
    replace_login(context, profile, || {
        open_store(context, profile.location(), context.deadline())?
            .write(&profile.credential_key(), credentials)?;
        save(context, profile, credentials)
    })
}

/// Replaces the profile's file by one for a login that another machine has stored.
///
/// # Errors
/// As [`save_login`].
pub fn join_login(context: &Context, profile: &Profile, credentials: &StoredCredentials) -> Result<()> {
    replace_login(context, profile, || save(context, profile, credentials))
}

fn replace_login(context: &Context, profile: &Profile, save: impl FnOnce() -> Result<()>) -> Result<()> {
    let mut orphans = Orphans::open(context)?;
    orphans.sweep();
    let previous = profile::load(context.config_dir()?, &profile.name)?;
    orphans.record(previous.iter().chain([profile]))?;
    // A process that refreshes the previous login, or logs out of it, finishes first.
    let lock = previous
        .map(|previous| lock::acquire(&lock_path(context, &previous.id)?, context.deadline()))
        .transpose()?;
    let result = save();
    drop(lock);
    orphans.sweep();
    result
}

fn save(context: &Context, profile: &Profile, credentials: &StoredCredentials) -> Result<()> {
    metadata::save(context, &profile.id, credentials)?;
    profile.save(context.config_dir()?)?;
    if let Some(token) = credentials.token.as_ref().filter(|_| !context.no_cache) {
        TokenCache::new(context.state_dir()?).put(&profile.credential_key(), None, token, now());
    }
    Ok(())
}
