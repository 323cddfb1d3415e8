//! Where credentials are stored: one trait, four stores, and the choice between them; and the cache of access tokens.

mod auto;
pub mod cache;
mod credentials;
mod file;
mod keyring;
mod keyutils;
pub mod vault;

use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use auto::choose;
pub use credentials::{Binding, CredentialKey, MAX_TOKENS, StoredCredentials};
pub(crate) use credentials::{decode, encode};

use crate::error::Result;
use crate::system::deadline::Deadline;
use vault::VaultPath;

/// The store of a profile, chosen at its login and recorded in its file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// Secret Service, Keychain, Credential Manager.
    #[default]
    Keyring,
    /// The kernel keyring (Linux): lost at reboot.
    Keyutils,
    /// A private file, not encrypted.
    File,
    /// Vault or OpenBao, shared by machines.
    Vault,
}

impl StoreKind {
    /// Returns the name in flags, files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Keyring => "keyring",
            Self::Keyutils => "keyutils",
            Self::File => "file",
            Self::Vault => "vault",
        }
    }

    /// Describes where the credentials are, for the message after a login.
    pub fn describe(self) -> &'static str {
        match self {
            Self::Keyring if cfg!(windows) => "kept in Windows' Credential Manager",
            Self::Keyring if cfg!(target_os = "macos") => "kept in the Keychain",
            Self::Keyring => "kept in the OS keyring",
            Self::Keyutils => "kept in the kernel keyring until reboot",
            Self::File => "kept in a private file, not encrypted",
            Self::Vault => "kept in Vault, for all machines that share the path",
        }
    }
}

/// The store of a profile, and where in it.
#[derive(Clone, Copy, Debug)]
pub struct StoreLocation<'a> {
    /// Which store.
    pub kind: StoreKind,
    /// The path in Vault.
    pub vault: Option<&'a VaultPath>,
}

impl From<StoreKind> for StoreLocation<'_> {
    fn from(kind: StoreKind) -> Self {
        Self { kind, vault: None }
    }
}

/// What a process that refreshes works with.
pub struct Refresh {
    /// The credentials, as just read.
    pub credentials: StoredCredentials,
    /// When the refresh must have ended: another machine may begin then.
    pub deadline: Deadline,
    /// Whether other machines wait for it.
    pub is_claimed: bool,
}

/// A credential store. Every failure is exit 6 and says whether the store is
/// locked, missing or timed out; `None` means that the store itself reported their absence.
pub trait CredentialStore {
    /// Returns the credentials, or `None` if there are none, or only some of another binding.
    fn read(&self, key: &CredentialKey) -> Result<Option<StoredCredentials>>;
    /// Replaces the credentials.
    fn write(&self, key: &CredentialKey, credentials: &StoredCredentials) -> Result<()>;
    /// Deletes the credentials of a profile by its ID; false if there were none.
    fn delete(&self, id: &str) -> Result<bool>;
    /// Checks that credentials can be written under this key. Leaves nothing behind.
    fn probe(&self, key: &CredentialKey) -> Result<()> {
        self.read(key).map(drop)
    }
    /// Reads the credentials for a refresh. Where machines share the store, waits while another one refreshes, until
    /// `is_done` accepts what it stored; else claims the refresh, which ends with [`CredentialStore::write`] or
    /// [`CredentialStore::abandon_refresh`].
    fn begin_refresh(
        &self,
        key: &CredentialKey,
        is_done: &dyn Fn(&StoredCredentials) -> bool,
        deadline: Deadline,
    ) -> Result<Refresh> {
        let _ = is_done;
        Ok(Refresh { credentials: self.read(key)?.unwrap_or_default(), deadline, is_claimed: false })
    }
    /// Lets other machines refresh, after a claimed refresh that failed.
    fn abandon_refresh(&self, _key: &CredentialKey, _credentials: &StoredCredentials) {}
    /// Whether other machines use the same credentials.
    fn is_shared(&self) -> bool {
        false
    }
}

/// Returns the store of this kind on this machine, which is first accessed by its first operation; `None` for
/// [`StoreKind::Vault`]. Each operation on the keyring ends within `timeout`; `can_prompt` is whether the user can be asked
/// to unlock it.
pub fn open(
    kind: StoreKind,
    state_dir: &Path,
    timeout: Duration,
    can_prompt: bool,
) -> Option<Box<dyn CredentialStore>> {
    match kind {
        StoreKind::Keyring => Some(Box::new(keyring::Keyring::new(state_dir, timeout, can_prompt))),
        StoreKind::Keyutils => Some(Box::new(keyutils::Keyutils::new(state_dir))),
        StoreKind::File => Some(Box::new(file::FileStore::new(state_dir))),
        StoreKind::Vault => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::oauth::secret::Secret;
    use crate::oauth::token::{Lifetime, Token};

    /// The key of a profile with this ID.
    pub(super) fn key(id: &str) -> CredentialKey {
        let binding = Binding {
            client_id: "client".into(),
            token_url: "https://login.example/token".into(),
            hosts: vec!["https://fhir.example".into()],
        };
        CredentialKey { id: id.into(), profile: "provider".into(), binding }
    }

    /// Credentials with both secrets, the access token of this many characters.
    pub(super) fn credentials(length: usize) -> StoredCredentials {
        StoredCredentials {
            client_secret: Some(Secret::new("s3cr3t")),
            token: Some(Token {
                access_token: Secret::new("t".repeat(length)),
                scope: Some("patient/*.read".into()),
                refresh_token: Some(Secret::new("r")),
                refresh_issued_at: Some(1_000),
                refresh_expires_in: None,
                lifetime: Lifetime { issued_at: 1_000, expires_in: Some(7_200) },
                launch_context: serde_json::Map::new(),
            }),
            ..StoredCredentials::default()
        }
    }

    /// Reports that a test can't run here, which is a failure where `ONEUP_REQUIRE_REAL` is 1.
    pub(super) fn skip(requirement: &str) {
        assert!(std::env::var_os("ONEUP_REQUIRE_REAL").is_none_or(|v| v != "1"), "needs {requirement}");
        // Not `eprintln!`, which the test harness captures.
        let _ = writeln!(std::io::stderr(), "skipped: needs {requirement}");
    }
}
