//! An error response of a token endpoint, as an error with the next step.

use crate::error::Error;
use crate::http::HttpResponse;
use crate::oauth::grant::GrantType;
use crate::oauth::product::Product;
use crate::oauth::response::TokenError;
use crate::profile::Profile;
use crate::text::{MAX_SNIPPET_LEN, sanitize};

/// The flags that determine the token endpoint.
const CHECK_ENDPOINT: &str = "check --gateway, --realm, --plan and --token-url";

/// Returns the error for a response without a token. The profile need not be saved yet.
pub fn into_error(
    profile: &Profile,
    grant_type: GrantType,
    error: TokenError,
    response: &HttpResponse,
) -> Error {
    match error {
        TokenError::Invalid(problem) => Error::protocol(format!(
            "invalid token response from {}: {}",
            profile.token_url,
            response.redacted(&problem, MAX_SNIPPET_LEN)
        ))
        .with_detail(response.snippet())
        .with_hint(format!("{CHECK_ENDPOINT}; -v traces the requests")),
        TokenError::Blocked { status } => blocked(profile, status, response),
        TokenError::Denied { status, error, description } => {
            let description = description.map(|text| response.redacted(&text, MAX_SNIPPET_LEN));
            denied(profile, grant_type, status, &response.redacted(&error, 100), description.as_deref())
        }
    }
}

fn blocked(profile: &Profile, status: u16, response: &HttpResponse) -> Error {
    let message = match status {
        403 => format!("a gateway in front of {} blocked the request", profile.token_url),
        404 => format!("no token endpoint at {}", profile.token_url),
        405 | 415 => format!("{} does not accept token requests", profile.token_url),
        _ => format!("{} rejected the request without an OAuth error", profile.token_url),
    };
    let hint = match status {
        403 => {
            "1up blocks clients outside the United States; a firewall or proxy on your side can answer 403 too"
        }
        _ => CHECK_ENDPOINT,
    };
    Error::auth(message).with_detail(response.snippet()).with_hint(hint)
}

fn denied(
    profile: &Profile,
    grant_type: GrantType,
    status: u16,
    error: &str,
    description: Option<&str>,
) -> Error {
    let (message, hint) = meaning(profile, grant_type, status, error);
    let response = match description {
        Some(text) => format!("{error}: {text} (HTTP {status})"),
        None => format!("{error} (HTTP {status})"),
    };
    Error::auth(message)
        .with_detail(format_args!("endpoint: {}\nserver: {response}", profile.origin()))
        .with_hint(hint)
}

/// The message and the hint, by status and `error`: the description differs between versions.
fn meaning(profile: &Profile, grant_type: GrantType, status: u16, error: &str) -> (String, String) {
    let login = profile.login_command();
    let client = &sanitize(&profile.client_id, 100);
    let is_plan = profile.product == Product::Patient && profile.realm.is_none();
    match error {
        "invalid_client" if is_plan => (
            format!("the health plan does not accept client {client}"),
            "check client ID and secret; 1up must first sync a new client to the plan: write to \
             payer-patient-access@1up.health with company, description and client ID"
                .into(),
        ),
        "invalid_client" if status == 400 => (
            format!("the server does not accept how client {client} authenticates, or does not know it"),
            format!("check the client ID and its authentication method in the Dev Portal, then {login}"),
        ),
        "invalid_client" => (
            format!("the realm does not know client {client}, or has disabled it"),
            format!("check the client ID in the Dev Portal, then {login}"),
        ),
        "unauthorized_client" => (
            format!("wrong client secret, or client {client} may not use this grant"),
            format!("copy the secret from the Dev Portal again, then {login}"),
        ),
        "invalid_scope" => (
            format!("client {client} does not get the scope {}", sanitize(&profile.scope, 200)),
            format!("request one that the client has: {login} --scope 'SCOPE'"),
        ),
        "invalid_grant" if grant_type == GrantType::AuthorizationCode => (
            "invalid authorization code: already used, older than 5 minutes, or for another redirect URI"
                .into(),
            login,
        ),
        "invalid_grant" if grant_type == GrantType::ClientCredentials => (
            format!("the server does not accept the credentials of client {client}"),
            format!("check the client in the Dev Portal, then {login}"),
        ),
        "invalid_grant" => ("refresh token expired or revoked".into(), login),
        "unsupported_grant_type" => {
            ("the server does not support this grant type".into(), CHECK_ENDPOINT.into())
        }
        "Realm does not exist" => {
            (format!("{} does not exist", profile.origin()), format!("{login} --realm NAME"))
        }
        // Keycloak's error for an unknown path.
        _ if status == 404 => (format!("no token endpoint at {}", profile.token_url), CHECK_ENDPOINT.into()),
        _ if matches!(status, 405 | 415) => {
            (format!("{} does not accept token requests", profile.token_url), CHECK_ENDPOINT.into())
        }
        _ => (
            "the authorization server rejected the request".into(),
            format!("check the client in the Dev Portal, then {login}"),
        ),
    }
}
