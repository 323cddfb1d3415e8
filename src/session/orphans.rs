//! Secrets that no profile leads to: of a login that was cut off, or that a newer one replaced.
//!
//! What a login is about to make, and what it will leave behind, is written down before. So whatever cuts it off (a
//! kill, a full disk, a keyring that obeys after its deadline), the next login or logout finds it and forgets it.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::profile::{self, Profile};
use crate::session::metadata;
use crate::session::{lock_path, open_store};
use crate::store::{StoreKind, cache};
use crate::system::files::{self, Purpose};
use crate::system::lock;

/// An item of a store, and the profile that may lead to it.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Orphan {
    profile: String,
    id: String,
    store: StoreKind,
}

/// The list of a config directory, and the lock that all its logins take in turn.
pub struct Orphans<'a> {
    context: &'a Context,
    orphans: Vec<Orphan>,
    _lock: File,
}

impl<'a> Orphans<'a> {
    /// Waits for the login that is at work.
    ///
    /// # Errors
    /// Network, when that takes too long; a config directory that can't be written.
    pub fn open(context: &'a Context) -> Result<Self> {
        let lock = lock::acquire(&context.config_dir()?.join("profiles").join(".lock"), context.deadline())?;
        Ok(Self { context, orphans: read(&path(context.config_dir()?)), _lock: lock })
    }

    /// Writes down that the profiles' items are to be forgotten, unless those profiles still lead to them by then.
    ///
    /// # Errors
    /// A config directory that can't be written.
    pub fn record<'p>(&mut self, profiles: impl IntoIterator<Item = &'p Profile>) -> Result<()> {
        self.orphans.extend(profiles.into_iter().map(|Profile { name, id, store, .. }| Orphan {
            profile: name.clone(),
            id: id.clone(),
            store: *store,
        }));
        self.save()
    }

    /// Forgets what no profile leads to. What can't be forgotten now stays on the list.
    pub fn sweep(&mut self) {
        if self.orphans.is_empty() {
            return;
        }
        let context = self.context;
        self.orphans.retain(|entry| !is_swept(context, entry));
        if !self.orphans.is_empty() {
            context.warn(
                "the secrets of an older login could not be removed from its store; the next login or logout tries again",
            );
        }
        // An entry too many is forgotten once more.
        let _ = self.save();
    }

    fn save(&self) -> Result<()> {
        let path = path(self.context.config_dir()?);
        if self.orphans.is_empty() {
            return files::remove(&path).map(drop);
        }
        let bytes = serde_json::to_vec(&self.orphans)
            .map_err(|error| Error::failure("can't write down what to forget").with_cause(error))?;
        files::replace(&path, &bytes)
    }
}

/// Forgets what earlier logins and logouts left behind, where there is anything.
pub fn sweep(context: &Context) {
    if context.config_dir().is_ok_and(|dir| path(dir).exists())
        && let Ok(mut orphans) = Orphans::open(context)
    {
        orphans.sweep();
    }
}

fn path(config_dir: &Path) -> PathBuf {
    config_dir.join("profiles").join(".orphans.json")
}

/// A list that can't be read names nothing.
fn read(path: &Path) -> Vec<Orphan> {
    let orphans: Vec<Orphan> = files::read(path, Purpose::State)
        .ok()
        .flatten()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    orphans.into_iter().filter(|entry| profile::is_id(&entry.id)).collect()
}

fn is_swept(context: &Context, entry: &Orphan) -> bool {
    match context.config_dir().and_then(|dir| profile::load(dir, &entry.profile)) {
        Ok(Some(profile)) if profile.id == entry.id => true,
        Ok(_) => forget(context, entry).is_ok(),
        // A profile that can't be read may be the one that leads there.
        Err(_) => false,
    }
}

/// Waits for a renewal that is under way, so that it can't bring the item back.
fn forget(context: &Context, entry: &Orphan) -> Result<()> {
    let path = lock_path(context, &entry.id)?;
    let lock = lock::acquire(&path, context.deadline())?;
    cache::forget(&entry.id);
    open_store(context, entry.store, context.deadline())?.delete(&entry.id)?;
    metadata::remove(context, &entry.id)?;
    files::remove(&path)?;
    drop(lock);
    Ok(())
}
