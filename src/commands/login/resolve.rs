//! The profile of a login: from flags, variables, the previous login of the same profile, and the product's defaults.

use crate::cli::{AuthMethod, LoginCommon, Patient, StoreChoice};
use crate::context::{Context, nonempty};
use crate::error::{Error, Result};
use crate::http::require_safe;
use crate::oauth::grant::ClientAuthentication;
use crate::oauth::product::{
    Endpoints, GATEWAY, PLAN, Product, REALM, REDIRECT_URI, default_tenant, plan_endpoints, realm_endpoints,
    tenant_fhir_base,
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
    let with_realm = previous.profile.as_ref().filter(|previous| previous.gateway.is_some());
    let settings = match (&args.gateway, &args.realm, with_realm) {
        (None, None, Some(previous)) => ServerSettings::of(previous),
        (gateway, realm, previous) => ServerSettings::realm(gateway.as_deref(), realm.as_deref(), previous),
    };
    resolve(context, product, args, settings, previous)
}

/// Returns the profile of a Patient Access login.
///
/// # Errors
/// As [`client_credentials`].
pub fn patient(context: &Context, args: &Patient) -> Result<Resolved> {
    let common = &args.common;
    let previous = Previous::find(context, Product::Patient, common)?;
    let realm_flag = is_flag("--gateway") || is_flag("--realm");
    let has_realm = common.gateway.is_some() || common.realm.is_some();
    if realm_flag && is_flag("--plan") {
        return Err(Error::usage("--plan can't be used with --gateway or --realm")
            .with_detail("a login goes to a health plan or to a realm"));
    }
    let mut settings = if realm_flag || has_realm && args.plan.is_none() {
        ServerSettings::realm(common.gateway.as_deref(), common.realm.as_deref(), previous.profile.as_ref())
    } else {
        match (&args.plan, &previous.profile) {
            (None, Some(previous)) => ServerSettings::of(previous),
            (plan, _) => ServerSettings::plan(plan.as_deref().unwrap_or(PLAN)),
        }
    };
    if let Some(url) = &args.authorize_url {
        settings.endpoints.authorize_url = Some(url.clone());
    }
    let mut resolved = resolve(context, Product::Patient, common, settings, previous)?;
    let profile = &mut resolved.profile;
    profile.redirect_uri =
        args.redirect_uri.clone().or(profile.redirect_uri.take()).or(Some(REDIRECT_URI.into()));
    profile.aud = args.aud.clone().or(profile.aud.take());
    profile.no_pkce = !args.pkce && (args.no_pkce || profile.no_pkce);
    Ok(resolved)
}

/// Where the servers are.
struct ServerSettings {
    gateway: Option<String>,
    realm: Option<String>,
    tenant: Option<String>,
    plan: Option<String>,
    endpoints: Endpoints,
}

impl ServerSettings {
    fn realm(gateway: Option<&str>, realm: Option<&str>, previous: Option<&Profile>) -> Self {
        let recalled =
            |member: fn(&Profile) -> &Option<String>| previous.and_then(|profile| member(profile).as_deref());
        let gateway = gateway.or(recalled(|profile| &profile.gateway)).unwrap_or(GATEWAY);
        let gateway = gateway.trim_end_matches('/');
        let realm = realm.or(recalled(|profile| &profile.realm)).unwrap_or(REALM);
        Self {
            gateway: Some(gateway.into()),
            realm: Some(realm.into()),
            tenant: Some(default_tenant(realm).into()),
            plan: None,
            endpoints: realm_endpoints(gateway, realm),
        }
    }

    fn plan(plan: &str) -> Self {
        Self {
            gateway: None,
            realm: None,
            tenant: None,
            plan: Some(plan.into()),
            endpoints: plan_endpoints(plan),
        }
    }

    fn of(profile: &Profile) -> Self {
        Self {
            gateway: profile.gateway.clone(),
            realm: profile.realm.clone(),
            tenant: profile.tenant.clone(),
            plan: profile.plan.clone(),
            endpoints: Endpoints {
                token_url: profile.token_url.clone(),
                authorize_url: profile.authorize_url.clone(),
                issuer: profile.issuer.clone(),
                fhir_base: profile.fhir_base.clone(),
            },
        }
    }

    /// Applies `--tenant`, or keeps the previous tenant of the same realm.
    fn set_tenant(&mut self, tenant: Option<&str>, previous: Option<&Profile>) -> Result<()> {
        let Some(gateway) = &self.gateway else {
            // The variable may be set for the other profiles.
            return if is_flag("--tenant") {
                Err(Error::usage("--tenant can't be used with a health plan")
                    .with_hint("pass --plan HOST for another plan"))
            } else {
                Ok(())
            };
        };
        let same_realm =
            |previous: &&Profile| previous.gateway == self.gateway && previous.realm == self.realm;
        let recalled = previous.filter(same_realm).and_then(|previous| previous.tenant.as_deref());
        if let Some(tenant) = tenant.or(recalled).filter(|tenant| self.tenant.as_deref() != Some(*tenant)) {
            profile::require_tenant(tenant)?;
            self.endpoints.fhir_base = tenant_fhir_base(gateway, tenant);
            self.tenant = Some(tenant.into());
        }
        Ok(())
    }

    /// The scope when none is configured. Partner realms grant theirs without a request.
    fn default_scope(&self, product: Product) -> &'static str {
        if self.realm.as_deref().is_none_or(|realm| realm == REALM) { product.default_scope() } else { "" }
    }

    fn check(&self) -> Result<()> {
        if let Some(realm) = &self.realm
            && (realm.is_empty()
                || !realm.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-~".contains(&byte)))
        {
            return Err(Error::usage(format!("invalid realm name {realm}"))
                .with_hint("use letters, digits, '.', '_', '-' and '~'"));
        }
        let endpoints = &self.endpoints;
        let urls = [
            Some(&endpoints.token_url),
            endpoints.authorize_url.as_ref(),
            endpoints.issuer.as_ref(),
            Some(&endpoints.fhir_base),
        ];
        urls.into_iter().flatten().try_for_each(|url| require_safe(url).map(drop))
    }
}

fn resolve(
    context: &Context,
    product: Product,
    args: &LoginCommon,
    mut settings: ServerSettings,
    previous: Previous,
) -> Result<Resolved> {
    let Previous { profile: previous, store, vault } = previous;
    settings.set_tenant(args.tenant.as_deref(), previous.as_ref())?;
    if let Some(url) = &args.token_url {
        // A Keycloak token endpoint has an issuer; other servers have no keys to trust.
        settings.endpoints.issuer = url.strip_suffix("/protocol/openid-connect/token").map(str::to_owned);
        settings.endpoints.token_url.clone_from(url);
    }
    if let Some(base) = &args.fhir_base {
        settings.endpoints.fhir_base = base.trim_end_matches('/').into();
    }
    settings.check()?;
    let previous = previous.as_ref();
    let name = context.profile.as_deref().unwrap_or(product.name());
    profile::check_name(name)?;
    let same_server =
        |previous: &&Profile| previous.realm == settings.realm && previous.plan == settings.plan;
    let recalled = previous.filter(same_server).map(|previous| previous.scope.as_str());
    let scope = args.scope.as_deref().or(recalled).unwrap_or(settings.default_scope(product));
    if let Some(warning) = scope::lint(scope) {
        context.warn(warning);
    }
    let mut profile = Profile {
        name: name.into(),
        schema: SCHEMA,
        id: Profile::new_id(),
        product,
        scope: scope::normalize(scope)?,
        client_id: client_id(context, args, previous)?,
        token_url: settings.endpoints.token_url,
        authorize_url: settings.endpoints.authorize_url.filter(|_| product == Product::Patient),
        issuer: settings.endpoints.issuer,
        fhir_base: settings.endpoints.fhir_base,
        gateway: settings.gateway,
        realm: settings.realm,
        tenant: settings.tenant,
        plan: settings.plan,
        auth_method: authentication(args, previous)?,
        redirect_uri: previous.and_then(|previous| previous.redirect_uri.clone()),
        aud: previous.and_then(|previous| previous.aud.clone()),
        no_pkce: previous.is_some_and(|previous| previous.no_pkce),
        store: store.unwrap_or(StoreKind::Keyring),
        client_secret_command: None,
        key_command: None,
        vault: None,
    };
    profile.client_secret_command = secret_command(args, &profile, previous);
    profile.key_command = key_command(args, &profile, previous);
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
        Some(AuthMethod::PrivateKeyJwt) if secret_flag => {
            Err(Error::usage("private_key_jwt uses a private key instead of a client secret")
                .with_hint("pass --key-file FILE or --key-command CMD, or make a key: oneup key generate"))
        }
        Some(AuthMethod::Post | AuthMethod::Basic) if key_flag => {
            Err(Error::usage("--key-file and --key-command need --auth-method private_key_jwt"))
        }
        Some(AuthMethod::PrivateKeyJwt) => Ok(ClientAuthentication::PrivateKeyJwt),
        Some(AuthMethod::Post) => Ok(ClientAuthentication::Post),
        Some(AuthMethod::Basic) => Ok(ClientAuthentication::Basic),
        None if has_key => Ok(ClientAuthentication::PrivateKeyJwt),
        None => {
            let recalled = previous.map(|previous| previous.auth_method);
            let replaced =
                |method: &ClientAuthentication| secret_flag && *method == ClientAuthentication::PrivateKeyJwt;
            Ok(recalled.filter(|method| !replaced(method)).unwrap_or(ClientAuthentication::Post))
        }
    }
}

/// The command that prints the client secret for each token request. That of the previous login is used only for the same
/// client at the same token endpoint, as any other server would get the secret too.
fn secret_command(args: &LoginCommon, profile: &Profile, previous: Option<&Profile>) -> Option<String> {
    if profile.auth_method == ClientAuthentication::PrivateKeyJwt {
        return None;
    }
    if args.client_secret_command.is_some() {
        return args.client_secret_command.clone();
    }
    if args.client_secret_stdin || args.client_secret_file.is_some() {
        return None;
    }
    let command = nonempty("ONEUP_CLIENT_SECRET_COMMAND");
    if command.is_some()
        || nonempty("ONEUP_CLIENT_SECRET_FILE").is_some()
        || nonempty("ONEUP_CLIENT_SECRET").is_some()
    {
        return command;
    }
    previous.filter(|previous| previous.has_same_client(profile))?.client_secret_command.clone()
}

/// The command that prints the private key, by the same rules.
fn key_command(args: &LoginCommon, profile: &Profile, previous: Option<&Profile>) -> Option<String> {
    if profile.auth_method != ClientAuthentication::PrivateKeyJwt || args.key_file.is_some() {
        return None;
    }
    let command = args.key_command.clone().or_else(|| nonempty("ONEUP_KEY_COMMAND"));
    if command.is_some() || nonempty("ONEUP_KEY_FILE").is_some() {
        return command;
    }
    previous.filter(|previous| previous.has_same_client(profile))?.key_command.clone()
}
