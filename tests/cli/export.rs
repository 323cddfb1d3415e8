//! `oneup export` against the sandbox: options, files, faults, interruptions.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Home, Oneup, Request, Sandbox, TokenEndpoint, json_response, wait_until};

/// A home that is logged in at a sandbox, and a directory to export into.
struct Export {
    home: Home,
    sandbox: Sandbox,
}

impl Export {
    fn start(flags: &[&str]) -> Self {
        let export = Self { home: Home::new(), sandbox: Sandbox::start(flags) };
        export.oneup(&["login", "provider", "--quiet", "--store", "file"]).run();
        export
    }

    fn oneup(&self, args: &[&str]) -> Oneup {
        let env = self.sandbox.env().into_iter().filter(|(name, _)| name != "ONEUP_FHIR_BASE");
        self.home.oneup().args(args).envs(env)
    }

    /// `oneup export DIR` with these options.
    fn export(&self, options: &[&str]) -> Oneup {
        let dir = self.dir();
        self.oneup(&["export"]).arg(dir).args(options)
    }

    fn dir(&self) -> PathBuf {
        self.home.path("members")
    }

    fn state(&self) -> Value {
        let text = fs::read(self.dir().join("export.json")).expect("export.json");
        serde_json::from_slice(&text).expect("JSON")
    }

    /// The files and their content, apart from the state.
    fn files(&self) -> Vec<(String, Vec<u8>)> {
        let entries = fs::read_dir(self.dir()).expect("a directory").map(|entry| entry.expect("an entry"));
        let mut files: Vec<_> = entries
            .filter(|entry| entry.file_name().to_string_lossy().ends_with(".ndjson"))
            .map(|entry| {
                (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).expect("a file"))
            })
            .collect();
        files.sort();
        files
    }

    /// The files and their lengths.
    fn sizes(&self) -> Vec<(String, usize)> {
        self.files().into_iter().map(|(name, content)| (name, content.len())).collect()
    }

    fn token_requests(&self) -> u64 {
        self.sandbox.count("/token")
    }

    fn file_requests(&self) -> u64 {
        self.sandbox.count(".ndjson")
    }
}

#[test]
fn exports_into_a_private_directory_and_prints_the_paths() {
    let export = Export::start(&[]);
    let path = |name| format!("{}\n", export.dir().join(name).display());
    let paths = path("Patient.1.ndjson") + &path("Coverage.1.ndjson");
    export
        .export(&["--type", "Patient,Coverage"])
        .stdout(paths.clone())
        .stderr_has("Exported 2 files.")
        .run();
    for (name, content) in export.files() {
        let text = String::from_utf8(content).expect("UTF-8");
        assert_eq!(text.lines().count(), 12, "{name}");
        for line in text.lines() {
            let resource: Value = serde_json::from_str(line).expect("NDJSON");
            assert!(name.starts_with(resource["resourceType"].as_str().expect("a type")), "{line}");
        }
    }
    assert!(!export.dir().join(".job.json").exists(), "the job's URLs are removed at the end");
    let state = export.state();
    assert_eq!(state["complete"], true);
    assert!(!state.to_string().contains("/files/") && !state.to_string().contains("Bearer"), "{state}");
    #[cfg(unix)]
    {
        use crate::support::mode;
        assert_eq!(mode(&export.dir()), 0o700);
        for name in ["Patient.1.ndjson", "export.json"] {
            assert_eq!(mode(&export.dir().join(name)), 0o600, "{name}");
        }
    }
    // The same command again fetches nothing.
    let before = export.file_requests();
    export.export(&["--type", "Coverage,Patient", "--quiet"]).stdout(paths).run();
    assert_eq!(export.file_requests(), before);
}

#[test]
fn format_json_prints_the_manifest_with_local_names_and_hashes() {
    let export = Export::start(&[]);
    let outcome = export.export(&["--patient", "--format", "json", "--quiet"]).run();
    let manifest: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let first = &manifest["output"][0];
    assert_eq!(first["url"], "Patient.1.ndjson");
    assert_eq!(first["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(first["count"], first["lines"]);
    assert!(manifest["transactionTime"].is_string() && manifest["error"].is_array(), "{manifest}");
}

#[test]
fn a_manifest_in_the_first_response_is_accepted() {
    let export = Export::start(&["--fail", "manifest-200"]);
    export.export(&["--type", "Patient", "--quiet"]).run();
    assert_eq!(export.files().len(), 1);
}

#[test]
fn another_export_or_other_files_in_the_directory_are_errors() {
    let export = Export::start(&[]);
    export.export(&["--type", "Patient", "--quiet"]).run();
    export
        .export(&["--type", "Coverage"])
        .status(2)
        .stderr_has("it differs in --type")
        .stderr_has("--restart")
        .run();
    export.export(&["--type", "Coverage", "--restart", "--quiet"]).run();
    assert_eq!(
        export.files().iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(),
        ["Coverage.1.ndjson"]
    );
    export.home.write("thesis/thesis.doc", "x");
    let other = export.home.path("thesis");
    export.oneup(&["export"]).arg(other).status(2).stderr_has("is not empty and holds no export").run();
}

#[test]
fn usage_errors_name_a_value_that_works() {
    let export = Export::start(&[]);
    for (options, hint) in [
        (&["--type", "patient"][..], "hint: --type Patient,Coverage"),
        (&["--since", "yesterday"], "hint: --since 2026-01-31T00:00:00Z"),
        (&["--group", "a/b"], "--group 42"),
        (&["--type-filter", "x"], "hint: --type-filter 'Observation?category=laboratory'"),
    ] {
        export.export(options).status(2).stderr_has(hint).run();
    }
    assert!(!export.dir().exists(), "nothing is created if an option is invalid");
}

#[test]
fn tenant_selects_the_payer_and_the_servers_rejection_names_causes() {
    let export = Export::start(&["--tenant-only", "acme"]);
    export
        .export(&["--type", "Patient"])
        .status(4)
        .stderr_has("HTTP 403")
        .stderr_has("outside the United States")
        .run();
    export
        .export(&["--type", "Patient", "--tenant", "acme"])
        .status(2)
        .stderr_has("it differs in --tenant")
        .run();
    export.export(&["--type", "Patient", "--tenant", "acme", "--restart", "--quiet"]).run();
    export.export(&["--tenant", "a/b"]).status(2).stderr_has("invalid tenant").run();
}

#[test]
fn scope_option_selects_the_token() {
    let export = Export::start(&[]);
    export.export(&["--scope", "member-match-sandbox"]).status(4).stderr_has("HTTP 403").run();
    export.export(&["--restart", "--scope", "bulk-data|user/*.rs", "--quiet"]).run();
}

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
    export.export(&[]).status(7).stderr_has("Patient.1.ndjson: it has changed").stderr_has("--restart").run();
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

#[test]
fn since_last_starts_from_the_transaction_time_and_keeps_the_previous_export() {
    let export = Export::start(&[]);
    export.export(&["--since", "last", "--quiet"]).run();
    let time = export.state()["members"]["transactionTime"].as_str().expect("a time").to_owned();
    assert_eq!(export.state()["since"], Value::Null);
    export.export(&["--since", "last", "--quiet"]).run();
    assert_eq!(export.state()["since"], time.as_str());
    let archived = export.dir().join(time.replace(':', "-"));
    assert!(archived.join("Patient.1.ndjson").exists() && archived.join("export.json").exists());
}

#[test]
fn cancel_deletes_the_job_and_reports_a_server_that_does_not_allow_it() {
    let export = Export::start(&["--allow-cancel", "--fail", "short-file=1"]);
    export.export(&["--cancel"]).status(2).stderr_has("holds no unfinished export").run();
    export.export(&["--type", "Patient"]).status(7).run();
    export.export(&["--cancel"]).stderr_has("cancelled").run();
    export.export(&["--type", "Patient", "--quiet"]).run();
    let export = Export::start(&["--fail", "short-file=1"]);
    export.export(&["--type", "Patient"]).status(7).run();
    export.export(&["--cancel"]).status(4).stderr_has("HTTP 403").run();
}

#[test]
fn two_exports_into_one_directory_do_not_mix() {
    let export = Export::start(&["--fail", "fhir-slow=1"]);
    let mut first = export.export(&["--quiet"]).spawn();
    wait_until("a lock", || export.dir().join(".lock").exists());
    std::thread::sleep(Duration::from_millis(100));
    export.export(&[]).status(1).stderr_has("another oneup process is exporting into").run();
    let _ = first.kill();
    let _ = first.wait();
}

/// After a kill at any moment, the same command produces the same files.
#[test]
fn killed_export_continues_to_an_equal_result() {
    let flags = ["--export-size", "3MB", "--export-files", "6"];
    let reference = Export::start(&flags);
    reference.export(&["--quiet"]).run();
    let export = Export::start(&flags);
    for round in 0..crate::support::size(12, 200) {
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

#[test]
fn a_file_at_another_host_does_not_get_the_token() {
    let manifest = json!({
        "transactionTime": "2026-01-15T09:00:00.000Z", "requiresAccessToken": true, "error": [],
        "output": [{"type": "Patient", "url": "https://files.example/secret-path/1"}],
    });
    let resources = move |_: &Request| json_response("200 OK", manifest.to_string());
    let home = Home::logged_in(&TokenEndpoint::builder().resources(resources).start());
    let dir = home.path("members");
    home.oneup()
        .args(["export", "-v"])
        .arg(&dir)
        .status(3)
        .stderr_has("is at files.example, which is not one of this profile's hosts")
        .stderr_has("--allow-host files.example")
        .never("secret-path")
        .never("token-0")
        .run();
    let state = fs::read_to_string(dir.join("export.json")).expect("export.json");
    assert!(!state.contains("secret-path"), "{state}");
}
