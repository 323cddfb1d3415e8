//! The state of a running sandbox, shared by all handlers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::client_keys::ClientKeys;
use crate::export_jobs::ExportJobs;
use crate::faults::Faults;
use crate::grants::Grants;
use crate::journal::Journal;
use crate::keys::Keys;
use crate::options::Options;

/// What every handler gets.
pub(crate) type Shared = Arc<AppState>;

/// The state behind every request.
pub(crate) struct AppState {
    /// `http://127.0.0.1:N`
    pub(crate) base: String,
    /// Lifetime of access tokens, in seconds.
    pub(crate) token_lifetime: i64,
    pub(crate) options: Options,
    pub(crate) keys: Arc<Keys>,
    pub(crate) client_keys: ClientKeys,
    pub(crate) faults: Faults,
    pub(crate) journal: Journal,
    grants: Mutex<Grants>,
    exports: Mutex<ExportJobs>,
}

impl AppState {
    pub(crate) fn new(base: String, options: Options, client_keys: ClientKeys, faults: Faults) -> Self {
        Self {
            base,
            token_lifetime: i64::try_from(options.token_lifetime).unwrap_or(i64::MAX / 2),
            keys: Keys::prepare(),
            grants: Mutex::new(Grants::new(faults.refresh_lifetime())),
            exports: Mutex::default(),
            options,
            client_keys,
            faults,
            journal: Journal::default(),
        }
    }

    /// Codes, sessions and tokens; keep the guard only briefly.
    pub(crate) fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The bulk export jobs; keep the guard only briefly.
    pub(crate) fn exports(&self) -> MutexGuard<'_, ExportJobs> {
        self.exports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A realm's issuer, below which all of its endpoints are.
    pub(crate) fn issuer(&self, realm: &str) -> String {
        format!("{}/auth/realms/{realm}", self.base)
    }
}

/// Seconds since the epoch.
pub(crate) fn now() -> i64 {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX)
}
