//! A login becomes a profile. Its file is replaced last and at once, so a crash leaves the old login or the new one.

use crate::context::Context;
use crate::error::Result;
use crate::profile::{self, Profile};
use crate::session::metadata::{self, TokenMetadata};
use crate::session::orphans::Orphans;
use crate::session::{lock_path, open_store};
use crate::store::StoredCredentials;
use crate::store::cache::TokenCache;
use crate::system::clock::now;
use crate::system::lock;

/// Stores the secrets under the profile's new id, then replaces the profile's file, which is what makes them the
/// profile's; then forgets the older login.
///
/// # Errors
/// Store, or a directory that can't be written; the older login is then still there, whole.
pub fn remember(context: &Context, profile: &Profile, item: &StoredCredentials) -> Result<()> {
    let mut orphans = Orphans::open(context)?;
    orphans.sweep();
    let older = profile::load(context.config_dir()?, &profile.name)?;
    orphans.record(older.iter().chain([profile]))?;
    // Whoever renews the older login, or logs out of it, does so under its lock, and does it to the end.
    let held =
        older.map(|older| lock::acquire(&lock_path(context, &older.id)?, context.deadline())).transpose()?;
    let saved = save(context, profile, item);
    drop(held);
    orphans.sweep();
    saved
}

fn save(context: &Context, profile: &Profile, item: &StoredCredentials) -> Result<()> {
    open_store(context, profile.store, context.deadline())?.write(&profile.credential_key(), item)?;
    if let Some(token) = &item.token {
        metadata::save(context, &profile.id, &TokenMetadata::from(token))?;
    }
    profile.save(context.config_dir()?)?;
    if let Some(token) = item.token.as_ref().filter(|_| !context.no_cache) {
        TokenCache::new(context.state_dir()?).put(&profile.credential_key(), None, token, now());
    }
    Ok(())
}
