//! `oneup login`: get a token and save the profile.

mod credentials;
mod patient;
mod previous;
mod prompt;
mod resolve;
mod save;

pub use patient::patient;

use anstyle::{AnsiColor, Style};

use crate::cli::{LoginCommon, TokenFormat};
use crate::commands::print_token;
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::oauth::grant::{Client, ClientAuthentication, Grant};
use crate::oauth::product::Product;
use crate::oauth::scope;
use crate::oauth::token::Token;
use crate::profile::Profile;
use crate::session::key_lifecycle;
use crate::session::token_request::request_token;
use crate::store::StoredCredentials;
use crate::text::sanitize;
use resolve::Resolved;

/// The style of a success.
const GREEN: Style = AnsiColor::Green.on_default();

/// Logs in to Provider Access or Payer-to-Payer.
///
/// # Errors
/// Usage for missing settings; authentication, network, protocol, store. The previous login is then unchanged.
pub fn client_credentials(context: &Context, product: Product, args: &LoginCommon) -> Result<Exit> {
    let resolved = resolve::client_credentials(context, product, args)?;
    let profile = &resolved.profile;
    if let Some(shared) = &resolved.shared
        && credentials::agree(context, args, profile, &shared.credentials)?
    {
        return join(context, profile, &shared.credentials);
    }
    let client = credentials::client(context, args, profile)?;
    let grant = Grant::ClientCredentials { scope: profile.scope.clone() };
    let deadline = context.deadline();
    let token = request_token(context, profile, &client, &grant, deadline)?;
    finish(context, args, &resolved, client, token)
}

/// Saves a login that another machine stored in Vault as a profile here, without a request.
fn join(context: &Context, profile: &Profile, shared: &StoredCredentials) -> Result<Exit> {
    save::join_login(context, profile, shared)?;
    let place = profile.vault.as_ref().map(ToString::to_string).unwrap_or_default();
    context.info(format_args!(
        "{GREEN}Joined{GREEN:#} the login at {place} in Vault as profile {}: client {} at {}.",
        profile.name,
        sanitize(&profile.client_id, 100),
        profile.origin(),
    ));
    Ok(Exit::Success)
}

/// Saves the login and reports it, or prints the token with `--no-store`.
///
/// # Errors
/// Store, or a config or state directory that can't be written; the previous login is then unchanged.
pub fn finish(
    context: &Context,
    args: &LoginCommon,
    resolved: &Resolved,
    client: Client,
    token: Token,
) -> Result<Exit> {
    let profile = &resolved.profile;
    report_scope_difference(context, &profile.scope, token.scope.as_deref().unwrap_or_default());
    if args.no_store {
        return print_token(&token, Some(profile), args.format.unwrap_or(TokenFormat::Raw));
    }
    let expires_in = token.lifetime.expires_in;
    let stored = StoredCredentials {
        token: Some(token),
        version: resolved.version,
        shared_profile: profile.shared(),
        ..credentials::to_store(profile, client)
    };
    save::save_login(context, profile, &stored)?;
    if profile.auth_method == ClientAuthentication::PrivateKeyJwt {
        // It is the login's own now, unless another source was given.
        let removed = key_lifecycle::remove_if(context, &profile.name, stored.private_key.as_ref());
        if let Err(error) = removed {
            context.warn(error);
        }
    }
    let expiry = match expires_in {
        Some(seconds) => format!("The token expires in {}", crate::output::duration(seconds)),
        None => "Token lifetime unknown".into(),
    };
    let host = profile.unusual_host().map(|host| format!(" at {}", sanitize(&host, 200)));
    context.info(format_args!(
        "{GREEN}Logged in{GREEN:#} to {}{} as profile {}.\n{expiry}; credentials are {}.",
        profile.product.title(),
        host.unwrap_or_default(),
        profile.name,
        profile.store.describe(),
    ));
    Ok(Exit::Success)
}

fn report_scope_difference(context: &Context, requested: &str, granted: &str) {
    let difference = scope::difference(requested, granted);
    if !difference.missing.is_empty() {
        context.warn(format_args!(
            "requested but not granted: {}",
            sanitize(&difference.missing.join(" "), 500)
        ));
    }
    if !difference.additional.is_empty() {
        context
            .info(format_args!("Additionally granted: {}", sanitize(&difference.additional.join(" "), 500)));
    }
}
