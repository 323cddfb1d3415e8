//! A new token for a profile, under the profile's lock.

use super::TokenOptions;
use super::metadata;
use super::open_store;
use super::token_request::{client, request_token};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::oauth::grant::{Grant, GrantType};
use crate::oauth::product::Product;
use crate::oauth::token::Token;
use crate::profile::Profile;
use crate::store::StoredCredentials;
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
    let mut credentials = open_store(context, profile.store, deadline)?.read(&key)?.unwrap_or_default();
    if let Some(token) = credentials.token_for(scope)
        && Some(token) != previous
        && options.accept(token)
    {
        return Ok(token.clone());
    }
    let Some(grant) = grant(profile, scope, &credentials) else {
        return without_grant(context, profile, credentials.token_for(scope), options);
    };
    if grant.grant_type() == GrantType::RefreshToken {
        // A refresh token may work only once: find out first whether the store can be written.
        open_store(context, profile.store, deadline)?.write(&key, &credentials)?;
    }
    let client = client(profile, &credentials, deadline)?;
    let token = request_token(context, profile, &client, &grant, deadline)?;
    let token = set_token(&mut credentials, scope, token);
    open_store(context, profile.store, deadline)?.write(&key, &credentials)?;
    if let Err(error) = metadata::save(context, &profile.id, &credentials) {
        // The token is stored; only `status` shows outdated metadata.
        context.warn(error);
    }
    token.require_unexpired()?;
    if options.min_ttl.is_some() && !token.is_fresh(token.issued_at, options.min_ttl) {
        context.warn("the new token expires sooner than --min-ttl requires");
    }
    Ok(token)
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
    if let Some(token) = token.filter(|token| token.expires_in.is_none() && !is_rejected(token))
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
