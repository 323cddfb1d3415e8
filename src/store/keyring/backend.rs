//! The platform's keyring as names and bytes. A process opens one session.
//!
//! Errors of the keyring crates can carry the secret's bytes: they are never shown with `{:?}`, nor whole.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use keyring_core::Error as Cause;
use keyring_core::api::CredentialStore;
use zeroize::Zeroizing;

use super::error::KeyringError;

/// The keyring's `service` attribute of every item; `username` is the profile's id.
pub(super) const SERVICE: &str = "oneup";

/// The process's connection to the platform's keyring.
pub(super) struct Service {
    #[cfg(target_os = "linux")]
    bus: super::secret_service::Bus,
    store: OnceLock<Arc<CredentialStore>>,
}

impl Service {
    /// Uses the one connection of this process, opened at its first use, and again after the service broke off.
    pub(super) fn shared<T>(task: impl FnOnce(&Self) -> Result<T, KeyringError>) -> Result<T, KeyringError> {
        static SHARED: Mutex<Option<Service>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let service = match shared.take() {
            Some(service) => service,
            None => Self::connect()?,
        };
        let done = task(&service);
        if !matches!(done, Err(KeyringError::Failed(_))) {
            *shared = Some(service);
        }
        done
    }

    fn connect() -> Result<Self, KeyringError> {
        Ok(Self {
            #[cfg(target_os = "linux")]
            bus: super::secret_service::Bus::connect()?,
            store: OnceLock::new(),
        })
    }

    /// Whether the item is there, where the platform can tell without its secret. `ask` is called before a prompt
    /// opens; without it there is none.
    #[cfg(target_os = "linux")]
    pub(super) fn prepare(&self, id: &str, ask: Option<&dyn Fn()>) -> Result<bool, KeyringError> {
        self.bus.prepare(id, ask)
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn prepare(&self, _: &str, _: Option<&dyn Fn()>) -> Result<bool, KeyringError> {
        Ok(true)
    }

    fn entry(&self, name: &str) -> Result<keyring_core::Entry, KeyringError> {
        let store = match self.store.get() {
            Some(store) => store,
            None => {
                let opened = open().map_err(fault)?;
                self.store.get_or_init(|| opened)
            }
        };
        // Roaming to other machines is not what a login is for.
        #[cfg(windows)]
        let modifiers = Some(std::collections::HashMap::from([("persistence", "Local")]));
        #[cfg(not(windows))]
        let modifiers = None;
        store.build(SERVICE, name, modifiers.as_ref()).map_err(fault)
    }

    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        unless_absent(self.entry(name)?.get_secret()).map(|bytes| bytes.map(Zeroizing::new))
    }

    fn set(&self, name: &str, bytes: &[u8]) -> Result<(), KeyringError> {
        self.entry(name)?.set_secret(bytes).map_err(fault)
    }

    fn remove(&self, name: &str) -> Result<bool, KeyringError> {
        unless_absent(self.entry(name)?.delete_credential()).map(|gone| gone.is_some())
    }
}

#[cfg(not(windows))]
impl Service {
    /// The item's bytes, if it is there.
    pub(super) fn load(&self, id: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        self.get(id)
    }

    /// Adds or replaces the item.
    pub(super) fn save(&self, id: &str, bytes: &[u8]) -> Result<(), KeyringError> {
        self.set(id, bytes)
    }

    /// Removes the item; false when there was none.
    pub(super) fn erase(&self, id: &str) -> Result<bool, KeyringError> {
        self.remove(id)
    }
}

#[cfg(windows)]
impl Service {
    /// The item's bytes, if it is there.
    pub(super) fn load(&self, id: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        super::chunks::read(self, id)
    }

    /// Adds or replaces the item.
    pub(super) fn save(&self, id: &str, bytes: &[u8]) -> Result<(), KeyringError> {
        super::chunks::write(self, id, bytes)
    }

    /// Removes the item; false when there was none.
    pub(super) fn erase(&self, id: &str) -> Result<bool, KeyringError> {
        super::chunks::delete(self, id)
    }
}

#[cfg(windows)]
impl super::chunks::Bytes for Service {
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        self.get(name)
    }

    fn set(&self, name: &str, bytes: &[u8]) -> Result<(), KeyringError> {
        self.set(name, bytes)
    }

    fn remove(&self, name: &str) -> Result<bool, KeyringError> {
        self.remove(name)
    }
}

#[cfg(target_os = "linux")]
fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(zbus_secret_service_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn open() -> keyring_core::Result<Arc<CredentialStore>> {
    Err(Cause::NotSupportedByStore("oneup knows no keyring of this system".into()))
}

fn unless_absent<T>(result: keyring_core::Result<T>) -> Result<Option<T>, KeyringError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(Cause::NoEntry) => Ok(None),
        Err(error) => Err(fault(error)),
    }
}

/// Only the causes are shown: the errors themselves print bytes and whole entries.
fn fault(error: Cause) -> KeyringError {
    match error {
        Cause::NoStorageAccess(_) => KeyringError::Locked,
        Cause::PlatformFailure(cause) => KeyringError::failed(cause),
        Cause::Ambiguous(_) => KeyringError::Several,
        Cause::NotSupportedByStore(why) | Cause::BadStoreFormat(why) => KeyringError::failed(why),
        Cause::TooLong(what, limit) => KeyringError::failed(format_args!("{what} is longer than {limit}")),
        _ => KeyringError::failed("it answered something that is no item"),
    }
}
