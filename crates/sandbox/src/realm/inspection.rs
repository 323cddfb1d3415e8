//! Introspection (RFC 7662) and revocation (RFC 7009), with Keycloak's responses.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::client_auth::authenticate;
use crate::grants::AuthServer;
use crate::params::Params;
use crate::response;
use crate::state::{AppState, now};

pub(super) fn introspect(state: &AppState, realm: &str, headers: &HeaderMap, params: &Params) -> Response {
    let client = match authenticate(state, realm, headers, params) {
        Ok(client) if client.confidential => client,
        Ok(_) => {
            return response::oauth_error(StatusCode::FORBIDDEN, "invalid_request", "Client not allowed.");
        }
        // Keycloak has another error and text for a wrong secret here.
        Err((status, "unauthorized_client", _)) => {
            return response::oauth_error(status, "invalid_client", "Client authentication failed.");
        }
        Err((status, error, description)) => return response::oauth_error(status, error, &description),
    };
    let Some(token) = params.get("token") else {
        return response::oauth_error(StatusCode::BAD_REQUEST, "invalid_request", "Token not provided.");
    };
    let grants = state.grants();
    let server = AuthServer::Realm(realm.to_owned());
    let issued = grants
        .valid_token(token, now())
        .filter(|issued| issued.client == client.id && issued.server == server);
    let body = issued.and_then(|issued| issued.claims.clone()).map_or_else(
        || json!({ "active": false }),
        |mut claims: Value| {
            claims["client_id"] = json!(client.id);
            claims["username"] = claims["preferred_username"].clone();
            claims["token_type"] = json!("Bearer");
            claims["active"] = json!(true);
            claims
        },
    );
    response::json(StatusCode::OK, &body)
}

pub(super) fn revoke(state: &AppState, realm: &str, headers: &HeaderMap, params: &Params) -> Response {
    let client = match authenticate(state, realm, headers, params) {
        Ok(client) => client,
        Err((status, error, description)) => return response::oauth_error(status, error, &description),
    };
    let Some(token) = params.get("token") else {
        return response::oauth_error(StatusCode::BAD_REQUEST, "invalid_request", "Token not provided");
    };
    let mut grants = state.grants();
    match grants.owner(token, now()).map(|owner| owner == client.id) {
        // RFC 7009 §2.2 requires 200 for an unknown token; Keycloak gives the reason in the body.
        None => response::oauth_error(StatusCode::OK, "invalid_token", "Invalid token"),
        Some(false) => response::oauth_error(StatusCode::BAD_REQUEST, "invalid_token", "Unmatching clients"),
        Some(true) => {
            grants.revoke(token);
            response::empty(StatusCode::OK)
        }
    }
}
