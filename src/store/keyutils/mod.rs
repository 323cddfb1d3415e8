//! The kernel keyring as a store: no credentials on disk, and none after a reboot. For Linux machines without a Secret
//! Service.

pub(super) mod kernel;
pub(super) mod sealed;

use std::path::Path;

use self::kernel::KeyctlError;
use self::sealed::SealedKeyring;
use super::{CredentialKey, CredentialStore, StoredCredentials, decode, encode};
use crate::error::{Error, Result, StoreErrorKind};

/// Keys `oneup:ID` of the user keyring `@u`, sealed.
pub(super) struct Keyutils(SealedKeyring);

impl Keyutils {
    /// The store whose entries are sealed with the key file of this state directory.
    pub(super) fn new(state_dir: &Path) -> Self {
        Self(SealedKeyring::new(state_dir))
    }

    /// Adds, reads and removes a key, to find out whether that is possible here.
    ///
    /// # Errors
    /// Store, as any other operation would fail.
    #[cfg(target_os = "linux")]
    pub(super) fn probe() -> Result<()> {
        let name = format!("oneup:probe:{}", std::process::id());
        kernel::write(&name, b"probe", Some(5)).map_err(into_error)?;
        let read = kernel::read(&name).map_err(into_error)?;
        kernel::remove(&name).map_err(into_error)?;
        match read {
            Some(bytes) if *bytes == *b"probe" => Ok(()),
            _ => Err(into_error(KeyctlError::Unavailable("a key could not be read back".into()))),
        }
    }
}

impl CredentialStore for Keyutils {
    fn read(&self, key: &CredentialKey) -> Result<Option<StoredCredentials>> {
        let decode = |bytes: &[u8]| {
            let repair = "oneup logout --no-revoke, then log in again";
            decode(bytes, &key.binding, "the kernel keyring", repair)
        };
        self.0.read(&name(&key.id), key, decode)?.unwrap_or(Ok(None))
    }

    fn write(&self, key: &CredentialKey, credentials: &StoredCredentials) -> Result<()> {
        self.0.write(&name(&key.id), key, &[&encode(&key.binding, credentials)?], None)
    }

    fn delete(&self, id: &str) -> Result<bool> {
        kernel::remove(&name(id)).map_err(into_error)
    }
}

fn name(id: &str) -> String {
    format!("oneup:{id}")
}

fn into_error(error: KeyctlError) -> Error {
    let error = match error {
        KeyctlError::Full => Error::store(StoreErrorKind::Failed, "the kernel keyring is full").with_detail(
            "a user's quota is 20,000 bytes (kernel.keys.maxbytes), and a key holds 32,767 bytes at most",
        ),
        KeyctlError::Unavailable(why) => {
            Error::store(StoreErrorKind::Unavailable, "the kernel keyring is not available (in a container?)")
                .with_detail(why)
        }
        #[cfg(not(target_os = "linux"))]
        KeyctlError::NotLinux => {
            Error::store(StoreErrorKind::Unavailable, "the store keyutils is available on Linux only")
        }
    };
    error.with_hint("log in with --store file, or use --no-store")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::super::tests::{credentials, key, skip};
    use super::*;

    #[test]
    fn credentials_round_trip_until_deleted() {
        if Keyutils::probe().is_err() {
            return skip("a kernel keyring");
        }
        let state = tempfile::tempdir().expect("a temporary directory");
        let (store, key) = (Keyutils::new(state.path()), key(&format!("test-{}", std::process::id())));
        assert_eq!(store.read(&key).expect("absence is no error"), None);
        for length in [10, 9_000, 5] {
            store.write(&key, &credentials(length)).expect("writable");
            assert_eq!(store.read(&key).expect("readable"), Some(credentials(length)));
        }
        assert!(store.delete(&key.id).expect("deletable"));
        assert!(!store.delete(&key.id).expect("absence is no error"));
        assert_eq!(store.read(&key).expect("absence is no error"), None);
    }

    #[test]
    fn too_long_credentials_are_an_error_with_a_hint() {
        let state = tempfile::tempdir().expect("a temporary directory");
        let error =
            Keyutils::new(state.path()).write(&key("test-long"), &credentials(40_000)).expect_err("too long");
        assert_eq!(error.kind().exit().code(), 6);
        assert!(error.to_string().contains("--store file"), "{error}");
    }
}
