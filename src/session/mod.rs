//! A profile's live token: cached, stored, or renewed under the profile's lock, so that any number of processes make
//! one request.

pub mod client_secret;
pub mod metadata;
pub mod orphans;
pub mod token_error;

use std::fs::File;
use std::path::PathBuf;
use std::time::Duration;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::{Http, Retry};
use crate::oauth::grant::{Client, Grant};
use crate::oauth::product::Product;
use crate::oauth::response::{self, TokenError};
use crate::oauth::token::Token;
use crate::profile::{self, Profile};
use crate::store::{self, CredentialStore, StoreKind, StoredCredentials, cache};
use crate::system::clock::now;
use crate::system::files;
use crate::system::lock;
use metadata::TokenMetadata;
use token_error::GrantType;

/// How often a profile that another process replaces meanwhile is read anew.
const ATTEMPTS: u32 = 3;

/// The longest that a credential store may take.
const STORE_PATIENCE: Duration = Duration::from_secs(10);

/// One profile and where its secrets are.
pub struct Session<'a> {
    context: &'a Context,
    profile: Profile,
}

impl<'a> Session<'a> {
    /// Opens nothing yet: a token in the kernel cache needs no store.
    pub fn new(context: &'a Context, profile: Profile) -> Self {
        Self { context, profile }
    }

    /// The profile, as it was read last.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What the store holds; none where nobody is logged in.
    ///
    /// # Errors
    /// Store.
    pub fn stored(&self) -> Result<Option<StoredCredentials>> {
        open_store(self.context, &self.profile)?.read(&self.profile.id)
    }

    /// A token with more than the margin (or `min_ttl` seconds) left; with `refresh`, a new one in any case.
    ///
    /// # Errors
    /// Authentication when it can't be renewed without a person; network, protocol, store.
    pub fn access_token(&mut self, min_ttl: Option<u64>, refresh: bool) -> Result<Token> {
        if !refresh && let Some(token) = self.cached(min_ttl) {
            return Ok(token);
        }
        for _ in 0..ATTEMPTS {
            let stored = self.stored()?.and_then(|item| item.token);
            if !refresh && let Some(token) = stored.as_ref().filter(|token| token.is_fresh(now(), min_ttl)) {
                self.cache(token);
                return Ok(token.clone());
            }
            if let Some(token) = self.renew(stored, min_ttl)? {
                return Ok(token);
            }
        }
        Err(Error::auth(format!("profile {} is being replaced by another oneup", self.profile.name))
            .with_hint("try again"))
    }

    fn cached(&self, min_ttl: Option<u64>) -> Option<Token> {
        if self.context.no_cache {
            return None;
        }
        let cached = cache::get(&self.profile.id)?;
        let token = Token {
            access_token: cached.access_token,
            scope: None,
            refresh_token: None,
            obtained_at: cached.obtained_at,
            lifetime: Some(cached.lifetime),
            context: serde_json::Map::new(),
        };
        token.is_fresh(now(), min_ttl).then_some(token)
    }

    fn cache(&self, token: &Token) {
        if !self.context.no_cache {
            cache::put(&self.profile.id, token, now());
        }
    }

    /// Renews under the lock, unless another process did meanwhile: then `known` is no longer what is stored. None
    /// when the profile itself was replaced, and everything is to be read anew.
    fn renew(&mut self, known: Option<Token>, min_ttl: Option<u64>) -> Result<Option<Token>> {
        let (_lock, current) = lock_profile(self.context, &self.profile)?;
        if current.id != self.profile.id {
            self.profile = current;
            return Ok(None);
        }
        let store = open_store(self.context, &self.profile)?;
        let item = store.read(&self.profile.id)?.unwrap_or_default();
        if let Some(token) = item
            .token
            .as_ref()
            .filter(|token| Some(*token) != known.as_ref() && token.is_fresh(now(), min_ttl))
        {
            self.cache(token);
            return Ok(Some(token.clone()));
        }
        let (grant, asked) = self.renewal(&item)?;
        if asked == GrantType::Refresh {
            // A store that can't be written must be known before the refresh token is spent.
            store.write(&self.profile.id, &item)?;
        }
        let client = client(&self.profile, &item)?;
        let mut token = request(self.context, &self.profile, &client, &grant, asked)?;
        if let Some(old) = &item.token {
            token = token.carrying_over(old);
        }
        let item = StoredCredentials { schema: 1, client_secret: item.client_secret, token: Some(token) };
        store.write(&self.profile.id, &item)?;
        let token = item.token.ok_or_else(|| Error::failure("no token"))?;
        if let Err(error) = metadata::save(self.context, &self.profile.id, &TokenMetadata::from(&token)) {
            // The token is stored, and good: only `status` does not know of it yet.
            self.context.warn(error);
        }
        if min_ttl.is_some() && !token.is_fresh(token.obtained_at, min_ttl) {
            self.context.warn("the new token does not live as long as was asked for");
        }
        self.cache(&token);
        Ok(Some(token))
    }

    fn renewal(&self, item: &StoredCredentials) -> Result<(Grant, GrantType)> {
        let profile = &self.profile;
        if profile.product != Product::Patient {
            return Ok((
                Grant::ClientCredentials { scope: profile.scope.clone() },
                GrantType::ClientCredentials,
            ));
        }
        let refresh = item.token.as_ref().and_then(|token| token.refresh_token.clone());
        match refresh {
            Some(refresh) => Ok((Grant::RefreshToken(refresh), GrantType::Refresh)),
            None => Err(Error::auth(format!(
                "the token of profile {} can't be renewed: there is no refresh token",
                profile.name
            ))
            .with_hint(format!("log in again: {}", profile.login_command()))),
        }
    }
}

/// The client of a profile, its secret from the store or from the command that the profile names.
///
/// # Errors
/// Authentication when no secret is stored; usage when the command fails.
pub fn client(profile: &Profile, item: &StoredCredentials) -> Result<Client> {
    let secret = match &profile.client_secret_command {
        Some(command) => Some(client_secret::from_command(command)?),
        None => item.client_secret.clone(),
    };
    if secret.is_none() && profile.product != Product::Patient {
        return Err(Error::auth(format!("the store holds no client secret for profile {}", profile.name))
            .with_hint(format!("log in again: {}", profile.login_command())));
    }
    Ok(Client { id: profile.client_id.clone(), secret, authentication: profile.auth_method })
}

/// Asks the token endpoint of a profile for a token. Its scope is what was asked for, where the answer is silent.
///
/// # Errors
/// Authentication, network, protocol; usage for plain http outside loopback.
pub fn request(
    context: &Context,
    profile: &Profile,
    client: &Client,
    grant: &Grant,
    asked: GrantType,
) -> Result<Token> {
    let retry = if asked == GrantType::ClientCredentials { Retry::Transient } else { Retry::Never };
    let http = Http::new(context)?;
    let progress = crate::output::progress::Spinner::start(context, "asking for a token");
    let answer =
        http.post_form(&profile.token_url, &client.token_request(grant), retry).map_err(
            |error| match asked {
                GrantType::Code => error.with_hint(format!(
                    "the authorization code may be spent; log in again: {}",
                    profile.login_command()
                )),
                _ => error,
            },
        );
    drop(progress);
    let answer = answer?;
    let mut token = response::parse_response(answer.status, &answer.body, now()).map_err(|refusal| {
        let dead = matches!(&refusal, TokenError::Denied { error, .. } if error == "invalid_grant");
        if dead && asked == GrantType::Refresh {
            metadata::mark_unrefreshable(context, &profile.id);
        }
        token_error::into_error(profile, asked, refusal, &answer)
    })?;
    if token.scope.is_none() && asked != GrantType::Refresh {
        token.scope = Some(profile.scope.clone()).filter(|scope| !scope.is_empty());
    }
    Ok(token)
}

/// Takes the lock of a profile's login, and reads the profile under it: it may be another login by then.
///
/// # Errors
/// Network, when whoever holds it doesn't let go in time; authentication, when the profile is gone.
pub fn lock_profile(context: &Context, profile: &Profile) -> Result<(File, Profile)> {
    let path = lock_path(context, &profile.id)?;
    let lock = lock::acquire(&path, context.timeout)?;
    let current = profile::resolve_profile(context.config_dir()?, Some(&profile.name));
    if current.as_ref().map_or(true, |current| current.id != profile.id) {
        // A login that is gone needs no lock, and whoever forgot it removed the file before we made it anew.
        let _ = files::remove(&path);
    }
    Ok((lock, current?))
}

/// The file of the lock that a login is renewed, replaced and forgotten under.
pub fn lock_path(context: &Context, id: &str) -> Result<PathBuf> {
    Ok(context.state_dir()?.join("locks").join(format!("{id}.lock")))
}

/// The store that a profile's file names.
pub fn open_store(context: &Context, profile: &Profile) -> Result<Box<dyn CredentialStore>> {
    store_of(context, profile.store)
}

/// The store of this kind.
pub fn store_of(context: &Context, kind: StoreKind) -> Result<Box<dyn CredentialStore>> {
    Ok(store::open(kind, context.state_dir()?, context.timeout.min(STORE_PATIENCE), !context.no_input))
}
