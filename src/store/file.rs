//! The file store: one private file per profile, not encrypted, for machines without any keyring.
//!
//! A process that can read the file has the login, so one that others can read, that belongs to another user, or that is a link is
//! an error. It is replaced whole or not at all.

use std::path::{Path, PathBuf};

use super::{CredentialKey, CredentialStore, StoredCredentials, decode, encode};
use crate::error::{Error, ErrorKind, Result, StoreErrorKind};
use crate::system::files::{self, Purpose};

/// `STATE/secrets/ID.json`.
pub(super) struct FileStore {
    dir: PathBuf,
}

impl FileStore {
    /// The store below this state directory.
    pub(super) fn new(state_dir: &Path) -> Self {
        Self { dir: state_dir.join("secrets") }
    }

    /// Returns the path of the file. The ID comes from a file that a user can edit: it must not lead out of the directory.
    fn path(&self, id: &str) -> Result<PathBuf> {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || id.len() > 64 || !id.chars().all(is_allowed) {
            return Err(Error::store(
                StoreErrorKind::Corrupt,
                "the profile's ID is not valid in a file name",
            ));
        }
        Ok(self.dir.join(format!("{id}.json")))
    }
}

impl CredentialStore for FileStore {
    fn read(&self, key: &CredentialKey) -> Result<Option<StoredCredentials>> {
        let path = self.path(&key.id)?;
        let Some(bytes) = files::read(&path, Purpose::Secret).map_err(into_store_error)? else {
            return Ok(None);
        };
        decode(&bytes, &key.binding, &path.display().to_string(), "move that file away, then log in again")
    }

    fn write(&self, key: &CredentialKey, credentials: &StoredCredentials) -> Result<()> {
        let path = self.path(&key.id)?;
        files::restrict_dir(&self.dir).map_err(into_store_error)?;
        // A file that can't be decoded may be the only copy of a secret: it is never overwritten.
        self.read(key)?;
        files::replace(&path, &encode(&key.binding, credentials)?).map_err(into_store_error)
    }

    fn delete(&self, id: &str) -> Result<bool> {
        files::remove(&self.path(id)?).map_err(into_store_error)
    }

    fn probe(&self, _: &CredentialKey) -> Result<()> {
        files::restrict_dir(&self.dir)
            .and_then(|()| files::probe_private(&self.dir))
            .map_err(into_store_error)
    }
}

fn into_store_error(error: Error) -> Error {
    error.with_kind(ErrorKind::Store(StoreErrorKind::Failed))
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::super::tests::{credentials, key};
    use super::*;

    fn store() -> (tempfile::TempDir, FileStore) {
        let state = tempfile::tempdir().expect("a temporary directory");
        let store = FileStore::new(&state.path().join("not/yet/created"));
        (state, store)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it exists").permissions().mode() & 0o7777
    }

    #[test]
    fn credentials_round_trip_in_a_private_file() {
        let (_state, store) = store();
        assert_eq!(store.read(&key("a")).expect("absence is no error"), None);
        assert!(!store.delete("a").expect("absence is no error"));
        for length in [1, 100_000, 10] {
            store.write(&key("a"), &credentials(length)).expect("writable");
            assert_eq!(store.read(&key("a")).expect("readable"), Some(credentials(length)));
        }
        assert_eq!((mode(&store.dir), mode(&store.dir.join("a.json"))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&store.dir).expect("a directory").count(), 1, "no temporary file is left");
        assert!(store.delete("a").expect("deletable"));
        assert_eq!(store.read(&key("a")).expect("absence is no error"), None);
    }

    #[test]
    fn file_that_others_can_access_is_an_error_with_the_fix() {
        let (_state, store) = store();
        store.write(&key("a"), &credentials(1)).expect("writable");
        let path = store.dir.join("a.json");
        for mode in [0o640, 0o604, 0o620, 0o777] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("owned by us");
            for error in [store.read(&key("a")).err(), store.write(&key("a"), &credentials(2)).err()] {
                let error = error.expect("permissions too open");
                assert_eq!(error.kind().exit().code(), 6);
                assert!(error.to_string().contains("hint: chmod 600 '"), "{error}");
            }
        }
    }

    #[test]
    fn id_cannot_leave_the_directory() {
        let (_state, store) = store();
        for id in ["", "..", "../a", "a/b", "a.json", &"a".repeat(65)] {
            assert_eq!(store.read(&key(id)).expect_err(id).kind().exit().code(), 6);
        }
    }

    #[test]
    fn corrupt_file_is_named_and_kept() {
        let (_state, store) = store();
        store.write(&key("a"), &credentials(1)).expect("writable");
        let path = store.dir.join("a.json");
        fs::write(&path, "{\"schema\":1,\"client_secret\":\"half").expect("owned by us");
        for error in [store.read(&key("a")).err(), store.write(&key("a"), &credentials(2)).err()] {
            assert!(error.expect("corrupt").to_string().contains("a.json"));
        }
        assert!(fs::read_to_string(&path).expect("kept").ends_with("half"));
        assert!(store.delete("a").expect("a logout still works"));
    }

    #[test]
    fn write_restricts_the_directory_and_removes_an_unfinished_file() {
        let (_state, store) = store();
        store.write(&key("a"), &credentials(1)).expect("writable");
        fs::set_permissions(&store.dir, fs::Permissions::from_mode(0o755)).expect("owned by us");
        let unfinished = store.dir.join(".a.json.new");
        fs::write(&unfinished, "half").expect("owned by us");
        store.write(&key("a"), &credentials(2)).expect("writable");
        assert_eq!(mode(&store.dir), 0o700);
        assert!(!unfinished.exists() && store.read(&key("a")).expect("readable") == Some(credentials(2)));
        fs::write(&unfinished, "half").expect("owned by us");
        assert!(store.delete("a").expect("deletable"));
        assert_eq!(fs::read_dir(&store.dir).expect("a directory").count(), 0);
    }
}
