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
use crate::store::{self, StoreKind};
use crate::system::files;

use super::prompt;

/// Returns the profile of a client credentials login, with a new ID, not saved yet.
///
/// # Errors
/// Usage: a setting is missing or malformed; store, when it can't be used. Nothing has been sent then.
pub fn client_credentials(context: &Context, product: Product, args: &LoginCommon) -> Result<Profile> {
    let previous = previous(context, product, args)?;
    let with_realm = previous.as_ref().filter(|previous| previous.gateway.is_some());
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
pub fn patient(context: &Context, args: &Patient) -> Result<Profile> {
    let common = &args.common;
    let previous = previous(context, Product::Patient, common)?;
    let realm_flag = is_flag("--gateway") || is_flag("--realm");
    let has_realm = common.gateway.is_some() || common.realm.is_some();
    if realm_flag && is_flag("--plan") {
        return Err(Error::usage("--plan can't be used with --gateway or --realm")
            .with_detail("a login goes to a health plan or to a realm"));
    }
    let mut settings = if realm_flag || has_realm && args.plan.is_none() {
        ServerSettings::realm(common.gateway.as_deref(), common.realm.as_deref(), previous.as_ref())
    } else {
        match (&args.plan, &previous) {
            (None, Some(previous)) => ServerSettings::of(previous),
            (plan, _) => ServerSettings::plan(plan.as_deref().unwrap_or(PLAN)),
        }
    };
    if let Some(url) = &args.authorize_url {
        settings.endpoints.authorize_url = Some(url.clone());
    }
    let mut profile = resolve(context, Product::Patient, common, settings, previous)?;
    profile.redirect_uri =
        args.redirect_uri.clone().or(profile.redirect_uri.take()).or(Some(REDIRECT_URI.into()));
    profile.aud = args.aud.clone().or(profile.aud.take());
    profile.no_pkce = !args.pkce && (args.no_pkce || profile.no_pkce);
    Ok(profile)
}

/// Whether the flag is on the command line: `sandbox run` sets the variables of both realm and plan.
fn is_flag(name: &str) -> bool {
    let matches =
        |arg: &str| arg.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('='));
    std::env::args_os().any(|arg| arg.to_str().is_some_and(matches))
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

/// The previous login of the same profile and product, whose settings are the defaults. With `--no-store` nothing is
/// saved, and so nothing recalled.
fn previous(context: &Context, product: Product, args: &LoginCommon) -> Result<Option<Profile>> {
    if args.no_store {
        return Ok(None);
    }
    let name = context.profile.as_deref().unwrap_or(product.name());
    Ok(profile::load(context.config_dir()?, name)?.filter(|previous| previous.product == product))
}

fn resolve(
    context: &Context,
    product: Product,
    args: &LoginCommon,
    mut settings: ServerSettings,
    previous: Option<Profile>,
) -> Result<Profile> {
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
        auth_method: authentication(args.auth_method, previous),
        redirect_uri: previous.and_then(|previous| previous.redirect_uri.clone()),
        aud: previous.and_then(|previous| previous.aud.clone()),
        no_pkce: previous.is_some_and(|previous| previous.no_pkce),
        store: previous.map_or(StoreKind::Keyring, |previous| previous.store),
        client_secret_command: None,
    };
    profile.client_secret_command = secret_command(args, &profile, previous);
    if args.no_store { Ok(profile) } else { with_store(context, args.store, previous, profile) }
}

/// Chooses the store and tests that the login can be saved, before a secret is sent or a browser opens.
fn with_store(
    context: &Context,
    choice: Option<StoreChoice>,
    previous: Option<&Profile>,
    mut profile: Profile,
) -> Result<Profile> {
    let choice = match choice {
        Some(StoreChoice::Auto) => None,
        Some(StoreChoice::Keyring) => Some(StoreKind::Keyring),
        Some(StoreChoice::Keyutils) => Some(StoreKind::Keyutils),
        Some(StoreChoice::File) => Some(StoreKind::File),
        None => previous.map(|previous| previous.store),
    };
    let (kind, notice) = store::choose(choice, !context.no_input)?;
    if let Some(notice) = notice {
        context.warn(notice);
    }
    profile.store = kind;
    open_store(context, kind, context.deadline())?.probe(&profile.credential_key())?;
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

fn authentication(method: Option<AuthMethod>, previous: Option<&Profile>) -> ClientAuthentication {
    match method {
        Some(AuthMethod::Post) => ClientAuthentication::Post,
        Some(AuthMethod::Basic) => ClientAuthentication::Basic,
        None => previous.map_or(ClientAuthentication::Post, |previous| previous.auth_method),
    }
}

/// The command that prints the client secret for each token request. That of the previous login is used only for the same
/// client at the same token endpoint, as any other server would get the secret too.
fn secret_command(args: &LoginCommon, profile: &Profile, previous: Option<&Profile>) -> Option<String> {
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
