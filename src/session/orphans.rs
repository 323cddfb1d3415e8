//! Stored credentials without a profile: those of an interrupted login, or of one that a newer login replaced.
//!
//! Before a login stores or replaces credentials it records them here. Whatever interrupts it (a kill, a full disk, a
//! keyring that answers after its deadline), the next login or logout deletes what no profile refers to.

use std::fs::File;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::profile::{self, Profile};
use crate::session::generated_key::{self, GeneratedKey};
use crate::session::metadata;
use crate::session::{lock_path, open_store, remove_lock};
use crate::store::{StoreKind, cache};
use crate::system::files::{self, Purpose};
use crate::system::lock;

/// Stored credentials, and the profile that may refer to them.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Orphan {
    profile: String,
    id: String,
    store: StoreKind,
}

impl From<&Profile> for Orphan {
    fn from(profile: &Profile) -> Self {
        Self { profile: profile.name.clone(), id: profile.id.clone(), store: profile.store }
    }
}

impl From<&GeneratedKey> for Orphan {
    fn from(key: &GeneratedKey) -> Self {
        Self { profile: key.profile.clone(), id: key.id.clone(), store: key.store }
    }
}

/// The list of a config directory, and the lock that serializes its logins.
pub struct Orphans<'a> {
    context: &'a Context,
    orphans: Vec<Orphan>,
    _lock: File,
}

impl<'a> Orphans<'a> {
    /// Waits for a login in another process to finish.
    ///
    /// # Errors
    /// [`crate::error::ErrorKind::LockTimeout`]; failure, when the config directory can't be written.
    pub fn open(context: &'a Context) -> Result<Self> {
        let config_dir = context.config_dir()?;
        let lock = lock::acquire(&config_dir.join("profiles").join(".lock"), context.deadline())?;
        Ok(Self { context, orphans: read(&path(config_dir)), _lock: lock })
    }

    /// Records that the credentials of profiles or generated keys are to be deleted, unless one refers to them by then.
    ///
    /// # Errors
    /// Failure, when the config directory can't be written.
    pub fn record(&mut self, orphans: impl IntoIterator<Item: Into<Orphan>>) -> Result<()> {
        self.orphans.extend(orphans.into_iter().map(Into::into));
        self.save()
    }

    /// Deletes the credentials that no profile refers to. Those that can't be deleted now stay on the list.
    pub fn sweep(&mut self) {
        if self.orphans.is_empty() {
            return;
        }
        let context = self.context;
        self.orphans.retain(|orphan| !is_swept(context, orphan));
        if !self.orphans.is_empty() {
            context.warn(
                "could not delete the credentials of an earlier login; the next login or logout tries again",
            );
        }
        // An entry that stays on the list by mistake does no harm: it is swept again.
        let _ = self.save();
    }

    fn save(&self) -> Result<()> {
        let path = path(self.context.config_dir()?);
        if self.orphans.is_empty() {
            return files::remove(&path).map(drop);
        }
        let bytes = serde_json::to_vec(&self.orphans)
            .map_err(|error| Error::failure("can't encode the list of orphans").with_cause(error))?;
        files::replace(&path, &bytes)
    }
}

/// Deletes what earlier logins and logouts left behind, if anything.
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

/// A list that can't be read counts as empty.
fn read(path: &Path) -> Vec<Orphan> {
    let orphans: Vec<Orphan> = files::read(path, Purpose::State)
        .ok()
        .flatten()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    orphans.into_iter().filter(|orphan| profile::is_id(&orphan.id)).collect()
}

fn is_swept(context: &Context, orphan: &Orphan) -> bool {
    let profile = context.config_dir().and_then(|dir| profile::load(dir, &orphan.profile));
    match (profile, generated_key::load(context, &orphan.profile)) {
        (Ok(Some(profile)), _) if profile.id == orphan.id => true,
        (_, Ok(Some(key))) if key.id == orphan.id => true,
        (Ok(_), Ok(_)) => delete(context, orphan).is_ok(),
        // A profile that can't be read may refer to these credentials.
        (Err(_), _) | (_, Err(_)) => false,
    }
}

/// Waits for a token request under way in another process, which would otherwise store the credentials again.
fn delete(context: &Context, orphan: &Orphan) -> Result<()> {
    let lock = lock::acquire(&lock_path(context, &orphan.id)?, context.deadline())?;
    cache::forget(&orphan.id);
    // A login in Vault stays there for the other machines.
    if orphan.store != StoreKind::Vault {
        open_store(context, orphan.store, context.deadline())?.delete(&orphan.id)?;
    }
    metadata::remove(context, &orphan.id)?;
    remove_lock(context, &orphan.id);
    drop(lock);
    Ok(())
}
