//! `oneup logout`: revoke the tokens, then delete the profile.

use crate::cli::Logout;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::profile::{self, Profile};
use crate::session::key_lifecycle;
use crate::session::metadata;
use crate::session::orphans::{self, Orphans};
use crate::session::revoke::{self, all_tokens};
use crate::session::{self, open_store};
use crate::store::{StoreKind, StoredCredentials, cache};
use crate::system::files;

/// Logs out of the selected profile, or of all.
///
/// # Errors
/// Authentication when there is no profile; store when the credentials can't be deleted, and then the profile stays.
pub fn run(context: &Context, args: &Logout) -> Result<Exit> {
    orphans::sweep(context);
    if !args.all {
        if let Some(name) = &context.profile
            && profile::load(context.config_dir()?, name)?.is_none()
            && key_lifecycle::remove(context, name)?
        {
            context.info(format_args!("Deleted the generated key of profile {name}."));
            return Ok(Exit::Success);
        }
        let profile = context.selected_profile()?;
        logout(context, &profile, args.no_revoke)?;
        return Ok(Exit::Success);
    }
    let names = profile::names(context.config_dir()?)?;
    if names.is_empty() {
        return Err(profile::not_logged_in());
    }
    let mut failed = None;
    for name in &names {
        let profile = profile::resolve_profile(context.config_dir()?, Some(name));
        if let Err(error) = profile.and_then(|profile| logout(context, &profile, args.no_revoke))
            && let Some(earlier) = failed.replace(error)
        {
            context.warn(earlier);
        }
    }
    failed.map_or(Ok(Exit::Success), Err)
}

/// Deletes the credentials, then the profile's file. What is left then holds no secret, and is on the list of orphans.
fn logout(context: &Context, profile: &Profile, no_revoke: bool) -> Result<()> {
    // A list that can't be written, on a full disk, is no reason to keep a login.
    let _ = Orphans::open(context).and_then(|mut orphans| orphans.record([profile]));
    // Another process may have replaced the profile before this one had the lock.
    let (lock, current) = session::lock_profile(context, profile, context.deadline())?;
    if current.id != profile.id {
        drop(lock);
        return logout(context, &current, no_revoke);
    }
    // Without the credentials, a profile that can't be deleted would claim a login.
    files::require_writable(&context.config_dir()?.join("profiles"))?;
    // Other machines use a login in Vault.
    if profile.store != StoreKind::Vault {
        let store = open_store(context, profile.location(), context.deadline())?;
        if !no_revoke && let Some(credentials) = store.read(&profile.credential_key())? {
            revoke(context, profile, &credentials);
        }
        store.delete(&profile.id)?;
    }
    cache::forget(&profile.id);
    Profile::remove(context.config_dir()?, &profile.name)?;
    if profile::default_name(context.config_dir()?).is_ok_and(|name| name.as_ref() == Some(&profile.name)) {
        profile::set_default(context.config_dir()?, None)?;
    }
    let _ = metadata::remove(context, &profile.id);
    session::remove_lock(context, &profile.id);
    drop(lock);
    if let Err(error) = key_lifecycle::remove(context, &profile.name) {
        context.warn(error);
    }
    orphans::sweep(context);
    context.info(format_args!("Logged out of {} ({}).", profile.name, profile.product.title()));
    if let Some(path) = &profile.vault {
        context.info(format_args!(
            "The login stays at {path} in Vault for the other machines; to delete it there:\n\
             vault kv metadata delete -mount={} {}",
            path.mount, path.path
        ));
    }
    Ok(())
}

/// Revokes the tokens (RFC 7009). A failure is a warning: the tokens expire, and the user wants them deleted here.
fn revoke(context: &Context, profile: &Profile, credentials: &StoredCredentials) {
    let tokens = all_tokens(credentials);
    if tokens.is_empty() {
        return;
    }
    if profile.issuer.is_none() {
        context.info(match tokens.as_slice() {
            [_] => "The server does not support revocation; the token stays valid until it expires.",
            _ => "The server does not support revocation; the tokens stay valid until they expire.",
        });
    } else if let Err(error) = revoke::revoke(context, profile, credentials, &tokens) {
        context.warn(format_args!("could not revoke the token; it stays valid until it expires\n  {error}"));
    }
}
