//! Refreshing the token of a login.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::FREE;
use super::browser::{Login, allow};
use crate::support::{Fault, Home, RawServer, Sandbox, TokenEndpoint, requires_program};

/// Logs in as profile `member`, with tokens that expire after this many seconds.
fn logged_in(lifetime: &str, flags: &[&str]) -> Option<(Home, Sandbox)> {
    if !requires_program("curl") {
        return None;
    }
    let (home, sandbox) = (Home::new(), Sandbox::start(&["--token-lifetime", lifetime]));
    let flags = [&["--redirect-uri", FREE, "--profile", "member"], flags].concat();
    let login = Login::begin(&home, &sandbox, &flags);
    allow(&login.url);
    let ended = login.end();
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
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

fn status(home: &Home) -> Value {
    let shown = home.oneup().args(["status", "--format", "json"]).run().stdout;
    serde_json::from_str::<Value>(&shown).expect("JSON")[0].clone()
}

/// Shows the token until it is another one.
fn show_after_expiry(home: &Home, old: &str) -> String {
    let begun = Instant::now();
    loop {
        let shown = show(home, &[]);
        if shown != old {
            return shown;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it never expired");
        std::thread::sleep(Duration::from_millis(200));
    }
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
    // A lost rotation would end the session at the second renewal: the sandbox punishes reuse.
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
    let rejection = RawServer::answer("400 No", "application/json", r#"{"error":"invalid_grant"}"#);
    let (home, server) = logged_in_before(Fault::Response(rejection));
    assert_eq!(status(&home)["refreshable"], true);
    let hint = "refresh token expired or revoked\n";
    home.oneup().args(["token", "show", "--refresh"]).status(4).stderr_has(hint).run();
    assert_eq!(server.count(), 2, "the code, and the refresh token once");
    assert_eq!(status(&home)["refreshable"], false);
    // The client secret is recalled.
    server.login_with_code(home.oneup(), "c", "file").env_remove("ONEUP_CLIENT_SECRET").run();
    home.oneup().args(["token", "show", "--refresh"]).run();
}

#[test]
fn failing_server_is_a_network_error_and_the_refresh_token_is_sent_once() {
    let busy = |status| Fault::Response(RawServer::answer(status, "text/html", "<h1>busy</h1>"));
    for fault in [busy("503 Busy"), busy("429 Busy"), Fault::Response(Vec::new())] {
        let (home, server) = logged_in_before(fault);
        home.oneup().args(["token", "show", "--refresh"]).status(5).run();
        assert_eq!(server.count(), 2, "the code, and the refresh token once");
        assert_eq!(status(&home)["refreshable"], true);
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
        assert_eq!(status(&home)["launch_context"]["patient"], "123456789123");
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
    assert!(status(&home)["launch_context"].as_object().is_some_and(serde_json::Map::is_empty));
}
