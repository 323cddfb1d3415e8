//! Where secrets are kept: one trait, three stores, and the choice between them.

mod auto;
pub mod cache;
mod file;
mod keyring;
mod keyutils;

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub use auto::choose;

use crate::error::{Error, Result, StoreErrorKind};
use crate::oauth::secret::Secret;
use crate::oauth::token::Token;

/// The layout of an item that this version writes.
const SCHEMA: u32 = 1;

/// The store of a profile, decided at its login and recorded in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// Secret Service, Keychain, Credential Manager.
    Keyring,
    /// The kernel keyring (Linux): gone at reboot.
    Keyutils,
    /// A private file, not encrypted.
    File,
}

impl StoreKind {
    /// The name in flags, files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Keyutils => "keyutils",
            Self::File => "file",
        }
    }

    /// Where the secrets are, for the person who just logged in.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Keyring => "kept in the OS keyring",
            Self::Keyutils => "kept in the kernel keyring until reboot",
            Self::File => "kept in a private file, not encrypted",
        }
    }
}

/// What is kept of a profile in secret, as one JSON value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoredCredentials {
    /// The layout; this version writes 1, whatever stands here.
    pub schema: u32,
    /// The client secret, unless a command prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Secret>,
    /// The newest token set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
}

/// A credential store. Items are named by the profile's id. Every failure is exit 6 and says locked, missing or
/// hanging; "not found" is only ever the store's own word for it.
pub trait Store {
    /// The item, or none where the store says that there is none.
    fn read(&self, id: &str) -> Result<Option<StoredCredentials>>;
    /// Replaces the item whole.
    fn write(&self, id: &str, item: &StoredCredentials) -> Result<()>;
    /// Forgets the item; false when there was none.
    fn delete(&self, id: &str) -> Result<bool>;
    /// Whether a new item of this id could be kept. Leaves nothing behind.
    fn probe(&self, id: &str) -> Result<()> {
        self.read(id).map(drop)
    }
}

/// The store of this kind. Nothing is touched before its first use. Each use of the keyring ends at `deadline`;
/// `can_prompt` is whether a person is there to unlock it.
pub fn open(kind: StoreKind, state_dir: &Path, deadline: Duration, can_prompt: bool) -> Box<dyn Store> {
    match kind {
        StoreKind::Keyring => Box::new(keyring::Keyring::new(state_dir, deadline, can_prompt)),
        StoreKind::Keyutils => Box::new(keyutils::Keyutils),
        StoreKind::File => Box::new(file::Files::new(state_dir)),
    }
}

/// The item as the bytes that every store keeps; wiped when dropped.
pub(crate) fn encode(item: &StoredCredentials) -> Result<Zeroizing<Vec<u8>>> {
    let item = StoredCredentials { schema: SCHEMA, ..item.clone() };
    let unwritten = |_| Error::store(StoreErrorKind::Failed, "the login can't be written as JSON");
    // Measured first: a buffer that grows leaves unwiped copies of the secrets behind.
    let mut size = Size(0);
    serde_json::to_writer(&mut size, &item).map_err(unwritten)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(size.0));
    serde_json::to_writer(&mut *bytes, &item).map_err(unwritten)?;
    Ok(bytes)
}

/// How many bytes were written.
struct Size(usize);

impl std::io::Write for Size {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The item that [`encode`] wrote. For the error: `place` is where it was, `repair` what to do when it is broken.
pub(crate) fn decode(bytes: &[u8], place: &str, repair: &str) -> Result<StoredCredentials> {
    // serde's own message quotes the value that it stumbled over, and that may be a secret.
    let item: StoredCredentials = serde_json::from_slice(bytes).map_err(|error| {
        Error::store(StoreErrorKind::Corrupt, format!("{place} holds no login of oneup"))
            .with_detail(format!("not understood at line {}, column {}", error.line(), error.column()))
            .with_hint(repair)
    })?;
    match item.schema {
        SCHEMA => Ok(item),
        newer => Err(Error::store(
            StoreErrorKind::Corrupt,
            format!("{place} was written by another version of oneup"),
        )
        .with_detail(format!("its layout is {newer}; this version knows {SCHEMA}"))
        .with_hint("update oneup, or log in again under another --profile")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// A login with both secrets, the access token of this many characters.
    pub(super) fn item(length: usize) -> StoredCredentials {
        StoredCredentials {
            schema: SCHEMA,
            client_secret: Some(Secret::new("s3cr3t")),
            token: Some(Token {
                access_token: Secret::new("t".repeat(length)),
                scope: Some("patient/*.read".into()),
                refresh_token: Some(Secret::new("r")),
                obtained_at: 1_000,
                lifetime: Some(7_200),
                context: serde_json::Map::new(),
            }),
        }
    }

    /// Says that a test can't run here; where the real things are required, that is a failure.
    pub(super) fn missing(what: &str) {
        assert!(std::env::var_os("ONEUP_REQUIRE_REAL").is_none_or(|v| v != "1"), "needs {what}");
        // Not `eprintln!`, which the test harness keeps to itself.
        let _ = writeln!(std::io::stderr(), "skipped: needs {what}");
    }

    #[test]
    fn an_item_is_written_into_one_buffer_that_never_grows() {
        for length in [0, 1, 100, 5_000] {
            let bytes = encode(&item(length)).expect("JSON");
            assert_eq!(bytes.capacity(), bytes.len(), "{length}");
        }
    }

    #[test]
    fn an_item_survives_its_encoding() {
        let bytes = encode(&StoredCredentials { schema: 0, ..item(10) }).expect("it encodes");
        assert_eq!(decode(&bytes, "here", "repair").expect("it decodes"), item(10));
    }

    #[test]
    fn a_broken_item_is_named_and_none_of_it_is_shown() {
        for bytes in [
            &br#"{"schema":1,"token":"SECRET"}"#[..],
            br#"{"schema":"SECRET"}"#,
            br#"{"schema":1,"client_secret":"SECR"#,
            b"",
            b"\xff\xfe",
        ] {
            let error = decode(bytes, "/state/x.json", "repair").expect_err("it is broken");
            assert_eq!(error.kind().exit().code(), 6);
            assert!(error.to_string().contains("/state/x.json"), "{error}");
            assert!(error.to_string().ends_with("hint: repair"), "{error}");
            assert!(!error.to_string().contains("SECR") && !format!("{error:?}").contains("SECR"), "{error}");
        }
    }

    #[test]
    fn an_item_of_another_version_is_refused() {
        let error = decode(br#"{"schema":2}"#, "here", "repair").expect_err("it is newer");
        assert!(error.to_string().contains("another version"), "{error}");
        assert!(error.to_string().contains("hint: update oneup"), "{error}");
    }
}
