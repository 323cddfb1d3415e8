//! The OS keyring: Secret Service, Keychain or Credential Manager, through the `keyring-core` stores.
//!
//! It can hang, and a prompt can wait forever, so each operation runs on a thread of its own under a deadline. Parallel
//! sessions can crash gnome-keyring, so each operation also holds one kernel lock, whichever the profile.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

mod backend;
mod blob_store;
#[cfg(any(windows, test))]
mod chunks;
pub(super) mod error;
#[cfg(target_os = "linux")]
mod secret_service;

use self::backend::KeyringBackend;
use self::blob_store::BlobStore;
use self::error::KeyringError;
use super::{CredentialKey, CredentialStore, StoredCredentials, decode, encode};
use crate::error::{ErrorKind, Result, StoreErrorKind};
use crate::system::{deadline::Deadline, files, lock};

/// How long the user has to enter the keyring's password.
const PROMPT_TIMEOUT: Duration = Duration::from_secs(60);

/// How often an operation is attempted that the service fails for no reason of ours.
const MAX_ATTEMPTS: u32 = 5;

/// The pause after the first failed attempt; twice as long after each further one.
const RETRY_BACKOFF: Duration = Duration::from_millis(50);

/// One keyring item per profile.
pub(super) struct Keyring {
    state_dir: PathBuf,
    timeout: Duration,
    can_prompt: bool,
}

/// What the thread reports.
enum Progress<T> {
    /// A prompt opens: [`PROMPT_TIMEOUT`] counts from now.
    Prompting,
    Finished(Result<T, KeyringError>),
}

impl Keyring {
    /// A keyring whose operations each end within `timeout`, and that prompts only where a prompt can be seen.
    pub(super) fn new(state_dir: &Path, timeout: Duration, can_prompt: bool) -> Self {
        let can_prompt = can_prompt && has_display();
        Self { state_dir: state_dir.into(), timeout, can_prompt }
    }

    /// Runs `task` with the backend, the item's name and whether the item exists, under lock and deadline.
    fn with_backend<T, F>(&self, id: &str, task: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&KeyringBackend, &str, bool) -> Result<T, KeyringError> + Send + 'static,
    {
        let lock = lock(&self.state_dir, self.timeout)?;
        let (id, can_prompt) = (id.to_owned(), self.can_prompt);
        let result = run_with_timeout(self.timeout, move |tx| {
            // Held until the service has responded, even after the caller stopped waiting.
            let _lock = lock;
            let on_prompt = || drop(tx.send(Progress::Prompting));
            with_retries(|| {
                KeyringBackend::with_shared(|backend| {
                    let exists = backend.prepare(&id, can_prompt.then_some(&on_prompt))?;
                    task(backend, &id, exists)
                })
            })
        });
        Ok(result?)
    }
}

impl CredentialStore for Keyring {
    fn read(&self, key: &CredentialKey) -> Result<Option<StoredCredentials>> {
        let get = |backend: &KeyringBackend, id: &str, exists| {
            if exists { backend.items().get(id) } else { Ok(None) }
        };
        let Some(bytes) = self.with_backend(&key.id, get)? else { return Ok(None) };
        decode(&bytes, &key.binding, "the keyring item", "oneup logout --no-revoke, then log in again")
    }

    fn write(&self, key: &CredentialKey, credentials: &StoredCredentials) -> Result<()> {
        let bytes = encode(&key.binding, credentials)?;
        let label = format!("oneup: {}", key.profile);
        self.with_backend(&key.id, move |backend, id, _| backend.items().set(id, &label, &bytes))
    }

    fn delete(&self, id: &str) -> Result<bool> {
        let remove = |backend: &KeyringBackend, id: &str, exists| {
            if exists { backend.items().remove(id) } else { Ok(false) }
        };
        self.with_backend(id, remove)
    }
}

/// Returns whether a prompt would be seen: over SSH it would open on a screen that the user does not look at.
pub(super) fn has_display() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(target_os = "linux")) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}

/// Runs `task` on a thread of its own and waits `timeout` for it, or [`PROMPT_TIMEOUT`] once a prompt is open.
fn run_with_timeout<T, F>(timeout: Duration, task: F) -> Result<T, KeyringError>
where
    T: Send + 'static,
    F: FnOnce(&Sender<Progress<T>>) -> Result<T, KeyringError> + Send + 'static,
{
    let (tx, rx) = channel();
    let thread = std::thread::Builder::new().name("keyring".into());
    let spawned = thread.spawn(move || {
        let result = task(&tx);
        let _ = tx.send(Progress::Finished(result));
    });
    spawned.map_err(KeyringError::failed)?;
    wait(&rx, timeout)
}

fn wait<T>(rx: &Receiver<Progress<T>>, timeout: Duration) -> Result<T, KeyringError> {
    match rx.recv_timeout(timeout) {
        Ok(Progress::Finished(result)) => result,
        Ok(Progress::Prompting) => match rx.recv_timeout(PROMPT_TIMEOUT) {
            Ok(Progress::Finished(result)) => result,
            _ => Err(KeyringError::PromptDismissed),
        },
        Err(RecvTimeoutError::Timeout) => Err(KeyringError::Timeout(timeout)),
        Err(RecvTimeoutError::Disconnected) => Err(KeyringError::failed("its client thread panicked")),
    }
}

/// Attempts an operation again, on a new connection, when the service failed. Under load gnome-keyring sometimes has no
/// session for a new connection and responds that its methods are "not implemented"; one that crashed is restarted, and
/// then reports that it is locked. Each operation is idempotent.
fn with_retries<T>(task: impl Fn() -> Result<T, KeyringError>) -> Result<T, KeyringError> {
    for attempt in 0..MAX_ATTEMPTS - 1 {
        match task() {
            Err(KeyringError::Failed(_)) => std::thread::sleep(RETRY_BACKOFF * 2_u32.pow(attempt)),
            result => return result,
        }
    }
    task()
}

/// Takes the lock that all of a user's processes share, as they share the service: beside its socket, or, where the
/// system has no runtime directory, in the state directory. It waits three times `timeout`, since each process before
/// it in the queue has a deadline of its own.
fn lock(state_dir: &Path, timeout: Duration) -> Result<File> {
    let timeout = timeout * 3;
    let path = files::runtime_dir()
        .map_or_else(|| state_dir.join("keyring.lock"), |dir| dir.join("oneup-keyring.lock"));
    lock::acquire(&path, Deadline::after(timeout)).map_err(|error| match error.kind() {
        ErrorKind::LockTimeout => KeyringError::LockTimeout(timeout).into(),
        _ => error.with_kind(ErrorKind::Store(StoreErrorKind::Failed)),
    })
}

/// Returns whether the default collection is locked, without a prompt.
#[cfg(target_os = "linux")]
pub(super) fn probe(timeout: Duration) -> Result<bool, KeyringError> {
    run_with_timeout(timeout, |_| with_retries(|| KeyringBackend::with_shared(KeyringBackend::is_locked)))
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
