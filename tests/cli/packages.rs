//! Releases: the names of their archives, and the manifests that are made of their checksums.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Home, document};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The targets of the release workflow that have an archive of their name.
fn targets() -> Vec<String> {
    let workflow = document(".github/workflows/release.yml");
    let rows = workflow.lines().filter(|line| line.contains("{ target: ") && !line.contains("suffix"));
    let targets = rows.filter_map(|line| line.split("target: ").nth(1)?.split(',').next());
    targets.map(str::to_owned).collect()
}

fn archive(target: &str) -> String {
    let ending = if target.contains("windows") { "zip" } else { "tar.gz" };
    format!("oneup-v{VERSION}-{target}.{ending}")
}

#[test]
fn formula_and_manifest_name_each_archive_with_its_checksum() {
    let home = Home::new();
    let targets = targets();
    assert_eq!(targets.len(), 5, "{targets:?}");
    for (number, target) in targets.iter().enumerate() {
        let sum = format!("{number:064x}");
        home.write(&format!("dist/{}.sha256", archive(target)), format!("{sum}  {}\n", archive(target)));
    }
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/manifests");
    let output = Command::new("bash")
        .arg(script)
        .args([VERSION, "https://github.com/acme/oneup"])
        .arg(home.path("dist"))
        .output()
        .expect("bash runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let formula = fs::read_to_string(home.path("dist/oneup.rb")).expect("the formula");
    let manifest = fs::read_to_string(home.path("dist/oneup.json")).expect("the manifest");
    for (number, target) in targets.iter().enumerate() {
        let (url, sum) = (
            format!("https://github.com/acme/oneup/releases/download/v{VERSION}/{}", archive(target)),
            format!("{number:064x}"),
        );
        if target.contains("windows") {
            let manifest: serde_json::Value = serde_json::from_str(&manifest).expect("JSON");
            let windows = &manifest["architecture"]["64bit"];
            assert_eq!((&windows["url"], &windows["hash"]), (&url.into(), &sum.into()));
        } else {
            let lines = format!("url \"{url}\"\n      sha256 \"{sum}\"\n");
            assert!(formula.contains(&lines), "{target}: {formula}");
        }
    }
}

#[test]
fn binstall_looks_for_the_archives_that_a_release_has() {
    let manifest: toml::Table = document("Cargo.toml").parse().expect("TOML");
    let binstall = &manifest["package"]["metadata"]["binstall"];
    for target in targets() {
        let place = binstall.get("overrides").and_then(|own| own.get(&target)).unwrap_or(binstall);
        let url = place["pkg-url"].as_str().expect("a template");
        let url = url.replace("{ version }", VERSION).replace("{ target }", &target);
        assert_eq!(url, format!("{{ repo }}/releases/download/v{VERSION}/{}", archive(&target)));
    }
}

/// No test builds it, so a file that was moved would break it unnoticed.
#[test]
fn flake_names_files_that_exist() {
    let flake = document("flake.nix");
    for part in ["completions/oneup.bash", "completions/oneup.fish", "completions/_oneup", "./Cargo.lock"] {
        assert!(flake.contains(part), "{part}");
        let file = part.trim_start_matches("./");
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(file).exists(), "{part}");
    }
}

/// A tag can be moved to other code; a commit can't.
#[test]
fn actions_are_pinned_by_commit_and_only_one_job_can_sign() {
    for file in [".github/workflows/ci.yml", ".github/workflows/release.yml"] {
        let workflow = document(file);
        let actions: Vec<&str> =
            workflow.lines().filter_map(|line| line.split_once("uses: ")).map(|action| action.1).collect();
        assert!(actions.len() > 3, "{file}");
        for action in actions {
            let commit = action.split_once('@').expect("a version").1.split(' ').next().unwrap_or_default();
            assert!(
                commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit()),
                "{file}: {action}"
            );
        }
        for line in workflow.lines().filter(|line| line.contains("cargo install")) {
            assert!(line.contains("--locked") && line.contains('@'), "{file}: {line}");
        }
    }
    let release = document(".github/workflows/release.yml");
    let (_, attest) = release.split_once("\n  attest:\n").expect("a job");
    let (attest, _) = attest.split_once("\n  publish:\n").expect("a job");
    assert!(attest.contains("id-token: write") && !attest.contains("run:") && !attest.contains("checkout"));
    assert_eq!(release.matches("id-token: write").count(), 1);
    assert_eq!(release.matches("attestations: write").count(), 1);
}
