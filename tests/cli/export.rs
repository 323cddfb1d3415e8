//! `oneup export` against the sandbox: options, files, faults, interruptions.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Home, Oneup, Request, Sandbox, TokenEndpoint, json_response, wait_until};

/// A home that is logged in at a sandbox, and a directory to export into.
pub(crate) struct Export {
    pub(crate) home: Home,
    sandbox: Sandbox,
}

impl Export {
    pub(crate) fn start(flags: &[&str]) -> Self {
        let export = Self { home: Home::new(), sandbox: Sandbox::start(flags) };
        export.oneup(&["login", "provider", "--quiet", "--store", "file"]).run();
        export
    }

    pub(crate) fn oneup(&self, args: &[&str]) -> Oneup {
        let env = self.sandbox.env().into_iter().filter(|(name, _)| name != "ONEUP_FHIR_BASE");
        self.home.oneup().args(args).envs(env)
    }

    /// `oneup export DIR` with these options.
    pub(crate) fn export(&self, options: &[&str]) -> Oneup {
        let dir = self.dir();
        self.oneup(&["export"]).arg(dir).args(options)
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.home.path("members")
    }

    pub(crate) fn state(&self) -> Value {
        let text = fs::read(self.dir().join("export.json")).expect("export.json");
        serde_json::from_slice(&text).expect("JSON")
    }

    /// The files and their content, apart from the state.
    pub(crate) fn files(&self) -> Vec<(String, Vec<u8>)> {
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
    pub(crate) fn sizes(&self) -> Vec<(String, usize)> {
        self.files().into_iter().map(|(name, content)| (name, content.len())).collect()
    }

    pub(crate) fn token_requests(&self) -> u64 {
        self.sandbox.count("/token")
    }

    pub(crate) fn file_requests(&self) -> u64 {
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
    export
        .export(&["--type", "Coverage,Patient"])
        .stdout(paths)
        .stderr_has("Exported 2 files; nothing was left to download.")
        .run();
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
    // The server started nothing, so that an option can be corrected.
    export.export(&["--type", "Patient", "--tenant", "acme", "--quiet"]).run();
    export.export(&["--type", "Patient"]).status(2).stderr_has("it differs in --tenant").run();
    export.export(&["--tenant", "a/b"]).status(2).stderr_has("invalid tenant").run();
}

#[test]
fn scope_option_selects_the_token() {
    let export = Export::start(&[]);
    export.export(&["--scope", "member-match-sandbox"]).status(4).stderr_has("HTTP 403").run();
    export.export(&["--scope", "bulk-data|user/*.rs", "--quiet"]).run();
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
    // What a rejected export would have started from is not lost, and not used for other types.
    let time = export.state()["members"]["transactionTime"].as_str().expect("a time").to_owned();
    export.export(&["--since", "last", "--scope", "member-match-sandbox"]).status(4).run();
    export.export(&["--since", "last", "--type", "Patient"]).status(2).stderr_has("--type").run();
    export.export(&["--since", "last", "--quiet"]).run();
    assert_eq!(export.state()["since"], time.as_str());
}

#[test]
fn cancel_deletes_the_job_and_reports_a_server_that_does_not_allow_it() {
    let export = Export::start(&["--allow-cancel", "--fail", "short-file=1"]);
    export.export(&["--cancel"]).status(2).stderr_has("holds no unfinished export").run();
    assert!(!export.dir().exists());
    export.export(&["--type", "Patient,Coverage", "--jobs", "1"]).status(7).run();
    export.export(&["--cancel"]).stderr_has("cancelled").run();
    assert_eq!(export.files().len(), 1);
    // The next export removes the files of the cancelled one.
    export.export(&["--type", "Patient", "--quiet"]).run();
    assert_eq!(export.files().len(), 1);
    assert!(export.dir().join("Patient.1.ndjson").exists());
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
