//! An export that is interrupted at each system call: the same command ends with the same files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::steps::{Injection, Subject, interrupt_at_each_call};
use crate::support::strace::Call;
use crate::support::{Home, Oneup, Outcome, Request, TokenEndpoint, requires_program, response, size};

/// An export of two files.
struct Export(TokenEndpoint);

impl Export {
    fn start() -> Self {
        Self(TokenEndpoint::builder().resources(Request::export_response).start())
    }
}

/// The files of an export by name, without oneup's own; and whether the state is complete.
fn result(dir: &Path) -> (BTreeMap<String, String>, bool) {
    let entries = std::fs::read_dir(dir).into_iter().flatten().map(|entry| entry.expect("an entry"));
    let files = entries.map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (name, std::fs::read_to_string(entry.path()).expect("a file"))
    });
    let mut files: BTreeMap<_, _> = files.collect();
    let state = files.remove("export.json").unwrap_or_default();
    let state: serde_json::Value = serde_json::from_str(&state).unwrap_or_default();
    (files, state["complete"] == true)
}

impl Subject for Export {
    fn home(&self) -> Home {
        Home::logged_in(&self.0)
    }

    fn run(&self, run: Oneup) -> Oneup {
        run.args(["export", "members", "--jobs", "1", "--quiet"]).timeout(Duration::from_secs(20))
    }

    fn problems_after(&self, home: &Home, outcome: &Outcome) -> Vec<String> {
        let mut problems = Vec::new();
        if !matches!(outcome.status, None | Some(0 | 1 | 5 | 137)) {
            problems.push(format!("it ended as {:?}: {}", outcome.status, outcome.stderr));
        }
        let again = self.run(home.oneup()).outcome();
        if again.status != Some(0) {
            problems.push(format!("again: {:?}: {}", again.status, again.stderr));
        }
        let content = |path: &str| {
            let request = Request::new(format!("GET {path} HTTP/1.1\r\n\r\n")).export_response();
            let text = String::from_utf8(request).expect("text");
            text.split_once("\r\n\r\n").expect("a body").1.to_owned()
        };
        let expected = BTreeMap::from([
            (".lock".to_owned(), String::new()),
            ("Coverage.1.ndjson".to_owned(), content("/files/2")),
            ("Patient.1.ndjson".to_owned(), content("/files/1")),
        ]);
        if result(&home.path("members")) != (expected, true) {
            problems.push(format!("the result differs: {:?}", result(&home.path("members"))));
        }
        problems
    }

    /// Without a network it retries for half a minute, and a thread whose wake-up fails waits forever. Other tests have
    /// networks and disks that fail.
    fn is_quick(injection: Injection, call: &Call) -> bool {
        let sends = matches!(&*call.name, "connect" | "sendto" | "writev" | "sendmsg");
        injection == Injection::Kill
            || !(call.name == "write" || sends && injection == Injection::FailFromNowOn)
    }
}

#[test]
fn killed_export_continues_to_an_equal_result() {
    interrupt_at_each_call("kill -9 at each system call", Export::start, &[Injection::Kill]);
}

#[test]
fn failing_export_continues_to_an_equal_result() {
    let injections = [Injection::Fail, Injection::FailFromNowOn];
    interrupt_at_each_call("an error of each system call", Export::start, &injections);
}

/// oneup's clock runs 120 times as fast: half a second is a minute. Tokens are valid for 60 s of it, each file takes 30 s,
/// and the server rejects a token that it saw first more than 60 s before.
#[test]
fn export_of_two_hours_with_tokens_of_a_minute_gets_a_new_one_for_each() {
    const SPEED: u32 = 120;
    if !requires_program("faketime") {
        return;
    }
    let files = size(12, 240);
    let simulated = |seconds: u32| Duration::from_secs(seconds.into()) / SPEED;
    let first_seen = Arc::new(Mutex::new(BTreeMap::<String, Instant>::new()));
    let tokens = Arc::clone(&first_seen);
    let endpoint = TokenEndpoint::builder().lifetime(60).resources(move |request| {
        let token = request.header("authorization").to_owned();
        let seen = *tokens.lock().expect("no panic").entry(token).or_insert(request.received_at);
        if request.received_at - seen > simulated(60) {
            return response("401 Unauthorized", &[], "");
        }
        if request.is_file() {
            std::thread::sleep(simulated(30));
            return request.file_response("\"e\"", "{\"resourceType\":\"Patient\"}\n");
        }
        if !request.is_status() {
            return request.export_response();
        }
        let mut manifest = request.manifest();
        let file =
            |number| serde_json::json!({"type": "Patient", "url": request.url(&format!("/files/{number}"))});
        manifest["output"] = (0..files).map(file).collect();
        response("200 OK", &[], manifest.to_string())
    });
    let endpoint = endpoint.start();
    let home = Home::logged_in(&endpoint);
    let start = Instant::now();
    home.oneup_under(&["faketime", "-f", &format!("+0 x{SPEED}")])
        // The clock makes a timeout shorter too: 30 s would be less than the server needs.
        .args(["export", "members", "--jobs", "1", "--quiet", "--timeout", "3600"])
        .timeout(Duration::from_secs(300))
        .run();
    assert!(start.elapsed() >= simulated(30) * files, "{:?}", start.elapsed());
    assert_eq!(result(&home.path("members")).0.len(), files as usize + 1);
    let used = first_seen.lock().expect("no panic").len();
    assert!(used >= files as usize / 2, "{used} tokens for {files} files of 30 s");
}
