//! Flags, environment, an older login of the same profile and the product's table become the profile to be.

use crate::cli::{AuthMethod, LoginCommon, Patient, StoreChoice};
use crate::context::{Context, nonempty};
use crate::error::{Error, Result};
use crate::http::require_safe;
use crate::oauth::grant::ClientAuthentication;
use crate::oauth::product::{
    Endpoints, GATEWAY, PLAN, Product, REALM, REDIRECT_URI, plan_endpoints, realm_endpoints,
};
use crate::oauth::scope;
use crate::profile::{self, Profile, SCHEMA};
use crate::session::open_store;
use crate::store::{self, StoreKind};
use crate::system::files;

use super::prompt;

/// The profile of a client credentials login, with a new id; nobody has logged in to it yet.
///
/// # Errors
/// Usage: what is missing or malformed; store, when it can't be used. Nothing has been sent then.
pub fn client_credentials(context: &Context, product: Product, args: &LoginCommon) -> Result<Profile> {
    let older = older(context, product, args)?;
    let place = match (&args.gateway, &args.realm, older.as_ref().filter(|older| older.gateway.is_some())) {
        (None, None, Some(older)) => Place::of(older),
        (gateway, realm, older) => Place::realm(gateway.as_deref(), realm.as_deref(), older),
    };
    draft(context, product, args, place, older)
}

/// The profile of a Patient Access login.
///
/// # Errors
/// As [`client_credentials`].
pub fn patient(context: &Context, args: &Patient) -> Result<Profile> {
    let common = &args.common;
    let older = older(context, Product::Patient, common)?;
    let realm_flag = is_flag("--gateway") || is_flag("--realm");
    let realm_given = common.gateway.is_some() || common.realm.is_some();
    let plan_flag = is_flag("--plan");
    if realm_flag && plan_flag {
        return Err(Error::usage("--plan is a health plan's login, and --gateway and --realm are a realm's")
            .with_hint("give one or the other"));
    }
    let mut place = if realm_flag || realm_given && args.plan.is_none() {
        Place::realm(common.gateway.as_deref(), common.realm.as_deref(), older.as_ref())
    } else {
        match (&args.plan, &older) {
            (None, Some(older)) => Place::of(older),
            (plan, _) => Place::plan(plan.as_deref().unwrap_or(PLAN)),
        }
    };
    if let Some(url) = &args.authorize_url {
        place.endpoints.authorize_url = Some(url.clone());
    }
    let mut profile = draft(context, Product::Patient, common, place, older)?;
    profile.redirect_uri =
        args.redirect_uri.clone().or(profile.redirect_uri.take()).or(Some(REDIRECT_URI.into()));
    profile.aud = args.aud.clone().or(profile.aud.take());
    profile.no_pkce |= args.no_pkce;
    Ok(profile)
}

/// Whether it stands on the command line: `sandbox run` sets the variables of realm and plan both, and a flag says which.
fn is_flag(name: &str) -> bool {
    let value =
        |arg: &str| arg.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
    std::env::args_os().any(|arg| arg.to_str().is_some_and(value))
}

/// Which servers, and where they are.
struct Place {
    gateway: Option<String>,
    realm: Option<String>,
    plan: Option<String>,
    endpoints: Endpoints,
}

impl Place {
    fn realm(gateway: Option<&str>, realm: Option<&str>, older: Option<&Profile>) -> Self {
        let before = |pick: fn(&Profile) -> &Option<String>| older.and_then(|older| pick(older).as_deref());
        let gateway = gateway.or(before(|older| &older.gateway)).unwrap_or(GATEWAY).trim_end_matches('/');
        let realm = realm.or(before(|older| &older.realm)).unwrap_or(REALM);
        Self {
            gateway: Some(gateway.into()),
            realm: Some(realm.into()),
            plan: None,
            endpoints: realm_endpoints(gateway, realm),
        }
    }

    fn plan(plan: &str) -> Self {
        Self { gateway: None, realm: None, plan: Some(plan.into()), endpoints: plan_endpoints(plan) }
    }

    fn of(older: &Profile) -> Self {
        Self {
            gateway: older.gateway.clone(),
            realm: older.realm.clone(),
            plan: older.plan.clone(),
            endpoints: Endpoints {
                token_url: older.token_url.clone(),
                authorize_url: older.authorize_url.clone(),
                issuer: older.issuer.clone(),
                fhir_base: older.fhir_base.clone(),
            },
        }
    }
}

/// The login of the same name and product, whose settings hold where no flag says otherwise. With `--no-store`
/// nothing is remembered, and so nothing recalled.
fn older(context: &Context, product: Product, args: &LoginCommon) -> Result<Option<Profile>> {
    if args.no_store {
        return Ok(None);
    }
    let name = context.profile.as_deref().unwrap_or(product.name());
    Ok(profile::load(context.config_dir()?, name)?.filter(|older| older.product == product))
}

fn draft(
    context: &Context,
    product: Product,
    args: &LoginCommon,
    mut place: Place,
    older: Option<Profile>,
) -> Result<Profile> {
    if let Some(url) = &args.token_url {
        // A realm of which only the token endpoint is known is still a realm; any other server has no keys to trust.
        place.endpoints.issuer = url.strip_suffix("/protocol/openid-connect/token").map(str::to_owned);
        place.endpoints.token_url.clone_from(url);
    }
    if let Some(base) = &args.fhir_base {
        place.endpoints.fhir_base = base.trim_end_matches('/').into();
    }
    check(&place)?;
    let name = context.profile.as_deref().unwrap_or(product.name());
    profile::check_name(name)?;
    let older = older.as_ref();
    let scope = args.scope.as_deref().or(older.map(|older| &*older.scope)).unwrap_or(product.default_scope());
    let profile = Profile {
        name: name.into(),
        schema: SCHEMA,
        id: Profile::new_id(),
        product,
        scope: scope::normalize(scope)?,
        client_id: client_id(context, args, older)?,
        token_url: place.endpoints.token_url,
        authorize_url: place.endpoints.authorize_url.filter(|_| product == Product::Patient),
        issuer: place.endpoints.issuer,
        fhir_base: place.endpoints.fhir_base,
        gateway: place.gateway,
        realm: place.realm,
        plan: place.plan,
        auth_method: authentication(args.auth_method, older),
        redirect_uri: older.and_then(|older| older.redirect_uri.clone()),
        aud: older.and_then(|older| older.aud.clone()),
        no_pkce: older.is_some_and(|older| older.no_pkce),
        store: older.map_or(StoreKind::Keyring, |older| older.store),
        client_secret_command: secret_command(args, older),
    };
    if args.no_store { Ok(profile) } else { with_store(context, args.store, older, profile) }
}

/// Decides the store, and sees that a login can be kept, before a secret is sent or a person sent to the browser.
fn with_store(
    context: &Context,
    asked: Option<StoreChoice>,
    older: Option<&Profile>,
    mut profile: Profile,
) -> Result<Profile> {
    let asked = match asked {
        Some(StoreChoice::Auto) => None,
        Some(StoreChoice::Keyring) => Some(StoreKind::Keyring),
        Some(StoreChoice::Keyutils) => Some(StoreKind::Keyutils),
        Some(StoreChoice::File) => Some(StoreKind::File),
        None => older.map(|older| older.store),
    };
    let (kind, notice) = store::choose(asked, !context.no_input)?;
    if let Some(notice) = notice {
        context.warn(notice);
    }
    profile.store = kind;
    open_store(context, kind, context.deadline())?.probe(&profile.credential_key())?;
    files::probe(&context.config_dir()?.join("profiles"))?;
    files::probe(context.state_dir()?)?;
    Ok(profile)
}

fn check(place: &Place) -> Result<()> {
    if let Some(realm) = &place.realm
        && (realm.is_empty()
            || !realm.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-~".contains(&byte)))
    {
        return Err(Error::usage("the name of a realm holds letters, digits, '.', '_', '-' and '~'")
            .with_hint("check --realm"));
    }
    let endpoints = &place.endpoints;
    let urls = [
        Some(&endpoints.token_url),
        endpoints.authorize_url.as_ref(),
        endpoints.issuer.as_ref(),
        Some(&endpoints.fhir_base),
    ];
    urls.into_iter().flatten().try_for_each(|url| require_safe(url).map(drop))
}

fn client_id(context: &Context, args: &LoginCommon, older: Option<&Profile>) -> Result<String> {
    let given = args.client_id.clone().or_else(|| older.map(|older| older.client_id.clone()));
    let id = match given {
        Some(id) => id,
        None if !context.can_ask() => {
            return Err(Error::usage("there is no client id")
                .with_hint("give --client-id ID, or set ONEUP_CLIENT_ID"));
        }
        None => prompt::client_id()?,
    };
    if id.trim().is_empty() || id.contains(char::is_control) {
        return Err(Error::usage("the client id is blank, or holds control characters")
            .with_hint("copy it from the Dev Portal"));
    }
    Ok(id)
}

fn authentication(given: Option<AuthMethod>, older: Option<&Profile>) -> ClientAuthentication {
    match given {
        Some(AuthMethod::Post) => ClientAuthentication::Post,
        Some(AuthMethod::Basic) => ClientAuthentication::Basic,
        None => older.map_or(ClientAuthentication::Post, |older| older.auth_method),
    }
}

/// The command that prints the secret at each renewal; none when this login names another source.
fn secret_command(args: &LoginCommon, older: Option<&Profile>) -> Option<String> {
    if args.client_secret_command.is_some() {
        return args.client_secret_command.clone();
    }
    if args.client_secret_stdin || args.client_secret_file.is_some() {
        return None;
    }
    nonempty("ONEUP_CLIENT_SECRET_COMMAND").or_else(|| {
        let elsewhere =
            nonempty("ONEUP_CLIENT_SECRET_FILE").or_else(|| nonempty("ONEUP_CLIENT_SECRET")).is_some();
        older.filter(|_| !elsewhere).and_then(|older| older.client_secret_command.clone())
    })
}
