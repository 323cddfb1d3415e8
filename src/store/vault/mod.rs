//! Vault or OpenBao as a store: one item of a KV v2 engine is a login that any number of machines share.
//!
//! Check-and-set decides who refreshes. The machine that wins writes a claim into the item, requests the token, and replaces
//! the claim by the token; the others wait and read. A claim says how long it counts, so a machine that dies meanwhile
//! delays the others by no more than that. Its age is taken from the server's clock: no two machines need the same time.
//!
//! Sending requests is a trait here, because the HTTP client is on a higher level (`session/vault.rs` connects the two).

mod api;
mod path;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use api::{VaultRequest, VaultResponse};
pub use path::VaultPath;

use self::api::{Api, KvItem};
use super::{Binding, CredentialKey, CredentialStore, Refresh, StoredCredentials};
use crate::error::{Error, ErrorKind, Result, StoreErrorKind};
use crate::oauth::secret::Secret;
use crate::system::deadline::Deadline;

/// The layout of the item that this version writes.
const SCHEMA: u32 = 1;

/// The longest time that a claim counts. At `--timeout` 30, a machine that waits for one that died has half of it left.
const MAX_CLAIM: Duration = Duration::from_secs(15);

/// The wait before an item with a claim is read again; it doubles up to the longest.
const FIRST_POLL_INTERVAL: Duration = Duration::from_millis(100);
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Sends a request to Vault. Every status is a response.
pub trait Transport: Send + Sync {
    /// Sends the request once.
    ///
    /// # Errors
    /// Usage for plain http to another host; network.
    fn send(&self, request: VaultRequest, deadline: Deadline) -> Result<VaultResponse>;
}

/// How to authenticate to Vault.
pub enum Auth {
    /// A token, and where it is from.
    Token {
        /// `X-Vault-Token`.
        token: Secret,
        /// A variable or a file, for messages.
        source: String,
    },
    /// The AppRole method.
    AppRole {
        /// The method's mount.
        mount: String,
        /// The role.
        role_id: String,
        /// The role's secret, unless it needs none.
        secret_id: Option<Secret>,
    },
    /// The Kubernetes method.
    Kubernetes {
        /// The method's mount.
        mount: String,
        /// The role.
        role: String,
        /// The token of the service account.
        jwt: Secret,
    },
}

impl Auth {
    fn describe(&self) -> String {
        match self {
            Self::Token { source, .. } => source.clone(),
            Self::AppRole { mount, .. } => format!("AppRole at auth/{mount}"),
            Self::Kubernetes { mount, role, .. } => format!("Kubernetes role {role} at auth/{mount}"),
        }
    }

    fn repair(&self) -> &'static str {
        match self {
            Self::Token { .. } => "vault login, or set VAULT_TOKEN to a new token",
            Self::AppRole { .. } => {
                "check VAULT_ROLE_ID and VAULT_SECRET_ID (or …_FILE): a secret ID can expire or be used up"
            }
            Self::Kubernetes { .. } => "check VAULT_ROLE, and that the role is bound to this service account",
        }
    }
}

/// A server and how to use it, from Vault's own variables.
pub struct Settings {
    /// The base URL.
    pub address: String,
    /// The namespace.
    pub namespace: Option<String>,
    /// How to authenticate.
    pub auth: Auth,
    /// The token of a login, for the rest of the process.
    login: Mutex<Option<Secret>>,
}

impl Settings {
    /// Settings without a login yet.
    pub fn new(address: String, namespace: Option<String>, auth: Auth) -> Self {
        Self { address, namespace, auth, login: Mutex::default() }
    }

    fn login(&self) -> Option<Secret> {
        self.login.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep_login(&self, token: Secret) {
        *self.login.lock().unwrap_or_else(PoisonError::into_inner) = Some(token);
    }

    fn forget_login(&self) {
        *self.login.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

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

/// The right to request the next token.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Claim {
    /// Random: tells a machine its own claim.
    id: String,
    /// How long it counts.
    seconds: u64,
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
                // The server may be restarting.
                Err(error) if error.kind() == ErrorKind::Network && wait.has_begun() => {
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

impl Claim {
    fn new(deadline: Deadline) -> Result<Self> {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes)
            .map_err(|_| Error::failure("the system has no source of randomness"))?;
        let seconds = (deadline.remaining() / 2).min(MAX_CLAIM).as_secs().max(1);
        Ok(Self { id: crate::text::hex(&bytes), seconds })
    }

    /// What the machine that has the claim may do, and until when.
    fn grant(&self, credentials: StoredCredentials) -> Refresh {
        let deadline = Deadline::after(Duration::from_secs(self.seconds));
        Refresh { credentials, deadline, is_claimed: true }
    }
}

/// The wait for another machine's claim.
struct Wait {
    /// The version that has the claim, and when it was first read.
    seen: Option<(u64, Instant)>,
    interval: Duration,
}

impl Default for Wait {
    fn default() -> Self {
        Self { seen: None, interval: FIRST_POLL_INTERVAL }
    }
}

impl Wait {
    fn has_begun(&self) -> bool {
        self.seen.is_some()
    }

    /// Whether the claim has ended: by the server's clock, or since it was first read.
    fn is_over(&mut self, version: u64, age: Option<i64>, seconds: u64) -> bool {
        let first_read = match self.seen {
            Some((seen, at)) if seen == version => at,
            _ => {
                let now = Instant::now();
                self.seen = Some((version, now));
                now
            }
        };
        // The server's times are whole seconds.
        let is_old = age.is_some_and(|age| u64::try_from(age).is_ok_and(|age| age > seconds + 1));
        is_old || first_read.elapsed() >= Duration::from_secs(seconds + 1)
    }

    /// Sleeps, not always equally long, so that many machines don't read at the same moments.
    fn pause(&mut self, deadline: Deadline) -> Result<(), ()> {
        if deadline.has_passed() {
            return Err(());
        }
        let mut byte = [0];
        let _ = aws_lc_rs::rand::fill(&mut byte);
        let jitter = self.interval.mul_f64(f64::from(byte[0]) / 512.0);
        std::thread::sleep((self.interval + jitter).min(deadline.remaining()));
        self.interval = (self.interval * 2).min(MAX_POLL_INTERVAL);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
