//! Client authentication, with Keycloak's error responses.

use axum::http::{HeaderMap, StatusCode};

use crate::clients::{self, RegisteredClient};
use crate::params::{ClientCredentials, Params};

/// An error response of Keycloak's: status, `error`, `error_description`.
pub(super) type Rejection = (StatusCode, &'static str, String);

/// The client that a request authenticates.
pub(super) fn authenticate(
    headers: &HeaderMap,
    params: &Params,
) -> Result<&'static RegisteredClient, Rejection> {
    let unauthorized =
        |error| (StatusCode::UNAUTHORIZED, error, "Invalid client or Invalid client credentials".to_owned());
    let ClientCredentials { id, secret } = ClientCredentials::from_request(headers, params);
    let client = id.as_deref().and_then(clients::find).filter(|client| client.enabled);
    let client = client.ok_or_else(|| unauthorized("invalid_client"))?;
    if client.assertion_only {
        let missing = "Parameter client_assertion_type is missing".to_owned();
        return Err((StatusCode::BAD_REQUEST, "invalid_client", missing));
    }
    if !client.accepts_secret(secret.as_deref()) {
        return Err(unauthorized("unauthorized_client"));
    }
    Ok(client)
}
