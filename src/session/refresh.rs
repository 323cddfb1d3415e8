//! A new token for a profile, under the profile's lock.

use super::TokenOptions;
use super::metadata;
use super::open_store;
use super::token_request::{client, request_token};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result, StoreErrorKind};
use crate::oauth::grant::Grant;
use crate::oauth::product::Product;
use crate::oauth::token::Token;
use crate::profile::Profile;
use crate::store::{CredentialKey, CredentialStore, Refresh, StoredCredentials};
use crate::system::deadline::Deadline;

/// Requests and stores a new token of a scope (`None`: the profile's own), unless another process has replaced the
/// `previous` one meanwhile. The caller holds the profile's lock.
///
/// # Errors
/// Authentication when a new token needs a user; network, protocol, store.
pub(super) fn under_lock(
    context: &Context,
    profile: &Profile,
    scope: Option<&str>,
    previous: Option<&Token>,
    options: TokenOptions,
    deadline: Deadline,
) -> Result<Token> {
    let key = profile.credential_key();
    let is_new = |token: &&Token| Some(*token) != previous && options.accept(token);
    let is_done = |credentials: &StoredCredentials| {
        credentials.token_for(scope).as_ref().is_some_and(is_new)
            || grant(profile, scope, credentials).is_none()
    };
    let store = open_store(context, profile.location(), deadline)?;
    let Refresh { mut credentials, deadline, is_claimed } = store.begin_refresh(&key, &is_done, deadline)?;
    if let Some(token) = credentials.token_for(scope).filter(is_new) {
        return Ok(token.clone());
    }
    let Some(grant) = grant(profile, scope, &credentials) else {
        return without_grant(context, profile, credentials.token_for(scope), options);
    };
    let requested = request(context, profile, &*store, &credentials, &grant, deadline);
    let token = requested.inspect_err(|_| {
        if is_claimed {
            store.abandon_refresh(&key, &credentials);
        }
    })?;
    let token = set_token(&mut credentials, scope, token);
    if store.is_shared() && credentials.shared_profile.is_none() {
        credentials.shared_profile = profile.shared();
    }
    let written = write(context, profile, &*store, &credentials, deadline);
    if let Err(error) = written
        && let Some(token) = without_write(context, &*store, &key, &is_done, scope, &grant, error)?
    {
        return Ok(token);
    }
    if let Err(error) = metadata::save(context, &profile.id, &credentials) {
        // The token is stored; only `status` shows outdated metadata.
        context.warn(error);
    }
    token.require_unexpired()?;
    if options.min_ttl.is_some() && !token.lifetime.is_fresh(token.lifetime.issued_at, options.min_ttl) {
        context.warn("the new token expires sooner than --min-ttl requires");
    }
    Ok(token)
}

fn request(
    context: &Context,
    profile: &Profile,
    store: &dyn CredentialStore,
    credentials: &StoredCredentials,
    grant: &Grant,
    deadline: Deadline,
) -> Result<Token> {
    // A refresh token may work only once: find out first whether the store can be written. A shared one has been.
    if matches!(grant, Grant::RefreshToken { .. }) && !store.is_shared() {
        write(context, profile, store, credentials, deadline)?;
    }
    let client = client(profile, credentials, deadline)?;
    request_token(context, profile, &client, grant, deadline)
}

fn write(
    context: &Context,
    profile: &Profile,
    store: &dyn CredentialStore,
    credentials: &StoredCredentials,
    deadline: Deadline,
) -> Result<()> {
    let key = profile.credential_key();
    if store.is_shared() {
        return store.write(&key, credentials);
    }
    // Opened again, for what is left of the time.
    open_store(context, profile.location(), deadline)?.write(&key, credentials)
}

/// What happens when a new token can't be stored. In a store that machines share, another one may have stored its own, which
/// is returned; and client credentials get another token at any time, so `None` says to use the new one.
///
/// # Errors
/// That of the write, otherwise.
fn without_write(
    context: &Context,
    store: &dyn CredentialStore,
    key: &CredentialKey,
    is_done: &dyn Fn(&StoredCredentials) -> bool,
    scope: Option<&str>,
    grant: &Grant,
    error: Error,
) -> Result<Option<Token>> {
    if !store.is_shared() {
        return Err(error);
    }
    if error.kind() == ErrorKind::Store(StoreErrorKind::Conflict)
        && let Ok(Some(current)) = store.read(key)
        && is_done(&current)
        && let Some(token) = current.token_for(scope)
    {
        return Ok(Some(token.clone()));
    }
    if !matches!(grant, Grant::ClientCredentials { .. }) {
        return Err(error);
    }
    context.warn(format_args!(
        "the new token could not be stored for the other machines, which will request their own\n  {}",
        error.summary()
    ));
    Ok(None)
}

/// The grant that gets a new token without a user; `None` if there is none.
fn grant(profile: &Profile, scope: Option<&str>, credentials: &StoredCredentials) -> Option<Grant> {
    if profile.product != Product::Patient {
        return Some(Grant::ClientCredentials { scope: scope.unwrap_or(&profile.scope).to_owned() });
    }
    let token = credentials.token.as_ref()?.refresh_token.clone()?;
    Some(Grant::RefreshToken { token, scope: scope.unwrap_or_default().to_owned() })
}

/// Adds a new token to the credentials and returns it with what the response omitted.
fn set_token(credentials: &mut StoredCredentials, scope: Option<&str>, mut token: Token) -> Token {
    if let Some(previous) = credentials.token_for(scope) {
        token = token.carrying_over(previous);
    }
    // There is one refresh token, that of the profile's own scope (RFC 6749 §6); it may have been rotated.
    if scope.is_some() {
        let rotated = token.refresh_token.take();
        if let (Some(main), Some(refresh_token)) = (&mut credentials.token, rotated) {
            main.refresh_token = Some(refresh_token);
            main.refresh_issued_at = token.refresh_issued_at.take();
            main.refresh_expires_in = token.refresh_expires_in.take();
        }
    }
    credentials.set_token(scope, token.clone());
    token
}

/// Returns the stored token if its lifetime is unknown: it may still be valid, and nothing can replace it.
fn without_grant(
    context: &Context,
    profile: &Profile,
    token: Option<&Token>,
    options: TokenOptions,
) -> Result<Token> {
    let is_rejected = |token: &Token| options.rejected == Some(&token.access_token);
    if let Some(token) = token.filter(|token| token.lifetime.expires_in.is_none() && !is_rejected(token))
        && !options.refresh
    {
        context.warn("token lifetime unknown: it may have expired");
        return Ok(token.clone());
    }
    let message = match (token, options.refresh) {
        (None, _) if options.scope.is_some() => "no token of that scope can be requested".to_owned(),
        (None, _) => format!("not logged in to profile {}", profile.name),
        (_, true) => format!("the token of profile {} can't be refreshed", profile.name),
        (_, false) => format!("the token of profile {} has expired", profile.name),
    };
    Err(Error::auth(format!("{message}, as there is no refresh token")).with_hint(profile.login_command()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::secret::Secret;
    use crate::oauth::token::Lifetime;

    fn token(text: &str, refresh_token: Option<&str>) -> Token {
        let lifetime = Lifetime { issued_at: 0, expires_in: Some(60) };
        Token { refresh_token: refresh_token.map(Secret::new), ..Token::new(Secret::new(text), lifetime) }
    }

    #[test]
    fn scoped_token_rotates_the_refresh_token_of_the_profile() {
        let mut credentials =
            StoredCredentials { token: Some(token("main", Some("old"))), ..StoredCredentials::default() };
        let returned = set_token(&mut credentials, Some("a"), token("scoped", Some("new")));
        assert_eq!(returned.refresh_token, None);
        assert_eq!(credentials.token_for(Some("a")), Some(&returned));
        let main = credentials.token.as_ref().expect("still there");
        assert_eq!(main.access_token, Secret::new("main"));
        assert_eq!(main.refresh_token, Some(Secret::new("new")));
        set_token(&mut credentials, Some("a"), token("scoped", None));
        assert_eq!(credentials.token.expect("still there").refresh_token, Some(Secret::new("new")));
    }
}
