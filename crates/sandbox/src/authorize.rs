//! The authorization endpoint, the same for the realm and for the plan: check, ask the person, send them back.

use axum::response::Response;

use super::consent;
use super::params::Form;
use super::grants::{Ask, Server};
use super::keys;
use super::response;
use super::scope;
use super::state::{World, now};
use super::{clients, realm};

/// The scope that the plan gives when none is asked for.
const PLAN_SCOPE: &str = "patient/*.read";

/// Shows the page of consent, or says what is wrong: to the person as long as the address to send them back to
/// isn't trusted, to the client after that (RFC 6749 §4.1.2.1).
pub(crate) fn show(world: &World, server: Server, action: &str, query: &Form) -> Response {
    let client = query.get("client_id").and_then(clients::find).filter(|client| client.enabled);
    let Some(client) = client else {
        return consent::refusal("This app is not known here", "There is no such client_id at the sandbox.");
    };
    let redirect_uri = query.get("redirect_uri").filter(|uri| clients::may_redirect_to(uri));
    let Some(redirect_uri) = redirect_uri else {
        let why = "The redirect_uri is not registered. The sandbox takes http on localhost, 127.0.0.1 and [::1], \
                   and https://app.example/callback.";
        return consent::refusal("This app may not send you where it wants to", why);
    };
    let ask = Ask {
        server,
        client: client.id.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        scope: query.get("scope").unwrap_or(if server == Server::Plan { PLAN_SCOPE } else { "" }).to_owned(),
        state: query.get("state").map(str::to_owned),
        challenge: query.get("code_challenge").map(str::to_owned),
    };
    if let Err((error, description)) = check(&ask, client, query) {
        return send_back(world, &ask, &[("error", error), ("error_description", description)]);
    }
    let ticket = world.grants().ask(ask.clone(), now());
    consent::consent(&ask, &ticket, action)
}

fn check(ask: &Ask, client: &clients::Client, query: &Form) -> Result<(), (&'static str, &'static str)> {
    match query.get("response_type") {
        Some("code") => {}
        // 1up's guide for apps leaves it out.
        None if ask.server == Server::Plan => {}
        None => return Err(("invalid_request", "Missing parameter: response_type")),
        Some(_) => return Err(("unsupported_response_type", "Only response_type=code is supported")),
    }
    let known = match ask.server {
        Server::Realm => ask.scope.is_empty() || scope::known_to_realm(&ask.scope),
        Server::Plan => scope::known_to_plan(&ask.scope),
    };
    if !known {
        return Err(("invalid_scope", "Invalid scopes"));
    }
    match (&ask.challenge, query.get("code_challenge_method")) {
        (None, None) if client.secret.is_some() => Ok(()),
        (None, _) => Err(("invalid_request", "Missing parameter: code_challenge")),
        (Some(challenge), Some("S256")) if challenge.len() == 43 => Ok(()),
        (Some(_), Some("S256")) => Err(("invalid_request", "Invalid parameter: code_challenge")),
        (Some(_), _) => Err(("invalid_request", "Invalid parameter: code_challenge_method is not S256")),
    }
}

/// Takes what the person decided, once.
pub(crate) fn decide(world: &World, form: &Form) -> Response {
    let ask = form.get("ticket").and_then(|ticket| world.grants().decide(ticket, now()));
    let Some(ask) = ask else {
        return consent::refusal(
            "This page has been used, or is too old",
            "Go back to the app and log in again.",
        );
    };
    if form.get("decision") != Some("allow") {
        let denied = [("error", "access_denied"), ("error_description", "The member said no")];
        return send_back(world, &ask, &denied);
    }
    let code = world.grants().issue_code(ask.clone(), now());
    send_back(world, &ask, &[("code", &code)])
}

fn send_back(world: &World, ask: &Ask, outcome: &[(&str, &str)]) -> Response {
    let mut parameters = outcome.to_vec();
    if let Some(state) = &ask.state {
        parameters.push(("state", state));
    }
    let (issuer, session) = (realm::issuer(world), keys::random_id());
    if ask.server == Server::Realm {
        // RFC 9207, which 1up's plans don't know.
        parameters.extend([("iss", issuer.as_str()), ("session_state", session.as_str())]);
    }
    response::redirect(&ask.redirect_uri, &parameters)
}
