//! `oneup export` and the rules for clients of HL7's Bulk Data Access IG 2.0 (STU 2, "Export"): a row for each rule, with
//! the section that it is from, what the server responds, and a check.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::support::{Home, Outcome, Request, TokenEndpoint, outcome, response};

/// A request and how many of its method and target came before; `None` is the usual response.
type Respond = fn(&Request, usize) -> Option<Vec<u8>>;

/// A rule.
struct Rule {
    section: &'static str,
    rule: &'static str,
    options: &'static [&'static str],
    respond: Respond,
    exit: i32,
    check: fn(&Run),
}

/// What `oneup export` did.
struct Run {
    outcome: Outcome,
    requests: Vec<Request>,
    dir: PathBuf,
}

impl Run {
    fn of(&self, kind: fn(&Request) -> bool) -> Vec<&Request> {
        self.requests.iter().filter(|request| kind(request)).collect()
    }

    fn kick_off(&self) -> &Request {
        self.of(Request::is_kick_off)[0]
    }

    fn stderr_has(&self, text: &str) {
        assert!(self.outcome.stderr.contains(text), "stderr lacks {text:?}: {}", self.outcome.stderr);
    }

    fn stderr_lacks(&self, text: &str) {
        assert!(!self.outcome.stderr.contains(text), "stderr has {text:?}: {}", self.outcome.stderr);
    }

    fn state(&self) -> Value {
        let text = fs::read(self.dir.join("export.json")).expect("export.json");
        serde_json::from_slice(&text).expect("JSON")
    }

    fn has_file(&self, name: &str) -> bool {
        self.dir.join(name).exists()
    }

    /// The time between the first two requests of a kind.
    fn pause(&self, kind: fn(&Request) -> bool) -> Duration {
        let requests = self.of(kind);
        requests[1].received_at - requests[0].received_at
    }
}

const KICK_OFF: &str = "Bulk Data Kick-off Request";
const DELETE: &str = "Bulk Data Delete Request";
const STATUS: &str = "Bulk Data Status Request";
const MANIFEST: &str = "Response - Complete Status";
const FILE: &str = "Bulk Data Output File Request";

fn usual(_: &Request, _: usize) -> Option<Vec<u8>> {
    None
}

fn in_progress(headers: &[(&str, &str)]) -> Option<Vec<u8>> {
    Some(response("202 Accepted", headers, ""))
}

/// The usual manifest with a change.
fn manifest(request: &Request, change: impl FnOnce(&mut Value)) -> Option<Vec<u8>> {
    request.is_status().then(|| {
        let mut manifest = request.manifest();
        change(&mut manifest);
        response("200 OK", &[], manifest.to_string())
    })
}

const PASSES: Rule = Rule { section: "", rule: "", options: &[], respond: usual, exit: 0, check: |_| {} };

#[rustfmt::skip]
const RULES: &[Rule] = &[
    Rule { section: KICK_OFF, rule: "GET with Accept: application/fhir+json and Prefer: respond-async", check: |run| {
        let request = run.kick_off();
        assert_eq!((request.method(), request.target()), ("GET", "/r4/$export"));
        assert_eq!(request.header("accept"), "application/fhir+json");
        assert_eq!(request.header("prefer"), "respond-async");
    }, ..PASSES },
    Rule { section: KICK_OFF, rule: "Patient level", options: &["--patient"], check: |run| {
        assert_eq!(run.kick_off().target(), "/r4/Patient/$export");
    }, ..PASSES },
    Rule { section: KICK_OFF, rule: "Group level", options: &["--group", "a-1"], check: |run| {
        assert_eq!(run.kick_off().target(), "/r4/Group/a-1/$export");
    }, ..PASSES },
    Rule { section: KICK_OFF, rule: "_type is one list, _since an instant, each _typeFilter a parameter", options: &[
        "--type", "Patient,Coverage", "--since", "2026-01-01T00:00:00+01:00",
        "--type-filter", "Patient?gender=female", "--type-filter", "Coverage?status=active",
    ], check: |run| {
        let query = run.kick_off().target().split_once('?').expect("a query").1.to_owned();
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(pairs, [
            pair("_type", "Coverage,Patient"), pair("_since", "2026-01-01T00:00:00+01:00"),
            pair("_typeFilter", "Patient?gender=female"), pair("_typeFilter", "Coverage?status=active"),
        ]);
    }, ..PASSES },
    Rule { section: KICK_OFF, rule: "Content-Location is the status URL", check: |run| {
        assert_eq!(run.of(Request::is_status).len(), 1);
    }, ..PASSES },
    Rule { section: KICK_OFF, rule: "202 without Content-Location is no acceptance", exit: 3, respond: |request, _| {
        request.is_kick_off().then(|| response("202 Accepted", &[], ""))
    }, check: |run| run.stderr_has("named no status URL"), ..PASSES },
    Rule { section: KICK_OFF, rule: "4xx: the OperationOutcome is shown", exit: 1, respond: |request, _| {
        request.is_kick_off().then(|| response("400 Bad Request", &[], outcome("invalid", "no such type")))
    }, check: |run| { run.stderr_has("HTTP 400"); run.stderr_has("no such type"); }, ..PASSES },
    Rule { section: KICK_OFF, rule: "5xx: the OperationOutcome is shown", exit: 5, respond: |request, _| {
        request.is_kick_off().then(|| response("500 Error", &[], outcome("exception", "out of memory")))
    }, check: |run| { run.stderr_has("HTTP 500"); run.stderr_has("out of memory"); }, ..PASSES },
    Rule { section: KICK_OFF, rule: "a redirect is not followed", exit: 3, respond: |request, _| {
        let location = [("Location", "https://login.example/?state=secret")];
        request.is_kick_off().then(|| response("302 Found", &location, ""))
    }, check: |run| {
        run.stderr_has("redirects to https://login.example/");
        run.stderr_lacks("secret");
    }, ..PASSES },
    Rule { section: KICK_OFF, rule: "503: a Retry-After of hours is reported", exit: 5, respond: |request, _| {
        request.is_kick_off().then(|| response("503 Down", &[("Retry-After", "99999999")], ""))
    }, check: |run| { run.stderr_has("the server asks to wait 1157 d"); run.stderr_has("continues"); }, ..PASSES },
    Rule { section: KICK_OFF, rule: "429: Retry-After is respected", respond: |request, number| {
        (request.is_kick_off() && number == 0).then(|| response("429 Slow Down", &[("Retry-After", "1")], ""))
    }, check: |run| assert!(run.pause(Request::is_kick_off) >= Duration::from_secs(1)), ..PASSES },

    Rule { section: DELETE, rule: "DELETE of the status URL, with the token", options: &["--cancel"], check: |run| {
        let request = run.requests.iter().find(|request| request.method() == "DELETE").expect("DELETE");
        assert!(request.is_status() && request.header("authorization").starts_with("Bearer token-"));
        assert!(!run.has_file(".job.json"));
    }, ..PASSES },
    Rule { section: DELETE, rule: "a job that is gone already counts as cancelled", options: &["--cancel"],
        respond: |request, _| (request.method() == "DELETE").then(|| response("404 Not Found", &[], "")),
        check: |run| assert!(!run.has_file(".job.json")), ..PASSES },
    Rule { section: DELETE, rule: "a server that can't cancel is reported", options: &["--cancel"], exit: 4,
        respond: |request, _| (request.method() == "DELETE").then(|| response("403 No", &[], outcome("forbidden", "never"))),
        check: |run| { run.stderr_has("never"); assert!(run.has_file(".job.json")); } },

    Rule { section: STATUS, rule: "GET with Accept: application/json and the token", check: |run| {
        let request = run.of(Request::is_status)[0];
        assert_eq!((request.method(), request.header("accept")), ("GET", "application/json"));
        assert!(request.header("authorization").starts_with("Bearer token-"));
    }, ..PASSES },
    Rule { section: STATUS, rule: "202: Retry-After in seconds", respond: |request, number| {
        (request.is_status() && number == 0).then(|| in_progress(&[("Retry-After", "2"), ("X-Progress", "half")]))?
    }, check: |run| assert!(run.pause(Request::is_status) >= Duration::from_secs(2)), ..PASSES },
    Rule { section: STATUS, rule: "202: Retry-After as a date", respond: |request, number| {
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
        (request.is_status() && number == 0).then(|| in_progress(&[("Retry-After", &date)]))?
    }, check: |run| assert!(run.pause(Request::is_status) >= Duration::from_millis(1500)), ..PASSES },
    Rule { section: STATUS, rule: "202 without Retry-After: exponential backoff", respond: |request, number| {
        (request.is_status() && number < 2).then(|| in_progress(&[]))?
    }, check: |run| {
        let polls = run.of(Request::is_status);
        let pauses = [polls[1].received_at - polls[0].received_at, polls[2].received_at - polls[1].received_at];
        assert!(pauses[0] >= Duration::from_secs(1) && pauses[1] >= Duration::from_secs(2), "{pauses:?}");
    }, ..PASSES },
    Rule { section: STATUS, rule: "429: polls again after Retry-After", respond: |request, number| {
        (request.is_status() && number == 0).then(|| response("429 Slow Down", &[("Retry-After", "1")], ""))
    }, check: |run| assert!(run.pause(Request::is_status) >= Duration::from_secs(1)), ..PASSES },
    Rule { section: STATUS, rule: "Retry-After: 0 is not a busy loop", respond: |request, number| {
        (request.is_status() && number < 2).then(|| response("202 Accepted", &[("Retry-After", "0")], ""))
    }, check: |run| assert!(run.pause(Request::is_status) >= Duration::from_secs(1)), ..PASSES },
    Rule { section: STATUS, rule: "5xx with a transient OperationOutcome: polls again", respond: |request, number| {
        (request.is_status() && number == 0).then(|| response("500 Error", &[], outcome("transient", "busy")))
    }, check: |run| assert_eq!(run.of(Request::is_status).len(), 2), ..PASSES },
    Rule { section: STATUS, rule: "5xx: the job failed, and is not polled again", exit: 5, respond: |request, _| {
        request.is_status().then(|| response("500 Error", &[], outcome("exception", "disk failure")))
    }, check: |run| {
        run.stderr_has("disk failure");
        run.stderr_has("--restart");
        assert_eq!(run.of(Request::is_status).len(), 1);
    }, ..PASSES },
    Rule { section: STATUS, rule: "404: the job is gone", exit: 5, respond: |request, _| {
        request.is_status().then(|| response("404 Not Found", &[], outcome("not-found", "no job")))
    }, check: |run| run.stderr_has("--restart"), ..PASSES },

    Rule { section: MANIFEST, rule: "transactionTime is required", exit: 3, respond: |request, _| {
        manifest(request, |manifest| drop(manifest["transactionTime"].take()))
    }, check: |run| run.stderr_has("transactionTime"), ..PASSES },
    Rule { section: MANIFEST, rule: "output is required", exit: 3, respond: |request, _| {
        manifest(request, |manifest| drop(manifest["output"].take()))
    }, check: |run| run.stderr_has("output is not a list"), ..PASSES },
    Rule { section: MANIFEST, rule: "an empty output is a finished export", respond: |request, _| {
        manifest(request, |manifest| manifest["output"] = json!([]))
    }, check: |run| { assert_eq!(run.outcome.stdout, ""); assert_eq!(run.state()["complete"], true); }, ..PASSES },
    Rule { section: MANIFEST, rule: "files of error are fetched", respond: |request, _| {
        let file = json!({"type": "OperationOutcome", "url": request.url("/files/1")});
        manifest(request, |manifest| manifest["error"] = json!([file]))
    }, check: |run| assert!(run.has_file("error.OperationOutcome.1.ndjson")), ..PASSES },
    Rule { section: MANIFEST, rule: "files of deleted are fetched", respond: |request, _| {
        let file = json!({"type": "Bundle", "url": request.url("/files/1")});
        manifest(request, |manifest| manifest["deleted"] = json!([file]))
    }, check: |run| assert!(run.has_file("deleted.Bundle.1.ndjson")), ..PASSES },
    Rule { section: MANIFEST, rule: "extension and unknown members are kept", options: &["--format", "json"],
        respond: |request, _| manifest(request, |manifest| {
            manifest["extension"] = json!({"https://x.example": true});
            manifest["output"][0]["note"] = json!("n");
        }),
        check: |run| {
            let printed: Value = serde_json::from_str(&run.outcome.stdout).expect("JSON");
            assert_eq!(printed["extension"]["https://x.example"], true);
            assert_eq!(printed["output"][0]["note"], "n");
        }, ..PASSES },
    Rule { section: MANIFEST, rule: "count is checked where it is given", exit: 7, respond: |request, _| {
        manifest(request, |manifest| manifest["output"][0]["count"] = json!(3))
    }, check: |run| {
        run.stderr_has("2 lines, but the server announced 3");
        assert!(!run.has_file("Patient.1.ndjson") && run.has_file("Coverage.1.ndjson"));
    }, ..PASSES },
    Rule { section: MANIFEST, rule: "files that have expired need a new export", exit: 5, respond: |request, _| {
        request.is_file().then(|| response("410 Gone", &[], ""))
    }, check: |run| run.stderr_has("--restart"), ..PASSES },

    Rule { section: FILE, rule: "GET with Accept: application/fhir+ndjson", check: |run| {
        for request in run.of(Request::is_file) {
            assert_eq!((request.method(), request.header("accept")), ("GET", "application/fhir+ndjson"));
        }
    }, ..PASSES },
    Rule { section: FILE, rule: "requiresAccessToken true: with the token", check: |run| {
        let files = run.of(Request::is_file);
        assert_eq!(files.len(), 2);
        assert!(files.iter().all(|request| request.header("authorization").starts_with("Bearer token-")));
    }, ..PASSES },
    Rule { section: FILE, rule: "requiresAccessToken false: without it", respond: |request, _| {
        manifest(request, |manifest| manifest["requiresAccessToken"] = json!(false))
    }, check: |run| {
        assert!(run.of(Request::is_file).iter().all(|request| request.header("authorization").is_empty()));
    }, ..PASSES },
    Rule { section: FILE, rule: "401: a new token, once", respond: |request, number| {
        (request.is_file() && number == 0).then(|| response("401 No", &[], ""))
    }, check: |run| {
        let files = run.of(Request::is_file);
        let tokens: HashSet<&str> = files.iter().map(|request| request.header("authorization")).collect();
        assert_eq!((files.len(), tokens.len()), (4, 2), "one new token for both files: {tokens:?}");
    }, ..PASSES },
    Rule { section: FILE, rule: "HTML instead of NDJSON is an error", exit: 7, respond: |request, _| {
        request.is_file().then(|| response("200 OK", &[("Content-Type", "text/html")], "<!doctype html>\n<h1>Log in</h1>\n"))
    }, check: |run| {
        run.stderr_has("line 1 is not a JSON object");
        assert!(!run.has_file("Patient.1.ndjson"));
    }, ..PASSES },
    Rule { section: FILE, rule: "429: a Retry-After of hours is reported", exit: 5, respond: |request, _| {
        request.is_file().then(|| response("429 Slow Down", &[("Retry-After", "86400")], ""))
    }, check: |run| run.stderr_has("the server asks to wait 1 d"), ..PASSES },
    Rule { section: FILE, rule: "plain http is not requested", exit: 3, respond: |request, _| {
        manifest(request, |manifest| {
            manifest["requiresAccessToken"] = json!(false);
            manifest["output"][0]["url"] = json!("http://files.example/secret?signature=secret");
        })
    }, check: |run| {
        run.stderr_has("the file Patient.1.ndjson is at http://files.example");
        run.stderr_lacks("secret");
    }, ..PASSES },
    Rule { section: FILE, rule: "a redirect to plain http is not followed", exit: 3, respond: |request, _| {
        let location = [("Location", "http://files.example/secret")];
        request.is_file().then(|| response("307 Temporary Redirect", &location, ""))
    }, check: |run| {
        run.stderr_has(".ndjson is at http://files.example");
        run.stderr_lacks("secret");
    }, ..PASSES },
    Rule { section: FILE, rule: "an expired signed URL: the next run gets a new one", exit: 5, respond: |request, _| {
        let expired = request.is_file().then(|| response("403 Forbidden", &[("Content-Type", "application/xml")], "<Error/>"));
        expired.or_else(|| manifest(request, |manifest| manifest["requiresAccessToken"] = json!(false)))
    }, check: |run| run.stderr_has("which gets new URLs"), ..PASSES },
];

#[test]
fn follows_each_rule_of_the_bulk_data_guide() {
    let (script, requests) = (Arc::new(Mutex::new(usual as Respond)), Arc::new(Mutex::new(Vec::new())));
    let (respond, seen) = (Arc::clone(&script), Arc::clone(&requests));
    let counts = Arc::new(Mutex::new(HashMap::<String, usize>::new()));
    let numbers = Arc::clone(&counts);
    let endpoint = TokenEndpoint::builder().resources(move |request| {
        let key = format!("{} {}", request.method(), request.target());
        let mut numbers = numbers.lock().expect("no panic");
        let number = numbers.entry(key).or_default();
        *number += 1;
        seen.lock().expect("no panic").push(request.clone());
        let replacement = respond.lock().expect("no panic")(request, *number - 1);
        replacement.unwrap_or_else(|| request.export_response())
    });
    let endpoint = endpoint.start();
    for (index, rule) in RULES.iter().enumerate() {
        eprintln!("{}: {}", rule.section, rule.rule);
        // A token for each row: one that was replaced must not be the next row's.
        let home = Home::logged_in(&endpoint);
        let dir = home.path(format!("export-{index}"));
        let export = |options: &[&str]| home.oneup().arg("export").arg(&dir).args(options);
        if rule.options == ["--cancel"] {
            // It needs an unfinished export.
            *script.lock().expect("no panic") =
                |request, _| request.is_file().then(|| response("404 Not Found", &[], ""));
            export(&[]).status(5).run();
        }
        *script.lock().expect("no panic") = rule.respond;
        requests.lock().expect("no panic").clear();
        counts.lock().expect("no panic").clear();
        let outcome = export(rule.options).outcome();
        assert_eq!(outcome.status, Some(rule.exit), "{}", outcome.stderr);
        (rule.check)(&Run { outcome, requests: requests.lock().expect("no panic").clone(), dir });
    }
}
