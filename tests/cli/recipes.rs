//! The README's recipes, run as a CI system or a shell would run them, against the sandbox.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Home, Sandbox, requires_program};

/// Runs a script in a shell that finds oneup, with the sandbox's client in its environment.
fn shell(home: &Home, sandbox: &Sandbox, program: &[&str], script: &str) -> Output {
    let bin = Path::new(env!("CARGO_BIN_EXE_oneup")).parent().expect("a directory");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("PATH"));
    Command::new(program[0])
        .args(&program[1..])
        .args(["-c", script])
        .env_remove("ONEUP_TOKEN")
        .envs(sandbox.env())
        .envs([("PATH", path), ("CI", "true".into()), ("ONEUP_STORE", "file".into())])
        .env("HOME", home.path(""))
        .env("ONEUP_CONFIG_DIR", home.config())
        .env("ONEUP_STATE_DIR", home.state())
        .env("GITHUB_ENV", home.path("github_env"))
        .output()
        .expect("the shell runs")
}

#[track_caller]
fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The README is what is run here, so a recipe that changes there must change here.
fn in_the_readme(line: &str) {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    assert!(fs::read_to_string(readme).expect("README.md").contains(line), "{line}");
}

const PATIENT: &str = "curl -fsS -o /dev/null -w '%{http_code}' -H \"Authorization: Bearer $ONEUP_TOKEN\" \
                       \"$ONEUP_FHIR_BASE/Patient?_count=1\"";

#[test]
fn plain_sh_and_gitlab_export_the_token_and_use_it() {
    if !requires_program("curl") {
        return;
    }
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    for recipe in [
        r#"ONEUP_TOKEN="$(oneup login provider --no-store)" && export ONEUP_TOKEN"#,
        r#"export ONEUP_TOKEN="$(oneup login provider --no-store)""#,
    ] {
        in_the_readme(recipe);
        let output = shell(&home, &sandbox, &["sh", "-e"], &format!("{recipe}\n{PATIENT}"));
        assert_eq!(text(&output), "200");
    }
    assert!(!home.config().exists(), "--no-store remembers nothing");
}

#[test]
fn github_masks_before_it_exports_and_the_next_step_has_the_token() {
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    let recipe = "oneup login provider --no-store --format github";
    in_the_readme(recipe);
    let output = shell(&home, &sandbox, &["sh", "-e"], recipe);
    let log = text(&output);
    let token = log.strip_prefix("::add-mask::").and_then(|log| log.strip_suffix('\n')).expect(&log);
    assert!(!String::from_utf8_lossy(&output.stderr).contains(token));
    assert_eq!(fs::read_to_string(home.path("github_env")).expect("it"), format!("ONEUP_TOKEN={token}\n"));
}

#[test]
fn azure_makes_the_token_a_secret_variable() {
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    let recipe = "oneup login provider --no-store --format azure";
    in_the_readme(recipe);
    let output = shell(&home, &sandbox, &["sh", "-e"], recipe);
    let log = text(&output);
    assert!(log.starts_with("##vso[task.setvariable variable=ONEUP_TOKEN;issecret=true]ey"), "{log}");
    assert_eq!(log.lines().count(), 1);
}

#[test]
fn each_shell_gets_the_variable_that_token_show_prints() {
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    text(&shell(&home, &sandbox, &["sh"], "oneup login provider"));
    let token = text(&shell(&home, &sandbox, &["sh"], "oneup token show"));
    let export = r#"eval "$(oneup token show --format export)""#;
    let fish = "oneup token show --format fish | source";
    for (program, recipe) in [
        (&["bash", "--norc"][..], export),
        (&["dash"], export),
        (&["zsh", "-f"], export),
        (&["fish", "--no-config"], fish),
    ] {
        in_the_readme(recipe);
        if requires_program(program[0]) {
            let output = shell(&home, &sandbox, program, &format!("{recipe}\nsh -c 'echo $ONEUP_TOKEN'"));
            assert_eq!(text(&output), token, "{program:?}");
        }
    }
    if requires_program("curl") && requires_program("bash") {
        let recipe = "curl -H @<(oneup token show --format header)";
        in_the_readme(recipe);
        let script = format!("{recipe} -fsS -o /dev/null -w '%{{http_code}}' \"$ONEUP_FHIR_BASE/Patient\"");
        assert_eq!(text(&shell(&home, &sandbox, &["bash", "--norc"], &script)), "200");
    }
}

/// The HL7 Bulk Data guide, step by step: kick-off, status, manifest, files, deletion.
#[test]
fn a_bulk_export_runs_through_oneup_curl() {
    if !requires_program("curl") {
        return;
    }
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    let script = r#"
        oneup login provider --quiet
        status=$(oneup curl -fsS -D - -o /dev/null -H 'Prefer: respond-async' '/$export?_type=Patient,Coverage' |
            tr -d '\r' | sed -n 's/^[Cc]ontent-[Ll]ocation: //p')
        until [ "$(oneup curl -fsS -o manifest -w '%{http_code}' "$status")" = 200 ]; do sleep 0.3; done
        grep -q '"requiresAccessToken" *: *true' manifest
        for file in $(grep -o 'http[^"]*ndjson' manifest); do oneup curl -fsS "$file"; done > resources
        oneup curl -fsS -X DELETE -o /dev/null -w '%{http_code}' "$status""#;
    let script = format!("cd \"$HOME\"\n{script}");
    let output = shell(&home, &sandbox, &["sh", "-e"], &script);
    assert_eq!(text(&output), "202", "{}", String::from_utf8_lossy(&output.stderr));
    let resources = fs::read_to_string(home.path("resources")).expect("the files");
    assert!(resources.lines().count() > 2);
    for line in resources.lines() {
        let resource: serde_json::Value = serde_json::from_str(line).expect("NDJSON");
        assert!(
            ["Patient", "Coverage"].contains(&resource["resourceType"].as_str().expect("a type")),
            "{line}"
        );
    }
}
