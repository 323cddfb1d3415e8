//! The kernel keyring as a store: nothing on disk, gone at reboot. For Linux machines without a Secret Service.

pub(super) mod kernel;

use self::kernel::KeyctlError;
use super::{Store, StoredCredentials, decode, encode};
use crate::error::{Error, Result, StoreErrorKind};

const HINT: &str = "log in with --store file, or use --no-store";

/// Keys `oneup:ID` of the user keyring `@u`.
pub(super) struct Keyutils;

impl Keyutils {
    /// Adds, reads and removes a key, to see whether that can be done here.
    ///
    /// # Errors
    /// Store, as any use of it would fail.
    #[cfg(target_os = "linux")]
    pub(super) fn probe() -> Result<()> {
        let name = format!("oneup:probe:{}", std::process::id());
        kernel::write(&name, b"probe", Some(5)).map_err(error)?;
        let read = kernel::read(&name).map_err(error)?;
        kernel::remove(&name).map_err(error)?;
        match read {
            Some(bytes) if *bytes == b"probe" => Ok(()),
            _ => Err(error(KeyctlError::Denied("it does not give back what was put in".into()))),
        }
    }

    /// Whether it can be used here.
    #[cfg(all(test, target_os = "linux"))]
    pub(super) fn works() -> bool {
        Self::probe().is_ok()
    }
}

impl Store for Keyutils {
    fn read(&self, id: &str) -> Result<Option<StoredCredentials>> {
        let bytes = kernel::read(&name(id)).map_err(error)?;
        bytes
            .map(|bytes| decode(&bytes, "the kernel keyring", "oneup logout --no-revoke, then log in again"))
            .transpose()
    }

    fn write(&self, id: &str, item: &StoredCredentials) -> Result<()> {
        kernel::write(&name(id), &encode(item)?, None).map_err(error)
    }

    fn delete(&self, id: &str) -> Result<bool> {
        kernel::remove(&name(id)).map_err(error)
    }
}

fn name(id: &str) -> String {
    format!("oneup:{id}")
}

fn error(refusal: KeyctlError) -> Error {
    let error = match refusal {
        KeyctlError::Full => Error::store(StoreErrorKind::Failed, "the kernel keyring is full").with_detail(
            "a user has 20,000 bytes there, unless kernel.keys.maxbytes says more, and 32,767 in one key",
        ),
        KeyctlError::Denied(why) => Error::store(
            StoreErrorKind::Unavailable,
            "the kernel keyring can't be used here (in a container?)",
        )
        .with_detail(why),
        #[cfg(not(target_os = "linux"))]
        KeyctlError::NotLinux => Error::store(
            StoreErrorKind::Unavailable,
            "the store keyutils is the Linux kernel's: this is another system",
        ),
    };
    error.with_hint(HINT)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::super::tests::item;
    use super::*;

    #[test]
    fn it_comes_back_until_it_is_deleted() {
        if !Keyutils::works() {
            return crate::store::tests::missing("a kernel keyring");
        }
        let id = format!("test-{}", std::process::id());
        assert_eq!(Keyutils.read(&id).expect("nothing is no error"), None);
        for length in [10, 9_000, 5] {
            Keyutils.write(&id, &item(length)).expect("it is written");
            assert_eq!(Keyutils.read(&id).expect("it is read"), Some(item(length)));
        }
        assert!(Keyutils.delete(&id).expect("it is deleted"));
        assert!(!Keyutils.delete(&id).expect("nothing is no error"));
        assert_eq!(Keyutils.read(&id).expect("nothing is no error"), None);
    }

    #[test]
    fn what_doesnt_fit_is_said_and_not_cut() {
        let error = Keyutils.write("test-long", &item(40_000)).expect_err("it doesn't fit");
        assert_eq!(error.kind().exit().code(), 6);
        assert!(error.to_string().contains("--store file"), "{error}");
    }
}
