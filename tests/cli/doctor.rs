//! `doctor`: it finds what is wrong when nothing works, and says how to mend it.

use std::net::TcpListener;

use crate::support::{Home, Oneup};

fn checks(outcome: &str) -> Vec<(String, String)> {
    let json: serde_json::Value = serde_json::from_str(outcome).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let list = json["checks"].as_array().expect("a list");
    list.iter().map(|check| (text(&check["check"]), text(&check["status"]))).collect()
}

/// A profile of a server that isn't there.
fn profile(token_url: &str, store: &str) -> String {
    format!(
        "schema = 1\nid = \"{}\"\nproduct = \"provider\"\nclient_id = \"c\"\nscope = \"\"\n\
         token_url = \"{token_url}\"\nfhir_base = \"http://127.0.0.1:1/r4\"\nauth_method = \"post\"\nstore = \"{store}\"\n",
        "0123456789abcdef".repeat(2)
    )
}

#[test]
fn with_no_profile_everything_else_is_checked() {
    let home = Home::new();
    home.oneup()
        .arg("doctor")
        .stderr("")
        .stdout_has("warning  profile    nobody is logged in; fix: oneup login provider, p2p or patient")
        .stdout_has("ok       store      file (not encrypted): written, read and deleted a dummy\n")
        .stdout_has("ok       variables  ONEUP_STORE=file stands for --store\n")
        .stdout_has("ok       proxy      none\n")
        .run();
    let outcome = home.oneup().args(["doctor", "--format", "json"]).run();
    let names: Vec<String> = checks(&outcome.stdout).into_iter().map(|(name, _)| name).collect();
    for name in ["config", "state", "profile", "variables", "store", "curl", "callback", "proxy", "trust"] {
        assert!(names.iter().any(|found| found == name), "{name} is missing of {names:?}");
    }
    let secrets = home.state().join("secrets");
    let left = std::fs::read_dir(&secrets).map_or(0, Iterator::count);
    assert_eq!(left, 0, "the dummy is gone from {}", secrets.display());
}

#[test]
fn a_broken_profile_is_a_finding_beside_the_others() {
    let home = Home::new();
    home.write("config/profiles/bad.toml", "schema = 1\nid = 7\n");
    home.write("config/profiles/good.toml", profile("http://127.0.0.1:1/token", "file"));
    home.oneup()
        .arg("doctor")
        .status(7)
        .stdout_has("ok       profile    good (")
        .stdout_has("failure  profile    ")
        .stdout_has("bad.toml, line 2, is not a profile")
        .stdout_has("failure  endpoint   ")
        .run();
}

#[test]
fn no_secret_of_the_environment_is_shown() {
    Oneup::new()
        .arg("doctor")
        .env("ONEUP_CLIENT_SECRET", "s3cret-value")
        .env("ONEUP_TOKEN", "t0ken-value")
        .env("HTTPS_PROXY", "http://user:pr0xy-pass@proxy.example:8080")
        .env("ONEUP_GATEWAI", "https://x.example")
        .stdout_has("ONEUP_CLIENT_SECRET=(not shown) stands for the client secret")
        .stdout_has("warning  variables  ONEUP_TOKEN is used instead of the token of every profile; fix: unset ONEUP_TOKEN")
        .stdout_has("http://proxy.example:8080, with credentials (HTTPS_PROXY)")
        .stdout_has("warning  variables  ONEUP_GATEWAI means nothing to oneup; fix: is it misspelt?")
        .never("s3cret-value")
        .never("t0ken-value")
        .never("pr0xy-pass")
        .run();
}

#[test]
fn a_server_that_never_answers_is_a_finding_at_the_deadline() {
    let mute = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/token", mute.local_addr().expect("an address"));
    let home = Home::new();
    home.write("config/profiles/p.toml", profile(&url, "file"));
    let start = std::time::Instant::now();
    home.oneup().args(["doctor", "--timeout", "1"]).status(7).stdout_has("failure  endpoint   ").run();
    assert!(start.elapsed().as_secs() < 5, "one deadline for all");
}

#[test]
fn a_ca_bundle_that_is_none_is_a_failure() {
    let home = Home::new();
    let file = home.write("ca.pem", "no certificate");
    home.oneup()
        .arg("doctor")
        .env("ONEUP_CACERT", file)
        .status(7)
        .stdout_has("failure  trust      can't use the CA bundle")
        .stdout_has("fix: --cacert takes a PEM file")
        .run();
}
