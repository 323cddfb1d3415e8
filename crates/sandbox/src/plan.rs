//! The demo health plan: a page for a person, opaque tokens, a refresh token that stays the same.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::json;

use super::clients::{self, Client};
use super::params::{Credentials, Form};
use super::grants::{Issued, Redemption, Refusal, Server, Session};
use super::server::Shared;
use super::state::{World, now};
use super::{authorize, consent, keys, response};

/// Where codes and refresh tokens become access tokens.
pub(crate) const TOKEN_PATH: &str = "/oauth2/token";

/// The systems that 1up's demo plans have had.
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
    State(world): State<Shared>,
    Path(system): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    if !SYSTEMS.contains(&system.as_str()) {
        return consent::refusal("There is no such health plan here", "The sandbox has the system “test”.");
    }
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    authorize::show(&world, Server::Plan, &format!("/oauth2/authorize/{system}"), &query)
}

async fn decide(State(world): State<Shared>, body: Bytes) -> Response {
    authorize::decide(&world, &Form::parse(&body))
}

async fn token(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let form = Form::of(&headers, &body);
    answer(&world, &headers, &form).unwrap_or_else(|(status, error, description)| {
        let refusal = response::oauth_error(status, error, description);
        let basic = status == StatusCode::UNAUTHORIZED && headers.contains_key(header::AUTHORIZATION);
        if basic {
            response::with(refusal, header::WWW_AUTHENTICATE, "Basic realm=\"demo plan\"")
        } else {
            refusal
        }
    })
}

type Refused = (StatusCode, &'static str, &'static str);

fn answer(world: &World, headers: &HeaderMap, form: &Form) -> Result<Response, Refused> {
    let bad = |error, description| (StatusCode::BAD_REQUEST, error, description);
    if form.has_duplicates() {
        return Err(bad("invalid_request", "A parameter is repeated"));
    }
    let client = authenticate(&Credentials::of(headers, form)).ok_or((
        StatusCode::UNAUTHORIZED,
        "invalid_client",
        "The client is not known, or its secret is wrong",
    ))?;
    let grant = form.get("grant_type").ok_or(bad("invalid_request", "grant_type is missing"))?;
    let invalid = |refusal| bad("invalid_grant", in_words(refusal));
    match grant {
        "authorization_code" => {
            let code = form.get("code").ok_or(bad("invalid_request", "code is missing"))?;
            let by = Redemption {
                server: Server::Plan,
                client: client.id,
                redirect_uri: form.get("redirect_uri"),
                verifier: form.get("code_verifier"),
            };
            let session = world.grants().redeem(code, &by, now()).map_err(invalid)?;
            let refresh = world.grants().refresh_token(&session.id);
            Ok(issue(world, session, Some(refresh)))
        }
        "refresh_token" => {
            let token =
                form.get("refresh_token").ok_or(bad("invalid_request", "refresh_token is missing"))?;
            let session = world.grants().refresh(token, Server::Plan, client.id, now()).map_err(invalid)?;
            Ok(issue(world, session, None))
        }
        _ => Err(bad("unsupported_grant_type", "The plan takes authorization_code and refresh_token")),
    }
}

fn authenticate(credentials: &Credentials) -> Option<&'static Client> {
    let client = clients::find(credentials.id.as_deref()?)?;
    let known = client.enabled && !client.assertion_only;
    (known && (client.secret.is_none() || client.secret == credentials.secret.as_deref())).then_some(client)
}

fn in_words(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Code => "The code is not known, has been used, or is older than 5 minutes",
        Refusal::RedirectUri => "The redirect_uri is not the one that the code was asked for with",
        Refusal::VerifierMissing => "code_verifier is missing",
        Refusal::VerifierUnexpected => "The code was asked for without a code_challenge",
        Refusal::VerifierWrong => "The code_verifier does not match the code_challenge",
        Refusal::RefreshToken | Refusal::Reused | Refusal::SessionEnded => "The refresh token is not valid",
    }
}

fn issue(world: &World, session: Session, refresh: Option<String>) -> Response {
    let token = keys::random_hex(32);
    let now = now();
    let mut answer = json!({
        "access_token": token, "token_type": "Bearer", "expires_in": world.lifetime, "scope": session.scope,
    });
    if let Some(refresh) = refresh {
        answer["refresh_token"] = json!(refresh);
    }
    if session.scope.split_whitespace().any(|scope| scope == "launch/patient") {
        answer["patient"] = json!(super::fhir::MEMBER);
    }
    let issued = Issued {
        client: session.client,
        scope: session.scope,
        session: Some(session.id),
        expires: now.saturating_add(world.lifetime),
        claims: None,
        revoked: false,
    };
    world.grants().remember(&token, issued, now);
    response::json(StatusCode::OK, &answer)
}
