//! What becomes of a login once its token has expired: renewed by the refresh token, or ended, or put off.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::FREE;
use super::browser::{Login, allow, command};
use crate::support::{Home, Sandbox, requires_program};

/// At its end the person has logged in as `member`; `spoilt` faults follow the first answer, which lacks the
/// token's lifetime, so that it is not reused.
fn logged_in(spoilt: &[&str], flags: &[&str]) -> Option<(Home, Sandbox)> {
    logged_in_for("2", spoilt, flags)
}

/// The same, with tokens that live this many seconds.
fn logged_in_for(lifetime: &str, spoilt: &[&str], flags: &[&str]) -> Option<(Home, Sandbox)> {
    if !requires_program("curl") {
        return None;
    }
    let mut script = vec!["--token-lifetime", lifetime];
    for fault in if spoilt.is_empty() { &[][..] } else { &["no-expires-in=1"] }.iter().chain(spoilt) {
        script.extend(["--fail", fault]);
    }
    let (home, sandbox) = (Home::new(), Sandbox::start(&script));
    let flags = [&["--redirect-uri", FREE, "--profile", "member"], flags].concat();
    let login = Login::begin(&home, &sandbox, &flags);
    allow(&login.url);
    let ended = login.end();
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    Some((home, sandbox))
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
    let Some((home, sandbox)) = logged_in(&[], &[]) else { return };
    let first = show(&home, &["--min-ttl", "0"]);
    assert!(first.trim().len() == 64 && !first.contains('.'), "opaque: {first}");
    let second = show_after_expiry(&home, &first);
    let third = show_after_expiry(&home, &second);
    assert!(third != first && sandbox.count("/oauth2/token") >= 3);
}

#[test]
fn realm_refresh_token_is_rotated_and_kept() {
    // A lost rotation would end the session at the second renewal: the sandbox punishes reuse.
    let Some((home, sandbox)) = logged_in(&[], &["--realm", "dev-portal"]) else { return };
    let mut seen = vec![show(&home, &["--refresh"])];
    for _ in 0..3 {
        let token = show(&home, &["--refresh"]);
        assert!(!seen.contains(&token));
        seen.push(token);
    }
    assert_eq!(sandbox.count("/token"), 5);
}

#[test]
fn revoked_refresh_token_ends_the_login_and_the_hint_logs_in_again() {
    let Some((home, sandbox)) = logged_in(&["invalid_grant=1"], &[]) else { return };
    assert_eq!(status(&home)["refreshable"], true);
    let refused = home.oneup().args(["token", "show"]).status(4).run().stderr;
    assert_eq!(sandbox.count("/token"), 2, "the code, and the refresh token once");
    let hint = "hint: oneup login patient --profile member\n";
    assert!(refused.ends_with(hint), "{refused}");

    assert_eq!(status(&home)["refreshable"], false);
    home.oneup().args(["status", "--check"]).status(4).stderr_has(hint).run();

    // Word for word, with nothing in the environment: the rest is remembered, the client secret too.
    let mut again = command(&home, &sandbox, &["--profile", "member"]);
    for (name, _) in sandbox.env() {
        again.env_remove(name);
    }
    let login = Login::of(again.stdin(std::process::Stdio::null()));
    allow(&login.url);
    let ended = login.end();
    assert_eq!(ended.status, Some(0), "{}", ended.stderr);
    show(&home, &[]);
}

#[test]
fn failing_server_is_a_network_error_and_the_refresh_token_is_sent_once() {
    for fault in ["503=1", "reset=1", "429=1"] {
        let Some((home, sandbox)) = logged_in(&[fault], &[]) else { return };
        home.oneup().args(["token", "show"]).status(5).run();
        assert_eq!(sandbox.count("/token"), 2, "{fault}: the code, and the refresh token once");
        assert_eq!(status(&home)["refreshable"], true, "{fault}");
        show(&home, &[]);
        assert_eq!(sandbox.count("/token"), 3, "{fault}");
    }
}

#[test]
fn launch_context_is_shown_and_survives_refreshes() {
    let Some((home, _sandbox)) = logged_in_for("300", &[], &["--scope", "launch/patient patient/*.read"])
    else {
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
    let Some((home, _sandbox)) = logged_in(&[], &[]) else { return };
    home.oneup().arg("status").stdout_has("request launch/patient too").run();
    assert!(status(&home)["launch_context"].as_object().is_some_and(serde_json::Map::is_empty));
}
