//! The profile of a login: from flags, variables, the previous login of the same profile, and the product's defaults.

use crate::cli::{LoginCommon, Patient, StoreChoice};
use crate::context::{Context, nonempty};
use crate::error::{Error, Result};
use crate::http::require_safe;
use crate::oauth::authorize::require_redirect_uri;
use crate::oauth::grant::ClientAuthentication;
use crate::oauth::product::{
    Endpoints, GATEWAY, PLAN, Product, REALM, REDIRECT_URI, default_tenant, gateway_url, plan_endpoints,
    realm_endpoints, tenant_fhir_base,
};
use crate::oauth::scope;
use crate::profile::{self, Profile, SCHEMA};
use crate::session::open_store;
use crate::store::vault::SharedLogin;
use crate::store::{self, StoreKind};
use crate::system::files;

use super::previous::{Previous, is_flag, require_same_login};
use super::prompt;

/// The profile of a login, with a new ID, not saved yet; and what is in Vault already.
pub struct Resolved {
    /// The profile.
    pub profile: Profile,
    /// The version of the item in Vault that the login replaces.
    pub version: u64,
    /// The login that another machine stored in Vault.
    pub shared: Option<SharedLogin>,
}

/// Returns the profile of a client credentials login.
///
/// # Errors
/// Usage: a setting is missing or malformed; store, when it can't be used. Nothing has been sent then.
pub fn client_credentials(context: &Context, product: Product, args: &LoginCommon) -> Result<Resolved> {
    let previous = Previous::find(context, product, args)?;
    let mut profile = draft(context, product, &previous);
    if args.gateway.is_some() || args.realm.is_some() || profile.gateway.is_none() {
        use_realm(&mut profile, args);
    }
    resolve(context, args, profile, previous)
}

/// Returns the profile of a Patient Access login.
///
/// # Errors
/// As [`client_credentials`].
pub fn patient(context: &Context, args: &Patient) -> Result<Resolved> {
    let common = &args.common;
    let previous = Previous::find(context, Product::Patient, common)?;
    let mut profile = draft(context, Product::Patient, &previous);
    let realm_flag = is_flag("--gateway") || is_flag("--realm");
    let has_realm = common.gateway.is_some() || common.realm.is_some();
    if realm_flag && is_flag("--plan") {
        return Err(Error::usage("--plan can't be used with --gateway or --realm")
            .with_detail("a login goes to a health plan or to a realm"));
    }
    if realm_flag || has_realm && args.plan.is_none() {
        use_realm(&mut profile, common);
    } else if args.plan.is_some() || previous.profile.is_none() {
        use_plan(&mut profile, args.plan.as_deref().unwrap_or(PLAN));
    }
    if args.authorize_url.is_some() {
        profile.authorize_url.clone_from(&args.authorize_url);
    }
    let redirect_uri = args.redirect_uri.clone().or(profile.redirect_uri.take());
    let redirect_uri = redirect_uri.unwrap_or_else(|| REDIRECT_URI.into());
    require_redirect_uri(&redirect_uri)?;
    profile.redirect_uri = Some(redirect_uri);
    profile.aud = args.aud.clone().or(profile.aud.take());
    profile.no_pkce = !args.pkce && (args.no_pkce || profile.no_pkce);
    resolve(context, common, profile, previous)
}

/// Returns a profile with a new ID and the settings of the previous login; without one it has no servers yet.
fn draft(context: &Context, product: Product, previous: &Previous) -> Profile {
    Profile {
        name: context.profile.as_deref().unwrap_or(product.name()).into(),
        schema: SCHEMA,
        id: Profile::new_id(),
        product,
        store: previous.store.unwrap_or_default(),
        client_secret_command: None,
        key_command: None,
        vault: None,
        ..previous.profile.clone().unwrap_or_default()
    }
}

fn use_realm(profile: &mut Profile, args: &LoginCommon) {
    let gateway = args.gateway.as_deref().or(profile.gateway.as_deref()).unwrap_or(GATEWAY);
    let gateway = gateway_url(gateway);
    let realm = args.realm.as_deref().or(profile.realm.as_deref()).unwrap_or(REALM).to_owned();
    set_endpoints(profile, realm_endpoints(&gateway, &realm));
    profile.tenant = Some(default_tenant(&realm).into());
    profile.gateway = Some(gateway);
    profile.realm = Some(realm);
    profile.plan = None;
}

fn use_plan(profile: &mut Profile, plan: &str) {
    set_endpoints(profile, plan_endpoints(plan));
    profile.tenant = None;
    profile.gateway = None;
    profile.realm = None;
    profile.plan = Some(plan.into());
}

fn set_endpoints(profile: &mut Profile, endpoints: Endpoints) {
    profile.token_url = endpoints.token_url;
    profile.authorize_url = endpoints.authorize_url.filter(|_| profile.product == Product::Patient);
    profile.issuer = endpoints.issuer;
    profile.fhir_base = endpoints.fhir_base;
}

/// Applies `--tenant`, or keeps the previous tenant of the same realm.
fn set_tenant(profile: &mut Profile, tenant: Option<&str>, previous: Option<&Profile>) -> Result<()> {
    let Some(gateway) = &profile.gateway else {
        // The variable may be set for the other profiles.
        return if is_flag("--tenant") {
            Err(Error::usage("--tenant can't be used with a health plan")
                .with_hint("pass --plan HOST for another plan"))
        } else {
            Ok(())
        };
    };
    let same_realm =
        |previous: &&Profile| previous.gateway == profile.gateway && previous.realm == profile.realm;
    let recalled = previous.filter(same_realm).and_then(|previous| previous.tenant.as_deref());
    if let Some(tenant) = tenant.or(recalled).filter(|tenant| profile.tenant.as_deref() != Some(*tenant)) {
        profile::require_tenant(tenant)?;
        profile.fhir_base = tenant_fhir_base(gateway, tenant);
        profile.tenant = Some(tenant.into());
    }
    Ok(())
}

fn check_servers(profile: &Profile) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-~".contains(&byte);
    if let Some(realm) =
        profile.realm.as_ref().filter(|realm| realm.is_empty() || !realm.bytes().all(allowed))
    {
        return Err(Error::usage(format!("invalid realm name {realm}"))
            .with_hint("use letters, digits, '.', '_', '-' and '~'"));
    }
    let urls = [&profile.token_url, &profile.fhir_base].into_iter();
    let mut urls = urls.chain(&profile.authorize_url).chain(&profile.issuer);
    urls.try_for_each(|url| require_safe(url).map(drop))
}

/// Completes a profile whose servers are known, and checks that it can be saved.
fn resolve(
    context: &Context,
    args: &LoginCommon,
    mut profile: Profile,
    previous: Previous,
) -> Result<Resolved> {
    let Previous { profile: previous, store, vault } = previous;
    let previous = previous.as_ref();
    set_tenant(&mut profile, args.tenant.as_deref(), previous)?;
    if let Some(url) = &args.token_url {
        // A Keycloak token endpoint has an issuer; other servers have no keys to trust.
        profile.issuer = url.strip_suffix("/protocol/openid-connect/token").map(str::to_owned);
        profile.token_url.clone_from(url);
    }
    if let Some(base) = &args.fhir_base {
        profile.fhir_base = base.trim_end_matches('/').into();
    }
    check_servers(&profile)?;
    profile::check_name(&profile.name)?;
    profile.scope = scope(context, args, &profile, previous)?;
    profile.client_id = client_id(context, args, previous)?;
    profile.auth_method = authentication(args, previous)?;
    set_commands(&mut profile, args, previous);
    if args.no_store {
        return Ok(Resolved { profile, version: 0, shared: None });
    }
    let (mut version, mut shared) = (0, None);
    let choice = match vault {
        Some(place) => {
            if let Some(login) = &place.login {
                require_same_login(&place, login, &profile)?;
            }
            profile.vault = Some(place.path);
            (version, shared) = (place.version, place.login);
            Some(StoreKind::Vault)
        }
        None => args.store.map_or(store, StoreChoice::kind),
    };
    let profile = with_store(context, choice, profile)?;
    Ok(Resolved { profile, version, shared })
}

/// Returns the scope: the flag's, else that of the previous login to the same servers, else the default. Partner realms
/// grant theirs without a request.
fn scope(
    context: &Context,
    args: &LoginCommon,
    profile: &Profile,
    previous: Option<&Profile>,
) -> Result<String> {
    let is_partner = profile.realm.as_deref().is_some_and(|realm| realm != REALM);
    let default = if is_partner { "" } else { profile.product.default_scope() };
    let same_server = |previous: &&Profile| previous.realm == profile.realm && previous.plan == profile.plan;
    let recalled = previous.filter(same_server).map(|previous| previous.scope.as_str());
    let scope = args.scope.as_deref().or(recalled).unwrap_or(default);
    if let Some(warning) = scope::lint(scope) {
        context.warn(warning);
    }
    scope::normalize(scope)
}

/// Chooses the store and tests that the login can be saved, before a secret is sent or a browser opens.
fn with_store(context: &Context, choice: Option<StoreKind>, mut profile: Profile) -> Result<Profile> {
    let (kind, notice) = store::choose(choice, !context.no_input)?;
    if let Some(notice) = notice {
        context.warn(notice);
    }
    profile.store = kind;
    open_store(context, profile.location(), context.deadline())?.probe(&profile.credential_key())?;
    files::probe(&context.config_dir()?.join("profiles"))?;
    files::probe(context.state_dir()?)?;
    Ok(profile)
}

fn client_id(context: &Context, args: &LoginCommon, previous: Option<&Profile>) -> Result<String> {
    let configured = args.client_id.clone().or_else(|| previous.map(|previous| previous.client_id.clone()));
    let id = match configured {
        Some(id) => id,
        None if !context.can_ask() => {
            return Err(Error::usage("missing client ID")
                .with_detail(context.no_prompt_reason())
                .with_hint("pass --client-id ID, or set ONEUP_CLIENT_ID"));
        }
        None => prompt::client_id()?,
    };
    if id.trim().is_empty() || id.contains(char::is_control) {
        return Err(Error::usage("the client ID is blank or has control characters")
            .with_hint("copy it from the Dev Portal"));
    }
    Ok(id)
}

/// The authentication method: the flag's, else that of the source that is given, else that of the previous login.
///
/// # Errors
/// Usage: a source that the method does not use.
fn authentication(args: &LoginCommon, previous: Option<&Profile>) -> Result<ClientAuthentication> {
    let key_flag = args.key_file.is_some() || args.key_command.is_some();
    let secret_flag =
        args.client_secret_stdin || args.client_secret_file.is_some() || args.client_secret_command.is_some();
    let has_key = key_flag
        || !secret_flag && (nonempty("ONEUP_KEY_FILE").is_some() || nonempty("ONEUP_KEY_COMMAND").is_some());
    match args.auth_method {
        Some(ClientAuthentication::PrivateKeyJwt) if secret_flag => {
            Err(Error::usage("private_key_jwt uses a private key instead of a client secret")
                .with_hint("pass --key-file FILE or --key-command CMD, or make a key: oneup key generate"))
        }
        Some(ClientAuthentication::Post | ClientAuthentication::Basic) if key_flag => {
            Err(Error::usage("--key-file and --key-command need --auth-method private_key_jwt"))
        }
        Some(method) => Ok(method),
        None if has_key => Ok(ClientAuthentication::PrivateKeyJwt),
        None => {
            let recalled = previous.map(|previous| previous.auth_method);
            let replaced =
                |method: &ClientAuthentication| secret_flag && *method == ClientAuthentication::PrivateKeyJwt;
            Ok(recalled.filter(|method| !replaced(method)).unwrap_or(ClientAuthentication::Post))
        }
    }
}

/// Sets the command that prints the client secret, or the private key, for each token request. That of the previous login
/// is used only for the same client at the same token endpoint, as any other server would get the secret too.
fn set_commands(profile: &mut Profile, args: &LoginCommon, previous: Option<&Profile>) {
    let previous = previous.filter(|previous| previous.has_same_client(profile));
    if profile.auth_method == ClientAuthentication::PrivateKeyJwt {
        let recalled = previous.and_then(|previous| previous.key_command.clone());
        let variables = ["ONEUP_KEY_COMMAND", "ONEUP_KEY_FILE"];
        profile.key_command = command(&args.key_command, args.key_file.is_some(), &variables, recalled);
    } else {
        let recalled = previous.and_then(|previous| previous.client_secret_command.clone());
        let variables = ["ONEUP_CLIENT_SECRET_COMMAND", "ONEUP_CLIENT_SECRET_FILE", "ONEUP_CLIENT_SECRET"];
        let other_flag = args.client_secret_stdin || args.client_secret_file.is_some();
        profile.client_secret_command =
            command(&args.client_secret_command, other_flag, &variables, recalled);
    }
}

/// Returns the command of the flag, else of the variable, else of the previous login. Another source goes first if it is
/// as close: a flag before variables, a variable before the previous login.
fn command(
    flag: &Option<String>,
    other_flag: bool,
    variables: &[&str],
    recalled: Option<String>,
) -> Option<String> {
    if flag.is_some() || other_flag {
        return flag.clone();
    }
    match variables.iter().find_map(|name| Some((name, nonempty(name)?))) {
        Some((name, value)) => name.ends_with("_COMMAND").then_some(value),
        None => recalled,
    }
}
