//! All that one sandbox knows while it runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use super::faults::Faults;
use super::fhir::Exports;
use super::grants::Grants;
use super::journal::Journal;
use super::keys::Keys;

/// The state behind every request.
pub(crate) struct World {
    /// `http://127.0.0.1:N`
    pub(crate) base: String,
    /// Of access tokens, in seconds.
    pub(crate) lifetime: i64,
    pub(crate) keys: Arc<Keys>,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    grants: Mutex<Grants>,
    exports: Mutex<Exports>,
}

impl World {
    pub(crate) fn new(base: String, lifetime: u64, faults: Faults) -> Self {
        Self {
            base,
            lifetime: i64::try_from(lifetime).unwrap_or(i64::MAX / 2),
            keys: Keys::prepare(),
            faults,
            journal: Journal::default(),
            grants: Mutex::default(),
            exports: Mutex::default(),
        }
    }

    /// Codes, sessions and tokens; hold it briefly.
    pub(crate) fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bulk exports under way; hold it briefly.
    pub(crate) fn exports(&self) -> MutexGuard<'_, Exports> {
        self.exports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Seconds since the epoch.
pub(crate) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}
