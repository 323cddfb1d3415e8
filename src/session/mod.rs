//! A profile's access token: cached, stored, or new. Any number of processes and threads make one token request.

mod assertion_error;
pub mod client_secret;
pub mod generated_key;
pub mod key_lifecycle;
pub mod metadata;
pub mod orphans;
pub mod private_key;
mod refresh;
pub mod revoke;
pub mod secret_command;
pub mod token_error;
pub mod token_request;
pub mod vault;

use std::collections::HashMap;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::oauth::scope;
use crate::oauth::secret::Secret;
use crate::oauth::token::Token;
use crate::profile::{self, Profile};
use crate::store::cache::TokenCache;
use crate::store::vault::VaultPath;
use crate::store::{self, CredentialStore, StoreLocation, StoredCredentials};
use crate::system::clock::now;
use crate::system::deadline::Deadline;
use crate::system::files;
use crate::system::lock;

/// How often a profile that other processes replace meanwhile is read again.
const MAX_ATTEMPTS: u32 = 3;

/// The longest time for one use of a credential store.
pub const STORE_TIMEOUT: Duration = Duration::from_secs(10);

/// Which access token is wanted. The default is a valid one.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenOptions<'a> {
    /// The scope to request, instead of the profile's own.
    pub scope: Option<&'a str>,
    /// Minimum remaining lifetime in seconds, instead of the expiry leeway.
    pub min_ttl: Option<u64>,
    /// Whether to get a new token even if the stored one is valid.
    pub refresh: bool,
    /// A token that a server rejected (401): any other valid token will do, else a new one is requested.
    pub rejected: Option<&'a Secret>,
}

impl TokenOptions<'_> {
    fn accept(&self, token: &Token) -> bool {
        self.rejected != Some(&token.access_token) && token.lifetime.is_fresh(now(), self.min_ttl)
    }
}

/// The tokens of one profile. Can be shared by threads; a call that finds a valid token in memory costs the reading of
/// the profile's file.
pub struct Session {
    context: Context,
    state: Mutex<State>,
}

struct State {
    profile: Arc<Profile>,
    /// The tokens returned last, by scope (`None`: the profile's own), which spare the store.
    tokens: HashMap<Option<String>, Token>,
}

impl Session {
    /// Opens no store yet: a cached token needs none.
    pub fn new(context: &Context, profile: Profile) -> Self {
        let state = State { profile: Arc::new(profile), tokens: HashMap::new() };
        Self { context: context.clone(), state: Mutex::new(state) }
    }

    /// The profile, as last read.
    pub fn profile(&self) -> Arc<Profile> {
        Arc::clone(&self.state().profile)
    }

    /// Returns what the store holds, `None` when not logged in.
    ///
    /// # Errors
    /// Store.
    pub fn stored(&self) -> Result<Option<StoredCredentials>> {
        self.read_store(&self.profile(), self.context.deadline())
    }

    /// Returns the granted scope of the newest token, for a token from the cache, which has none.
    pub fn granted_scope(&self, options: TokenOptions) -> Option<String> {
        let profile = self.profile();
        let metadata = metadata::load(&self.context, &profile.id)?;
        match requested_scope(&profile, options.scope).ok()? {
            Some(scope) => metadata.scoped_tokens.get(&scope)?.scope.clone(),
            None => metadata.scope,
        }
    }

    /// Returns a valid access token, requesting a new one if needed. All of it ends at one deadline (`--timeout`).
    ///
    /// # Errors
    /// Authentication when there is no valid token and none can be requested without a user; network, protocol, store.
    pub fn access_token(&self, options: TokenOptions) -> Result<Token> {
        let deadline = self.context.deadline();
        for _ in 0..MAX_ATTEMPTS {
            let profile = self.profile();
            let scope = requested_scope(&profile, options.scope)?;
            let scope = scope.as_deref();
            if !options.refresh
                && let Some(token) =
                    self.token_in_memory(scope, options).or_else(|| self.token_in_cache(scope, options))
            {
                return Ok(token);
            }
            let credentials = self.read_store(&profile, deadline)?.unwrap_or_default();
            let stored = credentials.token_for(scope);
            if let Some(token) = stored.filter(|token| !options.refresh && options.accept(token)) {
                self.keep(&profile, scope, token);
                return Ok(token.clone());
            }
            let (lock, current) = lock_profile(&self.context, &profile, deadline)?;
            if current.id != profile.id {
                *self.state() = State { profile: Arc::new(current), tokens: HashMap::new() };
                continue;
            }
            // Another process may have put it there while this one waited.
            if !options.refresh
                && let Some(token) = self.token_in_cache(scope, options)
            {
                return Ok(token);
            }
            let token = refresh::under_lock(&self.context, &profile, scope, stored, options, deadline)?;
            drop(lock);
            self.keep(&profile, scope, &token);
            return Ok(token);
        }
        let name = self.profile().name.clone();
        Err(Error::auth(format!("profile {name} was modified concurrently")).with_hint("try again"))
    }

    /// A token from an earlier call, unless another process has logged in or out since.
    fn token_in_memory(&self, scope: Option<&str>, options: TokenOptions) -> Option<Token> {
        let (profile, token) = {
            let state = self.state();
            let token = state.tokens.get(&scope.map(str::to_owned)).filter(|token| options.accept(token))?;
            (Arc::clone(&state.profile), token.clone())
        };
        let current = profile::load(self.context.config_dir().ok()?, &profile.name).ok()??;
        (current.id == profile.id).then_some(token)
    }

    fn token_in_cache(&self, scope: Option<&str>, options: TokenOptions) -> Option<Token> {
        if self.context.no_cache {
            return None;
        }
        let cache = TokenCache::new(self.context.state_dir().ok()?);
        let cached = cache.get(&self.profile().credential_key(), scope)?;
        let token = Token::new(cached.access_token, cached.lifetime);
        options.accept(&token).then_some(token)
    }

    /// Keeps a token in memory and in the kernel's cache.
    fn keep(&self, profile: &Profile, scope: Option<&str>, token: &Token) {
        if !self.context.no_cache
            && let Ok(state_dir) = self.context.state_dir()
        {
            TokenCache::new(state_dir).put(&profile.credential_key(), scope, token, now());
        }
        let mut state = self.state();
        if state.profile.id == profile.id {
            state.tokens.insert(scope.map(str::to_owned), token.clone());
        }
    }

    fn read_store(&self, profile: &Profile, deadline: Deadline) -> Result<Option<StoredCredentials>> {
        open_store(&self.context, profile.location(), deadline)?.read(&profile.credential_key())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the requested scope with its tokens sorted, as order does not matter (RFC 6749 §3.3); `None` for the profile's
/// own scope.
///
/// # Errors
/// Usage: a scope that is not one.
fn requested_scope(profile: &Profile, scope: Option<&str>) -> Result<Option<String>> {
    let sorted = |scope: &str| {
        let mut tokens: Vec<String> = scope.split_whitespace().map(str::to_owned).collect();
        tokens.sort_unstable();
        tokens.dedup();
        tokens.join(" ")
    };
    let Some(scope) = scope else { return Ok(None) };
    let scope = sorted(&scope::normalize(scope)?);
    Ok(Some(scope).filter(|scope| *scope != sorted(&profile.scope)))
}

/// Takes the lock of a profile and reads the profile again: another process may have replaced it.
///
/// # Errors
/// [`crate::error::ErrorKind::LockTimeout`] at the deadline; authentication when the profile is gone.
pub fn lock_profile(context: &Context, profile: &Profile, deadline: Deadline) -> Result<(File, Profile)> {
    let path = lock_path(context, &profile.id)?;
    let lock = lock::acquire(&path, deadline)?;
    let current = profile::resolve_profile(context.config_dir()?, Some(&profile.name));
    if current.as_ref().map_or(true, |current| current.id != profile.id) {
        // The file was deleted with the replaced profile; acquiring the lock has created it again.
        remove_lock(context, &profile.id);
    }
    Ok((lock, current?))
}

/// The lock file under which the credentials with this ID are changed. It is in the config directory, as the profile is:
/// several state directories can share the credentials in a keyring. Where that directory is read-only, it is in the
/// state directory.
///
/// # Errors
/// Usage when there is no such directory.
pub fn lock_path(context: &Context, id: &str) -> Result<PathBuf> {
    let config_dir = context.config_dir()?;
    let dir = if files::require_writable(config_dir).is_ok() { config_dir } else { context.state_dir()? };
    Ok(dir.join("locks").join(format!("{id}.lock")))
}

/// Removes the lock file of credentials that are gone, wherever it was. One that stays does no harm.
pub fn remove_lock(context: &Context, id: &str) {
    for dir in [context.config_dir(), context.state_dir()].into_iter().flatten() {
        let path = dir.join("locks").join(format!("{id}.lock"));
        // Attempted twice: no later command knows this ID.
        let _ = files::remove(&path).or_else(|_| files::remove(&path));
    }
}

/// The store at this location, for uses that end at the deadline, and at [`STORE_TIMEOUT`] at the latest where the store
/// is on this machine.
///
/// # Errors
/// Usage when there is no state directory, or Vault is not configured.
pub fn open_store<'a>(
    context: &Context,
    location: impl Into<StoreLocation<'a>>,
    deadline: Deadline,
) -> Result<Box<dyn CredentialStore>> {
    let location = location.into();
    let timeout = deadline.remaining().min(STORE_TIMEOUT);
    match store::open(location.kind, context.state_dir()?, timeout, !context.no_input) {
        Some(store) => Ok(store),
        None => Ok(Box::new(vault::open(context, require_path(location.vault)?, deadline)?)),
    }
}

/// Returns the path of a login in Vault.
///
/// # Errors
/// Usage: there is none.
pub fn require_path(path: Option<&VaultPath>) -> Result<&VaultPath> {
    path.ok_or_else(|| {
        Error::usage("missing path of the login in Vault")
            .with_hint("pass --vault-path MOUNT/PATH, or set ONEUP_VAULT_PATH")
    })
}
