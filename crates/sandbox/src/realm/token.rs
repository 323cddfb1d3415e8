//! The token endpoint: which grant, which client, which refusal, in Keycloak's order.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::{Refused, authenticate, issuer};
use crate::clients::Client;
use crate::params::Form;
use crate::grants::{Issued, Redemption, Refusal, SESSION_LIFETIME, Server, Session};
use crate::keys;
use crate::response;
use crate::scope;
use crate::server::Shared;
use crate::state::{World, now};

pub(crate) async fn token(State(world): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    let form = Form::of(&headers, &body);
    answer(&world, &headers, &form).map_or_else(
        |(status, error, description)| response::oauth_error(status, error, &description),
        |answer| response::json(StatusCode::OK, &answer),
    )
}

fn answer(world: &World, headers: &HeaderMap, form: &Form) -> Result<Value, Refused> {
    let grant =
        form.raw("grant_type").ok_or_else(|| bad("invalid_request", "Missing form parameter: grant_type"))?;
    let grant = match grant {
        "client_credentials" => client_credentials,
        "authorization_code" => authorization_code,
        "refresh_token" => refresh_token,
        _ => return Err(bad("unsupported_grant_type", "Unsupported grant_type")),
    };
    let client = authenticate(headers, form)?;
    if form.has_duplicates() {
        return Err(bad("invalid_request", "duplicated parameter"));
    }
    grant(world, client, form)
}

fn bad(error: &'static str, description: &str) -> Refused {
    (StatusCode::BAD_REQUEST, error, description.to_owned())
}

fn client_credentials(world: &World, client: &Client, form: &Form) -> Result<Value, Refused> {
    let unauthorized = |why: &str| (StatusCode::UNAUTHORIZED, "unauthorized_client", why.to_owned());
    if client.secret.is_none() {
        return Err(unauthorized("Public client not allowed to retrieve service account"));
    }
    if !client.service_account {
        return Err(unauthorized("Client not enabled to retrieve service account"));
    }
    let scope = form.raw("scope").unwrap_or_default();
    if form.raw("scope").is_some() && !scope::known_to_realm(scope) {
        return Err(bad("invalid_scope", &format!("Invalid scopes: {scope}")));
    }
    let mut claims = claims(world, client.id, scope, &format!("service-account-{}", client.id));
    claims["client_id"] = json!(client.id);
    claims["clientHost"] = json!("127.0.0.1");
    claims["clientAddress"] = json!("127.0.0.1");
    let identity = identity(world, &claims)?;
    let token = issue(world, claims, client.id, scope, None)?;
    let mut answer = success(world, token, scope, 0);
    if let Some(identity) = identity {
        answer["id_token"] = json!(identity);
    }
    Ok(answer)
}

fn authorization_code(world: &World, client: &Client, form: &Form) -> Result<Value, Refused> {
    let code = form.get("code").ok_or_else(|| bad("invalid_request", "Missing parameter: code"))?;
    let by = Redemption {
        server: Server::Realm,
        client: client.id,
        redirect_uri: form.get("redirect_uri"),
        verifier: form.get("code_verifier"),
    };
    let session = world.grants().redeem(code, &by, now()).map_err(invalid_grant)?;
    renew(world, &session)
}

fn refresh_token(world: &World, client: &Client, form: &Form) -> Result<Value, Refused> {
    let token = form.get("refresh_token").ok_or_else(|| bad("invalid_request", "No refresh token"))?;
    let session = world.grants().refresh(token, Server::Realm, client.id, now()).map_err(invalid_grant)?;
    renew(world, &session)
}

fn invalid_grant(refusal: Refusal) -> Refused {
    let description = match refusal {
        Refusal::Code => "Code not valid",
        Refusal::RedirectUri => "Incorrect redirect_uri",
        Refusal::VerifierMissing => "PKCE code verifier not specified",
        Refusal::VerifierUnexpected => {
            "PKCE code verifier specified but challenge not present in the request"
        }
        Refusal::VerifierWrong => "PKCE verification failed: Code mismatch",
        Refusal::RefreshToken => "Invalid refresh token",
        Refusal::Reused => "Maximum allowed refresh token reuse exceeded",
        Refusal::SessionEnded => "Session not active",
    };
    bad("invalid_grant", description)
}

/// A new access token and a new refresh token for a session.
fn renew(world: &World, session: &Session) -> Result<Value, Refused> {
    let mut claims = claims(world, &session.client, &session.scope, "john.allen");
    claims["sid"] = json!(session.id);
    claims["name"] = json!("John Allen");
    let identity = identity(world, &claims)?;
    let token = issue(world, claims, &session.client, &session.scope, Some(&session.id))?;
    let mut answer = success(world, token, &session.scope, SESSION_LIFETIME);
    answer["refresh_token"] = json!(world.grants().refresh_token(&session.id));
    answer["session_state"] = json!(session.id);
    if let Some(identity) = identity {
        answer["id_token"] = json!(identity);
    }
    Ok(answer)
}

/// The ID token, where the scope asks for one.
fn identity(world: &World, claims: &Value) -> Result<Option<String>, Refused> {
    let asked = claims["scope"].as_str().is_some_and(|scope| scope.split(' ').any(|token| token == "openid"));
    let mut claims = claims.clone();
    claims["typ"] = json!("ID");
    asked.then(|| sign(world, &claims)).transpose()
}

fn claims(world: &World, client: &str, scope: &str, username: &str) -> Value {
    let now = now();
    json!({
        "exp": now.saturating_add(world.lifetime), "iat": now, "jti": format!("trrtcc:{}", keys::random_id()),
        "iss": issuer(world), "aud": client, "sub": keys::id_of(username), "typ": "Bearer", "azp": client,
        "acr": "1", "scope": scope, "preferred_username": username,
    })
}

fn sign(world: &World, claims: &Value) -> Result<String, Refused> {
    let failed = |_| (StatusCode::INTERNAL_SERVER_ERROR, "unknown_error", "No key to sign with".to_owned());
    world.keys.sign(claims).map_err(failed)
}

fn issue(
    world: &World,
    claims: Value,
    client: &str,
    scope: &str,
    session: Option<&str>,
) -> Result<String, Refused> {
    let token = sign(world, &claims)?;
    let now = now();
    let issued = Issued {
        client: client.to_owned(),
        scope: scope.to_owned(),
        session: session.map(str::to_owned),
        expires: now.saturating_add(world.lifetime),
        claims: Some(claims),
        revoked: false,
    };
    world.grants().remember(&token, issued, now);
    Ok(token)
}

fn success(world: &World, token: String, scope: &str, refreshable: i64) -> Value {
    json!({
        "access_token": token, "expires_in": world.lifetime, "refresh_expires_in": refreshable,
        "token_type": "Bearer", "not-before-policy": 0, "scope": scope,
    })
}
