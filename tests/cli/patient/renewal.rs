//! Refreshing the token of a login.

use serde_json::Value;

use super::browser::{Login, allow};
use super::{REDIRECT_URI, start};
use crate::support::{Fault, Home, Sandbox, TokenEndpoint, html_response, oauth_error, wait_until};

/// Logs in, with tokens that expire after this many seconds.
fn logged_in(lifetime: &str, flags: &[&str]) -> Option<(Home, Sandbox)> {
    let (home, sandbox) = start(&["--token-lifetime", lifetime])?;
    let login = Login::begin(&home, &sandbox, &[&["--redirect-uri", REDIRECT_URI], flags].concat());
    allow(&login.url);
    login.end().assert_success();
    Some((home, sandbox))
}

/// Logs in with a code at an endpoint whose second response is this fault.
fn logged_in_before(fault: Fault) -> (Home, TokenEndpoint) {
    let server = TokenEndpoint::builder().members(r#""refresh_token":"r""#).fault(1, fault).start();
    let home = Home::new();
    server.login_with_code(home.oneup(), "c", "file").run();
    (home, server)
}

fn show(home: &Home, flags: &[&str]) -> String {
    home.oneup().args(["token", "show"]).args(flags).run().stdout
}

/// Shows the token until it is another one.
fn show_after_expiry(home: &Home, old: &str) -> String {
    wait_until("another token", || show(home, &[]) != old);
    show(home, &[])
}

#[test]
fn plan_refresh_token_is_kept_when_the_response_has_none() {
    let Some((home, sandbox)) = logged_in("2", &[]) else { return };
    let first = show(&home, &["--min-ttl", "0"]);
    assert!(first.trim().len() == 64 && !first.contains('.'), "opaque: {first}");
    let second = show_after_expiry(&home, &first);
    let third = show_after_expiry(&home, &second);
    assert!(third != first && sandbox.count("/oauth2/token") >= 3);
}

#[test]
fn realm_refresh_token_is_rotated_and_kept() {
    // If the new refresh token were lost, the second refresh would fail: the sandbox ends a session whose old one is reused.
    let Some((home, sandbox)) = logged_in("2", &["--realm", "dev-portal"]) else { return };
    let mut seen = vec![show(&home, &["--refresh"])];
    for _ in 0..3 {
        let token = show(&home, &["--refresh"]);
        assert!(!seen.contains(&token));
        seen.push(token);
    }
    assert_eq!(sandbox.count("/token"), 5);
}

#[test]
fn revoked_refresh_token_ends_the_login() {
    let rejection = oauth_error("400 Bad Request", "invalid_grant");
    let (home, server) = logged_in_before(Fault::Response(rejection));
    assert_eq!(home.status("patient")["refreshable"], true);
    let hint = "refresh token expired or revoked\n";
    home.oneup().args(["token", "show", "--refresh"]).status(4).stderr_has(hint).run();
    assert_eq!(server.count(), 2, "the code, and the refresh token once");
    assert_eq!(home.status("patient")["refreshable"], false);
    // The stored client secret is used.
    server.login_with_code(home.oneup(), "c", "file").env_remove("ONEUP_CLIENT_SECRET").run();
    home.oneup().args(["token", "show", "--refresh"]).run();
}

#[test]
fn failing_server_is_a_network_error_and_the_refresh_token_is_sent_once() {
    let busy = |status| Fault::Response(html_response(status, "<h1>busy</h1>"));
    for fault in [busy("503 Service Unavailable"), busy("429 Too Many Requests"), Fault::Response(Vec::new())]
    {
        let (home, server) = logged_in_before(fault);
        home.oneup().args(["token", "show", "--refresh"]).status(5).run();
        assert_eq!(server.count(), 2, "the code, and the refresh token once");
        assert_eq!(home.status("patient")["refreshable"], true);
        show(&home, &["--refresh"]);
        assert_eq!(server.count(), 3);
    }
}

#[test]
fn launch_context_is_shown_and_survives_refreshes() {
    let Some((home, _sandbox)) = logged_in("300", &["--scope", "launch/patient patient/*.read"]) else {
        return;
    };
    for _ in 0..2 {
        assert_eq!(home.status("patient")["launch_context"]["patient"], "123456789123");
        home.oneup().arg("status").stdout_has("launch context  patient=123456789123").run();
        home.oneup().args(["token", "inspect"]).stdout_has("patient 123456789123").stdout_has("opaque").run();
        let report = home.oneup().args(["token", "inspect", "--format", "json"]).run().stdout;
        let report: Value = serde_json::from_str(&report).expect("JSON");
        assert_eq!(report["launch_context"]["patient"], "123456789123");
        show(&home, &["--refresh"]);
    }
}

#[test]
fn patient_scope_without_a_patient_is_mentioned() {
    let Some((home, _sandbox)) = logged_in("2", &[]) else { return };
    home.oneup().arg("status").stdout_has("request launch/patient too").run();
    assert!(home.status("patient")["launch_context"].as_object().is_some_and(serde_json::Map::is_empty));
}
