//! Where credentials are stored: one trait, three stores, and the choice between them; and the cache of access tokens.

mod auto;
pub mod cache;
mod file;
mod keyring;
mod keyutils;

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use auto::choose;

use crate::error::{Error, Result, StoreErrorKind};
use crate::oauth::secret::{Secret, SecretBuf};
use crate::oauth::token::Token;

/// The layout of stored credentials that this version writes.
const SCHEMA: u32 = 1;

/// The store of a profile, chosen at its login and recorded in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// Secret Service, Keychain, Credential Manager.
    Keyring,
    /// The kernel keyring (Linux): lost at reboot.
    Keyutils,
    /// A private file, not encrypted.
    File,
}

impl StoreKind {
    /// Returns the name in flags, files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Keyutils => "keyutils",
            Self::File => "file",
        }
    }

    /// Describes where the credentials are, for the message after a login.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Keyring => "kept in the OS keyring",
            Self::Keyutils => "kept in the kernel keyring until reboot",
            Self::File => "kept in a private file, not encrypted",
        }
    }
}

/// The secrets of a profile, stored as one JSON value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoredCredentials {
    /// The layout; [`SCHEMA`] is written, whatever the value.
    pub schema: u32,
    /// The client secret, unless a command prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Secret>,
    /// The newest token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
}

/// A credential store. Credentials are named by the profile's ID. Every failure is exit 6 and says whether the store is
/// locked, missing or timed out; `None` means that the store itself reported their absence.
pub trait CredentialStore {
    /// Returns the credentials, or `None` if there are none.
    fn read(&self, id: &str) -> Result<Option<StoredCredentials>>;
    /// Replaces the credentials.
    fn write(&self, id: &str, credentials: &StoredCredentials) -> Result<()>;
    /// Deletes the credentials; false if there were none.
    fn delete(&self, id: &str) -> Result<bool>;
    /// Checks that credentials of this ID can be written. Leaves nothing behind.
    fn probe(&self, id: &str) -> Result<()> {
        self.read(id).map(drop)
    }
}

/// Returns the store of this kind, which is first accessed by its first operation. Each operation on the keyring ends
/// within `timeout`; `can_prompt` is whether the user can be asked to unlock it.
pub fn open(
    kind: StoreKind,
    state_dir: &Path,
    timeout: Duration,
    can_prompt: bool,
) -> Box<dyn CredentialStore> {
    match kind {
        StoreKind::Keyring => Box::new(keyring::Keyring::new(state_dir, timeout, can_prompt)),
        StoreKind::Keyutils => Box::new(keyutils::Keyutils),
        StoreKind::File => Box::new(file::FileStore::new(state_dir)),
    }
}

/// Encodes credentials as every store keeps them.
pub(crate) fn encode(credentials: &StoredCredentials) -> Result<SecretBuf> {
    let credentials = StoredCredentials { schema: SCHEMA, ..credentials.clone() };
    let mut bytes = SecretBuf::with_capacity(4096);
    serde_json::to_writer(&mut bytes, &credentials)
        .map_err(|_| Error::store(StoreErrorKind::Failed, "can't encode the credentials as JSON"))?;
    Ok(bytes)
}

/// Decodes what [`encode`] returned. The error names `location`, and has `repair` as its hint.
pub(crate) fn decode(bytes: &[u8], location: &str, repair: &str) -> Result<StoredCredentials> {
    // serde's own message quotes the value that it rejects, which may be a secret.
    let credentials: StoredCredentials = serde_json::from_slice(bytes).map_err(|error| {
        Error::store(StoreErrorKind::Corrupt, format!("{location} does not contain valid credentials"))
            .with_detail(format!("parse error at line {}, column {}", error.line(), error.column()))
            .with_hint(repair)
    })?;
    match credentials.schema {
        SCHEMA => Ok(credentials),
        newer => Err(Error::store(
            StoreErrorKind::Corrupt,
            format!("{location} was written by another version of oneup"),
        )
        .with_detail(format!("its schema is {newer}; this version supports {SCHEMA}"))
        .with_hint("update oneup, or log in again under another --profile")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// Credentials with both secrets, the access token of this many characters.
    pub(super) fn credentials(length: usize) -> StoredCredentials {
        StoredCredentials {
            schema: SCHEMA,
            client_secret: Some(Secret::new("s3cr3t")),
            token: Some(Token {
                access_token: Secret::new("t".repeat(length)),
                scope: Some("patient/*.read".into()),
                refresh_token: Some(Secret::new("r")),
                issued_at: 1_000,
                expires_in: Some(7_200),
                launch_context: serde_json::Map::new(),
            }),
        }
    }

    /// Reports that a test can't run here, which is a failure where `ONEUP_REQUIRE_REAL` is 1.
    pub(super) fn skip(requirement: &str) {
        assert!(std::env::var_os("ONEUP_REQUIRE_REAL").is_none_or(|v| v != "1"), "needs {requirement}");
        // Not `eprintln!`, which the test harness captures.
        let _ = writeln!(std::io::stderr(), "skipped: needs {requirement}");
    }

    #[test]
    fn credentials_round_trip() {
        for length in [0, 10, 10_000] {
            let bytes = encode(&StoredCredentials { schema: 0, ..credentials(length) }).expect("encodable");
            assert_eq!(decode(&bytes, "here", "repair").expect("decodable"), credentials(length));
        }
    }

    #[test]
    fn corrupt_credentials_are_located_and_not_shown() {
        for bytes in [
            &br#"{"schema":1,"token":"SECRET"}"#[..],
            br#"{"schema":"SECRET"}"#,
            br#"{"schema":1,"client_secret":"SECR"#,
            b"",
            b"\xff\xfe",
        ] {
            let error = decode(bytes, "/state/x.json", "repair").expect_err("corrupt");
            assert_eq!(error.kind().exit().code(), 6);
            assert!(error.to_string().contains("/state/x.json"), "{error}");
            assert!(error.to_string().ends_with("hint: repair"), "{error}");
            assert!(!error.to_string().contains("SECR") && !format!("{error:?}").contains("SECR"), "{error}");
        }
    }

    #[test]
    fn credentials_of_another_schema_are_an_error() {
        let error = decode(br#"{"schema":2}"#, "here", "repair").expect_err("newer");
        assert!(error.to_string().contains("another version"), "{error}");
        assert!(error.to_string().contains("hint: update oneup"), "{error}");
    }
}
