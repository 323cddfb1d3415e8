//! Describes an error response of a token endpoint, and what to do next.

use super::assertion_error::{self, MAX_NAME_LEN};
use crate::error::Error;
use crate::http::HttpResponse;
use crate::oauth::grant::{AssertionSigner, Grant};
use crate::oauth::product::Product;
use crate::oauth::token_response::TokenError;
use crate::profile::Profile;
use crate::text::{MAX_SNIPPET_LEN, sanitize};

/// The hint for a wrong token endpoint.
const ENDPOINT_HINT: &str = "check --gateway, --realm, --plan and --token-url";

/// Describes an error response to a grant, and to the assertion of a `signer` if there was one. The profile need not be
/// saved yet. `now` is the time here.
pub fn into_error(
    profile: &Profile,
    grant: &Grant,
    signer: Option<&AssertionSigner>,
    error: &TokenError,
    response: &HttpResponse,
    now: i64,
) -> Error {
    match error {
        TokenError::Invalid(reason) => Error::protocol(format!(
            "invalid OAuth response from {}: {}",
            profile.token_url,
            response.redacted(reason, MAX_SNIPPET_LEN)
        ))
        .with_detail(response.snippet())
        .with_hint(format!("{ENDPOINT_HINT}; trace it with -v")),
        TokenError::Blocked { status } => {
            let (message, hint) = meaning(profile, grant, *status, "");
            Error::auth(message).with_detail(response.snippet()).with_hint(hint)
        }
        TokenError::Denied { status, error, description } => {
            let description = description.as_deref().unwrap_or_default();
            let skew = response.date.map(|date| now.saturating_sub(date));
            let (message, hint) = signer
                .and_then(|signer| assertion_error::meaning(profile, signer, error, description, skew))
                .unwrap_or_else(|| meaning(profile, grant, *status, error));
            let colon = if description.is_empty() { "" } else { ": " };
            let detail = format!(
                "endpoint: {}\nserver: {}{colon}{} (HTTP {status})",
                profile.origin(),
                response.redacted(error, MAX_NAME_LEN),
                response.redacted(description, MAX_SNIPPET_LEN)
            );
            Error::auth(message).with_detail(detail).with_hint(hint)
        }
    }
}

/// Returns the message and the hint. The status and `error` decide, as descriptions differ between versions; `error` is
/// empty for a response that is not an OAuth one.
fn meaning(profile: &Profile, grant: &Grant, status: u16, error: &str) -> (String, String) {
    let login = profile.login_command();
    let client = &sanitize(&profile.client_id, MAX_NAME_LEN);
    let url = &profile.token_url;
    let is_plan = profile.product == Product::Patient && profile.realm.is_none();
    match error {
        "invalid_client" if is_plan => (
            format!("the health plan rejected client {client}"),
            format!(
                "check client ID and secret, then {login}; a new client works at a plan only after 1up has synced it: \
                 write to payer-patient-access@1up.health"
            ),
        ),
        "invalid_client" if status == 400 => (
            format!("the server could not authenticate client {client}"),
            format!("check the client ID, the client secret and --auth-method, then {login}"),
        ),
        "invalid_client" => (
            format!("unknown or disabled client {client}, or wrong client secret"),
            format!("check the client in the Dev Portal, then {login}"),
        ),
        "unauthorized_client" => (
            format!("wrong client secret, or client {client} may not use this grant"),
            format!("copy the client secret from the Dev Portal, then {login}"),
        ),
        "invalid_scope" => {
            let requested = if grant.scope().is_empty() { &profile.scope } else { grant.scope() };
            let hint = match grant {
                Grant::RefreshToken { .. } => {
                    format!("a refresh token can only narrow the scope; for another one: {login} --scope 'SCOPE'")
                }
                Grant::ClientCredentials { scope } if *scope != profile.scope => {
                    "leave out --scope for the scope of the login, or pass one that the client has".into()
                }
                _ => format!("{login} --scope 'SCOPE'"),
            };
            let message =
                format!("the server rejected the scope {} for client {client}", sanitize(requested, 200));
            (message, hint)
        }
        "invalid_grant" => (
            match grant {
                Grant::AuthorizationCode { .. } => {
                    "authorization code invalid: already used, older than 5 minutes, or for another redirect URI"
                        .to_owned()
                }
                Grant::ClientCredentials { .. } => format!("the server rejected the credentials of client {client}"),
                Grant::RefreshToken { .. } => "refresh token expired or revoked".to_owned(),
            },
            login,
        ),
        "unsupported_grant_type" => ("the server does not support this grant type".into(), ENDPOINT_HINT.into()),
        "Realm does not exist" => {
            (format!("{} does not exist", profile.origin()), format!("{login} --realm NAME"))
        }
        // Keycloak sends JSON for wrong paths and methods, too.
        _ if matches!(status, 404 | 405 | 415) => {
            (format!("{url} is not a token endpoint (HTTP {status})"), ENDPOINT_HINT.into())
        }
        "" if status == 403 => (
            format!("a gateway in front of {url} blocked the request"),
            "check the URL and the network: a firewall responded (1up also rejects clients outside the United States)"
                .into(),
        ),
        "" => (
            format!("{url} rejected the request without an OAuth error (HTTP {status})"),
            ENDPOINT_HINT.into(),
        ),
        _ => (
            "the authorization server rejected the request".into(),
            format!("check the client in the Dev Portal, then {login}"),
        ),
    }
}
