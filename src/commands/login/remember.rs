//! A login becomes a profile. Its file is replaced last and at once, so a crash leaves the old login or the new one.

use crate::clock::now;
use crate::context::Context;
use crate::error::Result;
use crate::lock;
use crate::notes::{self, Note};
use crate::profile::{self, Profile};
use crate::session::{lock_path, open_store};
use crate::store::{Item, cache};

/// Stores the secrets under the profile's new id, then replaces the profile's file, which is what makes them the profile's; then
/// forgets the older login.
///
/// # Errors
/// Store, or a directory that can't be written; the older login is then still there, whole.
pub fn remember(context: &Context, profile: &Profile, item: &Item) -> Result<()> {
    let _lock = lock::acquire(&context.config_dir.join("profiles").join(".lock"), context.timeout)?;
    let older = profile::load(&context.config_dir, &profile.name)?;
    save(context, profile, item)?;
    if let Some(older) = older {
        forget(context, &older);
    }
    Ok(())
}

fn save(context: &Context, profile: &Profile, item: &Item) -> Result<()> {
    let store = open_store(context, profile);
    store.write(&profile.id, item)?;
    let noted =
        item.token.as_ref().map_or(Ok(()), |token| notes::save(context, &profile.id, &Note::from(token)));
    if let Err(error) = noted.and_then(|()| profile.save(&context.config_dir)) {
        let _ = store.delete(&profile.id);
        let _ = notes::remove(context, &profile.id);
        return Err(error);
    }
    if let Some(token) = item.token.as_ref().filter(|_| !context.no_cache) {
        cache::put(&profile.id, token, now());
    }
    Ok(())
}

/// Waits for a renewal that is under way, so that it can't bring the old item back. A leftover is no failure: no
/// profile leads to it any more.
fn forget(context: &Context, older: &Profile) {
    let lock = lock::acquire(&lock_path(context, &older.id), context.timeout);
    cache::forget(&older.id);
    if open_store(context, older).delete(&older.id).is_err() {
        context.warn("the secrets of the older login could not be removed from its store");
    }
    let _ = notes::remove(context, &older.id);
    drop(lock);
    let _ = crate::files::remove(&lock_path(context, &older.id));
}
