//! Client authentication by secret or signed JWT, with Keycloak's error responses.

use axum::http::HeaderMap;

use super::assertion;
use super::rejection::{Rejection, bad, invalid_client, unauthorized};
use crate::clients::{self, RegisteredClient};
use crate::params::{ClientCredentials, Params};
use crate::state::AppState;

/// The client that a request authenticates.
pub(super) fn authenticate(
    state: &AppState,
    realm: &str,
    headers: &HeaderMap,
    params: &Params,
) -> Result<&'static RegisteredClient, Rejection> {
    if let Some(authenticated) = assertion::authenticate(state, realm, params) {
        return authenticated;
    }
    let ClientCredentials { id, secret } = ClientCredentials::from_request(headers, params);
    let client = id.as_deref().and_then(clients::find).filter(|client| client.enabled);
    let client = client.ok_or_else(invalid_client)?;
    if client.assertion_only {
        return Err(bad("invalid_client", "Parameter client_assertion_type is missing"));
    }
    if !client.accepts_secret(secret.as_deref()) {
        return Err(unauthorized("unauthorized_client"));
    }
    Ok(client)
}
