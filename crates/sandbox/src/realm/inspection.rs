//! Introspection (RFC 7662) and revocation (RFC 7009), with Keycloak's answers.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::authenticate;
use crate::params::Form;
use crate::response;
use crate::server::Shared;
use crate::state::now;

pub(crate) async fn introspect(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let form = Form::of(&headers, &body);
    let client = match authenticate(&headers, &form) {
        Ok(client) if client.secret.is_some() => client,
        Ok(_) => return response::oauth_error(StatusCode::FORBIDDEN, "invalid_request", "Client not allowed."),
        // Introspection has words of its own for a wrong secret.
        Err((status, "unauthorized_client", _)) => {
            return response::oauth_error(status, "invalid_client", "Client authentication failed.");
        }
        Err((status, error, description)) => return response::oauth_error(status, error, &description),
    };
    let Some(token) = form.get("token") else {
        return response::oauth_error(StatusCode::BAD_REQUEST, "invalid_request", "Token not provided.");
    };
    let grants = world.grants();
    let claims = grants.find(token, now()).filter(|issued| issued.client == client.id);
    let view = claims.and_then(|issued| issued.claims.clone()).map_or_else(
        || json!({ "active": false }),
        |mut claims: Value| {
            claims["client_id"] = json!(client.id);
            claims["username"] = claims["preferred_username"].clone();
            claims["token_type"] = json!("Bearer");
            claims["active"] = json!(true);
            claims
        },
    );
    response::json(StatusCode::OK, &view)
}

pub(crate) async fn revoke(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let form = Form::of(&headers, &body);
    let client = match authenticate(&headers, &form) {
        Ok(client) => client,
        Err((status, error, description)) => return response::oauth_error(status, error, &description),
    };
    let Some(token) = form.get("token") else {
        return response::oauth_error(StatusCode::BAD_REQUEST, "invalid_request", "Token not provided");
    };
    let mut grants = world.grants();
    match grants.owner(token, now()).map(|owner| owner == client.id) {
        // RFC 7009 §2.2 wants 200 for a token that isn't known; Keycloak says why in the body.
        None => response::oauth_error(StatusCode::OK, "invalid_token", "Invalid token"),
        Some(false) => response::oauth_error(StatusCode::BAD_REQUEST, "invalid_token", "Unmatching clients"),
        Some(true) => {
            grants.revoke(token);
            response::empty(StatusCode::OK)
        }
    }
}
