//! `oneup export` with servers, networks and files that fail: what is retried, resumed and reported.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::export::Export;
use crate::support::{Home, Request, TokenEndpoint, response, size};

#[test]
fn a_rejected_token_is_replaced_once() {
    // Each token is good for three requests; the export needs more.
    let export = Export::start(&["--fail", "401-after=3"]);
    export.export(&["--quiet"]).run();
    assert!(export.token_requests() >= 2, "{}", export.token_requests());
    assert_eq!(export.files().len(), 3);
}

#[test]
fn a_new_token_that_is_rejected_too_is_an_authentication_error() {
    let export = Export::start(&["--fail", "401"]);
    export.export(&[]).status(4).stderr_has("rejected a new access token").run();
    assert_eq!(export.token_requests(), 2, "the login's token and one new one");
}

#[test]
fn tokens_that_expire_during_the_export_are_refreshed() {
    let export = Export::start(&["--token-lifetime", "2", "--export-size", "200KB", "--export-files", "40"]);
    export.export(&["--jobs", "1", "--quiet"]).run();
    assert!(export.files().len() >= 40);
    let outcome = export.export(&["--restart"]).run();
    assert!(outcome.stderr.contains("access token"), "{}", outcome.stderr);
}

#[test]
fn transient_failures_are_retried() {
    for fault in ["fhir-429=2", "fhir-503=2", "fhir-reset=2", "gzip"] {
        let export = Export::start(&["--fail", fault]);
        export.export(&["--quiet"]).run();
        assert_eq!(export.files().len(), 3, "{fault}");
        assert!(export.state()["files"][0]["checked"]["lines"].as_u64() > Some(0), "{fault}");
    }
}

#[test]
fn a_file_is_resumed_after_a_closed_connection() {
    for fault in ["cut-file=2", "no-range"] {
        let export = Export::start(&["--fail", fault, "--fail", "cut-file=1", "--export-size", "2MB"]);
        let reference = Export::start(&["--export-size", "2MB"]);
        export.export(&["--quiet"]).run();
        reference.export(&["--quiet"]).run();
        assert_eq!(export.sizes(), reference.sizes(), "{fault}");
    }
}

/// As after a kill between the last byte and the rename.
#[test]
fn a_whole_partial_file_is_not_fetched_again() {
    let endpoint = TokenEndpoint::builder().resources(Request::export_response).start();
    let home = Home::logged_in(&endpoint);
    let export = || home.oneup().args(["export", "members", "--quiet"]);
    // It can't be renamed to a directory.
    home.write("members/.lock", "");
    fs::create_dir(home.path("members/Patient.1.ndjson")).expect("a directory");
    export().status(1).stderr_has("Patient.1.ndjson").run();
    assert!(home.path("members/Patient.1.ndjson.part").exists());
    fs::remove_dir(home.path("members/Patient.1.ndjson")).expect("removed");
    let before = endpoint.count();
    export().run();
    let requests = endpoint.requests().split_off(before);
    let ranges = requests.iter().filter(|request| !request.header("range").is_empty()).count();
    assert_eq!(ranges, 1, "{requests:?}");
    assert!(home.path("members/Patient.1.ndjson").is_file());
}

/// A server that has the files of a job at `/files/N`, and lists them differently at the second request.
fn changed_manifest(change: fn(&mut Value)) -> (TokenEndpoint, Home) {
    let polls = AtomicUsize::new(0);
    let endpoint = TokenEndpoint::builder().resources(move |request| {
        if request.is_status() {
            let mut manifest = request.manifest();
            let entry = |number: u32| {
                let url =
                    request.url(&format!("/files/{number}?signature={}", polls.load(Ordering::Relaxed)));
                json!({"type": "Patient", "url": url})
            };
            manifest["output"] = json!([entry(1), entry(2)]);
            if polls.fetch_add(1, Ordering::Relaxed) > 0 {
                change(&mut manifest);
            }
            return response("200 OK", &[], manifest.to_string());
        }
        if !request.is_file() {
            return request.export_response();
        }
        let (path, signature) = request.target().split_once("?signature=").expect("a signature");
        let poll = polls.load(Ordering::Relaxed);
        if signature.parse() != Ok(poll - 1) || path == "/files/2" && poll == 1 {
            return response("403 Forbidden", &[], "");
        }
        response("200 OK", &[], format!("{{\"id\":\"{path}\"}}\n"))
    });
    let endpoint = endpoint.start();
    let home = Home::logged_in(&endpoint);
    (endpoint, home)
}

fn read(home: &Home, name: &str) -> String {
    fs::read_to_string(home.path("members").join(name)).expect("a file")
}

#[test]
fn new_urls_are_matched_to_the_files_that_they_are_of() {
    for change in [
        |_: &mut Value| (),
        |manifest: &mut Value| {
            manifest["output"].as_array_mut().expect("files").reverse();
        },
    ] {
        let (_endpoint, home) = changed_manifest(change);
        let export = || home.oneup().args(["export", "members", "--jobs", "1", "--quiet"]);
        export().status(4).run();
        export().run();
        for (name, content) in
            [("Patient.1.ndjson", "{\"id\":\"/files/1\"}\n"), ("Patient.2.ndjson", "{\"id\":\"/files/2\"}\n")]
        {
            assert_eq!(read(&home, name), content);
        }
    }
}

/// A manifest of another instant is of other data: files of both make no export.
#[test]
fn a_manifest_of_another_export_is_not_mixed_in() {
    let (_endpoint, home) = changed_manifest(|manifest| {
        manifest["transactionTime"] = json!("2026-02-01T00:00:00Z");
    });
    let export = || home.oneup().args(["export", "members", "--jobs", "1", "--quiet"]);
    export().status(4).run();
    export().status(4).run();
    assert!(read(&home, "export.json").contains("2026-01-15T09:00:00.000Z"));
}

#[test]
fn a_short_file_is_reported_and_fetched_again() {
    let export = Export::start(&["--fail", "short-file=1"]);
    export
        .export(&["--type", "Patient"])
        .status(7)
        .stderr_has("1 of 1 files are incomplete")
        .stderr_has("Patient.1.ndjson: ")
        .stderr_has("run the same command again")
        .run();
    assert!(export.files().is_empty(), "no file has the name of a complete one");
    export.export(&["--type", "Patient", "--quiet"]).run();
    assert_eq!(export.files().len(), 1);
}

#[test]
fn a_wrong_count_in_the_manifest_is_reported() {
    let export = Export::start(&["--fail", "wrong-count"]);
    export.export(&["--type", "Patient"]).status(7).stderr_has("Patient.1.ndjson: ").run();
    assert!(export.files().is_empty());
}

#[test]
fn a_modified_file_is_reported() {
    let export = Export::start(&[]);
    export.export(&["--quiet"]).run();
    fs::write(export.dir().join("Patient.1.ndjson"), "{}\n").expect("write");
    fs::remove_file(export.dir().join("Coverage.1.ndjson")).expect("removed");
    export
        .export(&[])
        .status(7)
        .stderr_has("2 of 3 files are incomplete")
        .stderr_has("Patient.1.ndjson: it has changed")
        .stderr_has("Coverage.1.ndjson: it is missing")
        .stderr_has("--restart")
        .run();
}

#[test]
fn a_redirect_to_a_file_store_never_carries_the_token() {
    for fault in ["redirect-file", "file-store"] {
        let export = Export::start(&["--fail", fault]);
        export.export(&["--quiet"]).run();
        assert_eq!(export.files().len(), 3, "{fault}");
    }
}

#[test]
fn a_lost_job_suggests_restart() {
    let export = Export::start(&["--fail", "job-gone"]);
    export.export(&[]).status(5).stderr_has("no longer has this export").stderr_has("--restart").run();
}

#[test]
fn a_failed_job_shows_the_servers_reason() {
    let export = Export::start(&["--fail", "job-failed"]);
    export.export(&[]).status(5).stderr_has("the export failed at the server").run();
}

/// After a kill at any moment, the same command produces the same files.
#[test]
fn killed_export_continues_to_an_equal_result() {
    let flags = ["--export-size", "3MB", "--export-files", "6"];
    let reference = Export::start(&flags);
    reference.export(&["--quiet"]).run();
    let export = Export::start(&flags);
    for round in 0..size(12, 200) {
        let mut process = export.export(&["--quiet"]).spawn();
        std::thread::sleep(Duration::from_millis(20 + (round as u64 * 137) % 1200));
        let _ = process.kill();
        let _ = process.wait();
        if export.dir().join("export.json").exists() && export.state()["complete"] == true {
            fs::remove_dir_all(export.dir()).expect("removed");
        }
    }
    export.export(&["--quiet"]).run();
    assert_eq!(export.sizes(), reference.sizes());
    for file in export.state()["files"].as_array().expect("files") {
        assert!(file["checked"]["sha256"].is_string(), "{file}");
    }
}
