//! What the client of a login authenticates with: a client secret or a private key, and where it comes from.

use std::sync::Arc;

use super::prompt;
use crate::cli::LoginCommon;
use crate::context::{Context, nonempty};
use crate::error::{Error, Result};
use crate::oauth::client_key::ClientKey;
use crate::oauth::grant::{Client, ClientAuthentication};
use crate::oauth::product::Product;
use crate::oauth::secret::Secret;
use crate::profile::{self, Profile};
use crate::session::token_request::{client_with_key, client_with_secret};
use crate::session::{client_secret, generated_key, open_store, private_key};
use crate::store::StoredCredentials;

/// Returns the profile's client with its secret or key from the configured source, else from a prompt.
///
/// # Errors
/// Usage, when there is no source and no prompt, or the source has no secret or key.
pub fn client(context: &Context, args: &LoginCommon, profile: &Profile) -> Result<Client> {
    if profile.auth_method == ClientAuthentication::PrivateKeyJwt {
        return Ok(client_with_key(profile, Arc::new(required_key(context, args, profile)?)));
    }
    let secret = match configured_secret(context, args, profile)? {
        Some(secret) => secret,
        None => recalled_or_typed_secret(context, args, profile)?,
    };
    Ok(client_with_secret(profile, Some(secret)))
}

/// Whether the secret or key that is given here, if any, is that of a login in Vault, which then needs no new token. A login
/// without a secret is one whose secret a command prints, which has to be given here too.
///
/// # Errors
/// Usage, when a source has no secret or key.
pub fn agree(
    context: &Context,
    args: &LoginCommon,
    profile: &Profile,
    shared: &StoredCredentials,
) -> Result<bool> {
    let public = |text: &Secret| ClientKey::parse(text.expose(), "the store").map(|key| key.public_jwk());
    if profile.auth_method == ClientAuthentication::PrivateKeyJwt {
        let stored = shared.private_key.as_ref().map(public).transpose()?;
        let Some(key) = configured_key(context, args, profile)? else { return Ok(stored.is_some()) };
        return Ok(stored == profile.key_command.is_none().then(|| key.public_jwk()));
    }
    let Some(secret) = configured_secret(context, args, profile)? else {
        return Ok(shared.client_secret.is_some());
    };
    Ok(shared.client_secret == profile.client_secret_command.is_none().then_some(secret))
}

/// What of the client is stored: nothing that a command prints.
pub fn to_store(profile: &Profile, client: Client) -> StoredCredentials {
    let key = client.signer.filter(|_| profile.key_command.is_none());
    StoredCredentials {
        client_secret: client.secret.filter(|_| profile.client_secret_command.is_none()),
        private_key: key.map(|signer| signer.key.text().clone()),
        ..StoredCredentials::default()
    }
}

/// Returns the client secret of the previous login, or a new one from a prompt.
fn recalled_or_typed_secret(context: &Context, args: &LoginCommon, profile: &Profile) -> Result<Secret> {
    let recalled = previous(context, args, profile).and_then(|stored| stored.client_secret);
    match recalled {
        // A plan without refresh tokens requires a login every two hours.
        Some(secret) if profile.product == Product::Patient || !context.can_ask() => Ok(secret),
        recalled if context.can_ask() => prompt::secret(profile, recalled),
        _ => Err(Error::usage("missing client secret").with_detail(context.no_prompt_reason()).with_hint(
            "pass --client-secret-stdin, --client-secret-file or --client-secret-command, or set ONEUP_CLIENT_SECRET",
        )),
    }
}

/// Returns the client secret from the configured source, if any: a flag, else the command that the profile names, else a
/// variable.
fn configured_secret(context: &Context, args: &LoginCommon, profile: &Profile) -> Result<Option<Secret>> {
    if args.client_secret_stdin {
        // Typed at a terminal, it must not be shown.
        return if context.can_ask() {
            prompt::secret(profile, None).map(Some)
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

/// Returns the private key from the configured source, else that of the previous login of the same client.
fn required_key(context: &Context, args: &LoginCommon, profile: &Profile) -> Result<ClientKey> {
    if let Some(key) = configured_key(context, args, profile)? {
        return Ok(key);
    }
    if let Some(key) = previous(context, args, profile).and_then(|stored| stored.private_key) {
        return ClientKey::parse(key.expose(), "the store");
    }
    let flag = profile::key_flag(&profile.name);
    Err(Error::usage("missing private key")
        .with_hint(format!("pass --key-file or --key-command, or make a key: oneup key generate{flag}")))
}

/// Returns the private key of a flag, else of the profile's command, else of a variable, else the generated one.
fn configured_key(context: &Context, args: &LoginCommon, profile: &Profile) -> Result<Option<ClientKey>> {
    if let Some(file) = &args.key_file {
        return private_key::from_file(file).map(Some);
    }
    if let Some(command) = &profile.key_command {
        return private_key::from_command(command, context.deadline()).map(Some);
    }
    if let Some(file) = nonempty("ONEUP_KEY_FILE") {
        return private_key::from_file(file.as_ref()).map(Some);
    }
    // Without a config directory, `--no-store` still works with the other sources.
    if context.config_dir().is_err() {
        return Ok(None);
    }
    generated_key::load(context, &profile.name)?.map(|key| key.read(context)).transpose()
}

/// What the previous login of the same client at the same token endpoint stored.
fn previous(context: &Context, args: &LoginCommon, profile: &Profile) -> Option<StoredCredentials> {
    if args.no_store {
        return None;
    }
    let previous = profile::load(context.config_dir().ok()?, &profile.name).ok().flatten()?;
    if previous.product != profile.product || !previous.has_same_client(profile) {
        return None;
    }
    let store = open_store(context, previous.location(), context.deadline()).ok()?;
    store.read(&previous.credential_key()).ok()?
}
