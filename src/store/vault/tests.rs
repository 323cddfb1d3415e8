use std::collections::VecDeque;
use std::sync::Mutex;

use super::super::tests::{credentials, key};
use super::*;

/// Responds with these, in order, and keeps the requests.
struct Script(Mutex<VecDeque<(u16, &'static str)>>);

impl Transport for &'static Script {
    fn send(&self, _: VaultRequest, _: Deadline) -> Result<VaultResponse> {
        let (status, body) = self.0.lock().expect("no panic").pop_front().expect("a response is left");
        Ok(VaultResponse { status, date: None, body: body.as_bytes().to_vec().into() })
    }
}

fn vault(responses: &[(u16, &'static str)]) -> Vault {
    let script: &'static Script =
        Box::leak(Box::new(Script(Mutex::new(responses.iter().copied().collect()))));
    let auth = Auth::Token { token: Secret::new("t0ken"), source: "VAULT_TOKEN".into() };
    let path = VaultPath::parse("secret/oneup").expect("a path");
    let settings = Settings::new("https://vault.example".into(), None, auth);
    Vault::new(settings, Box::new(script), path, Deadline::after(Duration::from_secs(20)))
}

fn message(responses: &[(u16, &'static str)]) -> (i32, String) {
    let error = vault(responses).read(&key("a")).expect_err("an error");
    (error.kind().exit().code(), error.to_string())
}

#[test]
fn failures_are_told_apart_and_have_a_fix() {
    let denied = (403, r#"{"errors":["permission denied"]}"#);
    for (responses, code, words, hint) in [
        (&[(503, r#"{"errors":["Vault is sealed"]}"#)][..], 6, "is sealed", "unseal"),
        (&[denied, denied], 6, "(VAULT_TOKEN) has expired, was revoked", "vault login"),
        (&[denied, (200, "{}")], 6, "may not read and update secret/oneup", "path \"secret/data/oneup\""),
        (
            &[(404, r#"{"errors":["no handler for route \"secret/data/oneup\". route entry not found."]}"#)],
            6,
            "no secrets engine at secret",
            "vault secrets list",
        ),
        (&[(400, r#"{"errors":["something"]}"#)], 6, "HTTP 400: something", "VAULT_NAMESPACE"),
        (&[(200, "<html>")], 6, "is not that of a KV version 2 engine", "VAULT_ADDR"),
        (&[(404, "<html>")], 6, "rejected the request", "VAULT_ADDR"),
        (
            &[(200, r#"{"data":{"data":{"password":"s3cr3t"},"metadata":{"version":3}}}"#)],
            6,
            "is not a login of oneup",
            "--vault-path",
        ),
        (&[(500, "{}"), (500, "{}"), (500, "{}")], 5, "can't serve the request", "try again later"),
    ] {
        let (exit, message) = message(responses);
        assert_eq!(exit, code, "{message}");
        assert!(message.contains(words) && message.contains("hint: ") && message.contains(hint), "{message}");
        assert!(!message.contains("t0ken") && !message.contains("s3cr3t"), "{message}");
    }
}

#[test]
fn absent_and_deleted_items_are_none() {
    for response in [
        r#"{"errors":[]}"#,
        r#"{"data":{"data":null,"metadata":{"version":4,"created_time":"2026-01-01T00:00:00Z"}}}"#,
    ] {
        assert_eq!(vault(&[(404, response)]).read(&key("a")).expect("readable"), None);
    }
}

#[test]
fn conflict_is_an_error_of_its_own() {
    let conflict = (400, r#"{"errors":["check-and-set parameter did not match the current version"]}"#);
    let error = vault(&[conflict]).write(&key("a"), &credentials(1)).expect_err("a conflict");
    assert_eq!(error.kind(), ErrorKind::Store(StoreErrorKind::Conflict));
}

#[test]
fn claim_ends_by_the_servers_clock_or_by_this_machines() {
    let mut wait = Wait::default();
    assert!(!wait.is_over(1, Some(5), 10) && wait.has_begun());
    assert!(!wait.is_over(1, Some(11), 10), "the server's times are whole seconds");
    assert!(wait.is_over(1, Some(12), 10));
    assert!(!wait.is_over(2, Some(-100), 10), "a clock that was set back");
    wait.seen = Some((3, Instant::now() - Duration::from_secs(12)));
    assert!(wait.is_over(3, None, 10));
    assert!(!wait.is_over(4, None, 10), "another claim");
}

#[test]
fn claim_leaves_half_of_the_time() {
    for (timeout, seconds) in [(30, 14), (300, 15), (10, 4), (1, 1)] {
        let claim = Claim::new(Deadline::after(Duration::from_secs(timeout))).expect("random");
        assert!((seconds..=seconds + 1).contains(&claim.seconds), "{timeout}: {}", claim.seconds);
    }
}
