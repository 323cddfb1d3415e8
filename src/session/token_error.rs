//! An authorization server's no, translated into what the person must do next.

use crate::error::Error;
use crate::http::HttpResponse;
use crate::oauth::grant::GrantType;
use crate::oauth::product::Product;
use crate::oauth::response::TokenError;
use crate::profile::Profile;
use crate::text::{MAX_SNIPPET_LEN, sanitize};

/// The flags that say where the token endpoint is.
const ADDRESSES: &str = "check --gateway, --realm, --plan and --token-url";

/// Explains a refusal. `profile` is the one that asked; it need not be saved yet.
pub fn into_error(profile: &Profile, grant: GrantType, refusal: TokenError, answer: &HttpResponse) -> Error {
    match refusal {
        TokenError::Invalid(why) => Error::protocol(format!(
            "{} gave no valid OAuth answer: {}",
            profile.token_url,
            sanitize(&why, MAX_SNIPPET_LEN)
        ))
        .with_detail(if may_hold_tokens(answer) {
            format!("HTTP {}", answer.status)
        } else {
            answer.snippet()
        })
        .with_hint(format!("{ADDRESSES}; trace it with -v")),
        TokenError::Blocked { status } => blocked(profile, status, answer),
        TokenError::Denied { status, error, description } => {
            denied(profile, grant, status, &error, description.as_deref())
        }
    }
}

/// Whatever the content type is: a token answer that is not valid is one all the same.
fn may_hold_tokens(answer: &HttpResponse) -> bool {
    let is_json = answer.content_type.as_deref().is_some_and(|kind| kind.contains("json"));
    is_json || String::from_utf8_lossy(&answer.body).contains("_token")
}

fn blocked(profile: &Profile, status: u16, answer: &HttpResponse) -> Error {
    let what = match status {
        403 => format!("a gateway before {} blocked the request", profile.token_url),
        404 => format!("there is no token endpoint at {}", profile.token_url),
        _ => format!("{} refused the request without an OAuth error", profile.token_url),
    };
    let hint = match status {
        403 => "a firewall answered, not the authorization server: check the network and the address",
        _ => ADDRESSES,
    };
    Error::auth(what).with_detail(answer.snippet()).with_hint(hint)
}

fn denied(profile: &Profile, grant: GrantType, status: u16, error: &str, description: Option<&str>) -> Error {
    let (what, hint) = meaning(profile, grant, status, error);
    let said = match description {
        Some(text) => {
            format!("{}: {} (HTTP {status})", sanitize(error, 100), sanitize(text, MAX_SNIPPET_LEN))
        }
        None => format!("{} (HTTP {status})", sanitize(error, 100)),
    };
    Error::auth(what)
        .with_detail(format_args!("this profile talks to {}\nthe server said {said}", profile.origin()))
        .with_hint(hint)
}

/// Status and `error` decide; the description is for people, and differs between versions.
fn meaning(profile: &Profile, grant: GrantType, status: u16, error: &str) -> (String, String) {
    let login = profile.login_command();
    let client = &sanitize(&profile.client_id, 100);
    let plan = profile.product == Product::Patient && profile.realm.is_none();
    match error {
        "invalid_client" if plan => (
            format!("the health plan does not accept client {client}"),
            format!("check client id and secret; a new client works at a plan only after 1up has synced it (an e-mail to 1up); then {login}"),
        ),
        "invalid_client" if status == 400 => (
            format!("client {client} must authenticate in another way, such as a JWT assertion"),
            "oneup sends a client secret: change the client's authentication in the Dev Portal".into(),
        ),
        "invalid_client" => (
            format!("the realm does not know client {client}, or has disabled it"),
            format!("check the client id in the Dev Portal, then {login}"),
        ),
        "unauthorized_client" => (
            format!("wrong client secret, or client {client} may not use this grant"),
            format!("copy the secret from the Dev Portal again, then {login}"),
        ),
        "invalid_scope" => (
            format!("the server does not grant {client} the scope {}", sanitize(&profile.scope, 200)),
            format!("give one that the client has: {login} --scope 'SCOPE'"),
        ),
        "invalid_grant" if grant == GrantType::AuthorizationCode => (
            "the authorization code is not valid: it is used, older than 5 minutes, or for another redirect URI".into(),
            format!("log in again: {login}"),
        ),
        "invalid_grant" if grant == GrantType::ClientCredentials => (
            format!("the server does not accept what client {client} presents"),
            format!("check the client in the Dev Portal, then {login}"),
        ),
        "invalid_grant" => ("the login has ended: its refresh token is no longer valid".into(), format!("log in again: {login}")),
        "unsupported_grant_type" => (
            "the server does not offer this grant".into(),
            ADDRESSES.into(),
        ),
        "Realm does not exist" => (
            format!("there is no {}", profile.origin()),
            format!("{login} --realm NAME"),
        ),
        // Keycloak's own error for a path that it doesn't know.
        _ if status == 404 => (
            format!("there is no token endpoint at {}", profile.token_url),
            ADDRESSES.into(),
        ),
        _ => ("the authorization server refused the request".into(), format!("check the client in the Dev Portal, then {login}")),
    }
}
