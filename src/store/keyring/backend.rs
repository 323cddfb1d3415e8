//! The platform's keyring as named byte strings. A process opens one session.
//!
//! Errors of the keyring crates can carry the secret's bytes: they are never shown with `{:?}`, nor whole.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use keyring_core::Error as CoreError;
use keyring_core::api::CredentialStore;

use super::blob_store::BlobStore;
use super::error::KeyringError;
use crate::oauth::secret::SecretBuf;

/// The keyring's `service` attribute of every item; `username` is the profile's ID.
const SERVICE: &str = "oneup";

/// The process's connection to the platform's keyring.
pub(super) struct KeyringBackend {
    #[cfg(target_os = "linux")]
    secret_service: super::secret_service::SecretService,
    #[cfg(windows)]
    items: super::chunks::Chunked<Items>,
    #[cfg(not(windows))]
    items: Items,
}

impl KeyringBackend {
    /// Runs `task` on the one connection of this process, which is opened at its first use, and again after a failure.
    pub(super) fn with_shared<T>(
        task: impl FnOnce(&Self) -> Result<T, KeyringError>,
    ) -> Result<T, KeyringError> {
        static SHARED: Mutex<Option<KeyringBackend>> = Mutex::new(None);
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        let backend = match shared.take() {
            Some(backend) => backend,
            None => Self::connect()?,
        };
        let result = task(&backend);
        if !matches!(result, Err(KeyringError::Failed(_))) {
            *shared = Some(backend);
        }
        result
    }

    fn connect() -> Result<Self, KeyringError> {
        Ok(Self {
            #[cfg(target_os = "linux")]
            secret_service: super::secret_service::SecretService::connect(SERVICE)?,
            #[cfg(windows)]
            items: super::chunks::Chunked(Items::default()),
            #[cfg(not(windows))]
            items: Items::default(),
        })
    }

    /// Unlocks what the item needs and returns whether the item exists, where the platform can tell without reading the
    /// secret. `on_prompt` is called before a prompt opens; without it none opens.
    #[cfg(target_os = "linux")]
    pub(super) fn prepare(&self, id: &str, on_prompt: Option<&dyn Fn()>) -> Result<bool, KeyringError> {
        self.secret_service.prepare(id, on_prompt)
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn prepare(&self, _: &str, _: Option<&dyn Fn()>) -> Result<bool, KeyringError> {
        Ok(true)
    }

    /// Returns whether the default collection is locked.
    #[cfg(target_os = "linux")]
    pub(super) fn is_locked(&self) -> Result<bool, KeyringError> {
        self.secret_service.is_locked(&self.secret_service.default_collection()?)
    }

    /// The keyring's items.
    pub(super) fn items(&self) -> &impl BlobStore {
        &self.items
    }
}

/// The items of the platform's store, which is opened at its first use.
#[derive(Default)]
struct Items(OnceLock<Arc<CredentialStore>>);

impl Items {
    fn entry(&self, name: &str, label: Option<&str>) -> Result<keyring_core::Entry, KeyringError> {
        let store = match self.0.get() {
            Some(store) => store,
            None => {
                let store = open().map_err(into_error)?;
                self.0.get_or_init(|| store)
            }
        };
        let modifiers = if cfg!(windows) {
            // A login must not roam to other machines.
            Some(("persistence", "Local"))
        } else {
            label.filter(|_| cfg!(target_os = "linux")).map(|label| ("label", label))
        };
        let modifiers = modifiers.map(|modifier| HashMap::from([modifier]));
        store.build(SERVICE, name, modifiers.as_ref()).map_err(into_error)
    }
}

impl BlobStore for Items {
    fn get(&self, name: &str) -> Result<Option<SecretBuf>, KeyringError> {
        unless_absent(self.entry(name, None)?.get_secret()).map(|bytes| bytes.map(SecretBuf::from))
    }

    fn set(&self, name: &str, label: &str, bytes: &[u8]) -> Result<(), KeyringError> {
        self.entry(name, Some(label))?.set_secret(bytes).map_err(into_error)
    }

    fn remove(&self, name: &str) -> Result<bool, KeyringError> {
        unless_absent(self.entry(name, None)?.delete_credential()).map(|removed| removed.is_some())
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
    Err(CoreError::NotSupportedByStore("this operating system's keyring is not supported".into()))
}

fn unless_absent<T>(result: keyring_core::Result<T>) -> Result<Option<T>, KeyringError> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(CoreError::NoEntry) => Ok(None),
        Err(error) => Err(into_error(error)),
    }
}

/// Keeps only the causes: the errors themselves print bytes and whole entries.
fn into_error(error: CoreError) -> KeyringError {
    match error {
        CoreError::NoStorageAccess(_) => KeyringError::Locked,
        CoreError::PlatformFailure(cause) => KeyringError::failed(cause),
        CoreError::Ambiguous(_) => KeyringError::Ambiguous,
        CoreError::NotSupportedByStore(why) | CoreError::BadStoreFormat(why) => KeyringError::failed(why),
        CoreError::TooLong(what, limit) => {
            KeyringError::failed(format_args!("{what} is longer than {limit}"))
        }
        _ => KeyringError::failed("its response is not a keyring item"),
    }
}
