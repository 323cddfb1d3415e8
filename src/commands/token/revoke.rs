//! `oneup token revoke`: revokes the profile's stored tokens, or the token on stdin (RFC 7009).

use super::input;
use crate::cli::Revoke;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::oauth::jwt::{self, TokenKind};
use crate::oauth::secret::Secret;
use crate::profile::{self, Profile};
use crate::session::metadata;
use crate::session::revoke::{self, HintedToken, Revocation};
use crate::session::{self, Session, open_store};
use crate::store::{CredentialStore, StoredCredentials, cache};

/// Revokes and says what the server responded.
///
/// # Errors
/// Authentication: not logged in, no stored token, or the server rejected the client. Usage: a stdin without a token, or
/// with one of another issuer. Failure: the server does not support revocation. Network, protocol, store.
pub fn run(context: &Context, args: &Revoke) -> Result<Exit> {
    if args.stdin.is_some() { revoke_stdin(context) } else { revoke_stored(context) }
}

fn revoke_stdin(context: &Context) -> Result<Exit> {
    let inspected = input::read(context, true, true)?;
    let profile = inspected.profile.ok_or_else(profile::not_logged_in)?;
    if let TokenKind::Jwt(jwt) = jwt::decode(inspected.token.expose())
        && jwt.claim("iss").is_some_and(|issuer| profile.issuer.as_deref() != Some(issuer))
    {
        return Err(Error::usage("not sent: the token was issued by another issuer")
            .with_hint("pass --profile NAME for a profile of that issuer"));
    }
    let mut credentials = Session::new(context, profile.clone()).stored()?.unwrap_or_default();
    let tokens = [("access_token", &inspected.token)];
    let results = revoke::revoke(context, &profile, &credentials, &tokens)?;
    report(context, &tokens, &results, "");
    if credentials.remove_revoked(&inspected.token) {
        remove_stored(context, &profile, &inspected.token)?;
        context.info(format_args!("It was the stored token of profile {}.", profile.name));
    }
    Ok(Exit::Success)
}

/// Removes a revoked token from the store, so that no command uses it.
fn remove_stored(context: &Context, profile: &Profile, revoked: &Secret) -> Result<()> {
    let (_lock, profile) = session::lock_profile(context, profile, context.deadline())?;
    let store = open_store(context, profile.location(), context.deadline())?;
    let mut credentials = store.read(&profile.credential_key())?.unwrap_or_default();
    if !credentials.remove_revoked(revoked) {
        return Ok(());
    }
    save(context, &profile, store.as_ref(), &credentials)
}

/// Replaces the stored credentials, and what is kept of their tokens elsewhere.
fn save(
    context: &Context,
    profile: &Profile,
    store: &dyn CredentialStore,
    credentials: &StoredCredentials,
) -> Result<()> {
    store.write(&profile.credential_key(), credentials)?;
    cache::forget(&profile.id);
    let saved = match &credentials.token {
        Some(_) => metadata::save(context, &profile.id, credentials),
        None => metadata::remove(context, &profile.id).map(drop),
    };
    if let Err(error) = saved {
        context.warn(error);
    }
    Ok(())
}

/// Revokes the stored tokens of every scope and deletes them, so that no command uses them.
fn revoke_stored(context: &Context) -> Result<Exit> {
    let profile = context.selected_profile()?;
    let (_lock, profile) = session::lock_profile(context, &profile, context.deadline())?;
    let store = open_store(context, profile.location(), context.deadline())?;
    let credentials = store.read(&profile.credential_key())?.unwrap_or_default();
    let tokens = revoke::all_tokens(&credentials);
    if tokens.is_empty() {
        return Err(Error::auth(format!("profile {} has no stored token", profile.name)));
    }
    let results = revoke::revoke(context, &profile, &credentials, &tokens)?;
    save(context, &profile, store.as_ref(), &credentials.without_tokens())?;
    report(context, &tokens, &results, &format!(" of profile {}", profile.name));
    Ok(Exit::Success)
}

/// Says what the server responded to each token, and whose tokens they are.
fn report(context: &Context, tokens: &[HintedToken], results: &[Revocation], owner: &str) {
    for ((kind, _), result) in tokens.iter().zip(results) {
        let kind = kind.replace('_', " ");
        context.info(match result {
            Revocation::Revoked => format!("The server revoked the {kind}{owner}."),
            Revocation::UnknownToken => {
                format!(
                    "The server does not know the {kind}{owner}: expired, already revoked, or not its own."
                )
            }
        });
    }
}
