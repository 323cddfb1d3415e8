//! `oneup login`: get a token, and remember the login as a profile.

mod patient;
mod prompt;
mod resolve;
mod save;

pub use patient::patient;

use crate::cli::{ClientCredentials, LoginCommon, TokenFormat};
use crate::commands::token::show::hand_out;
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

/// Provider Access.
///
/// # Errors
/// Usage for what is missing; authentication, network, protocol, store. An older login stays as it was.
pub fn provider(context: &Context, args: &ClientCredentials) -> Result<Exit> {
    client_credentials(context, Product::Provider, &args.common)
}

/// Payer-to-Payer.
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

/// The client of a profile that nobody has logged in to yet.
pub fn client(profile: &Profile, secret: Option<Secret>) -> Client {
    Client { id: profile.client_id.clone(), secret, authentication: profile.auth_method }
}

/// Remembers the login and tells about it, or, with `--no-store`, hands the token out and forgets it.
///
/// # Errors
/// Store, or a config or state directory that can't be written; the older login is then still there.
pub fn finish(
    context: &Context,
    args: &LoginCommon,
    profile: &Profile,
    client: Client,
    token: Token,
) -> Result<Exit> {
    tell_difference(context, &profile.scope, token.scope.as_deref().unwrap_or_default());
    if args.no_store {
        hand_out(&token, Some(profile), args.format.unwrap_or(TokenFormat::Raw))?;
        return Ok(Exit::Success);
    }
    let client_secret = if profile.client_secret_command.is_some() { None } else { client.secret };
    let lifetime = token.expires_in;
    save::remember(
        context,
        profile,
        &StoredCredentials { client_secret, token: Some(token), ..StoredCredentials::default() },
    )?;
    let lives = match lifetime {
        Some(seconds) => format!("Its token lives {}", crate::output::duration(seconds)),
        None => "Nobody said how long its token lives".into(),
    };
    context.info(format_args!(
        "\x1b[32mLogged in\x1b[0m to {} as profile {}.\n{lives}; {}.",
        profile.product.title(),
        profile.name,
        profile.store.describe(),
    ));
    Ok(Exit::Success)
}

fn tell_difference(context: &Context, asked: &str, granted: &str) {
    let difference = scope::difference(asked, granted);
    if !difference.missing.is_empty() {
        context.warn(format_args!(
            "asked for and not granted: {}",
            sanitize(&difference.missing.join(" "), 500)
        ));
    }
    if !difference.additional.is_empty() {
        context.info(format_args!(
            "Granted beyond what was asked: {}",
            sanitize(&difference.additional.join(" "), 500)
        ));
    }
}

/// The client secret from wherever it was said to be; a prompt where there is a person.
///
/// # Errors
/// Usage, when none of the sources has one.
pub fn required_secret(context: &Context, args: &LoginCommon, profile: &Profile) -> Result<Secret> {
    if let Some(secret) = given_secret(context, args, profile)? {
        return Ok(secret);
    }
    if !context.can_ask() {
        return Err(Error::usage("there is no client secret").with_hint(
            "give --client-secret-stdin, --client-secret-file or --client-secret-command, or set ONEUP_CLIENT_SECRET",
        ));
    }
    prompt::secret(profile)
}

/// The client secret where one was given: flags before variables, and those before the profile's own command.
///
/// # Errors
/// Usage, when the source that was named has none.
pub fn given_secret(context: &Context, args: &LoginCommon, profile: &Profile) -> Result<Option<Secret>> {
    if args.client_secret_stdin {
        // At a terminal it would be seen as it is typed.
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
