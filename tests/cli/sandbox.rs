//! `oneup sandbox`: its servers, requested with curl, and its commands. Exports: `sandbox_export`.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

#[cfg(unix)]
use crate::support::send_signal;
use crate::support::{Home, Oneup, Sandbox, used_port};

pub(crate) const TOKEN: &str = "/auth/realms/dev-portal/protocol/openid-connect/token";
/// The form fields of the sandbox's client.
pub(crate) const CLIENT: &str = "client_id=oneup-sandbox&client_secret=not-a-secret";
const REDIRECT: &str = "http://localhost:8484/callback";

/// Runs curl on a path or URL of the sandbox; returns status, body and redirect.
pub(crate) fn curl(sandbox: &Sandbox, path: &str, options: &[&str]) -> (u16, String, String) {
    let url = if path.starts_with('/') { format!("{}{path}", sandbox.url()) } else { path.to_owned() };
    let flags = ["-sS", "-m", "20", "--noproxy", "*", "-w", "\n%{http_code} %{redirect_url}"];
    let output = Command::new("curl").args(flags).args(options).arg(url).output().expect("curl");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, tail) = text.rsplit_once('\n').expect("a status");
    let (status, redirect) = tail.split_once(' ').expect("a redirect or nothing");
    (status.parse().expect("a number"), body.to_owned(), redirect.to_owned())
}

pub(crate) fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

pub(crate) fn provider_token(sandbox: &Sandbox) -> String {
    let form = format!("grant_type=client_credentials&{CLIENT}&scope=bulk-data%7Cuser%2F*.rs");
    let (status, body, _) = curl(sandbox, TOKEN, &["-d", &form]);
    assert_eq!(status, 200, "{body}");
    json(&body)["access_token"].as_str().expect("a token").to_owned()
}

/// Submits the consent page; returns the URL that the browser is redirected to.
fn decide(sandbox: &Sandbox, authorize: &str, decision: &str) -> url::Url {
    let (status, page, _) = curl(sandbox, authorize, &[]);
    assert_eq!(status, 200, "{page}");
    let (_, rest) = page.split_once("name=\"ticket\" value=\"").expect("a form");
    let ticket = format!("ticket={}", rest.split('"').next().expect("a ticket"));
    let (_, action) = page.split_once("action=\"").expect("a form");
    let action = action.split('"').next().expect("an action");
    let (status, _, redirect) =
        curl(sandbox, action, &["-d", &ticket, "-d", &format!("decision={decision}")]);
    assert_eq!(status, 302);
    redirect.parse().expect("a URL")
}

fn parameter(url: &url::Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn authorize_path(more: &str) -> String {
    format!("/oauth2/authorize/test?client_id=oneup-sandbox&redirect_uri={REDIRECT}&state=st%26te{more}")
}

/// Logs in at the realm's authorization endpoint with these parameters; returns the code.
fn realm_code(sandbox: &Sandbox, more: &str) -> String {
    let path = TOKEN.replace("/token", "/auth");
    let query = format!("response_type=code&client_id=oneup-sandbox&redirect_uri={REDIRECT}{more}");
    let end = decide(sandbox, &format!("{path}?{query}"), "allow");
    assert!(parameter(&end, "iss").is_some_and(|iss| iss.ends_with("/auth/realms/dev-portal")));
    parameter(&end, "code").expect("a code")
}

/// Sends a token request with these fields to the realm.
fn token_request(sandbox: &Sandbox, form: &str) -> (u16, Value) {
    let (status, body, _) = curl(sandbox, TOKEN, &["-d", &format!("{CLIENT}&{form}")]);
    (status, json(&body))
}

/// Exchanges a code at the realm.
fn exchange(sandbox: &Sandbox, code: &str) -> Value {
    let form = format!("grant_type=authorization_code&code={code}&redirect_uri={REDIRECT}");
    token_request(sandbox, &form).1
}

/// Sends the refresh token of a response to the realm.
fn refresh(sandbox: &Sandbox, response: &Value) -> (u16, Value) {
    let token = response["refresh_token"].as_str().expect("a refresh token");
    token_request(sandbox, &format!("grant_type=refresh_token&refresh_token={token}"))
}

#[test]
fn consent_grants_access_to_one_member() {
    let sandbox = Sandbox::start(&[]);
    let end = decide(&sandbox, &authorize_path("&scope=patient/*.read"), "allow");
    assert!(end.as_str().starts_with(REDIRECT));
    assert_eq!(parameter(&end, "state").as_deref(), Some("st&te"));
    let code = parameter(&end, "code").expect("a code");
    let exchange = format!("grant_type=authorization_code&{CLIENT}&code={code}&redirect_uri={REDIRECT}");
    let (status, body, _) = curl(&sandbox, "/oauth2/token", &["-d", &exchange]);
    let response = json(&body);
    assert_eq!((status, response["expires_in"].as_i64()), (200, Some(300)));
    let bearer = format!("Authorization: Bearer {}", response["access_token"].as_str().expect("a token"));
    let (_, body, _) = curl(&sandbox, "/r4/Patient", &["-H", &bearer]);
    let bundle = json(&body);
    assert_eq!(
        (bundle["total"].as_i64(), bundle["entry"][0]["resource"]["birthDate"].as_str()),
        (Some(1), Some("1950-10-19"))
    );
    assert_eq!(curl(&sandbox, "/r4/Patient/100000000002", &["-H", &bearer]).0, 404);
    assert_eq!(curl(&sandbox, "/r4/$export", &["-H", &bearer, "-H", "Prefer: respond-async"]).0, 403);

    let (status, body, _) = curl(&sandbox, "/oauth2/token", &["-d", &exchange]);
    assert_eq!((status, json(&body)["error"].as_str()), (400, Some("invalid_grant")), "a code works once");
    let refresh = format!("grant_type=refresh_token&{CLIENT}&refresh_token=");
    let token = response["refresh_token"].as_str().expect("a refresh token");
    assert_eq!(curl(&sandbox, "/oauth2/token", &["-d", &format!("{refresh}{token}")]).0, 200);
    assert_eq!(curl(&sandbox, "/oauth2/token", &["-d", &format!("{refresh}made-up")]).0, 400);
}

#[test]
fn denied_and_invalid_requests_redirect_with_error() {
    let sandbox = Sandbox::start(&[]);
    let end = decide(&sandbox, &authorize_path(""), "deny");
    assert_eq!(parameter(&end, "error").as_deref(), Some("access_denied"));
    assert_eq!(parameter(&end, "code"), None);
    for (more, error) in [
        ("&scope=everything", "invalid_scope"),
        ("&response_type=token", "unsupported_response_type"),
        ("&code_challenge=abc&code_challenge_method=plain", "invalid_request"),
    ] {
        let (status, _, redirect) = curl(&sandbox, &authorize_path(more), &[]);
        let end: url::Url = redirect.parse().expect("a URL");
        assert_eq!((status, parameter(&end, "error").as_deref()), (302, Some(error)), "{more}");
    }
    let evil = "/oauth2/authorize/test?client_id=oneup-sandbox&redirect_uri=https://evil.example/";
    let (status, _, redirect) = curl(&sandbox, evil, &[]);
    assert_eq!((status, redirect.as_str()), (400, ""), "no redirect to an unregistered URI");
}

#[test]
fn realm_rotates_refresh_tokens_and_reuse_ends_the_session() {
    let sandbox = Sandbox::start(&[]);
    let first = exchange(&sandbox, &realm_code(&sandbox, "&scope=patient/*.read"));
    let (status, second) = refresh(&sandbox, &first);
    assert_eq!(status, 200);
    assert_eq!(
        refresh(&sandbox, &first).1["error_description"],
        "Maximum allowed refresh token reuse exceeded"
    );
    assert_eq!(refresh(&sandbox, &second).1["error_description"], "Session not active");
}

#[test]
fn id_token_has_the_nonce_of_the_login_only() {
    let sandbox = Sandbox::start(&["--fail", "wrong-nonce=1"]);
    let nonce = |response: &Value| {
        let token = response["id_token"].as_str().expect("an ID token").to_owned();
        let payload = token.split('.').nth(1).expect("a payload").to_owned();
        let claims = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, payload);
        json(&String::from_utf8(claims.expect("base64url")).expect("UTF-8"))["nonce"].clone()
    };
    let log_in = || exchange(&sandbox, &realm_code(&sandbox, "&scope=openid&nonce=n-0"));
    assert_eq!(nonce(&log_in()), "wrong", "the fault");
    let first = log_in();
    assert_eq!(nonce(&first), "n-0");
    assert_eq!(nonce(&refresh(&sandbox, &first).1), Value::Null);
}

#[test]
fn both_secrets_are_valid_during_rotation() {
    let sandbox = Sandbox::start(&[]);
    for (secret, status) in [("not-a-secret", 200), ("not-a-secret-either", 200), ("wrong", 401)] {
        let form = format!("grant_type=client_credentials&client_id=oneup-sandbox&client_secret={secret}");
        assert_eq!(curl(&sandbox, TOKEN, &["-d", &form]).0, status, "{secret}");
    }
}

#[test]
fn token_modifiers_apply_together() {
    let sandbox = Sandbox::start(&["--fail", "error-null", "--fail", "no-expires-in", "--fail", "gzip"]);
    let form = format!("grant_type=client_credentials&{CLIENT}");
    let (status, body, _) = curl(&sandbox, TOKEN, &["--compressed", "-d", &form]);
    let response = json(&body);
    assert_eq!((status, response.get("error"), response.get("expires_in")), (200, Some(&Value::Null), None));
}

#[test]
fn refresh_lifetime_and_missing_refresh_token_can_be_simulated() {
    for (fault, expires_in) in [("refresh-lifetime=1", Some(1)), ("no-refresh-token", None)] {
        let sandbox = Sandbox::start(&["--fail", fault]);
        let response = exchange(&sandbox, &realm_code(&sandbox, ""));
        assert_eq!(response["refresh_expires_in"].as_i64(), expires_in, "{fault}");
        if expires_in.is_some() {
            thread::sleep(Duration::from_secs(2));
            assert_eq!(refresh(&sandbox, &response).1["error_description"], "Session not active");
        } else {
            assert_eq!(response.get("refresh_token"), None);
        }
    }
}

#[test]
fn geo_403_is_html_from_both_servers() {
    let sandbox = Sandbox::start(&["--fail", "geo-403"]);
    for path in [TOKEN, "/r4/Patient"] {
        let method = if path == TOKEN { "POST" } else { "GET" };
        let (status, body, _) = curl(&sandbox, path, &["-X", method]);
        assert!(status == 403 && body.contains("<h1>403 Forbidden</h1>"), "{status} {body}");
    }
}

#[test]
fn faults_happen_as_often_as_scripted() {
    let faults = ["429=1", "reset=1", "html=1", "no-expires-in=1", "401=1"];
    let sandbox = Sandbox::start(&faults.map(|fault| ["--fail", fault]).concat());
    let form = format!("grant_type=client_credentials&{CLIENT}&scope=bulk-data%7Cuser%2F*.rs");
    let request = || curl(&sandbox, TOKEN, &["-d", &form]);
    assert_eq!(request().0, 429);
    assert_eq!(request().0, 0, "a reset has no response");
    assert!(request().1.contains("<h1>"));
    assert!(json(&request().1).get("expires_in").is_none());
    let response = json(&request().1);
    let bearer = format!("Authorization: Bearer {}", response["access_token"].as_str().expect("a token"));
    assert_eq!(curl(&sandbox, "/r4/Patient", &["-H", &bearer]).0, 401);
    assert_eq!(curl(&sandbox, "/r4/Patient", &["-H", &bearer]).0, 200);
    assert_eq!(sandbox.count("/token"), 5);
    assert!(!sandbox.journal().to_string().contains("not-a-secret"));
}

#[test]
fn responds_to_two_hundred_concurrent_requests() {
    let sandbox = Sandbox::start(&["--token-lifetime", "7"]);
    let form = format!("grant_type=client_credentials&{CLIENT}");
    let urls: Vec<String> = (0..200).map(|_| format!("{}{TOKEN}", sandbox.url())).collect();
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--noproxy", "*", "-Z", "--parallel-max", "200", "--parallel-immediate", "-d", &form]);
    let output = curl.args(["-w", "\n"]).args(urls).output().expect("curl");
    let responses = String::from_utf8_lossy(&output.stdout).matches("\"expires_in\":7,").count();
    assert_eq!((output.status.success(), responses), (true, 200));
    assert_eq!(sandbox.count("/token"), 200);
}

/// The shell that the README starts must find the program before it is installed.
#[cfg(unix)]
#[test]
fn run_appends_oneup_to_path() {
    let script = "echo $PATH; oneup --version";
    let version = format!("oneup {}\n", env!("CARGO_PKG_VERSION"));
    let run = Oneup::new().args(["sandbox", "run", "--", "sh", "-c", script]).env("PATH", "/usr/bin:/bin");
    run.stdout_has("/usr/bin:/bin:").stdout_has(version).stderr("").run();
}

#[test]
fn run_returns_the_exit_code_and_removes_its_files() {
    let run = |script: &str| Oneup::new().args(["sandbox", "run", "--", "sh", "-c", script]);
    let outcome = run("echo $ONEUP_STATE_DIR; echo ${ONEUP_REALM-unset}; exit 42")
        .env("ONEUP_REALM", "elsewhere")
        .status(42)
        .stdout_has("unset")
        .run();
    let state = std::path::Path::new(outcome.stdout.lines().next().expect("a directory"));
    assert!(!state.parent().expect("the sandbox's own").exists());
    run("kill -TERM $$").status(143).run();
    Oneup::new().args(["sandbox", "run", "--", "/no/such/program"]).status(127).run();
    Oneup::new().args(["sandbox", "run", "--", "/"]).status(126).run();
    Oneup::new()
        .args(["sandbox", "run", "--fail", "teapot", "--", "true"])
        .status(125)
        .stderr_has("invalid_grant")
        .run();
    let (_listener, port) = used_port();
    Oneup::new().args(["sandbox", "run", "--port", &port.to_string(), "--", "true"]).status(125).run();
}

#[test]
fn script_that_uses_oneup_works_in_run() {
    let script = "$0 login provider -q && $0 token show --format header && $0 curl -sSi -H 'Prefer: respond-async' '/$export?_type=Patient' && $0 status --check";
    Oneup::new()
        .args(["sandbox", "run", "--", "sh", "-ec", script, env!("CARGO_BIN_EXE_oneup")])
        .stdout_has("Authorization: Bearer ey")
        .stdout_has("content-location: http://127.0.0.1:")
        .run();
}

#[test]
fn demo_shows_each_command_and_its_output() {
    let demo = Oneup::new().args(["sandbox", "demo"]);
    let shown = demo
        .stderr("")
        .stdout_has("verified")
        .stdout_has("HTTP/1.1 202 Accepted")
        .never("\u{1b}")
        .never("not-a-secret")
        .run()
        .stdout;
    for command in [
        "login provider",
        "token show",
        "token inspect --verify",
        "curl -sSi -H 'Prefer: respond-async' '/$export?_type=Patient'",
    ] {
        assert!(shown.contains(&format!("$ oneup {command}\n")), "{shown}");
    }
}

#[cfg(unix)]
#[test]
fn signals_end_serve_and_reach_the_command_of_run() {
    let script = "trap 'exit 9' INT; echo ready; while :; do sleep 0.05; done";
    for (args, signal, code) in [
        (&["sandbox", "serve"][..], "INT", 130),
        (&["sandbox", "serve"], "TERM", 143),
        (&["sandbox", "run", "--", "sh", "-c", script], "INT", 9),
        (&["sandbox", "run", "--", "sh", "-c", script], "TERM", 143),
    ] {
        let mut child = Home::new().oneup_with_default_signals().args(args).spawn();
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        let mut stdout = std::io::BufReader::new(stdout);
        std::io::BufRead::read_line(&mut stdout, &mut line).expect("a line");
        send_signal(&child, signal);
        let deadline = Instant::now() + Duration::from_secs(60);
        while child.try_wait().expect("a status").is_none() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        assert_eq!(child.wait().expect("a status").code(), Some(code), "{args:?} {signal}");
    }
}
