//! `doctor`: finds problems when nothing else works, and suggests fixes.

use std::net::TcpListener;

use crate::support::{CLIENT_SECRET, Home, Oneup, RawServer, json_response, response, used_port};

fn checks(outcome: &str) -> Vec<(String, String)> {
    let json: serde_json::Value = serde_json::from_str(outcome).expect("JSON");
    let text = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
    let list = json["checks"].as_array().expect("a list");
    list.iter().map(|check| (text(&check["check"]), text(&check["status"]))).collect()
}

/// A token endpoint at which nothing listens.
const NOWHERE: &str = "http://127.0.0.1:1/token";

/// A home with the profile `p`, which is not logged in.
fn home_with_profile(token_url: &str, more: &str) -> Home {
    let home = Home::new();
    home.write_profile(token_url, "http://127.0.0.1:1/r4", more);
    home
}

#[test]
fn without_profiles_everything_else_is_checked() {
    let home = Home::new();
    home.oneup()
        .arg("doctor")
        .stderr("")
        .stdout_has("warning  profile    not logged in; fix: oneup login provider, oneup login p2p or oneup login patient")
        .stdout_has("ok       store      file (not encrypted): a test value was written, read and deleted\n")
        .stdout_has("ok       variables  ONEUP_STORE=file sets --store\n")
        .stdout_has("ok       proxy      none\n")
        .run();
    let outcome = home.oneup().args(["doctor", "--format", "json"]).run();
    let names: Vec<String> = checks(&outcome.stdout).into_iter().map(|(name, _)| name).collect();
    for name in ["config", "state", "profile", "variables", "store", "curl", "callback", "proxy", "trust"] {
        assert!(names.iter().any(|found| found == name), "{name} is missing of {names:?}");
    }
    let secrets = home.state().join("secrets");
    let left = std::fs::read_dir(&secrets).map_or(0, Iterator::count);
    assert_eq!(left, 0, "the test value is deleted from {}", secrets.display());
}

#[test]
fn broken_profile_is_reported_with_the_others() {
    let home = home_with_profile(NOWHERE, "");
    home.write("config/profiles/bad.toml", "schema = 1\nid = 7\n");
    home.oneup()
        .arg("doctor")
        .status(7)
        .stdout_has("ok       profile    p (")
        .stdout_has("failure  profile    invalid profile: ")
        .stdout_has("bad.toml, line 2")
        .stdout_has("failure  endpoint   ")
        .run();
}

#[test]
fn secrets_in_the_environment_are_not_shown() {
    Oneup::new()
        .arg("doctor")
        .env("ONEUP_CLIENT_SECRET", "s3cret-value")
        .env("ONEUP_TOKEN", "t0ken-value")
        .env("HTTPS_PROXY", "http://user:pr0xy-pass@proxy.example:8080")
        .env("ONEUP_GATEWAI", "https://x.example")
        .env("ONEUP_GATEWAY", "https://me:gw-pass@gw.example")
        .stdout_has("ONEUP_CLIENT_SECRET=(not shown) sets the client secret")
        .stdout_has("warning  variables  ONEUP_TOKEN replaces the profile's token in token show and token inspect; fix: unset ONEUP_TOKEN")
        .stdout_has("http://proxy.example:8080, with credentials (HTTPS_PROXY)")
        .stdout_has("warning  variables  ONEUP_GATEWAI is an unknown variable; fix: did you mean ONEUP_GATEWAY?")
        .never("s3cret-value")
        .never("t0ken-value")
        .stdout_has("ONEUP_GATEWAY=https://***@gw.example sets --gateway")
        .never("pr0xy-pass")
        .never("gw-pass")
        .run();
}

#[test]
fn missing_ca_file_and_invalid_proxy_are_failures() {
    let home = Home::new();
    let doctor = || home.oneup().arg("doctor").status(7);
    if cfg!(target_os = "linux") {
        doctor()
            .env("SSL_CERT_FILE", "/no/such/file")
            .stdout_has("failure  trust      SSL_CERT_FILE names /no/such/file, which does not exist; fix: unset SSL_CERT_FILE")
            .run();
    }
    doctor()
        .env("HTTPS_PROXY", "bogus://proxy.example")
        .stdout_has("failure  proxy      HTTPS_PROXY is not a valid proxy URL: its scheme is not one of")
        .run();
}

#[test]
fn silent_server_is_reported_at_the_deadline() {
    let mute = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/token", mute.local_addr().expect("an address"));
    let home = home_with_profile(&url, "");
    let start = std::time::Instant::now();
    home.oneup().args(["doctor", "--timeout", "1"]).status(7).stdout_has("failure  endpoint   ").run();
    assert!(start.elapsed().as_secs() < 5, "one deadline for all");
}

#[test]
fn clock_is_compared_with_the_servers_date() {
    for (date, words) in [
        (&[][..], "ok       clock      not compared: the server sends no Date\n"),
        (
            &[("Date", "Thu, 01 Jan 2026 00:00:00 GMT")],
            " ahead of the server's; fix: set the clock: sudo timedatectl set-ntp true; in WSL: sudo hwclock -s\n",
        ),
    ] {
        let server = RawServer::start(move |_, _, _| response("405 Method Not Allowed", date, ""));
        home_with_profile(&server.token_url(), "")
            .oneup()
            .arg("doctor")
            .stdout_has("ok       endpoint   http://127.0.0.1:")
            .stdout_has("/token responds (HTTP 405 to a GET, as expected)\n")
            .stdout_has(words)
            .run();
    }
}

#[test]
fn port_in_use_is_a_failure_if_a_profile_needs_it() {
    let (_listener, port) = used_port();
    let redirect_uri = format!("redirect_uri = \"http://127.0.0.1:{port}/callback\"\n");
    let home = home_with_profile(NOWHERE, &redirect_uri);
    let file = home.profile_file("p");
    let patient = std::fs::read_to_string(&file).expect("a profile").replace("provider", "patient");
    std::fs::write(file, patient).expect("a profile");
    home.oneup().arg("doctor").status(7).stdout_has("failure  callback   ").stdout_has("; fix: ").run();
}

#[test]
fn unwritable_directories_are_failures() {
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
fn invalid_ca_bundle_is_a_failure() {
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

/// `doctor` on a machine without D-Bus, whose kernel refuses these calls, as in a container. `inject` is strace's.
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
fn unusable_kernel_keyring_is_a_failure() {
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
    // A kernel keyring that works when a store is chosen, and fails afterwards: the notice must not hide the failure.
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

#[test]
fn variable_with_a_carriage_return_is_rejected_and_named_by_doctor() {
    let home = Home::new();
    for (name, value) in [
        ("ONEUP_STORE", "file\r"),
        ("ONEUP_FHIR_BASE", "https://a.example/r4\r"),
        ("ONEUP_GATEWAY", "https://a.example\u{1b}[2J"),
        ("ONEUP_TIMEOUT", "30\r\n"),
    ] {
        home.oneup()
            .args(["login", "provider", "--client-id", "c", "--no-store"])
            .env("ONEUP_CLIENT_SECRET", "s3cret-value\n")
            .env(name, value)
            .status(2)
            .stderr_has(format!("error: {name} contains a control character"))
            .stderr_has(format!("hint: export {name}=\"$(printf %s \"${name}\" | tr -d '[:cntrl:]')\""))
            .run();
    }
    home.oneup()
        .arg("doctor")
        .env("ONEUP_STORE", "file\r")
        .status(7)
        .stdout_has("failure  variables  ONEUP_STORE contains a control character")
        .run();
}

#[test]
fn situations_that_change_what_oneup_does_are_named() {
    let home = Home::new();
    home.oneup()
        .arg("doctor")
        .env("CI", "true")
        .env("HTTPS_PROXY", "http://me:pr0xy-pass@proxy.example:3128")
        .env("NO_PROXY", "localhost,.example")
        .stdout_has("ok       variables  CI disables prompts; fix: unset CI, to be prompted\n")
        .stdout_has("ok       proxy      http://proxy.example:3128, with credentials (HTTPS_PROXY); never used for loopback\n")
        .stdout_has("ok       proxy      not used for localhost,.example (NO_PROXY)\n")
        .never("pr0xy-pass")
        .run();
}

#[cfg(unix)]
#[test]
fn root_with_a_users_home_is_a_warning() {
    if !crate::support::requires("root", crate::support::is_root()) {
        return;
    }
    let home = Home::new();
    std::os::unix::fs::chown(home.path(""), Some(4242), None).expect("root can change owners");
    home.oneup()
        .arg("doctor")
        .stdout_has("warning  user       running as root with the home directory of user 4242: ")
        .run();
}

/// A token endpoint that grants `good` and rejects every other scope.
fn endpoint_with_one_scope() -> RawServer {
    RawServer::start(|_, request, _| match request.field("scope").as_deref() {
        _ if request.method() == "GET" => json_response("405 Method Not Allowed", "{}"),
        None | Some("good") => {
            json_response("200 OK", r#"{"access_token":"t0ken-value","token_type":"Bearer","scope":"good"}"#)
        }
        Some(_) => json_response(
            "400 Bad Request",
            r#"{"error":"invalid_scope","error_description":"Invalid scopes"}"#,
        ),
    })
}

#[test]
fn login_tries_each_scope_and_names_the_rejected_one() {
    let server = endpoint_with_one_scope();
    let home = Home::new();
    home.oneup().login_provider(&server.token_url()).args(["--scope", "good"]).run();
    home.oneup()
        .args(["doctor", "--login"])
        .stdout_has("ok       login      provider: token granted; scopes: good\n")
        .run();
    let file = home.profile_file("provider");
    let text = std::fs::read_to_string(&file).expect("a profile").replace("\"good\"", "\"good bad\"");
    std::fs::write(&file, text).expect("the profile");
    home.oneup()
        .args(["doctor", "--login"])
        .status(7)
        .stdout_has("failure  login      the server ")
        .stdout_has("ok       login      provider: scope good granted\n")
        .stdout_has("failure  login      provider: scope bad: ")
        .never(CLIENT_SECRET)
        .never("t0ken-value")
        .run();
}

#[test]
fn login_without_stored_credentials_is_a_failure() {
    let home = home_with_profile(NOWHERE, "");
    home.oneup().args(["doctor", "--login"]).status(7).stdout_has("failure  login      ").run();
}
