//! `oneup login`: get a token and save the profile.

mod patient;
mod prompt;
mod resolve;
mod save;

pub use patient::patient;

use anstyle::AnsiColor;

use crate::cli::{ClientCredentials, LoginCommon, TokenFormat};
use crate::commands::print_token;
use crate::context::{Context, nonempty};
use crate::error::{Error, Exit, Result};
use crate::oauth::grant::{Client, Grant};
use crate::oauth::product::Product;
use crate::oauth::scope;
use crate::oauth::secret::Secret;
use crate::oauth::token::Token;
use crate::profile::Profile;
use crate::session::client_secret;
use crate::session::token_request::request_token;
use crate::store::StoredCredentials;
use crate::text::sanitize;

/// Logs in to Provider Access.
///
/// # Errors
/// Usage for missing settings; authentication, network, protocol, store. The previous login is then unchanged.
pub fn provider(context: &Context, args: &ClientCredentials) -> Result<Exit> {
    client_credentials(context, Product::Provider, &args.common)
}

/// Logs in to Payer-to-Payer.
///
/// # Errors
/// As [`provider`].
pub fn p2p(context: &Context, args: &ClientCredentials) -> Result<Exit> {
    client_credentials(context, Product::P2p, &args.common)
}

fn client_credentials(context: &Context, product: Product, args: &LoginCommon) -> Result<Exit> {
    let profile = resolve::client_credentials(context, product, args)?;
    let secret = required_secret(context, args, &profile)?;
    let client = client(&profile, Some(secret));
    let grant = Grant::ClientCredentials { scope: profile.scope.clone() };
    let deadline = context.deadline();
    let token = request_token(context, &profile, &client, &grant, deadline)?;
    finish(context, args, &profile, client, token)
}

/// The client of a profile that is not saved yet.
pub fn client(profile: &Profile, secret: Option<Secret>) -> Client {
    Client { id: profile.client_id.clone(), secret, authentication: profile.auth_method }
}

/// Saves the login and reports it, or prints the token with `--no-store`.
///
/// # Errors
/// Store, or a config or state directory that can't be written; the previous login is then unchanged.
pub fn finish(
    context: &Context,
    args: &LoginCommon,
    profile: &Profile,
    client: Client,
    token: Token,
) -> Result<Exit> {
    report_scope_difference(context, &profile.scope, token.scope.as_deref().unwrap_or_default());
    if args.no_store {
        print_token(&token, Some(profile), args.format.unwrap_or(TokenFormat::Raw))?;
        return Ok(Exit::Success);
    }
    let client_secret = if profile.client_secret_command.is_some() { None } else { client.secret };
    let expires_in = token.expires_in;
    save::save_login(
        context,
        profile,
        &StoredCredentials { client_secret, token: Some(token), ..StoredCredentials::default() },
    )?;
    let expiry = match expires_in {
        Some(seconds) => format!("The token expires in {}", crate::output::duration(seconds)),
        None => "Token lifetime unknown".into(),
    };
    let host = profile.foreign_host().map(|host| format!(" at {}", sanitize(&host, 200)));
    let green = AnsiColor::Green.on_default();
    context.info(format_args!(
        "{green}Logged in{green:#} to {}{} as profile {}.\n{expiry}; credentials are {}.",
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

/// Returns the client secret from the configured source, else from a prompt.
///
/// # Errors
/// Usage, when there is no source and no prompt, or the source has no client secret.
pub fn required_secret(context: &Context, args: &LoginCommon, profile: &Profile) -> Result<Secret> {
    if let Some(secret) = configured_secret(context, args, profile)? {
        return Ok(secret);
    }
    if !context.can_ask() {
        return Err(Error::usage("missing client secret").with_detail(context.no_prompt_reason()).with_hint(
            "pass --client-secret-stdin, --client-secret-file or --client-secret-command, or set ONEUP_CLIENT_SECRET",
        ));
    }
    prompt::secret(profile)
}

/// Returns the client secret from the configured source, if any: a flag, else the command that the profile names, else a
/// variable.
///
/// # Errors
/// Usage, when the source has no client secret.
pub fn configured_secret(context: &Context, args: &LoginCommon, profile: &Profile) -> Result<Option<Secret>> {
    if args.client_secret_stdin {
        // Typed at a terminal, it must not be shown.
        return if context.can_ask() {
            prompt::secret(profile).map(Some)
        } else {
            client_secret::from_stdin().map(Some)
        };
    }
    if let Some(file) = &args.client_secret_file {
        return client_secret::from_file(context, file).map(Some);
    }
    if let Some(command) = &profile.client_secret_command {
        return client_secret::from_command(command, context.deadline()).map(Some);
    }
    if let Some(file) = nonempty("ONEUP_CLIENT_SECRET_FILE") {
        return client_secret::from_file(context, file.as_ref()).map(Some);
    }
    client_secret::from_environment()
}
