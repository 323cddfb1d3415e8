//! Vault's HTTP API as far as it is needed: authentication, KV v2, and what its errors mean.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::path::VaultPath;
use super::response::{describe_response, errors, has_errors, is_sealed, is_upgrading, parse, parse_time};
use super::settings::{Auth, Settings};
use super::transport::{Transport, VaultRequest, VaultResponse};
use crate::error::{Error, ErrorKind, Result, StoreErrorKind};
use crate::oauth::secret::{Secret, SecretBuf};
use crate::system::deadline::Deadline;
use crate::text::sanitize;

/// How often a request is sent, the first time included, while the server can't be reached or asks to wait.
const MAX_ATTEMPTS: u32 = 3;

/// The wait before the second attempt; it doubles each time.
const FIRST_BACKOFF: Duration = Duration::from_millis(300);

/// The longest time for one request, so that a hanging server leaves time for another attempt.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// A client of one server that has a token.
pub(super) struct Api<'a> {
    settings: &'a Settings,
    transport: &'a dyn Transport,
    deadline: Deadline,
}

/// What is at a path.
pub(super) struct KvItem<T> {
    /// The version to check a write against: 0 if there was never an item.
    pub version: u64,
    /// Seconds since this version was written, by the server's own clock.
    pub age: Option<i64>,
    /// The data; `None` if there is no item, or it was deleted.
    pub data: Option<T>,
}

/// The envelope of Vault's responses.
#[derive(Deserialize)]
struct Data<T> {
    data: T,
}

#[derive(Deserialize)]
struct ReadData<T> {
    data: Option<T>,
    metadata: Metadata,
}

#[derive(Serialize)]
struct WriteRequest<'a, T> {
    options: WriteOptions,
    data: &'a T,
}

#[derive(Serialize)]
struct WriteOptions {
    cas: u64,
}

#[derive(Deserialize)]
struct Metadata {
    version: u64,
    #[serde(default)]
    created_time: String,
}

#[derive(Deserialize)]
struct LoginResponse {
    auth: LoginAuth,
}

#[derive(Deserialize)]
struct LoginAuth {
    client_token: Secret,
}

#[derive(Deserialize)]
struct Mount {
    path: String,
    options: Option<Value>,
}

impl<'a> Api<'a> {
    pub(super) fn new(settings: &'a Settings, transport: &'a dyn Transport, deadline: Deadline) -> Self {
        Self { settings, transport, deadline }
    }

    /// Reads an item.
    ///
    /// # Errors
    /// [`StoreErrorKind::Corrupt`], when its data is not of this type.
    pub(super) fn read<T: DeserializeOwned>(&self, path: &VaultPath) -> Result<KvItem<T>> {
        let response = self.send("GET", &data_path(path), None)?;
        if !matches!(response.status, 200 | 404) {
            return Err(self.error(path, &response));
        }
        if let Some(Data { data: ReadData::<T> { data, metadata } }) = parse(&response) {
            let age = response.date.and_then(|date| Some(date - parse_time(&metadata.created_time)?));
            return Ok(KvItem { version: metadata.version, age, data });
        }
        let is_absent = response.status == 404 && has_errors(&response) && errors(&response).is_empty();
        match response.status {
            404 if is_absent => Ok(KvItem { version: 0, age: None, data: None }),
            200 if parse::<Data<ReadData<Value>>>(&response).is_some() => {
                Err(Error::store(StoreErrorKind::Corrupt, format!("{path} in Vault is not a login of oneup"))
                    .with_hint("pass another --vault-path, or delete the item: vault kv delete"))
            }
            _ => Err(self.error(path, &response)),
        }
    }

    /// Writes an item if its version is still this one, and returns the new version.
    ///
    /// # Errors
    /// [`StoreErrorKind::Conflict`], when another machine was faster.
    pub(super) fn write(&self, path: &VaultPath, version: u64, data: &impl Serialize) -> Result<u64> {
        let body = json_body(&WriteRequest { options: WriteOptions { cas: version }, data })?;
        let response = self.send("POST", &data_path(path), Some(&body))?;
        if response.status == 400 && errors(&response).iter().any(|error| error.contains("check-and-set")) {
            return Err(Error::store(
                StoreErrorKind::Conflict,
                format!("{path} in Vault was changed by another machine at the same time"),
            )
            .with_hint("try again"));
        }
        let written = (response.status == 200).then(|| parse::<Data<Metadata>>(&response)).flatten();
        written.map(|written| written.data.version).ok_or_else(|| self.error(path, &response))
    }

    /// Returns the path with the mount that the server names. A token may not be allowed to ask.
    ///
    /// # Errors
    /// Store: the mount is not a KV v2 engine.
    pub(super) fn resolve(&self, path: &VaultPath) -> Result<VaultPath> {
        let response = self.send("GET", &format!("sys/internal/ui/mounts/{path}"), None)?;
        let Some(Data { data: Mount { path: mount, options } }) =
            parse(&response).filter(|_| response.status == 200)
        else {
            return Ok(path.clone());
        };
        if options.is_none_or(|options| options["version"] != "2") {
            let mount = sanitize(mount.trim_end_matches('/'), 100);
            return Err(Error::store(
                StoreErrorKind::Unavailable,
                format!("{mount} in Vault is not a KV version 2 engine"),
            )
            .with_hint(format!(
                "vault kv enable-versioning {mount}, or pass another --vault-path MOUNT/PATH"
            )));
        }
        Ok(path.with_mount(&mount).unwrap_or_else(|| path.clone()))
    }

    /// Checks that the token may create or update the item, as far as the server says.
    pub(super) fn require_writable(&self, path: &VaultPath) -> Result<()> {
        let data_path = data_path(path);
        let body = json_body(&json!({ "paths": [data_path] }))?;
        let response = self.send("POST", "sys/capabilities-self", Some(&body))?;
        let Some(members) = parse::<Value>(&response).filter(|_| response.status == 200) else {
            return Ok(());
        };
        let capabilities = members["data"][&data_path].as_array().cloned().unwrap_or_default();
        let has = |name: &str| capabilities.iter().any(|capability| capability == name);
        if has("root") || has("update") && (has("create") || has("read")) || capabilities.is_empty() {
            return Ok(());
        }
        Err(self.forbidden(path))
    }

    /// Sends a request with the token, and once more with a new one if a login's token has expired meanwhile.
    fn send(&self, method: &'static str, path: &str, body: Option<&[u8]>) -> Result<VaultResponse> {
        let token = self.token()?;
        let response = self.send_with(method, path, body, Some(&token))?;
        if response.status != 403 || matches!(self.settings.auth, Auth::Token { .. }) {
            return Ok(response);
        }
        self.settings.forget_login();
        let token = self.token()?;
        self.send_with(method, path, body, Some(&token))
    }

    fn send_with(
        &self,
        method: &'static str,
        path: &str,
        body: Option<&[u8]>,
        token: Option<&Secret>,
    ) -> Result<VaultResponse> {
        let settings = self.settings;
        let url = format!("{}/v1/{path}", settings.address.trim_end_matches('/'));
        let mut backoff = FIRST_BACKOFF;
        for attempt in 1.. {
            let request = VaultRequest {
                method,
                url: url.clone(),
                token,
                namespace: settings.namespace.as_deref(),
                body: body.map(|body| SecretBuf::from(body.to_vec())),
            };
            let remaining = self.deadline.remaining();
            let result = self.transport.send(request, Deadline::after(remaining.min(REQUEST_TIMEOUT)));
            let is_transient = match &result {
                Ok(response) => {
                    matches!(response.status, 412 | 429 | 500 | 502..=504) && !is_sealed(response)
                        || is_upgrading(response)
                }
                Err(error) => error.kind() == ErrorKind::Network,
            };
            if !is_transient || attempt == MAX_ATTEMPTS || backoff >= self.deadline.remaining() {
                return result.map_err(|error| self.unreachable(error));
            }
            std::thread::sleep(backoff);
            backoff *= 2;
        }
        Err(Error::failure("no attempt was made"))
    }

    /// The token of the settings, or of a login.
    fn token(&self) -> Result<Secret> {
        let (mount, body) = match &self.settings.auth {
            Auth::Token { token, .. } => return Ok(token.clone()),
            Auth::AppRole { mount, role_id, secret_id } => {
                (mount, json!({ "role_id": role_id, "secret_id": secret_id.as_ref().map(Secret::expose) }))
            }
            Auth::Kubernetes { mount, role, jwt } => (mount, json!({ "role": role, "jwt": jwt.expose() })),
        };
        if let Some(token) = self.settings.login() {
            return Ok(token);
        }
        let body = json_body(&body)?;
        let response = self.send_with("POST", &format!("auth/{mount}/login"), Some(&body), None)?;
        match parse::<LoginResponse>(&response).filter(|_| response.status == 200) {
            Some(LoginResponse { auth }) => {
                self.settings.keep_login(auth.client_token.clone());
                Ok(auth.client_token)
            }
            None if is_sealed(&response) => Err(self.sealed()),
            None => Err(Error::store(
                StoreErrorKind::Failed,
                format!(
                    "Vault at {} rejected the login by {}",
                    self.settings.address,
                    self.settings.auth.describe()
                ),
            )
            .with_detail(describe_response(&response))
            .with_hint(self.settings.auth.repair())),
        }
    }

    fn error(&self, path: &VaultPath, response: &VaultResponse) -> Error {
        let address = &self.settings.address;
        let errors = errors(response);
        match response.status {
            503 if is_sealed(response) => self.sealed(),
            403 => self.denied(path),
            404 if errors.iter().any(|error| error.contains("no handler for route")) => Error::store(
                StoreErrorKind::Unavailable,
                format!("Vault at {address} has no secrets engine at {}", path.mount),
            )
            .with_hint("vault secrets list shows the mounts; pass --vault-path MOUNT/PATH"),
            429 | 500.. => Error::network(format!("Vault at {address} can't serve the request"))
                .with_detail(describe_response(response))
                .with_hint("try again later; vault status shows the state of the server"),
            200..=299 => Error::store(
                StoreErrorKind::Unavailable,
                format!("the response of {address} is not that of a KV version 2 engine"),
            )
            .with_detail(describe_response(response))
            .with_hint("check VAULT_ADDR, and that --vault-path names a KV version 2 engine"),
            _ => Error::store(
                StoreErrorKind::Failed,
                format!("Vault at {address} rejected the request for {path}"),
            )
            .with_detail(describe_response(response))
            .with_hint("check VAULT_ADDR, VAULT_NAMESPACE and --vault-path"),
        }
    }

    /// A 403 says as little of an expired token as of a missing policy: the token itself is asked about.
    fn denied(&self, path: &VaultPath) -> Error {
        let lookup = self
            .token()
            .and_then(|token| self.send_with("GET", "auth/token/lookup-self", None, Some(&token)));
        if lookup.is_ok_and(|response| response.status == 403) {
            return Error::store(
                StoreErrorKind::Failed,
                format!(
                    "the Vault token ({}) has expired, was revoked, or is of another server",
                    self.settings.auth.describe()
                ),
            )
            .with_detail(format!("server: {}", self.settings.address))
            .with_hint(self.settings.auth.repair());
        }
        self.forbidden(path)
    }

    fn forbidden(&self, path: &VaultPath) -> Error {
        Error::store(StoreErrorKind::Failed, format!("the Vault token may not read and update {path}"))
            .with_detail(format!("server: {}", self.settings.address))
            .with_hint(format!(
                "add to its policy: path \"{}\" {{ capabilities = [\"create\", \"read\", \"update\"] }}",
                data_path(path)
            ))
    }

    fn sealed(&self) -> Error {
        Error::store(StoreErrorKind::Locked, format!("Vault at {} is sealed", self.settings.address))
            .with_hint("unseal it: vault operator unseal (bao operator unseal)")
    }

    fn unreachable(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Network {
            return error;
        }
        let hint = match error.hint() {
            Some(hint) if hint.contains("--cacert") => hint.replace("--cacert FILE", "VAULT_CACERT=FILE"),
            _ => "check VAULT_ADDR (BAO_ADDR) and that the server is running: vault status".to_owned(),
        };
        Error::network(format!("Vault at {} can't be reached", self.settings.address))
            .with_detail(error.summary())
            .with_hint(hint)
    }
}

fn data_path(path: &VaultPath) -> String {
    format!("{}/data/{}", path.mount, path.path)
}

fn json_body(value: &impl Serialize) -> Result<SecretBuf> {
    let mut body = SecretBuf::with_capacity(4096);
    serde_json::to_writer(&mut body, value).map_err(|_| Error::failure("can't encode a request to Vault"))?;
    Ok(body)
}
