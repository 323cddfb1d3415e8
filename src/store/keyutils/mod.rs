//! The kernel keyring as a store: nothing on disk, lost at reboot. For Linux machines without a Secret Service.

pub(super) mod kernel;

use self::kernel::KeyctlError;
use super::{CredentialStore, StoredCredentials, decode, encode};
use crate::error::{Error, Result, StoreErrorKind};

/// Keys `oneup:ID` of the user keyring `@u`.
pub(super) struct Keyutils;

impl Keyutils {
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
    fn read(&self, id: &str) -> Result<Option<StoredCredentials>> {
        let bytes = kernel::read(&name(id)).map_err(into_error)?;
        bytes
            .map(|bytes| decode(&bytes, "the kernel keyring", "oneup logout --no-revoke, then log in again"))
            .transpose()
    }

    fn write(&self, id: &str, credentials: &StoredCredentials) -> Result<()> {
        kernel::write(&name(id), &encode(credentials)?, None).map_err(into_error)
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
    use super::super::tests::{credentials, skip};
    use super::*;

    #[test]
    fn credentials_round_trip_until_deleted() {
        if Keyutils::probe().is_err() {
            return skip("a kernel keyring");
        }
        let id = format!("test-{}", std::process::id());
        assert_eq!(Keyutils.read(&id).expect("absence is no error"), None);
        for length in [10, 9_000, 5] {
            Keyutils.write(&id, &credentials(length)).expect("writable");
            assert_eq!(Keyutils.read(&id).expect("readable"), Some(credentials(length)));
        }
        assert!(Keyutils.delete(&id).expect("deletable"));
        assert!(!Keyutils.delete(&id).expect("absence is no error"));
        assert_eq!(Keyutils.read(&id).expect("absence is no error"), None);
    }

    #[test]
    fn too_long_credentials_are_an_error_with_a_hint() {
        let error = Keyutils.write("test-long", &credentials(40_000)).expect_err("too long");
        assert_eq!(error.kind().exit().code(), 6);
        assert!(error.to_string().contains("--store file"), "{error}");
    }
}
