//! Values in chunks: Windows' Credential Manager holds 2560 bytes per item, and credentials can be longer.
//!
//! The chunks of a new value are written first, under a generation of their own; then the manifest, which is the one
//! item that changes what is read; then the old generation is removed. A crash in between leaves the old value whole.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::blob_store::BlobStore;
use super::error::KeyringError;
use crate::oauth::secret::SecretBuf;

/// `CRED_MAX_CREDENTIAL_BLOB_SIZE`.
const MAX_CHUNK_LEN: usize = 2560;

/// Keeps values of any length in a store whose items are limited to [`MAX_CHUNK_LEN`] bytes.
pub(super) struct Chunked<S>(pub(super) S);

/// The content of the item `NAME`; the chunks are `NAME#GENERATION/INDEX`.
#[derive(Serialize, Deserialize)]
struct Manifest {
    /// 0 and 1 alternate.
    generation: u8,
    chunks: usize,
    length: usize,
    sha256: String,
}

impl<S: BlobStore> BlobStore for Chunked<S> {
    fn get(&self, name: &str) -> Result<Option<SecretBuf>, KeyringError> {
        let Some(manifest) = self.0.get(name)? else { return Ok(None) };
        let manifest = parse(&manifest).ok_or_else(corrupt)?;
        let mut value = SecretBuf::default();
        for index in 0..manifest.chunks {
            let chunk = self.0.get(&chunk_name(name, manifest.generation, index))?.ok_or_else(corrupt)?;
            value.extend(&chunk);
        }
        let is_whole = value.len() == manifest.length && checksum(&value) == manifest.sha256;
        if is_whole { Ok(Some(value)) } else { Err(corrupt()) }
    }

    /// Replaces the value, even a corrupt one.
    fn set(&self, name: &str, label: &str, value: &[u8]) -> Result<(), KeyringError> {
        let previous = self.0.get(name)?.and_then(|bytes| parse(&bytes));
        let generation = u8::from(previous.is_some_and(|previous| previous.generation == 0));
        let mut chunks = 0;
        for chunk in value.chunks(MAX_CHUNK_LEN) {
            self.0.set(&chunk_name(name, generation, chunks), label, chunk)?;
            chunks += 1;
        }
        let manifest = Manifest { generation, chunks, length: value.len(), sha256: checksum(value) };
        let bytes = serde_json::to_vec(&manifest).map_err(|_| corrupt())?;
        self.0.set(name, label, &bytes)?;
        self.remove_chunks(name, 1 - generation, 0)?;
        // Those of a longer value whose writer was killed.
        self.remove_chunks(name, generation, chunks)
    }

    /// Removes the value and the chunks that a killed writer left.
    fn remove(&self, name: &str) -> Result<bool, KeyringError> {
        self.remove_chunks(name, 0, 0)?;
        self.remove_chunks(name, 1, 0)?;
        self.0.remove(name)
    }
}

impl<S: BlobStore> Chunked<S> {
    /// Removes the chunks of a generation from this index on, the last first, so that those that a crash leaves are
    /// found from the front again.
    fn remove_chunks(&self, name: &str, generation: u8, from: usize) -> Result<(), KeyringError> {
        let mut end = from;
        while self.0.get(&chunk_name(name, generation, end))?.is_some() {
            end += 1;
        }
        for index in (from..end).rev() {
            self.0.remove(&chunk_name(name, generation, index))?;
        }
        Ok(())
    }
}

fn chunk_name(name: &str, generation: u8, index: usize) -> String {
    format!("{name}#{generation}/{index}")
}

fn parse(bytes: &[u8]) -> Option<Manifest> {
    serde_json::from_slice(bytes).ok()
}

fn checksum(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn corrupt() -> KeyringError {
    KeyringError::failed("the chunks of the item don't match its manifest; log in again")
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use super::*;

    /// A keyring with Windows' limit that fails after a number of changes.
    #[derive(Default)]
    struct FakeStore {
        items: RefCell<BTreeMap<String, Vec<u8>>>,
        changes_until_failure: Cell<Option<usize>>,
    }

    impl FakeStore {
        fn change(&self) -> Result<(), KeyringError> {
            if let Some(changes) = self.changes_until_failure.get() {
                self.changes_until_failure.set(Some(changes.checked_sub(1).ok_or(KeyringError::Locked)?));
            }
            Ok(())
        }
    }

    impl BlobStore for FakeStore {
        fn get(&self, name: &str) -> Result<Option<SecretBuf>, KeyringError> {
            Ok(self.items.borrow().get(name).cloned().map(SecretBuf::from))
        }

        fn set(&self, name: &str, _: &str, bytes: &[u8]) -> Result<(), KeyringError> {
            assert!(bytes.len() <= MAX_CHUNK_LEN);
            self.change()?;
            self.items.borrow_mut().insert(name.into(), bytes.into());
            Ok(())
        }

        fn remove(&self, name: &str) -> Result<bool, KeyringError> {
            self.change()?;
            Ok(self.items.borrow_mut().remove(name).is_some())
        }
    }

    fn store() -> Chunked<FakeStore> {
        Chunked(FakeStore::default())
    }

    fn value(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i % 251) as u8).collect()
    }

    fn get(store: &Chunked<FakeStore>) -> Vec<u8> {
        store.get("p").expect("it is whole").expect("it exists").to_vec()
    }

    #[test]
    fn any_length_round_trips_and_no_stale_chunk_stays() {
        let store = store();
        assert!(store.get("p").expect("absence is no error").is_none());
        for (length, items) in
            [(20_000, 9), (1, 2), (MAX_CHUNK_LEN, 2), (MAX_CHUNK_LEN + 1, 3), (0, 1), (5_120, 3)]
        {
            store.set("p", "", &value(length)).expect("writable");
            assert_eq!(get(&store), value(length));
            assert_eq!(store.0.items.borrow().len(), items, "{length} bytes");
        }
        assert!(store.remove("p").expect("removable"));
        assert!(store.0.items.borrow().is_empty());
        assert!(!store.remove("p").expect("absence is no error"));
    }

    #[test]
    fn crash_at_any_point_leaves_the_old_or_the_new_value() {
        let (old, new) = (value(9_000), value(6_000));
        for changes in 0..10 {
            let store = store();
            store.set("p", "", &old).expect("writable");
            store.0.changes_until_failure.set(Some(changes));
            let finished = store.set("p", "", &new).is_ok();
            let found = get(&store);
            assert!(found == new || (!finished && found == old), "after {changes} changes");
            store.0.changes_until_failure.set(None);
            store.set("p", "", b"x").expect("the next write cleans up");
            store.remove("p").expect("removable");
            assert!(store.0.items.borrow().is_empty(), "after {changes} changes");
        }
    }

    #[test]
    fn tampered_value_is_an_error_until_it_is_replaced() {
        let store = store();
        store.set("p", "", &value(6_000)).expect("writable");
        store.0.set("p#0/1", "", b"other").expect("writable");
        assert!(store.get("p").is_err());
        store.0.remove("p#0/1").expect("removable");
        assert!(store.get("p").is_err());
        store.0.set("p", "", b"no manifest").expect("writable");
        assert!(store.get("p").is_err());
        store.set("p", "", b"new").expect("a new login repairs it");
        assert_eq!(get(&store), b"new");
    }
}
