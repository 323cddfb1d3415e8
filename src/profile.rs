//! Profiles: the settings of each login that are not secret, in one TOML file each.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use url::Url;

use crate::error::{Error, Result};
use crate::oauth::grant::ClientAuthentication;
use crate::oauth::product::{DOMAINS, Product, plan_endpoints, realm_endpoints, tenant_fhir_base};
use crate::store::vault::VaultPath;
use crate::store::{Binding, CredentialKey, StoreKind, StoreLocation};
use crate::system::files::{self, Purpose};

mod select;

pub use select::{LOGIN_COMMANDS, default_name, not_logged_in, resolve_profile, set_default};

/// The version of the file's layout.
pub const SCHEMA: u32 = 1;

/// Hex digits of a profile's ID.
const ID_LENGTH: usize = 32;

/// A named login. Holds no secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// From the file's name, not in it.
    #[serde(skip)]
    pub name: String,
    /// The version of the file's layout.
    pub schema: u32,
    /// Random and new at each login; names the stored credentials, the kernel key and the lock.
    pub id: String,
    /// Which of 1up's products.
    pub product: Product,
    /// The client ID of the Dev Portal.
    pub client_id: String,
    /// The requested scope: tokens separated by single spaces (RFC 6749 §3.3).
    pub scope: String,
    /// The token endpoint.
    pub token_url: String,
    /// The authorization endpoint of Patient Access.
    pub authorize_url: Option<String>,
    /// The issuer of the Keycloak realm; `None` for a health plan.
    pub issuer: Option<String>,
    /// What `oneup curl /PATH` is joined to.
    pub fhir_base: String,
    /// The gateway, where the profile talks to a realm.
    pub gateway: Option<String>,
    /// The realm behind the gateway.
    pub realm: Option<String>,
    /// The tenant: the payer's name in the gateway's URLs.
    pub tenant: Option<String>,
    /// The health plan, where the profile talks to one.
    pub plan: Option<String>,
    /// How the client authenticates (RFC 6749 §2.3.1).
    pub auth_method: ClientAuthentication,
    /// The registered redirect URI of Patient Access.
    pub redirect_uri: Option<String>,
    /// `aud` of the authorization request (SMART App Launch).
    pub aud: Option<String>,
    /// Whether logins do without PKCE.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_pkce: bool,
    /// Where the client secret and the tokens are.
    pub store: StoreKind,
    /// The command that prints the client secret, which is then not stored.
    pub client_secret_command: Option<String>,
    /// The command that prints the private key, which is then not stored.
    pub key_command: Option<String>,
    /// Where the login is in Vault.
    pub vault: Option<VaultPath>,
}

/// The path of the profile of this name.
pub fn path(config_dir: &Path, name: &str) -> PathBuf {
    config_dir.join("profiles").join(format!("{name}.toml"))
}

/// Refuses a name that is not 1 to 64 of letters, digits, `.`, `_`, `-`, beginning with a letter or digit.
///
/// # Errors
/// Usage.
pub fn check_name(name: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let begins_well = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    if begins_well && name.len() <= 64 && name.chars().all(allowed) {
        return Ok(());
    }
    Err(Error::usage(format!("invalid profile name {:?}", name.chars().take(80).collect::<String>()))
        .with_hint("use 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit"))
}

/// Checks the name of a tenant, which is one path segment of a URL.
///
/// # Errors
/// Usage.
pub fn require_tenant(name: &str) -> Result<()> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-~".contains(&byte);
    if !name.bytes().all(allowed) || matches!(name, "" | "." | "..") {
        return Err(Error::usage(format!("invalid tenant {name:?}"))
            .with_hint("use letters, digits, '.', '_', '-' and '~'"));
    }
    Ok(())
}

/// The names of all profiles, in order.
///
/// # Errors
/// A directory that can't be read; one that isn't there holds no profile.
pub fn names(config_dir: &Path) -> Result<Vec<String>> {
    let dir = config_dir.join("profiles");
    let entries = match std::fs::read_dir(&dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(files::io_error("read", &dir, error)),
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.strip_suffix(".toml").map(str::to_owned))
        .filter(|name| check_name(name).is_ok())
        .collect();
    names.sort_unstable();
    Ok(names)
}

/// Returns the profile of this name, `None` if there is no such file.
///
/// # Errors
/// A file that can't be read, is not a profile, or was written by a newer version; the file is not changed.
pub fn load(config_dir: &Path, name: &str) -> Result<Option<Profile>> {
    check_name(name)?;
    let path = path(config_dir, name);
    let Some(text) = files::read_text(&path, Purpose::Config)? else { return Ok(None) };
    parse(name, &path, &text).map(Some)
}

/// Parses the text of a profile's file.
///
/// # Errors
/// As [`load`].
pub fn parse(name: &str, path: &Path, text: &str) -> Result<Profile> {
    let profile: Profile = toml::from_str(text).map_err(|error| malformed(path, text, &error))?;
    // A newer file may be readable, and have settings that this version would lose.
    if profile.schema > SCHEMA {
        return Err(newer(path));
    }
    if !is_id(&profile.id) {
        return Err(Error::usage(format!("invalid profile ID in {}", path.display()))
            .with_hint("remove the file, then log in again"));
    }
    Ok(Profile { name: name.to_owned(), ..profile })
}

/// Whether this is an ID as [`Profile::new_id`] returns them. IDs name files, so nothing else is accepted.
pub fn is_id(id: &str) -> bool {
    id.len() == ID_LENGTH && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn malformed(path: &Path, text: &str, error: &toml::de::Error) -> Error {
    let schema = text.parse::<toml::Table>().ok().and_then(|table| table.get("schema")?.as_integer());
    if schema.is_some_and(|schema| schema > i64::from(SCHEMA)) {
        return newer(path);
    }
    let offset = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text.as_bytes()[..offset].iter().filter(|&&byte| byte == b'\n').count() + 1;
    Error::failure(format!("invalid profile: {}, line {line}", path.display()))
        .with_detail(crate::text::sanitize(error.message(), 200))
        .with_hint("correct the file, or delete it and log in again")
}

fn newer(path: &Path) -> Error {
    Error::failure(format!("{} was written by a newer oneup", path.display())).with_hint("update oneup")
}

/// Returns the option that names a profile for `oneup key`, after a space; nothing for the profile that is its default.
pub fn key_flag(name: &str) -> String {
    if name == Product::Provider.name() { String::new() } else { format!(" --profile {name}") }
}

impl Profile {
    /// A profile of client `svc`, for tests.
    #[cfg(any(test, fuzzing))]
    pub fn example(endpoints: crate::oauth::product::Endpoints) -> Self {
        Self {
            name: "provider".into(),
            schema: SCHEMA,
            id: "0123456789abcdef".repeat(2),
            product: Product::Provider,
            client_id: "svc".into(),
            scope: "bulk-data|user/*.rs".into(),
            token_url: endpoints.token_url,
            authorize_url: endpoints.authorize_url,
            issuer: endpoints.issuer,
            fhir_base: endpoints.fhir_base,
            gateway: None,
            realm: None,
            tenant: None,
            plan: None,
            auth_method: ClientAuthentication::Post,
            redirect_uri: None,
            aud: None,
            no_pkce: false,
            store: StoreKind::File,
            client_secret_command: None,
            key_command: None,
            vault: None,
        }
    }

    /// Returns a new ID: 128 random bits in hex.
    ///
    /// # Panics
    /// Never on a system that has a source of randomness; without one nothing here is safe.
    pub fn new_id() -> String {
        let mut bytes = [0u8; ID_LENGTH / 2];
        aws_lc_rs::rand::fill(&mut bytes).expect("the system has a source of randomness");
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// A directory that can't be written; the old file is then unchanged.
    pub fn save(&self, config_dir: &Path) -> Result<()> {
        let path = path(config_dir, &self.name);
        let text = toml::to_string(self)
            .map_err(|error| Error::failure("can't write the profile").with_cause(error))?;
        files::replace_target(&path, text.as_bytes())
    }

    /// Deletes the file; returns whether it existed.
    ///
    /// # Errors
    /// A directory that can't be written.
    pub fn remove(config_dir: &Path, name: &str) -> Result<bool> {
        files::remove(&path(config_dir, name))
    }

    /// Returns the key of the profile's credentials, which binds them to its client, token endpoint and hosts.
    pub fn credential_key(&self) -> CredentialKey {
        let origin = |url: &String| url.split('/').take(3).collect::<Vec<_>>().join("/");
        let urls = [self.authorize_url.as_ref(), self.issuer.as_ref(), self.gateway.as_ref()];
        let mut hosts: Vec<String> = urls
            .into_iter()
            .flatten()
            .chain([&self.fhir_base])
            .map(origin)
            .chain(self.plan.clone())
            .collect();
        hosts.sort_unstable();
        hosts.dedup();
        let binding = Binding { client_id: self.client_id.clone(), token_url: self.token_url.clone(), hosts };
        CredentialKey { id: self.id.clone(), profile: self.name.clone(), binding }
    }

    /// Where the credentials are.
    pub fn location(&self) -> StoreLocation<'_> {
        StoreLocation { kind: self.store, vault: self.vault.as_ref() }
    }

    /// Returns the settings that machines share: everything but what is this machine's own.
    pub fn shared(&self) -> Option<serde_json::Value> {
        let own = Self {
            id: String::new(),
            client_secret_command: None,
            key_command: None,
            vault: None,
            ..self.clone()
        };
        serde_json::to_value(own).ok()
    }

    /// The command that logs in again.
    pub fn login_command(&self) -> String {
        let product = self.product.name();
        if self.name == product {
            format!("oneup login {product}")
        } else {
            format!("oneup login {product} --profile {}", self.name)
        }
    }

    /// The command that gets a new token if needed.
    pub fn show_command(&self) -> String {
        format!("oneup token show --profile {}", self.name)
    }

    /// Returns the profile for another tenant of the same gateway: its FHIR base is that tenant's.
    ///
    /// # Errors
    /// Usage: an invalid name, or a profile whose FHIR base depends on no tenant.
    pub fn for_tenant(&self, tenant: &str) -> Result<Self> {
        require_tenant(tenant)?;
        let base = |tenant: &String| self.gateway.as_deref().map(|gateway| tenant_fhir_base(gateway, tenant));
        let tenant = tenant.to_owned();
        match (self.tenant.as_ref().and_then(base), base(&tenant)) {
            (Some(current), Some(fhir_base)) if current == self.fhir_base => {
                Ok(Self { tenant: Some(tenant), fhir_base, ..self.clone() })
            }
            _ => Err(Error::usage(format!("profile {} has no tenants", self.name))
                .with_detail(format!("FHIR base: {}", self.fhir_base))
                .with_hint("pass a whole URL")),
        }
    }

    /// Whether both log in with the same client ID at the same token endpoint, so that they can share a client secret.
    pub fn has_same_client(&self, other: &Self) -> bool {
        self.client_id == other.client_id && self.token_url == other.token_url
    }

    /// The host of the token endpoint, with its port, unless it is one of 1up's or the health plan's own.
    pub fn unusual_host(&self) -> Option<String> {
        let url = Url::parse(&self.token_url).ok()?;
        let host = url.host_str()?;
        let is_own = |domain: &str| {
            host == domain || host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.'))
        };
        let plan = self.plan.as_deref().filter(|plan| !plan.contains("://"));
        let plan_host = plan.and_then(|plan| plan.split('/').next());
        if DOMAINS.iter().copied().chain(plan_host).any(is_own) {
            return None;
        }
        Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
    }

    /// Describes where it logs in: the realm or plan, or the token endpoint if that is another one.
    pub fn origin(&self) -> String {
        let (endpoints, name) = match (&self.realm, &self.gateway, &self.plan) {
            (Some(realm), Some(gateway), _) => {
                (realm_endpoints(gateway, realm), format!("realm {realm} at {gateway}"))
            }
            (_, _, Some(plan)) => (plan_endpoints(plan), format!("health plan {plan}")),
            _ => return self.token_url.clone(),
        };
        if endpoints.token_url == self.token_url { name } else { self.token_url.clone() }
    }
}

#[cfg(test)]
mod tests;
