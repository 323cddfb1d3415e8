//! The OS keyring: Secret Service, Keychain or Credential Manager, through the `keyring-core` stores.
//!
//! It can hang, and a prompt can wait for ever, so each use runs on a thread of its own under a deadline. Parallel
//! sessions can crash gnome-keyring, so each use also holds one kernel lock, whichever the profile.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

mod backend;
#[cfg(any(windows, test))]
mod chunks;
pub(super) mod error;
#[cfg(target_os = "linux")]
mod secret_service;

use self::error::KeyringError;
use super::{Store, StoredCredentials, decode, encode};
use crate::error::{ErrorKind, Result, StoreErrorKind};
use crate::system::files;
use crate::system::lock;
use backend::Service;

/// How long a person has to type the keyring's password.
const PROMPT: Duration = Duration::from_secs(60);

/// How often a use is tried that the service fails for no reason of ours.
const TRIES: u32 = 5;

/// How long before it is tried again; twice as long each time.
const PAUSE: Duration = Duration::from_millis(50);

/// One item a profile.
pub(super) struct Keyring {
    state_dir: PathBuf,
    deadline: Duration,
    can_prompt: bool,
}

/// What the thread tells.
enum News<T> {
    /// A prompt opens: the person's time counts now.
    Asking,
    Done(Result<T, KeyringError>),
}

impl Keyring {
    /// A keyring whose uses each end at `deadline`, and that opens a prompt only where someone can see it.
    pub(super) fn new(state_dir: &Path, deadline: Duration, can_prompt: bool) -> Self {
        let can_prompt = can_prompt && has_display();
        Self { state_dir: state_dir.into(), deadline, can_prompt }
    }

    /// Runs `task` with the item's name and whether it is there, under lock and deadline.
    fn with<T, F>(&self, id: &str, task: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&Service, &str, bool) -> Result<T, KeyringError> + Send + 'static,
    {
        let lock = lock(&self.state_dir, self.deadline)?;
        let (id, can_prompt) = (id.to_owned(), self.can_prompt);
        let done = run(self.deadline, self.deadline, move |news| {
            // Held until the service has answered, even when nobody waits for it any more.
            let _lock = lock;
            let ask = || drop(news.send(News::Asking));
            try_again(|| {
                Service::shared(|service| {
                    let there = service.prepare(&id, can_prompt.then_some(&ask))?;
                    task(service, &id, there)
                })
            })
        });
        Ok(done?)
    }
}

impl Store for Keyring {
    fn read(&self, id: &str) -> Result<Option<StoredCredentials>> {
        let bytes = self.with(id, |service, id, there| if there { service.load(id) } else { Ok(None) })?;
        bytes
            .map(|bytes| decode(&bytes, "the keyring's item", "oneup logout --no-revoke, then log in again"))
            .transpose()
    }

    fn write(&self, id: &str, item: &StoredCredentials) -> Result<()> {
        let bytes = encode(item)?;
        self.with(id, move |service, id, _| service.save(id, &bytes))
    }

    fn delete(&self, id: &str) -> Result<bool> {
        self.with(id, |service, id, there| if there { service.erase(id) } else { Ok(false) })
    }
}

/// Whether a prompt would be seen: over SSH it would open on a desk where nobody sits.
pub(super) fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(not(target_os = "linux")) || set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// Runs `task` on a thread of its own and waits for it until `left` is over, or [`PROMPT`] once a prompt is open.
/// `told` is the time that the error names.
fn run<T, F>(left: Duration, told: Duration, task: F) -> Result<T, KeyringError>
where
    T: Send + 'static,
    F: FnOnce(&Sender<News<T>>) -> Result<T, KeyringError> + Send + 'static,
{
    let (news, heard) = channel();
    let thread = std::thread::Builder::new().name("keyring".into());
    let spawned = thread.spawn(move || {
        let done = task(&news);
        let _ = news.send(News::Done(done));
    });
    spawned.map_err(KeyringError::failed)?;
    wait(&heard, left, told)
}

/// Tries a use again, on a connection of its own, when the service failed. gnome-keyring under load now and then has no
/// session for a new connection and answers that its methods are "not implemented"; one that crashed comes back, though
/// locked, and then says so. Each use may be repeated: a write replaces, and what is gone needs no deletion.
fn try_again<T>(task: impl Fn() -> Result<T, KeyringError>) -> Result<T, KeyringError> {
    for doubled in 0..TRIES - 1 {
        match task() {
            Err(KeyringError::Failed(_)) => std::thread::sleep(PAUSE * 2_u32.pow(doubled)),
            done => return done,
        }
    }
    task()
}

fn wait<T>(heard: &Receiver<News<T>>, left: Duration, told: Duration) -> Result<T, KeyringError> {
    match heard.recv_timeout(left) {
        Ok(News::Done(done)) => done,
        Ok(News::Asking) => match heard.recv_timeout(PROMPT) {
            Ok(News::Done(done)) => done,
            _ => Err(KeyringError::Dismissed),
        },
        Err(RecvTimeoutError::Timeout) => Err(KeyringError::Hanging(told)),
        Err(RecvTimeoutError::Disconnected) => Err(KeyringError::failed("its client broke off")),
    }
}

/// Takes the lock that all of a user's processes share, as they share the service: beside its socket, or, where the
/// system has no such place, in the state directory. Whoever waits does so for a queue: each of those before has a
/// deadline of its own.
fn lock(state_dir: &Path, deadline: Duration) -> Result<File> {
    let patience = deadline * 3;
    let shared = files::runtime_dir().map(|dir| dir.join("oneup-keyring.lock"));
    let path = shared.unwrap_or_else(|| state_dir.join("keyring.lock"));
    lock::acquire(&path, patience).map_err(|error| match error.kind() {
        ErrorKind::LockTimeout => KeyringError::Busy(patience).into(),
        _ => error.with_kind(ErrorKind::Store(StoreErrorKind::Failed)),
    })
}

/// The state of the keyring where no login is there yet, without a prompt; `Ok(true)` when it is locked.
#[cfg(target_os = "linux")]
pub(super) fn probe(deadline: Duration) -> Result<bool, KeyringError> {
    run(deadline, deadline, |_: &Sender<News<bool>>| {
        try_again(|| {
            let bus = secret_service::Bus::connect()?;
            bus.is_locked(&bus.default_collection()?)
        })
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
