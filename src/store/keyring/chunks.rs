//! A value in pieces: Windows' Credential Manager holds 2560 bytes an item, and a login can be longer.
//!
//! The pieces of a new value are written first, under a generation of their own; then the manifest, which is the one
//! item that changes what is read; then the old generation goes. A crash in between leaves the old value whole.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::error::KeyringError;

/// `CRED_MAX_CREDENTIAL_BLOB_SIZE`.
const LIMIT: usize = 2560;

/// A keyring as names and bytes.
pub(super) trait Bytes {
    /// The item's bytes, if it is there.
    fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError>;
    /// Adds or replaces the item.
    fn set(&self, name: &str, bytes: &[u8]) -> Result<(), KeyringError>;
    /// Removes the item; false when there was none.
    fn remove(&self, name: &str) -> Result<bool, KeyringError>;
}

/// What the item `NAME` holds; the pieces are `NAME#GENERATION/I`.
#[derive(Serialize, Deserialize)]
struct Manifest {
    /// 0 or 1, by turns.
    generation: u8,
    pieces: usize,
    length: usize,
    sha256: String,
}

/// The value, whole, if it is there.
pub(super) fn read(keyring: &impl Bytes, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
    let Some(found) = keyring.get(name)? else { return Ok(None) };
    let manifest = parse(&found).ok_or_else(broken)?;
    let mut value = Zeroizing::new(Vec::with_capacity(manifest.pieces.saturating_mul(LIMIT).min(1 << 20)));
    for index in 0..manifest.pieces {
        let piece = keyring.get(&piece_name(name, manifest.generation, index))?.ok_or_else(broken)?;
        value.extend_from_slice(&piece);
    }
    let whole = value.len() == manifest.length && checksum(&value) == manifest.sha256;
    if whole { Ok(Some(value)) } else { Err(broken()) }
}

/// Replaces the value. What stood there before need not be whole.
pub(super) fn write(keyring: &impl Bytes, name: &str, value: &[u8]) -> Result<(), KeyringError> {
    let old = keyring.get(name)?.and_then(|found| parse(&found));
    let generation = u8::from(old.is_some_and(|old| old.generation == 0));
    let mut pieces = 0;
    for piece in value.chunks(LIMIT) {
        keyring.set(&piece_name(name, generation, pieces), piece)?;
        pieces += 1;
    }
    let manifest = Manifest { generation, pieces, length: value.len(), sha256: checksum(value) };
    let bytes = serde_json::to_vec(&manifest).map_err(|_| broken())?;
    keyring.set(name, &bytes)?;
    sweep(keyring, name, 1 - generation, 0)?;
    // Of a longer value whose writer was killed.
    sweep(keyring, name, generation, pieces)
}

/// Removes the value and whatever a killed writer left beside it; false when there was none.
pub(super) fn delete(keyring: &impl Bytes, name: &str) -> Result<bool, KeyringError> {
    sweep(keyring, name, 0, 0)?;
    sweep(keyring, name, 1, 0)?;
    keyring.remove(name)
}

/// Removes the pieces of a generation from this index on, the last first, so that those that a crash leaves are
/// found from the front again.
fn sweep(keyring: &impl Bytes, name: &str, generation: u8, from: usize) -> Result<(), KeyringError> {
    let mut end = from;
    while keyring.get(&piece_name(name, generation, end))?.is_some() {
        end += 1;
    }
    for index in (from..end).rev() {
        keyring.remove(&piece_name(name, generation, index))?;
    }
    Ok(())
}

fn piece_name(name: &str, generation: u8, index: usize) -> String {
    format!("{name}#{generation}/{index}")
}

fn parse(bytes: &[u8]) -> Option<Manifest> {
    serde_json::from_slice(bytes).ok()
}

fn checksum(bytes: &[u8]) -> String {
    digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn broken() -> KeyringError {
    KeyringError::failed("the pieces of the item don't belong together; log in again")
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use super::*;

    /// A keyring with Windows' limit that breaks off after a number of changes.
    struct Fake {
        items: RefCell<BTreeMap<String, Vec<u8>>>,
        changes: Cell<usize>,
    }

    impl Fake {
        fn new() -> Self {
            Self { items: RefCell::default(), changes: Cell::new(usize::MAX) }
        }

        fn change(&self) -> Result<(), KeyringError> {
            let left = self.changes.get().checked_sub(1).ok_or(KeyringError::Locked)?;
            self.changes.set(left);
            Ok(())
        }
    }

    impl Bytes for Fake {
        fn get(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
            Ok(self.items.borrow().get(name).cloned().map(Zeroizing::new))
        }

        fn set(&self, name: &str, bytes: &[u8]) -> Result<(), KeyringError> {
            assert!(bytes.len() <= LIMIT);
            self.change()?;
            self.items.borrow_mut().insert(name.into(), bytes.into());
            Ok(())
        }

        fn remove(&self, name: &str) -> Result<bool, KeyringError> {
            self.change()?;
            Ok(self.items.borrow_mut().remove(name).is_some())
        }
    }

    fn value(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i % 251) as u8).collect()
    }

    #[test]
    fn any_length_comes_back_and_nothing_stale_stays() {
        let fake = Fake::new();
        assert!(read(&fake, "p").expect("nothing is no error").is_none());
        for (length, items) in [(20_000, 9), (1, 2), (LIMIT, 2), (LIMIT + 1, 3), (0, 1), (5_120, 3)] {
            write(&fake, "p", &value(length)).expect("it is written");
            assert_eq!(*read(&fake, "p").expect("it is read").expect("it is there"), value(length));
            assert_eq!(fake.items.borrow().len(), items, "{length} bytes");
        }
        assert!(delete(&fake, "p").expect("it is deleted"));
        assert!(fake.items.borrow().is_empty());
        assert!(!delete(&fake, "p").expect("nothing is no error"));
    }

    #[test]
    fn a_crash_at_any_point_leaves_the_old_value_or_the_new_one() {
        let (old, new) = (value(9_000), value(6_000));
        for survived in 0..10 {
            let fake = Fake::new();
            write(&fake, "p", &old).expect("it is written");
            fake.changes.set(survived);
            let finished = write(&fake, "p", &new).is_ok();
            let read_back = read(&fake, "p").expect("it is whole").expect("it is there");
            assert!(*read_back == new || (!finished && *read_back == old), "after {survived} changes");
            fake.changes.set(usize::MAX);
            write(&fake, "p", b"x").expect("the next write cleans up");
            delete(&fake, "p").expect("it is deleted");
            assert!(
                fake.items.borrow().is_empty(),
                "after {survived} changes: {:?}",
                fake.items.borrow().keys()
            );
        }
    }

    #[test]
    fn what_was_tampered_with_is_never_taken_for_a_value_or_for_nothing() {
        let fake = Fake::new();
        write(&fake, "p", &value(6_000)).expect("it is written");
        fake.set("p#0/1", b"other").expect("it is set");
        assert!(read(&fake, "p").is_err());
        fake.remove("p#0/1").expect("it is removed");
        assert!(read(&fake, "p").is_err());
        fake.set("p", b"no manifest").expect("it is set");
        assert!(read(&fake, "p").is_err());
        write(&fake, "p", b"new").expect("a new login repairs it");
        assert_eq!(**read(&fake, "p").expect("it is read").expect("it is there"), *b"new");
    }
}
