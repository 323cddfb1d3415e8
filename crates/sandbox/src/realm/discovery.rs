//! The realm's public documents: OpenID Connect Discovery and the JWK set.

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Value, json};

use crate::response;
use crate::state::AppState;

/// The realm's `.well-known/openid-configuration`.
pub(super) fn configuration(state: &AppState, realm: &str) -> Response {
    let issuer = state.issuer(realm);
    let oidc = |name: &str| format!("{issuer}/protocol/openid-connect/{name}");
    let document: Value = json!({
        "issuer": issuer,
        "authorization_endpoint": oidc("auth"),
        "token_endpoint": oidc("token"),
        "introspection_endpoint": oidc("token/introspect"),
        "revocation_endpoint": oidc("revoke"),
        "jwks_uri": oidc("certs"),
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "offline_access", "bulk-data|user/*.rs", "member-match-sandbox", "patient/*.read", "launch/patient"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "jti", "azp", "acr", "preferred_username"],
        "authorization_response_iss_parameter_supported": true,
    });
    response::json(StatusCode::OK, &document)
}

/// The realm's JWK set.
pub(super) fn certs(state: &AppState) -> Response {
    state.keys.jwks().map_or_else(
        |_| response::bare_error(StatusCode::INTERNAL_SERVER_ERROR, "unknown_error"),
        |jwks| response::json(StatusCode::OK, &jwks),
    )
}
