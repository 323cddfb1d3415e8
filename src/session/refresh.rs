//! A new token for a profile, under the profile's lock.

use super::TokenOptions;
use super::metadata::{self, TokenMetadata};
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

/// Requests and stores a new token, unless another process has replaced the `previous` one meanwhile. The caller
/// holds the profile's lock.
///
/// # Errors
/// Authentication when a new token needs a user; network, protocol, store.
pub(super) fn under_lock(
    context: &Context,
    profile: &Profile,
    previous: Option<&Token>,
    options: TokenOptions,
    deadline: Deadline,
) -> Result<Token> {
    let mut credentials =
        open_store(context, profile.store, deadline)?.read(&profile.credential_key())?.unwrap_or_default();
    if let Some(token) = &credentials.token
        && Some(token) != previous
        && options.accept(token)
    {
        return Ok(token.clone());
    }
    let Some(grant) = grant(profile, &credentials) else {
        return without_grant(context, profile, credentials.token, options);
    };
    if grant.grant_type() == GrantType::RefreshToken {
        // A refresh token may work only once: find out first whether the store can be written.
        open_store(context, profile.store, deadline)?.write(&profile.credential_key(), &credentials)?;
    }
    let client = client(profile, &credentials, deadline)?;
    let mut token = request_token(context, profile, &client, &grant, deadline)?;
    if let Some(previous) = &credentials.token {
        token = token.carrying_over(previous);
    }
    credentials.set_token(None, token.clone());
    open_store(context, profile.store, deadline)?.write(&profile.credential_key(), &credentials)?;
    if let Err(error) = metadata::save(context, &profile.id, &TokenMetadata::from(&token)) {
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
fn grant(profile: &Profile, credentials: &StoredCredentials) -> Option<Grant> {
    if profile.product != Product::Patient {
        return Some(Grant::ClientCredentials { scope: profile.scope.clone() });
    }
    credentials.token.as_ref()?.refresh_token.clone().map(Grant::RefreshToken)
}

/// Returns the stored token if its lifetime is unknown: it may still be valid, and nothing can replace it.
fn without_grant(
    context: &Context,
    profile: &Profile,
    token: Option<Token>,
    options: TokenOptions,
) -> Result<Token> {
    let is_rejected = |token: &Token| options.rejected == Some(&token.access_token);
    if let Some(token) = token.filter(|token| token.expires_in.is_none() && !is_rejected(token))
        && !options.refresh
    {
        context.warn("token lifetime unknown: it may have expired");
        return Ok(token);
    }
    let problem = if options.refresh { "can't be refreshed" } else { "has expired" };
    Err(Error::auth(format!(
        "the token of profile {} {problem}, and there is no refresh token",
        profile.name
    ))
    .with_hint(profile.login_command()))
}
