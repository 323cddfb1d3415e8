//! Vault's settings, from the variables that its own tools read, and the HTTP client that its store uses.
//!
//! OpenBao's variables (`BAO_…`) come before Vault's (`VAULT_…`), as in OpenBao's tools.

use std::path::{Path, PathBuf};

use crate::context::{Context, nonempty};
use crate::error::{Error, Result};
use crate::http::Http;
use crate::oauth::secret::{Secret, SecretBuf};
use crate::store::vault::{Auth, Settings, Transport, Vault, VaultPath, VaultRequest, VaultResponse};
use crate::system::deadline::Deadline;
use crate::system::files::{self, Purpose};

/// The address without a variable, as in Vault's own tools.
const DEFAULT_ADDRESS: &str = "https://127.0.0.1:8200";

/// Where Kubernetes puts the token of a pod's service account.
const SERVICE_ACCOUNT_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";

/// The store at this path, for uses that end at the deadline. Opens no connection.
///
/// # Errors
/// Usage: no way to authenticate is configured, or a file of the configuration can't be used.
pub fn open(context: &Context, path: &VaultPath, deadline: Deadline) -> Result<Vault> {
    let address = variable("ADDR").map_or_else(|| DEFAULT_ADDRESS.to_owned(), |(_, address)| address);
    let namespace = variable("NAMESPACE").map(|(_, namespace)| namespace);
    let settings = Settings::new(address, namespace, authentication()?);
    let mut context = context.clone();
    if let Some((_, file)) = variable("CACERT") {
        context.cacert = Some(file.into());
    }
    let http = Http::new(&context)?;
    Ok(Vault::new(settings, Box::new(HttpTransport(http)), path.clone(), deadline))
}

struct HttpTransport(Http);

impl Transport for HttpTransport {
    fn send(&self, request: VaultRequest, deadline: Deadline) -> Result<VaultResponse> {
        let namespace = request.namespace.map(Secret::new);
        // Vault rejects requests without this header where a listener requires it, against request forgery.
        let marker = Secret::new("true");
        let mut headers = vec![("X-Vault-Request", &marker)];
        headers.extend(request.token.map(|token| ("X-Vault-Token", token)));
        headers.extend(namespace.as_ref().map(|namespace| ("X-Vault-Namespace", namespace)));
        let response = self.0.exchange_secrets(&request.url, &headers, request.body, deadline)?;
        let body = SecretBuf::from(response.body);
        Ok(VaultResponse { status: response.status, date: response.date, body })
    }
}

/// A token variable, else AppRole, else Kubernetes, else the token file: what is set for this process comes before what a
/// user left in the home directory.
fn authentication() -> Result<Auth> {
    if let Some((source, token)) = variable("TOKEN") {
        return Ok(Auth::Token { token: Secret::new(token.trim()), source });
    }
    let mount = |default: &str| variable("AUTH_MOUNT").map_or_else(|| default.to_owned(), |(_, mount)| mount);
    if let Some(role_id) = value_or_file("ROLE_ID", Purpose::Config)? {
        let secret_id = value_or_file("SECRET_ID", Purpose::PrivateKey)?;
        return Ok(Auth::AppRole {
            mount: mount("approle"),
            role_id: role_id.expose().to_owned(),
            secret_id,
        });
    }
    if let Some((_, role)) = variable("ROLE") {
        let file = variable("JWT_FILE")
            .map_or_else(|| SERVICE_ACCOUNT_TOKEN.into(), |(_, file)| PathBuf::from(file));
        // Kubernetes makes it readable by everyone in the container.
        let jwt = read(&file, Purpose::Config)?.ok_or_else(|| {
            Error::usage(format!("{} does not exist", file.display()))
                .with_hint("VAULT_ROLE is for Kubernetes; elsewhere set VAULT_TOKEN, or VAULT_ROLE_ID and VAULT_SECRET_ID")
        })?;
        return Ok(Auth::Kubernetes { mount: mount("kubernetes"), role, jwt });
    }
    let file = std::env::home_dir().map(|home| home.join(".vault-token"));
    match file.as_deref().map(|file| read(file, Purpose::PrivateKey)).transpose()?.flatten() {
        Some(token) => Ok(Auth::Token { token, source: "~/.vault-token".into() }),
        None => Err(Error::usage("no way to authenticate to Vault is configured").with_hint(
            "vault login, or set VAULT_TOKEN, or VAULT_ROLE_ID and VAULT_SECRET_ID_FILE, or VAULT_ROLE in Kubernetes",
        )),
    }
}

/// A variable of OpenBao, else of Vault: its name and its value.
fn variable(name: &str) -> Option<(String, String)> {
    ["BAO", "VAULT"].iter().find_map(|prefix| {
        let name = format!("{prefix}_{name}");
        nonempty(&name).map(|value| (name, value))
    })
}

/// The content of the file that `…_FILE` names, else the variable.
fn value_or_file(name: &str, purpose: Purpose) -> Result<Option<Secret>> {
    let Some((variable_name, file)) = variable(&format!("{name}_FILE")) else {
        return Ok(variable(name).map(|(_, value)| Secret::new(value.trim())));
    };
    let text = read(Path::new(&file), purpose)?
        .ok_or_else(|| Error::usage(format!("{variable_name}: {file} does not exist")))?;
    Ok(Some(text))
}

/// Reads a file that holds one value.
fn read(path: &Path, purpose: Purpose) -> Result<Option<Secret>> {
    let Some(bytes) = files::read(path, purpose)? else { return Ok(None) };
    let text =
        std::str::from_utf8(&bytes).map_err(|_| Error::usage(format!("{} is not UTF-8", path.display())))?;
    Ok(Some(Secret::new(text.trim())))
}
