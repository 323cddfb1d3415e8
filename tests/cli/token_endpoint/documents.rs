//! Discovery, JWKS, introspection and revocation endpoints with invalid responses.

use super::{REDIRECTS, is_sanitized};
use crate::support::{
    CLIENT_SECRET, FaultReport, Home, Kind, RawServer, Request, TokenEndpoint, html_response, json_response,
    jwt, redirect, response,
};

const TOKEN: &str = "t0ken-of-the-realm";

/// A JWT of the realm with an invalid signature.
fn token(realm: &TokenEndpoint) -> String {
    let claims = format!(r#"{{"iss":"{}","exp":4102444800}}"#, realm.realm_url());
    jwt(r#"{"alg":"RS256","kid":"k"}"#, &claims)
}

/// A realm that sends `response` for paths that end with `path`, and valid documents otherwise; and a home with a login
/// there.
fn realm(path: &'static str, response: Vec<u8>) -> (TokenEndpoint, Home) {
    let resources = move |request: &Request| {
        let target = request.target();
        if target.ends_with(path) {
            return response.clone();
        }
        match target.rsplit('/').next().unwrap_or_default() {
            "certs" => json_response("200 OK", r#"{"keys":[]}"#),
            "introspect" => json_response("200 OK", r#"{"active":true}"#),
            "revoke" => json_response("200 OK", ""),
            _ => html_response("404 Not Found", "<html>"),
        }
    };
    let realm = TokenEndpoint::builder().token(TOKEN).resources(resources).start();
    let home = Home::new();
    home.oneup().login_provider(&realm.realm_token_url()).run();
    (realm, home)
}

/// A server that is not the realm's, and has an empty document for each request.
fn other_server() -> RawServer {
    RawServer::start(|_, _, _| json_response("200 OK", "{}"))
}

/// What can be wrong with any document.
fn wrong(elsewhere: &str) -> Vec<(&'static str, Vec<u8>)> {
    let mut all = REDIRECTS.map(|status| (status, redirect(status, &format!("{elsewhere}/x")))).to_vec();
    all.extend([
        ("too much", json_response("200 OK", "[".repeat(1_100_000))),
        ("a reset", Vec::new()),
        ("an escape", response("200 OK", &[("Content-Type", "\u{9b}2J")], "\u{1b}]0;x\u{7}")),
        ("a list", json_response("200 OK", "[]")),
        ("500", html_response("500 Internal Server Error", "<html>")),
    ]);
    all
}

#[test]
fn invalid_documents_are_reported_and_never_followed() {
    let mut report = FaultReport::new(Kind::Input, "documents of a realm");
    let other = other_server();
    for path in ["/openid-configuration", "/certs", "/introspect"] {
        for (name, response) in wrong(&other.url()) {
            let (realm, home) = realm(path, response);
            let inspect = home.oneup().args(["token", "inspect", "-", "--timeout", "5"]);
            let flag = if path == "/introspect" { "--introspect" } else { "--verify" };
            let outcome = inspect.arg(flag).stdin(token(&realm)).outcome();
            let is_good = matches!(outcome.status, Some(3 | 4 | 5 | 7))
                && is_sanitized(&outcome.stdout)
                && is_sanitized(&outcome.stderr)
                && !outcome.shows(CLIENT_SECRET);
            report.check(is_good, format!("{path}: {name}"), &outcome);
        }
    }
    assert!(other.requests().is_empty(), "{:?}", other.requests());
    report.finish();
}

#[test]
fn logout_deletes_the_profile_whatever_the_realm_responds() {
    let mut report = FaultReport::new(Kind::Input, "responses to a logout");
    let other = other_server();
    for path in ["/openid-configuration", "/revoke"] {
        let elsewhere = format!(r#"{{"issuer":"ISSUER","revocation_endpoint":"{}/revoke"}}"#, other.url());
        let elsewhere = ("an endpoint of another origin", json_response("200 OK", elsewhere));
        for (name, response) in wrong(&other.url()).into_iter().chain([elsewhere]) {
            let (_realm, home) = realm(path, response);
            let outcome = home.oneup().args(["logout", "--timeout", "5"]).outcome();
            let is_good = outcome.status == Some(0)
                && home.stored_files().is_empty()
                && is_sanitized(&outcome.stderr)
                && !outcome.stderr.contains(TOKEN);
            report.check(is_good, format!("{path}: {name}"), &outcome);
        }
    }
    assert!(other.requests().is_empty(), "{:?}", other.requests());
    report.finish();
}

/// RFC 7662 and RFC 7009 responses of a server that repeats the request.
#[test]
fn introspection_and_revocation_that_echo_the_form_show_no_secret() {
    for (path, status, body) in [
        (
            "/introspect",
            "200 OK",
            format!(r#"{{"active":true,"sub":"{CLIENT_SECRET}","debug":"client_secret={CLIENT_SECRET}"}}"#),
        ),
        ("/introspect", "200 OK", format!(r#"{{"active":"yes","client_secret":"{CLIENT_SECRET}"}}"#)),
        ("/introspect", "401 Unauthorized", format!("<p>{CLIENT_SECRET}")),
        ("/revoke", "202 Accepted", format!("client_secret={CLIENT_SECRET}&token={TOKEN}")),
        (
            "/revoke",
            "400 Bad Request",
            format!(r#"{{"error":"invalid_client","error_description":"{CLIENT_SECRET} {TOKEN}"}}"#),
        ),
    ] {
        let (realm, home) = realm(path, json_response(status, &body));
        let command: &[&str] = if path == "/revoke" {
            &["logout", "-v"]
        } else {
            &["token", "inspect", "-", "--introspect", "-v"]
        };
        let outcome = home.oneup().args(command).stdin(token(&realm)).outcome();
        assert!(realm.requests().iter().any(|request| request.target().ends_with(path)), "{path}: {outcome}");
        assert!(!outcome.shows(CLIENT_SECRET) && !outcome.shows(TOKEN), "{path} {body}: {outcome}");
    }
}
