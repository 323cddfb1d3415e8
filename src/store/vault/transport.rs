//! What the store needs of an HTTP client.

use crate::error::Result;
use crate::oauth::secret::{Secret, SecretBuf};
use crate::system::deadline::Deadline;

/// Sends a request to Vault. Every status is a response.
pub trait Transport: Send + Sync {
    /// Sends the request once.
    ///
    /// # Errors
    /// Usage for plain http to another host; network.
    fn send(&self, request: VaultRequest, deadline: Deadline) -> Result<VaultResponse>;
}

/// A request.
pub struct VaultRequest<'a> {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// The whole URL.
    pub url: String,
    /// `X-Vault-Token`.
    pub token: Option<&'a Secret>,
    /// `X-Vault-Namespace`.
    pub namespace: Option<&'a str>,
    /// A JSON body.
    pub body: Option<SecretBuf>,
}

/// A response of any status.
pub struct VaultResponse {
    /// The HTTP status.
    pub status: u16,
    /// The server's clock (`Date`), in seconds since the epoch.
    pub date: Option<i64>,
    /// The body.
    pub body: SecretBuf,
}
