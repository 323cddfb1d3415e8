//! `oneup key`: the key of a client that authenticates with a signed JWT.

use serde_json::{Value, json};

use super::print;
use crate::cli::{Generate, Jwks, StoreChoice};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::oauth::client_key::ClientKey;
use crate::oauth::grant::ClientAuthentication;
use crate::oauth::product::Product;
use crate::profile::{self, Profile};
use crate::session::{Session, generated_key, key_lifecycle, private_key};
use crate::store::{self, StoreKind};

/// Makes a key for the selected profile and prints the profile's public keys.
///
/// # Errors
/// Usage: there is a generated key already. Store: it can't be kept; nothing is printed then.
pub fn generate(context: &Context, args: &Generate) -> Result<Exit> {
    let (name, profile) = selected(context)?;
    if generated_key::load(context, &name)?.is_some() && !args.replace {
        return Err(Error::usage(format!(
            "profile {name} already has a generated key that no login has used yet"
        ))
        .with_hint(format!(
            "oneup key jwks{0} prints it; oneup key generate --replace{0} makes another one",
            profile::key_flag(&name)
        )));
    }
    let store = store_for(context, args.store, profile.as_ref())?;
    let key = ClientKey::generate(args.alg)?;
    key_lifecycle::save(context, &name, store, &key)?;
    print_keys(&public_keys(context, &name, profile.as_ref())?)?;
    let login = profile.as_ref().map_or_else(|| login_command(&name), Profile::login_command);
    context.info(format_args!(
        "Made an {} key for profile {name}; the private part is {}.\n\
         Register the printed key set at the server, then: {login} --auth-method private_key_jwt",
        key.algorithm().name(),
        store.describe(),
    ));
    Ok(Exit::Success)
}

/// Prints the public keys of the selected profile, or that of a file.
///
/// # Errors
/// Authentication: the profile has no key. Usage: the file has none. Store.
pub fn jwks(context: &Context, args: &Jwks) -> Result<Exit> {
    if let Some(file) = &args.key_file {
        return print_keys(&[private_key::from_file(file)?.public_jwk()]);
    }
    let (name, profile) = selected(context)?;
    let keys = public_keys(context, &name, profile.as_ref())?;
    if keys.is_empty() {
        return Err(Error::auth(format!("profile {name} has no key"))
            .with_hint(format!("oneup key generate{}", profile::key_flag(&name))));
    }
    print_keys(&keys)
}

/// The name of the selected profile and, if it exists, the profile. Without any, the name is that of Provider Access: most
/// keys are for programs without a user.
fn selected(context: &Context) -> Result<(String, Option<Profile>)> {
    let dir = context.config_dir()?;
    if let Some(name) = &context.profile {
        return Ok((name.clone(), profile::load(dir, name)?));
    }
    if profile::names(dir)?.is_empty() {
        return Ok((Product::Provider.name().to_owned(), None));
    }
    let profile = profile::resolve_profile(dir, None)?;
    Ok((profile.name.clone(), Some(profile)))
}

fn store_for(context: &Context, choice: Option<StoreChoice>, profile: Option<&Profile>) -> Result<StoreKind> {
    let requested = match choice {
        Some(StoreChoice::Vault) => {
            return Err(Error::usage("a new key is kept on this machine until the login")
                .with_detail("the login with --store vault puts it there")
                .with_hint("oneup key generate --store auto"));
        }
        Some(choice) => choice.kind(),
        None => profile.map(|profile| profile.store).filter(|store| *store != StoreKind::Vault),
    };
    let (kind, notice) = store::choose(requested, !context.no_input)?;
    if let Some(notice) = notice {
        context.warn(notice);
    }
    Ok(kind)
}

/// The key of the profile's login first, then the generated one.
fn public_keys(context: &Context, name: &str, profile: Option<&Profile>) -> Result<Vec<Value>> {
    let mut keys = Vec::new();
    if let Some(profile) =
        profile.filter(|profile| profile.auth_method == ClientAuthentication::PrivateKeyJwt)
    {
        let stored = Session::new(context, profile.clone()).stored()?.unwrap_or_default();
        keys.push(private_key::of_profile(profile, &stored, context.deadline())?.public_jwk());
    }
    if let Some(generated) = generated_key::load(context, name)? {
        keys.push(generated.jwk);
    }
    keys.dedup();
    Ok(keys)
}

fn print_keys(keys: &[Value]) -> Result<Exit> {
    print(format!("{:#}\n", json!({ "keys": keys })))
}

/// The login of a profile that does not exist yet.
fn login_command(name: &str) -> String {
    match name {
        "provider" | "p2p" | "patient" => format!("oneup login {name}"),
        _ => format!("oneup login provider --profile {name}"),
    }
}
