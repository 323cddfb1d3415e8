//! `doctor`: it finds what is wrong when nothing works, and says how to mend it.

use std::net::TcpListener;

use crate::support::{Home, Oneup, raw_server};

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
        .stdout_has("warning  variables  ONEUP_TOKEN is what token show and inspect take instead of a profile's; fix: unset ONEUP_TOKEN")
        .stdout_has("http://proxy.example:8080, with credentials (HTTPS_PROXY)")
        .stdout_has("warning  variables  ONEUP_GATEWAI means nothing to oneup; fix: did you mean ONEUP_GATEWAY?")
        .never("s3cret-value")
        .never("t0ken-value")
        .never("pr0xy-pass")
        .run();
}

#[test]
fn what_does_not_exist_or_is_not_spoken_is_a_failure() {
    let home = Home::new();
    let doctor = || home.oneup().arg("doctor").status(7);
    if cfg!(target_os = "linux") {
        doctor()
            .env("SSL_CERT_FILE", "/no/such/file")
            .stdout_has("failure  trust      there is no /no/such/file, which SSL_CERT_FILE names; fix: unset SSL_CERT_FILE")
            .run();
    }
    doctor()
        .env("HTTPS_PROXY", "bogus://proxy.example")
        .stdout_has("failure  proxy      HTTPS_PROXY is no proxy's URL; fix: HTTPS_PROXY=http://HOST:PORT")
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
fn a_clock_is_compared_with_the_servers_where_it_tells() {
    for (date, words) in [
        ("", "ok       clock      not compared: the server sends no Date\n"),
        (
            "Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n",
            " ahead of the server's; fix: set the clock, for example with NTP\n",
        ),
    ] {
        let server = raw_server(move |_, _, _| {
            format!("HTTP/1.1 405 No\r\n{date}Content-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
        });
        let home = Home::new();
        home.write("config/profiles/p.toml", profile(&format!("{}/token", server.url()), "file"));
        home.oneup()
            .arg("doctor")
            .stdout_has("ok       endpoint   http://127.0.0.1:")
            .stdout_has("/token answers (HTTP 405 to a GET, as it should)\n")
            .stdout_has(words)
            .run();
    }
}

#[test]
fn a_taken_port_is_a_failure_only_where_a_profile_needs_it() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let uri = format!("http://127.0.0.1:{}/callback", taken.local_addr().expect("an address").port());
    let home = Home::new();
    let patient = profile("http://127.0.0.1:1/token", "file").replace("provider", "patient");
    home.write("config/profiles/p.toml", format!("{patient}redirect_uri = \"{uri}\"\n"));
    home.oneup().arg("doctor").status(7).stdout_has("failure  callback   ").stdout_has("; fix: ").run();
}

#[test]
fn directories_that_cannot_be_written_are_named() {
    let home = Home::new();
    let file = home.write("a-file", "x");
    home.oneup()
        .arg("doctor")
        .args(["--config-dir"])
        .arg(file.join("config"))
        .env("ONEUP_STATE_DIR", file.join("state"))
        .status(7)
        .stdout_has("failure  config     can't write ")
        .stdout_has("choose another directory with --config-dir DIR\n")
        .stdout_has("failure  state      can't write ")
        .run();
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

/// `doctor` on a machine without D-Bus, whose kernel refuses as a container's may. `inject` is strace's.
#[cfg(target_os = "linux")]
fn doctor_under(home: &Home, inject: &str) -> std::process::Output {
    let mut command = std::process::Command::new("strace");
    command.args(["-f", "-o"]).arg(home.path("trace")).args(["-e", "trace=keyctl,add_key", "-e"]).arg(inject);
    command.arg(env!("CARGO_BIN_EXE_oneup")).arg("doctor").env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", home.path(""));
    command.env("ONEUP_CONFIG_DIR", home.config()).env("ONEUP_STATE_DIR", home.state());
    command.env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent").output().expect("strace runs")
}

#[cfg(target_os = "linux")]
#[test]
fn a_kernel_keyring_that_refuses_is_a_failure_told_in_words() {
    if !crate::support::requires_program("strace") {
        return;
    }
    let home = Home::new();
    for (inject, words) in [
        ("inject=keyctl,add_key:error=EPERM", ": permission denied; fix: --store file"),
        ("inject=keyctl,add_key:error=ENOSYS", ": Function not implemented (os error 38); fix: --store file"),
    ] {
        let output = doctor_under(&home, inject);
        let text = String::from_utf8_lossy(&output.stdout);
        let store = text.lines().find(|line| line.contains(" store ")).expect("a line on the store");
        assert!(store.starts_with("failure  store      no keyring service found: no D-Bus"), "{store}");
        assert!(
            store.contains(&format!(": the kernel keyring is not available (in a container?){words}")),
            "{store}"
        );
        assert_eq!(output.status.code(), Some(7));
    }
    // It answers the choice of a store, and refuses afterwards: its notice must not hide that.
    let calls = std::fs::read_to_string(home.path("trace")).expect("a trace");
    assert!(calls.contains("ENOSYS"), "{calls}");
    let working = doctor_under(&home, "trace=keyctl,add_key");
    let text = String::from_utf8_lossy(&working.stdout);
    if text.contains("using the kernel keyring") {
        let trace = std::fs::read_to_string(home.path("trace")).expect("a trace");
        let last = trace.lines().filter(|line| line.contains("keyctl(")).count() - 1;
        let output = doctor_under(&home, &format!("inject=keyctl:error=EPERM:when={last}+"));
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("failure  store      the kernel keyring is not available"), "{text}");
    }
}
