use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::super::tests::{credentials, key};
use super::*;
use crate::oauth::secret::Secret;

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

/// A server with check-and-set, for many machines.
#[derive(Default)]
struct Server {
    /// Version and data of the item.
    item: Mutex<(u64, Option<Value>)>,
    requests: AtomicUsize,
}

impl Transport for Arc<Server> {
    fn send(&self, request: VaultRequest, _: Deadline) -> Result<VaultResponse> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let mut item = self.item.lock().expect("no panic");
        let (status, body) = match request.body {
            None => {
                let metadata = serde_json::json!({ "version": item.0 });
                (200, serde_json::json!({ "data": { "data": item.1, "metadata": metadata } }))
            }
            Some(body) => {
                let body: Value = serde_json::from_slice(&body).expect("JSON");
                if body["options"]["cas"] == item.0 {
                    *item = (item.0 + 1, Some(body["data"].clone()));
                    (200, serde_json::json!({ "data": { "version": item.0 } }))
                } else {
                    (400, serde_json::json!({ "errors": ["check-and-set parameter did not match"] }))
                }
            }
        };
        Ok(VaultResponse { status, date: None, body: body.to_string().into_bytes().into() })
    }
}

impl Server {
    fn machine(self: &Arc<Self>, timeout: u64) -> Vault {
        let auth = Auth::Token { token: Secret::new("t"), source: "VAULT_TOKEN".into() };
        let settings = Settings::new("https://vault.example".into(), None, auth);
        let path = VaultPath::parse("secret/oneup").expect("a path");
        let deadline = Deadline::after(Duration::from_secs(timeout));
        Vault::new(settings, Box::new(Arc::clone(self)), path, deadline)
    }
}

/// The first machine dies with its claim; a thousand others then need a token in the same moment.
#[test]
fn thousand_machines_make_one_token_request() {
    const MACHINES: usize = 1_000;
    let server = Arc::new(Server::default());
    let expired = StoredCredentials { token: None, ..credentials(1) };
    server.machine(60).write(&key("a"), &expired).expect("the first login");
    let is_done = |stored: &StoredCredentials| stored.token.is_some();
    let dead = server.machine(4);
    let claim = dead.begin_refresh(&key("a"), &is_done, Deadline::after(Duration::from_secs(4)));
    assert!(claim.expect("the first claim").is_claimed);
    server.requests.store(0, Ordering::Relaxed);

    let token_requests = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..MACHINES {
            let (server, token_requests) = (Arc::clone(&server), &token_requests);
            let machine = move || {
                let vault = server.machine(60);
                let refresh =
                    vault.begin_refresh(&key("a"), &is_done, vault.deadline).expect("a token or a claim");
                if refresh.is_claimed {
                    token_requests.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(500));
                    let credentials =
                        StoredCredentials { token: credentials(9).token, ..refresh.credentials };
                    vault.write(&key("a"), &credentials).expect("no one else writes");
                }
            };
            std::thread::Builder::new()
                .stack_size(256 * 1024)
                .spawn_scoped(scope, machine)
                .expect("a thread");
        }
    });
    assert_eq!(token_requests.load(Ordering::Relaxed), 1);
    let requests = server.requests.load(Ordering::Relaxed);
    println!("{MACHINES} machines: 1 token request, {requests} requests to Vault");
    assert!(requests < 12 * MACHINES, "{requests}");
}
