//! What a response of Vault says.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::transport::VaultResponse;
use crate::text::{MAX_SNIPPET_LEN, sanitize};

/// Parses the body.
pub(super) fn parse<T: DeserializeOwned>(response: &VaultResponse) -> Option<T> {
    serde_json::from_slice(&response.body).ok()
}

#[derive(Deserialize)]
struct ErrorResponse {
    errors: Vec<String>,
}

/// The messages of an error response. They hold no secrets.
pub(super) fn errors(response: &VaultResponse) -> Vec<String> {
    parse::<ErrorResponse>(response).map(|response| response.errors).unwrap_or_default()
}

/// Whether it is an error response of Vault.
pub(super) fn has_errors(response: &VaultResponse) -> bool {
    parse::<ErrorResponse>(response).is_some()
}

/// Whether the server is sealed.
pub(super) fn is_sealed(response: &VaultResponse) -> bool {
    response.status == 503 && errors(response).iter().any(|error| error.contains("sealed"))
}

/// A new mount of KV version 2 serves no requests for a moment.
pub(super) fn is_upgrading(response: &VaultResponse) -> bool {
    response.status == 400
        && errors(response).iter().any(|error| error.starts_with("Upgrading from non-versioned"))
}

/// Describes an error response.
pub(super) fn describe_response(response: &VaultResponse) -> String {
    let errors = errors(response).join("; ").split_whitespace().collect::<Vec<_>>().join(" ");
    let colon = if errors.is_empty() { "" } else { ": " };
    format!("HTTP {}{colon}{}", response.status, sanitize(&errors, MAX_SNIPPET_LEN))
}

/// Parses an RFC 3339 time into seconds since the epoch.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_second)
}
