//! The authorization endpoint of the realms and of the plan: check the request, show the consent page, redirect back.

use axum::response::Response;

use super::grants::{AuthServer, AuthorizationRequest};
use super::params::Params;
use super::state::{AppState, now};
use super::{clients, consent, keys, response, scope};

/// The scope that the plan grants if none is requested.
const PLAN_SCOPE: &str = "patient/*.read";

/// `error` and `error_description` of an error response.
type ErrorParams = (&'static str, &'static str);

/// Shows the consent page. Errors are shown to the resource owner until the redirect URI is known to be valid, and sent
/// to the client after that (RFC 6749 §4.1.2.1).
pub(crate) fn show(state: &AppState, server: AuthServer, action: &str, query: &Params) -> Response {
    let client = query.get("client_id").and_then(clients::find).filter(|client| client.enabled);
    let Some(client) = client else {
        return consent::error_page("Unknown app", "The sandbox has no client with this client_id.");
    };
    let redirect_uri = query.get("redirect_uri").filter(|uri| clients::allows_redirect_uri(uri));
    let Some(redirect_uri) = redirect_uri else {
        let why = "The redirect_uri is not registered. The sandbox allows http on localhost, 127.0.0.1 and [::1], \
                   and https://app.example/callback.";
        return consent::error_page("Invalid redirect URI", why);
    };
    let own = |name| query.get(name).map(str::to_owned);
    let default_scope = if server == AuthServer::Plan { PLAN_SCOPE } else { "" };
    let request = AuthorizationRequest {
        server,
        client: client.id.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        scope: own("scope").unwrap_or_else(|| default_scope.to_owned()),
        state: own("state"),
        nonce: own("nonce"),
        challenge: own("code_challenge"),
    };
    if let Err((error, description)) = check(&request, client, query) {
        return redirect_back(state, &request, &[("error", error), ("error_description", description)]);
    }
    let ticket = state.grants().store_request(request.clone(), now());
    consent::consent_page(&request, &ticket, action)
}

fn check(
    request: &AuthorizationRequest,
    client: &clients::RegisteredClient,
    query: &Params,
) -> Result<(), ErrorParams> {
    match query.get("response_type") {
        Some("code") => {}
        // 1up's guide for apps leaves it out.
        None if request.server == AuthServer::Plan => {}
        None => return Err(("invalid_request", "Missing parameter: response_type")),
        Some(_) => return Err(("unsupported_response_type", "Only response_type=code is supported")),
    }
    let known = match request.server {
        AuthServer::Realm(_) => request.scope.is_empty() || scope::known_to_realm(&request.scope),
        AuthServer::Plan => scope::known_to_plan(&request.scope),
    };
    if !known {
        return Err(("invalid_scope", "Invalid scopes"));
    }
    match (&request.challenge, query.get("code_challenge_method")) {
        (None, None) if client.confidential => Ok(()),
        (None, _) => Err(("invalid_request", "Missing parameter: code_challenge")),
        (Some(challenge), Some("S256")) if challenge.len() == 43 => Ok(()),
        (Some(_), Some("S256")) => Err(("invalid_request", "Invalid parameter: code_challenge")),
        (Some(_), _) => Err(("invalid_request", "Invalid parameter: code_challenge_method is not S256")),
    }
}

/// Handles the consent page's form: redirects with a code, or with `access_denied`.
pub(crate) fn decide(state: &AppState, form: &Params) -> Response {
    let request = form.get("ticket").and_then(|ticket| state.grants().take_request(ticket, now()));
    let Some(request) = request else {
        return consent::error_page("This page has expired", "Go back to the app and log in again.");
    };
    if form.get("decision") != Some("allow") {
        let denied =
            [("error", "access_denied"), ("error_description", "The resource owner denied the request")];
        return redirect_back(state, &request, &denied);
    }
    let code = state.grants().issue_code(request.clone(), now());
    redirect_back(state, &request, &[("code", &code)])
}

fn redirect_back(state: &AppState, request: &AuthorizationRequest, outcome: &[(&str, &str)]) -> Response {
    let mut parameters = outcome.to_vec();
    if let Some(state) = &request.state {
        parameters.push(("state", state));
    }
    let (issuer, session);
    if let AuthServer::Realm(realm) = &request.server {
        // RFC 9207; 1up's plans send no `iss`.
        (issuer, session) = (state.issuer(realm), keys::random_uuid());
        parameters.extend([("iss", issuer.as_str()), ("session_state", session.as_str())]);
    }
    response::redirect(&request.redirect_uri, &parameters)
}
