//! Discovery, JWKS, introspection and revocation endpoints that misbehave.

use crate::support::{FaultReport, Home, Kind, RawServer, raw_server};

const SECRET: &str = "s3cr3t-of-the-client";
const REALM: &str = "/auth/realms/r";

/// A JWT of this issuer with an invalid signature.
fn token(issuer: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let claims = format!(r#"{{"iss":"{issuer}","exp":4102444800}}"#);
    format!("{}.{}.c2ln", part(r#"{"alg":"RS256","kid":"k"}"#), part(&claims))
}

/// A home with a login at this server's realm.
fn home(server: &RawServer) -> Home {
    let issuer = format!("{}{REALM}", server.url());
    let home = Home::new();
    home.oneup()
        .args(["login", "provider", "--client-id", "svc", "--token-url"])
        .arg(format!("{issuer}/protocol/openid-connect/token"))
        .env("ONEUP_CLIENT_SECRET", SECRET)
        .run();
    home
}

/// A realm that sends `response` for paths that end with `path`, and valid documents otherwise.
fn realm(path: &'static str, response: Vec<u8>) -> RawServer {
    raw_server(move |_, request, _| {
        let asked = request.split(' ').nth(1).unwrap_or_default();
        if asked.ends_with(path) {
            return response.clone();
        }
        let body = match asked.rsplit('/').next().unwrap_or_default() {
            "token" => r#"{"access_token":"t0ken-of-the-realm","token_type":"Bearer","expires_in":3600}"#,
            "certs" => r#"{"keys":[]}"#,
            "introspect" => r#"{"active":true}"#,
            "revoke" => "",
            _ => return RawServer::answer("404 Not Found", "text/html", "<html>"),
        };
        RawServer::answer("200 OK", "application/json", body)
    })
}

/// What can be wrong with any document.
fn wrong(elsewhere: &str) -> Vec<(&'static str, Vec<u8>)> {
    let moved = |status: &str| {
        format!("HTTP/1.1 {status} Go\r\nLocation: {elsewhere}/x\r\nContent-Length: 0\r\n\r\n").into_bytes()
    };
    vec![
        ("301", moved("301")),
        ("302", moved("302")),
        ("303", moved("303")),
        ("307", moved("307")),
        ("308", moved("308")),
        ("too much", RawServer::answer("200 OK", "application/json", &"[".repeat(1_100_000))),
        ("a reset", Vec::new()),
        ("an escape", RawServer::answer("200 OK", "\u{9b}2J", "\u{1b}]0;x\u{7}")),
        ("a list", RawServer::answer("200 OK", "application/json", "[]")),
        ("500", RawServer::answer("500 Oops", "text/html", "<html>")),
    ]
}

#[test]
fn invalid_documents_are_reported_and_never_followed() {
    let mut report = FaultReport::new(Kind::Input, "documents of a realm");
    let stranger = raw_server(|_, _, _| RawServer::answer("200 OK", "application/json", "{}"));
    for path in ["/openid-configuration", "/certs", "/introspect"] {
        for (name, response) in wrong(&stranger.url()) {
            let server = realm(path, response);
            let home = home(&server);
            let inspect = home.oneup().args(["token", "inspect", "-", "--timeout", "5"]);
            let flag = if path == "/introspect" { "--introspect" } else { "--verify" };
            let outcome = inspect.arg(flag).stdin(token(&format!("{}{REALM}", server.url()))).outcome();
            report.tried(1);
            let said = format!("{}{}", outcome.stdout, outcome.stderr);
            let fits = matches!(outcome.status, Some(3 | 4 | 5 | 7));
            if !fits || said.contains(['\u{1b}', '\u{9b}', '\u{7}']) || said.contains(SECRET) {
                report.failed(format!("{path}: {name}: {:?}: {said}", outcome.status));
            }
        }
    }
    assert!(stranger.requests().is_empty(), "{:?}", stranger.requests());
    report.finish();
}

#[test]
fn logout_deletes_the_profile_whatever_the_realm_responds() {
    let mut report = FaultReport::new(Kind::Input, "answers to a logout");
    let stranger = raw_server(|_, _, _| RawServer::answer("200 OK", "application/json", "{}"));
    for path in ["/openid-configuration", "/revoke"] {
        let lies = format!(r#"{{"issuer":"ISSUER","revocation_endpoint":"{}/revoke"}}"#, stranger.url());
        let lies = ("an endpoint of another origin", RawServer::answer("200 OK", "application/json", &lies));
        for (name, response) in wrong(&stranger.url()).into_iter().chain([lies]) {
            let server = realm(path, response);
            let home = home(&server);
            let outcome = home.oneup().args(["logout", "--timeout", "5"]).outcome();
            report.tried(1);
            let gone = std::fs::read_dir(home.state().join("secrets")).is_ok_and(|dir| dir.count() == 0);
            let tame = !outcome.stderr.contains(['\u{1b}', '\u{9b}', '\u{7}']);
            if outcome.status != Some(0) || !gone || !tame || outcome.stderr.contains("t0ken-of-the-realm") {
                report.failed(format!("{path}: {name}: {:?}: {}", outcome.status, outcome.stderr));
            }
        }
    }
    assert!(stranger.requests().is_empty(), "{:?}", stranger.requests());
    report.finish();
}

/// RFC 7662 and RFC 7009 responses of a server that repeats the request.
#[test]
fn introspection_and_revocation_that_echo_the_form_show_no_secret() {
    for (path, status, body) in [
        (
            "/introspect",
            "200 OK",
            format!(r#"{{"active":true,"sub":"{SECRET}","debug":"client_secret={SECRET}"}}"#),
        ),
        ("/introspect", "200 OK", format!(r#"{{"active":"yes","client_secret":"{SECRET}"}}"#)),
        ("/introspect", "401 No", format!("<p>{SECRET}")),
        ("/revoke", "202 Accepted", format!("client_secret={SECRET}&token=t0ken-of-the-realm")),
        (
            "/revoke",
            "400 No",
            format!(r#"{{"error":"invalid_client","error_description":"{SECRET} t0ken-of-the-realm"}}"#),
        ),
    ] {
        let server = realm(path, RawServer::answer(status, "application/json", &body));
        let home = home(&server);
        let command: &[&str] = if path == "/revoke" {
            &["logout", "-v"]
        } else {
            &["token", "inspect", "-", "--introspect", "-v"]
        };
        let token = token(&format!("{}{REALM}", server.url()));
        let outcome = home.oneup().args(command).stdin(token).outcome();
        let said = format!("{}{}", outcome.stdout, outcome.stderr);
        assert!(server.requests().iter().any(|request| request.contains(path)), "{path}: {said}");
        assert!(!said.contains(SECRET) && !said.contains("t0ken-of-the-realm"), "{path} {body}: {said}");
    }
}
