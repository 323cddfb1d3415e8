//! The sandbox as curl, a shell and many clients at once meet it.

use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Oneup, Sandbox};

const TOKEN: &str = "/auth/realms/dev-portal/protocol/openid-connect/token";
const CLIENT: &str = "client_id=oneup-sandbox&client_secret=not-a-secret";
const REDIRECT: &str = "http://localhost:8484/callback";

/// Runs curl on a path of the sandbox; the answer is its body, a newline, and `-w`'s status and redirect.
fn curl(sandbox: &Sandbox, path: &str, more: &[&str]) -> (u16, String, String) {
    let url = if path.starts_with('/') { format!("{}{path}", sandbox.url()) } else { path.to_owned() };
    let flags = ["-sS", "-m", "20", "--noproxy", "*", "-w", "\n%{http_code} %{redirect_url}"];
    let output = Command::new("curl").args(flags).args(more).arg(url).output().expect("curl");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, tail) = text.rsplit_once('\n').expect("a status");
    let (status, redirect) = tail.split_once(' ').expect("a redirect or nothing");
    (status.parse().expect("a number"), body.to_owned(), redirect.to_owned())
}

fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn provider_token(sandbox: &Sandbox) -> String {
    let form = format!("grant_type=client_credentials&{CLIENT}&scope=bulk-data%7Cuser%2F*.rs");
    let (status, body, _) = curl(sandbox, TOKEN, &["-d", &form]);
    assert_eq!(status, 200, "{body}");
    json(&body)["access_token"].as_str().expect("a token").to_owned()
}

/// The person at the page: the address that the browser ends on.
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

#[test]
fn a_member_consents_and_the_app_reads_that_member_only() {
    let sandbox = Sandbox::start(&[]);
    let end = decide(&sandbox, &authorize_path("&scope=patient/*.read"), "allow");
    assert!(end.as_str().starts_with(REDIRECT));
    assert_eq!(parameter(&end, "state").as_deref(), Some("st&te"));
    let code = parameter(&end, "code").expect("a code");
    let redeem = format!("grant_type=authorization_code&{CLIENT}&code={code}&redirect_uri={REDIRECT}");
    let (status, body, _) = curl(&sandbox, "/oauth2/token", &["-d", &redeem]);
    let answer = json(&body);
    assert_eq!((status, answer["expires_in"].as_i64()), (200, Some(300)));
    let bearer = format!("Authorization: Bearer {}", answer["access_token"].as_str().expect("a token"));
    let (_, body, _) = curl(&sandbox, "/r4/Patient", &["-H", &bearer]);
    let bundle = json(&body);
    assert_eq!(
        (bundle["total"].as_i64(), bundle["entry"][0]["resource"]["birthDate"].as_str()),
        (Some(1), Some("1950-10-19"))
    );
    assert_eq!(curl(&sandbox, "/r4/Patient/100000000002", &["-H", &bearer]).0, 404);
    assert_eq!(curl(&sandbox, "/r4/$export", &["-H", &bearer, "-H", "Prefer: respond-async"]).0, 403);

    let (status, body, _) = curl(&sandbox, "/oauth2/token", &["-d", &redeem]);
    assert_eq!((status, json(&body)["error"].as_str()), (400, Some("invalid_grant")), "a code works once");
    let refresh = format!("grant_type=refresh_token&{CLIENT}&refresh_token=");
    let token = answer["refresh_token"].as_str().expect("a refresh token");
    assert_eq!(curl(&sandbox, "/oauth2/token", &["-d", &format!("{refresh}{token}")]).0, 200);
    assert_eq!(curl(&sandbox, "/oauth2/token", &["-d", &format!("{refresh}made-up")]).0, 400);
}

#[test]
fn a_member_says_no_and_a_wrong_request_asks_nobody() {
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
    assert_eq!((status, redirect.as_str()), (400, ""), "nobody is sent to a stranger");
}

#[test]
fn the_realms_refresh_tokens_rotate_and_reuse_ends_the_session() {
    let sandbox = Sandbox::start(&[]);
    let path = TOKEN.replace("/token", "/auth");
    let end = decide(
        &sandbox,
        &format!(
            "{path}?response_type=code&client_id=oneup-sandbox&redirect_uri={REDIRECT}&scope=patient/*.read"
        ),
        "allow",
    );
    assert!(parameter(&end, "iss").is_some_and(|iss| iss.ends_with("/auth/realms/dev-portal")));
    let code = parameter(&end, "code").expect("a code");
    let ask = |form: &str| {
        let (status, body, _) = curl(&sandbox, TOKEN, &["-d", &format!("{CLIENT}&{form}")]);
        (status, json(&body))
    };
    let (_, first) = ask(&format!("grant_type=authorization_code&code={code}&redirect_uri={REDIRECT}"));
    let refresh = |answer: &Value| {
        ask(&format!(
            "grant_type=refresh_token&refresh_token={}",
            answer["refresh_token"].as_str().expect("one")
        ))
    };
    let (status, second) = refresh(&first);
    assert_eq!(status, 200);
    assert_eq!(refresh(&first).1["error_description"], "Maximum allowed refresh token reuse exceeded");
    assert_eq!(refresh(&second).1["error_description"], "Session not active");
}

#[test]
fn a_bulk_export_from_kick_off_to_deletion() {
    let sandbox = Sandbox::start(&[]);
    let bearer = format!("Authorization: Bearer {}", provider_token(&sandbox));
    let get = |path: &str, more: &[&str]| curl(&sandbox, path, &[&["-H", bearer.as_str()], more].concat());
    let kick_off = "/v1/bison/bulk-export/bulk-data/r4/Group/g1/$export?_type=Patient,Coverage";
    assert_eq!(get(kick_off, &[]).0, 400, "without Prefer");
    let (status, head, _) = get(kick_off, &["-H", "Prefer: respond-async", "-D", "-"]);
    let location =
        head.lines().find_map(|line| line.strip_prefix("content-location: ")).expect("a place").trim();
    assert_eq!(status, 202);
    let (status, head, _) = get(location, &["-D", "-"]);
    assert_eq!(status, 202);
    assert!(head.contains("retry-after: 1") && head.contains("x-progress: "), "{head}");
    let done = (0..5).map(|_| get(location, &[])).find(|(status, ..)| *status == 200).expect("it ends");
    let manifest = json(&done.1);
    assert_eq!(
        (manifest["requiresAccessToken"].as_bool(), manifest["output"].as_array().map(Vec::len)),
        (Some(true), Some(2))
    );
    for file in manifest["output"].as_array().expect("files") {
        let url = file["url"].as_str().expect("a URL");
        assert_eq!(curl(&sandbox, url, &[]).0, 401, "files need the token");
        let lines = get(url, &[]).1;
        assert_eq!(lines.trim_end().lines().count() as u64, file["count"]);
        assert!(lines.trim_end().lines().all(|line| json(line)["resourceType"] == file["type"]));
    }
    assert_eq!(get(location, &["-X", "DELETE"]).0, 202);
    assert_eq!(get(location, &[]).0, 404);
}

#[test]
fn faults_strike_as_often_as_scripted() {
    let sandbox = Sandbox::start(&[
        "--fail",
        "429=1",
        "--fail",
        "reset=1",
        "--fail",
        "html=1",
        "--fail",
        "no-expires-in=1",
        "--fail",
        "401=1",
    ]);
    let form = format!("grant_type=client_credentials&{CLIENT}&scope=bulk-data%7Cuser%2F*.rs");
    let ask = || curl(&sandbox, TOKEN, &["-d", &form]);
    assert_eq!(ask().0, 429);
    assert_eq!(ask().0, 0, "a reset is no answer");
    assert!(ask().1.contains("<h1>"));
    assert!(json(&ask().1).get("expires_in").is_none());
    let answer = json(&ask().1);
    let bearer = format!("Authorization: Bearer {}", answer["access_token"].as_str().expect("a token"));
    assert_eq!(curl(&sandbox, "/r4/Patient", &["-H", &bearer]).0, 401);
    assert_eq!(curl(&sandbox, "/r4/Patient", &["-H", &bearer]).0, 200);
    assert_eq!(sandbox.count("/token"), 5);
    assert!(!sandbox.journal().to_string().contains("not-a-secret"));
}

#[test]
fn two_hundred_at_once_are_all_answered() {
    let sandbox = Sandbox::start(&["--token-lifetime", "7"]);
    let form = format!("grant_type=client_credentials&{CLIENT}");
    let urls: Vec<String> = (0..200).map(|_| format!("{}{TOKEN}", sandbox.url())).collect();
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--noproxy", "*", "-Z", "--parallel-max", "200", "--parallel-immediate", "-d", &form]);
    let output = curl.args(["-w", "\n"]).args(urls).output().expect("curl");
    let answers = String::from_utf8_lossy(&output.stdout).matches("\"expires_in\":7,").count();
    assert_eq!((output.status.success(), answers), (true, 200));
    assert_eq!(sandbox.count("/token"), 200);
}

/// Before it is installed, the shell that the README starts must find the program all the same.
#[cfg(unix)]
#[test]
fn the_command_finds_oneup_but_after_all_that_it_finds_already() {
    let script = "echo $PATH; oneup --version";
    let version = format!("oneup {}\n", env!("CARGO_PKG_VERSION"));
    let run = Oneup::new().args(["sandbox", "run", "--", "sh", "-c", script]).env("PATH", "/usr/bin:/bin");
    run.stdout_has("/usr/bin:/bin:").stdout_has(version).stderr("").run();
}

#[test]
fn run_passes_the_exit_code_on_and_leaves_nothing() {
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
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    Oneup::new().args(["sandbox", "run", "--port", &port, "--", "true"]).status(125).run();
}

#[test]
fn a_script_of_oneups_just_works_in_run() {
    let script = "$0 login provider -q && $0 token show --format header && $0 curl -sS '/Patient?_count=1' && $0 status --check";
    Oneup::new()
        .args(["sandbox", "run", "--", "sh", "-ec", script, env!("CARGO_BIN_EXE_oneup")])
        .stdout_has("Authorization: Bearer ey")
        .stdout_has("\"family\": \"Allen\"")
        .run();
}

#[test]
fn the_demo_shows_each_command_and_what_it_says() {
    let demo = Oneup::new().args(["sandbox", "demo"]);
    let told = demo
        .stderr("")
        .stdout_has("verified")
        .stdout_has("Allen")
        .never("\u{1b}")
        .never("not-a-secret")
        .run()
        .stdout;
    for command in
        ["login provider", "token show", "token inspect --verify", "curl -sS /Patient/123456789123"]
    {
        assert!(told.contains(&format!("$ oneup {command}\n")), "{told}");
    }
}

#[cfg(unix)]
#[test]
fn signals_end_serve_and_reach_the_command_of_run() {
    let oneup = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_oneup"))
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("oneup")
    };
    let script = "trap 'exit 9' INT; echo ready; while :; do sleep 0.05; done";
    for (args, signal, code) in [
        (&["sandbox", "serve"][..], "-INT", 130),
        (&["sandbox", "serve"], "-TERM", 143),
        (&["sandbox", "run", "--", "sh", "-c", script], "-INT", 9),
        (&["sandbox", "run", "--", "sh", "-c", script], "-TERM", 143),
    ] {
        let mut child = oneup(args);
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        let mut stdout = std::io::BufReader::new(stdout);
        std::io::BufRead::read_line(&mut stdout, &mut line).expect("a line");
        Command::new("kill").args([signal, &child.id().to_string()]).status().expect("kill");
        let deadline = Instant::now() + Duration::from_secs(10);
        while child.try_wait().expect("a status").is_none() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        let _ = child.kill();
        assert_eq!(child.wait().expect("a status").code(), Some(code), "{args:?} {signal}");
    }
}
