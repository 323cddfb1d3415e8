//! The demo health plan: a consent page, opaque tokens, a refresh token that stays the same.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;

use super::clients::{self, RegisteredClient};
use super::grants::{AuthServer, CodeExchange, GrantError, IssuedToken, SsoSession};
use super::params::{ClientCredentials, Params};
use super::state::{AppState, Shared, now};
use super::{authorize, consent, keys, members, response};

/// The token endpoint.
pub(crate) const TOKEN_PATH: &str = "/oauth2/token";

/// The system IDs of 1up's demo plans.
const SYSTEMS: [&str; 4] = ["test", "demoplan", "payer2payer", "digitalinsurance"];

pub(crate) fn routes() -> Router<Shared> {
    Router::new()
        .route("/oauth2/authorize/{system}", get(authorize).post(decide))
        .route(TOKEN_PATH, post(token))
        .method_not_allowed_fallback(async || {
            response::oauth_error(StatusCode::METHOD_NOT_ALLOWED, "invalid_request", "Method not allowed")
        })
}

async fn authorize(
    State(state): State<Shared>,
    Path(system): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    if !SYSTEMS.contains(&system.as_str()) {
        return consent::error_page("Unknown health plan", "The sandbox has the system “test”.");
    }
    let query = Params::parse(query.unwrap_or_default().as_bytes());
    authorize::show(&state, AuthServer::Plan, &format!("/oauth2/authorize/{system}"), &query)
}

async fn decide(State(state): State<Shared>, body: Bytes) -> Response {
    authorize::decide(&state, &Params::parse(&body))
}

async fn token(State(state): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let params = Params::from_body(&headers, &body);
    respond(&state, &headers, &params).unwrap_or_else(|(status, error, description)| {
        let rejection = response::oauth_error(status, error, description);
        if status == StatusCode::UNAUTHORIZED && headers.contains_key(header::AUTHORIZATION) {
            response::with_header(rejection, header::WWW_AUTHENTICATE, "Basic realm=\"demo plan\"")
        } else {
            rejection
        }
    })
}

/// An error response: status, `error`, `error_description`.
type Rejection = (StatusCode, &'static str, &'static str);

fn respond(state: &AppState, headers: &HeaderMap, params: &Params) -> Result<Response, Rejection> {
    let bad = |error, description| (StatusCode::BAD_REQUEST, error, description);
    if params.has_duplicates() {
        return Err(bad("invalid_request", "A parameter is repeated"));
    }
    let client = authenticate(&ClientCredentials::from_request(headers, params)).ok_or((
        StatusCode::UNAUTHORIZED,
        "invalid_client",
        "Unknown client or wrong client secret",
    ))?;
    let grant = params.get("grant_type").ok_or(bad("invalid_request", "grant_type is missing"))?;
    let invalid = |error| bad("invalid_grant", describe(error));
    match grant {
        "authorization_code" => {
            let code = params.get("code").ok_or(bad("invalid_request", "code is missing"))?;
            let by = CodeExchange {
                server: AuthServer::Plan,
                client: client.id,
                redirect_uri: params.get("redirect_uri"),
                verifier: params.get("code_verifier"),
            };
            let session = state.grants().exchange_code(code, &by, now()).map_err(invalid)?;
            let refresh_token = state.grants().issue_refresh_token(&session.id);
            Ok(issue(state, session, Some(refresh_token)))
        }
        "refresh_token" => {
            let token =
                params.get("refresh_token").ok_or(bad("invalid_request", "refresh_token is missing"))?;
            let session = state.grants().refresh(token, &AuthServer::Plan, client.id, now());
            Ok(issue(state, session.map_err(invalid)?, None))
        }
        _ => Err(bad("unsupported_grant_type", "The plan takes authorization_code and refresh_token")),
    }
}

fn authenticate(credentials: &ClientCredentials) -> Option<&'static RegisteredClient> {
    let client = clients::find(credentials.id.as_deref()?)?;
    let usable = client.enabled && !client.assertion_only;
    (usable && client.accepts_secret(credentials.secret.as_deref())).then_some(client)
}

fn describe(error: GrantError) -> &'static str {
    match error {
        GrantError::Code => "The code is unknown, already used or older than 5 minutes",
        GrantError::RedirectUri => "The redirect_uri differs from that of the authorization request",
        GrantError::VerifierMissing => "code_verifier is missing",
        GrantError::VerifierUnexpected => "The authorization request had no code_challenge",
        GrantError::VerifierWrong => "The code_verifier does not match the code_challenge",
        GrantError::RefreshToken | GrantError::Reused | GrantError::SessionEnded => {
            "The refresh token is not valid"
        }
    }
}

fn issue(state: &AppState, session: SsoSession, refresh_token: Option<String>) -> Response {
    let token = keys::random_hex(32);
    let now = now();
    let mut body = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": state.token_lifetime, "scope": session.scope,
    });
    if let Some(refresh_token) = refresh_token {
        body["refresh_token"] = json!(refresh_token);
    }
    if session.scope.split_whitespace().any(|scope| scope == "launch/patient") {
        body["patient"] = json!(members::MEMBER);
    }
    let issued = IssuedToken {
        server: AuthServer::Plan,
        client: session.client,
        scope: session.scope,
        session: Some(session.id),
        expires_at: now.saturating_add(state.token_lifetime),
        claims: None,
        revoked: false,
        uses: 0,
    };
    state.grants().store_token(&token, issued, now);
    response::json(StatusCode::OK, &body)
}
