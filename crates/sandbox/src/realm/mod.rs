//! The gateway's realms, with the paths, statuses and error texts of Keycloak 26.

mod assertion;
mod client_auth;
mod discovery;
mod inspection;
mod paths;
mod rejection;
mod token;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::any;

use self::paths::{DECISION, REALMS, TOKEN};
use super::grants::AuthServer;
use super::options::DEV_PORTAL;
use super::params::Params;
use super::state::{AppState, Shared};
use super::{authorize, response};

/// 1up's realm for tests of electronic prior authorization.
const EPA: &str = "epa-uat";

pub(crate) fn routes() -> Router<Shared> {
    Router::new().route("/auth/realms/{realm}/{*endpoint}", any(handle))
}

/// Whether a path is the token endpoint of a realm.
pub(crate) fn is_token_path(path: &str) -> bool {
    let below = path.strip_prefix(REALMS).and_then(|rest| rest.split_once('/'));
    below.is_some_and(|(_, endpoint)| endpoint == TOKEN)
}

fn exists(state: &AppState, realm: &str) -> bool {
    [DEV_PORTAL, EPA].contains(&realm) || state.options.realms.iter().any(|name| name == realm)
}

async fn handle(
    State(state): State<Shared>,
    Path((realm, endpoint)): Path<(String, String)>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if !exists(&state, &realm) {
        return response::bare_error(StatusCode::NOT_FOUND, "Realm does not exist");
    }
    let get = method == Method::GET || method == Method::HEAD;
    let post = method == Method::POST;
    let form = || Params::from_body(&headers, &body);
    let action = || format!("{REALMS}{realm}/{DECISION}");
    let server = || AuthServer::Realm(realm.clone());
    match endpoint.strip_prefix("protocol/openid-connect/").unwrap_or(&endpoint) {
        ".well-known/openid-configuration" if get => discovery::configuration(&state, &realm),
        "certs" if get => discovery::certs(&state),
        "token" if post => token::respond(&state, &realm, &headers, &form()),
        "token/introspect" if post => inspection::introspect(&state, &realm, &headers, &form()),
        "revoke" if post => inspection::revoke(&state, &realm, &headers, &form()),
        "auth" if get => {
            authorize::show(&state, server(), &action(), &Params::parse(query.unwrap_or_default().as_bytes()))
        }
        "auth" if post => authorize::show(&state, server(), &action(), &Params::parse(&body)),
        DECISION if post => authorize::decide(&state, &Params::parse(&body)),
        ".well-known/openid-configuration"
        | "certs"
        | "token"
        | "token/introspect"
        | "revoke"
        | "auth"
        | DECISION => response::bare_error(StatusCode::METHOD_NOT_ALLOWED, "HTTP 405 Method Not Allowed"),
        _ => response::bare_error(StatusCode::NOT_FOUND, "HTTP 404 Not Found"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_token_endpoint_of_any_realm() {
        assert!(is_token_path("/auth/realms/epa-uat/protocol/openid-connect/token"));
        assert!(!is_token_path("/auth/realms/epa-uat/protocol/openid-connect/token/introspect"));
        assert!(!is_token_path("/auth/realms/protocol/openid-connect/token"));
    }
}
