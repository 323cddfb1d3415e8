//! Vault or OpenBao as a store: one item of a KV v2 engine is a login that any number of machines share.
//!
//! Check-and-set decides who refreshes. The machine that wins writes a claim into the item, requests the token, and replaces
//! the claim by the token; the others wait and read. A claim says how long it counts, so a machine that dies meanwhile
//! delays the others by no more than that. Its age is taken from the server's clock: no two machines need the same time.
//!
//! Sending requests is a trait here, because the HTTP client is on a higher level (`session/vault.rs` connects the two).

mod api;
mod claim;
mod path;
mod response;
mod settings;
mod transport;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use path::VaultPath;
pub use settings::{Auth, Settings};
pub use transport::{Transport, VaultRequest, VaultResponse};

use self::api::{Api, KvItem};
use self::claim::{Claim, Wait};
use super::{Binding, CredentialKey, CredentialStore, Refresh, StoredCredentials};
use crate::error::{Error, ErrorKind, Result, StoreErrorKind};
use crate::system::deadline::Deadline;

/// The layout of the item that this version writes.
const SCHEMA: u32 = 1;

/// A login in Vault.
pub struct Vault {
    settings: Settings,
    transport: Box<dyn Transport>,
    path: VaultPath,
    deadline: Deadline,
}

/// The item at the path.
#[derive(Serialize, Deserialize)]
struct Item {
    schema: u32,
    binding: Binding,
    /// The settings of the profile, for a machine that joins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    login: Option<Value>,
    #[serde(default)]
    credentials: StoredCredentials,
    /// Who is requesting a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    claim: Option<Claim>,
}

impl Vault {
    /// The store at this path, for uses that end at the deadline.
    pub fn new(
        settings: Settings,
        transport: Box<dyn Transport>,
        path: VaultPath,
        deadline: Deadline,
    ) -> Self {
        Self { settings, transport, path, deadline }
    }

    /// Returns the path with its real mount.
    ///
    /// # Errors
    /// Store: the mount is not a KV v2 engine.
    pub fn resolve(&self) -> Result<VaultPath> {
        self.api().resolve(&self.path)
    }

    /// Returns the login at the path, whichever client it belongs to, and the version to replace.
    ///
    /// # Errors
    /// Store.
    pub fn shared_login(&self) -> Result<(u64, Option<SharedLogin>)> {
        let KvItem { version, data, .. } = self.read_item()?;
        let login = data.map(|Item { binding, login, credentials, .. }| SharedLogin {
            binding,
            profile: login.unwrap_or_default(),
            credentials,
        });
        Ok((version, login))
    }

    fn api(&self) -> Api<'_> {
        Api::new(&self.settings, &*self.transport, self.deadline)
    }

    fn read_item(&self) -> Result<KvItem<Item>> {
        let item: KvItem<Item> = self.api().read(&self.path)?;
        if let Some(data) = &item.data
            && data.schema != SCHEMA
        {
            return Err(Error::store(
                StoreErrorKind::Corrupt,
                format!("{} in Vault was written by another version of oneup", self.path),
            )
            .with_detail(format!("its schema is {}; this version supports {SCHEMA}", data.schema))
            .with_hint("update oneup on all machines, or pass another --vault-path"));
        }
        Ok(item)
    }

    /// Reads an item that must be of this binding.
    fn read_own(&self, key: &CredentialKey) -> Result<KvItem<Item>> {
        let item = self.read_item()?;
        match &item.data {
            Some(data) if data.binding != key.binding => Err(self.belongs_to_another(&data.binding)),
            _ => Ok(item),
        }
    }

    /// The error for an item of another client or endpoint.
    pub fn belongs_to_another(&self, owner: &Binding) -> Error {
        Error::usage(format!("the login at {} in Vault belongs to another client or endpoint", self.path))
            .with_detail(format!("client: {}\ntoken endpoint: {}", owner.client_id, owner.token_url))
            .with_hint(format!(
                "pass another --vault-path, or delete that login: vault kv metadata delete -mount={} {}",
                self.path.mount, self.path.path
            ))
    }

    fn write_item(
        &self,
        key: &CredentialKey,
        credentials: &StoredCredentials,
        claim: Option<Claim>,
    ) -> Result<u64> {
        let item = Item {
            schema: SCHEMA,
            binding: key.binding.clone(),
            login: credentials.shared_profile.clone(),
            credentials: credentials.clone(),
            claim,
        };
        self.api().write(&self.path, credentials.version, &item)
    }

    fn timed_out(&self) -> Error {
        Error::new(
            ErrorKind::LockTimeout,
            format!(
                "timed out after {} s waiting for another machine to refresh {}",
                self.deadline.timeout().as_secs(),
                self.path
            ),
        )
        .with_hint("try again, or allow more time with --timeout SECS")
    }
}

/// A login in Vault that a machine can join.
pub struct SharedLogin {
    /// Which client, endpoint and hosts it is for.
    pub binding: Binding,
    /// The settings of the profile.
    pub profile: Value,
    /// The secrets.
    pub credentials: StoredCredentials,
}

impl CredentialStore for Vault {
    fn read(&self, key: &CredentialKey) -> Result<Option<StoredCredentials>> {
        let KvItem { version, data, .. } = self.read_own(key)?;
        Ok(data.map(|data| StoredCredentials { version, shared_profile: data.login, ..data.credentials }))
    }

    fn write(&self, key: &CredentialKey, credentials: &StoredCredentials) -> Result<()> {
        self.write_item(key, credentials, None).map(drop)
    }

    /// Leaves the item to the other machines.
    fn delete(&self, _: &str) -> Result<bool> {
        Ok(false)
    }

    fn probe(&self, key: &CredentialKey) -> Result<()> {
        self.read_own(key)?;
        self.api().require_writable(&self.path)
    }

    fn begin_refresh(
        &self,
        key: &CredentialKey,
        is_done: &dyn Fn(&StoredCredentials) -> bool,
        _: Deadline,
    ) -> Result<Refresh> {
        let mut wait = Wait::default();
        let mut own: Option<Claim> = None;
        loop {
            let KvItem { version, age, data } = match self.read_own(key) {
                Ok(item) => item,
                // The server may be restarting: it is sealed at first.
                Err(error) if is_down(&error) && wait.has_begun() => {
                    let paused = wait.pause(self.deadline);
                    paused.map_err(|()| self.timed_out().with_detail(error.summary()))?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Some(data) = data else {
                // There is nothing to refresh with, unless a command of this machine prints the secret.
                let credentials = StoredCredentials { version, ..StoredCredentials::default() };
                return Ok(Refresh { credentials, deadline: self.deadline, is_claimed: false });
            };
            let (claim, shared_profile) = (data.claim, data.login);
            let credentials = StoredCredentials { version, shared_profile, ..data.credentials };
            if is_done(&credentials) {
                return Ok(Refresh { credentials, deadline: self.deadline, is_claimed: false });
            }
            if let Some(claim) = &claim
                && own.as_ref() == Some(claim)
            {
                // The response to the write was lost.
                return Ok(claim.grant(credentials));
            } else if let Some(claim) = &claim
                && !wait.is_over(version, age, claim.seconds)
            {
                wait.pause(self.deadline).map_err(|()| self.timed_out())?;
                continue;
            }
            let claim = Claim::new(self.deadline)?;
            match self.write_item(key, &credentials, Some(claim.clone())) {
                Ok(version) => return Ok(claim.grant(StoredCredentials { version, ..credentials })),
                Err(error) if error.kind() == ErrorKind::Store(StoreErrorKind::Conflict) => {
                    own = Some(claim);
                    wait.pause(self.deadline).map_err(|()| self.timed_out())?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn abandon_refresh(&self, key: &CredentialKey, credentials: &StoredCredentials) {
        // If it fails, the claim ends by itself.
        let _ = self.write_item(key, credentials, None);
    }

    fn is_shared(&self) -> bool {
        true
    }
}

/// Whether the server can't be reached, or is sealed.
fn is_down(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Network | ErrorKind::Store(StoreErrorKind::Locked))
}

#[cfg(test)]
mod tests;
