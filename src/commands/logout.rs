//! `oneup logout`: revoke what can be revoked, then forget.

use crate::cli::Logout;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::http::{Http, Retry};
use crate::oauth::discovery;
use crate::oauth::token::Token;
use crate::profile::{self, Profile};
use crate::session::metadata;
use crate::session::orphans::{self, Orphans};
use crate::session::{self, lock_path, open_store, token_request};
use crate::store::{StoredCredentials, cache};
use crate::system::files;

/// Forgets the chosen profile, or all.
///
/// # Errors
/// Authentication when there is nothing to forget; store when a secret can't be deleted, and then the profile stays.
pub fn run(context: &Context, args: &Logout) -> Result<Exit> {
    orphans::sweep(context);
    if !args.all {
        let profile = profile::resolve_profile(context.config_dir()?, context.profile.as_deref())?;
        forget(context, &profile, args.no_revoke)?;
        return Ok(Exit::Success);
    }
    let names = profile::names(context.config_dir()?)?;
    if names.is_empty() {
        return Err(profile::nobody());
    }
    let mut failed = None;
    for name in &names {
        if let Err(error) = forget_named(context, name, args.no_revoke)
            && let Some(earlier) = failed.replace(error)
        {
            context.warn(earlier);
        }
    }
    failed.map_or(Ok(Exit::Success), Err)
}

fn forget_named(context: &Context, name: &str, no_revoke: bool) -> Result<()> {
    let profile = profile::resolve_profile(context.config_dir()?, Some(name))?;
    forget(context, &profile, no_revoke)
}

/// The profile's file goes last. What is left of the login then holds no secret, and is on the list of orphans.
fn forget(context: &Context, profile: &Profile, no_revoke: bool) -> Result<()> {
    // A list that can't be written, on a full disk, is no reason to keep a login.
    let _ = Orphans::open(context).and_then(|mut orphans| orphans.record([profile]));
    // Under the lock nobody replaces the profile; but somebody may have, before.
    let (lock, current) = session::lock_profile(context, profile, context.deadline())?;
    if current.id != profile.id {
        drop(lock);
        return forget(context, &current, no_revoke);
    }
    // A profile that stays would say that somebody is logged in.
    files::require_writable(&context.config_dir()?.join("profiles"))?;
    let store = open_store(context, profile.store, context.deadline())?;
    if !no_revoke && let Some(item) = store.read(&profile.credential_key())? {
        revoke(context, profile, &item);
    }
    store.delete(&profile.id)?;
    cache::forget(&profile.id);
    Profile::remove(context.config_dir()?, &profile.name)?;
    let _ = metadata::remove(context, &profile.id);
    let _ = files::remove(&lock_path(context, &profile.id)?);
    drop(lock);
    orphans::sweep(context);
    context.info(format_args!("Logged out of {} ({}).", profile.name, profile.product.title()));
    Ok(())
}

/// RFC 7009. A token that the server keeps is a warning: it dies by itself, and the person asked to forget it here.
fn revoke(context: &Context, profile: &Profile, item: &StoredCredentials) {
    let Some(token) = &item.token else { return };
    if profile.issuer.is_none() {
        let left = if token.refresh_token.is_some() {
            "access and refresh token live"
        } else {
            "access token lives"
        };
        context.info(format_args!("No revocation is offered there: the {left} on until expiry."));
    } else if let Err(error) = try_revoke(context, profile, item, token) {
        context.warn(format_args!(
            "the server did not revoke the token, which lives until it expires\n  {error}"
        ));
    }
}

fn try_revoke(context: &Context, profile: &Profile, item: &StoredCredentials, token: &Token) -> Result<()> {
    let Some(issuer) = &profile.issuer else { return Ok(()) };
    let client = token_request::client(profile, item, context.deadline())?;
    let http = Http::new(context)?;
    let get = |url: &str| http.get(url).map(|answer| (answer.status == 200).then_some(answer.body));
    let Some(endpoint) = discovery::revocation_endpoint(issuer, get)? else {
        return Err(Error::protocol("the realm offers no revocation"));
    };
    let tokens =
        [("refresh_token", token.refresh_token.as_ref()), ("access_token", Some(&token.access_token))];
    for (hint, token) in tokens {
        let Some(token) = token else { continue };
        let form = client.request(&[("token", token.expose()), ("token_type_hint", hint)]);
        let answer = http.post_form(&endpoint, &form, Retry::Transient)?;
        if answer.status != 200 {
            return Err(Error::auth("the revocation endpoint refused").with_detail(answer.snippet()));
        }
    }
    Ok(())
}
