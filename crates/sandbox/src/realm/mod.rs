//! The `dev-portal` realm, as Keycloak 26 answers it: its paths, its statuses, its words.

mod inspection;
mod token;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{any, get, post};
use serde_json::{Value, json};

use super::clients::{self, Client};
use super::params::{Credentials, Form};
use super::grants::Server;
use super::server::Shared;
use super::state::World;
use super::{authorize, response};

/// Where everything of the realm begins.
const REALM_PATH: &str = "/auth/realms/dev-portal";
/// Where secrets, codes and refresh tokens become access tokens.
pub(crate) const TOKEN_PATH: &str = "/auth/realms/dev-portal/protocol/openid-connect/token";
/// Where the page of consent posts to.
const DECISION_PATH: &str = "/auth/realms/dev-portal/login-actions/authenticate";

pub(crate) fn routes() -> Router<Shared> {
    let oidc = |name: &str| format!("{REALM_PATH}/protocol/openid-connect/{name}");
    let known = Router::new()
        .route(&format!("{REALM_PATH}/.well-known/openid-configuration"), get(discovery))
        .route(TOKEN_PATH, post(token::token))
        .route(&oidc("auth"), get(show).post(show_posted))
        .route(DECISION_PATH, post(decide))
        .route(&oidc("certs"), get(certs))
        .route(&oidc("token/introspect"), post(inspection::introspect))
        .route(&oidc("revoke"), post(inspection::revoke))
        .method_not_allowed_fallback(async || {
            response::plain_error(StatusCode::METHOD_NOT_ALLOWED, "HTTP 405 Method Not Allowed")
        });
    let nothing = any(async || response::plain_error(StatusCode::NOT_FOUND, "HTTP 404 Not Found"));
    let no_realm = any(async || response::plain_error(StatusCode::NOT_FOUND, "Realm does not exist"));
    known.route(&format!("{REALM_PATH}/{{*path}}"), nothing).route("/auth/realms/{*path}", no_realm)
}

/// The realm's issuer, below which all of its endpoints are.
pub(crate) fn issuer(world: &World) -> String {
    format!("{}{REALM_PATH}", world.base)
}

async fn discovery(State(world): State<Shared>) -> Response {
    let issuer = issuer(&world);
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
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "offline_access", "bulk-data|user/*.rs", "patient/*.read", "launch/patient"],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "jti", "azp", "acr", "preferred_username"],
        "authorization_response_iss_parameter_supported": true,
    });
    response::json(StatusCode::OK, &document)
}

async fn show(State(world): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    authorize::show(&world, Server::Realm, DECISION_PATH, &query)
}

async fn show_posted(State(world): State<Shared>, body: Bytes) -> Response {
    authorize::show(&world, Server::Realm, DECISION_PATH, &Form::parse(&body))
}

async fn decide(State(world): State<Shared>, body: Bytes) -> Response {
    authorize::decide(&world, &Form::parse(&body))
}

async fn certs(State(world): State<Shared>) -> Response {
    world.keys.jwks().map_or_else(
        |_| response::plain_error(StatusCode::INTERNAL_SERVER_ERROR, "unknown_error"),
        |jwks| response::json(StatusCode::OK, &jwks),
    )
}

/// Why Keycloak doesn't take a client: status, error, description.
type Refused = (StatusCode, &'static str, String);

fn authenticate(headers: &HeaderMap, form: &Form) -> Result<&'static Client, Refused> {
    let refused =
        |error| (StatusCode::UNAUTHORIZED, error, "Invalid client or Invalid client credentials".to_owned());
    let Credentials { id, secret } = Credentials::of(headers, form);
    let client = id.as_deref().and_then(clients::find).filter(|client| client.enabled);
    let client = client.ok_or_else(|| refused("invalid_client"))?;
    if client.assertion_only {
        let missing = "Parameter client_assertion_type is missing".to_owned();
        return Err((StatusCode::BAD_REQUEST, "invalid_client", missing));
    }
    if client.secret.is_some() && client.secret != secret.as_deref() {
        return Err(refused("unauthorized_client"));
    }
    Ok(client)
}
