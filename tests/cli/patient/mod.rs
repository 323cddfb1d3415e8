//! `oneup login patient` against the sandbox's health plan. The user's browser is curl or a real Chromium; URLs are pasted
//! through a pipe or a pseudoterminal.

mod browser;
mod chromium;
mod paste;
mod renewal;

use std::io::Write;
use std::net::TcpListener;
use std::time::{Duration, Instant};

#[cfg(unix)]
use crate::support::send_signal;
use crate::support::{Home, Oneup, Sandbox, requires_program, used_port};
use browser::{Login, allow, command, curl, deny, parameter};

/// A redirect URI at a free port.
const REDIRECT_URI: &str = "http://localhost:0/callback";

/// A home and a sandbox with these flags; `None` without curl, which is the browser.
fn start(flags: &[&str]) -> Option<(Home, Sandbox)> {
    requires_program("curl").then(|| (Home::new(), Sandbox::start(flags)))
}

#[test]
fn redirect_to_each_loopback_host_saves_the_login() {
    let Some((_, sandbox)) = start(&[]) else { return };
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        let home = Home::new();
        let login = Login::begin(&home, &sandbox, &["--redirect-uri", &format!("http://{host}:0/cb?x=1")]);
        assert!(parameter(&login.url, "redirect_uri").starts_with(&format!("http://{host}:")));
        assert_eq!(parameter(&login.url, "code_challenge_method"), "S256");
        let page = allow(&login.url);
        assert!(page.contains("You can close this tab"), "{page}");
        let ended = login.end().assert_success();
        assert_eq!(ended.stdout, "");
        assert!(ended.stderr.contains("Logged in to Patient Access"), "{}", ended.stderr);
        let shown = home.oneup().args(["token", "show"]).run().stdout;
        assert!(shown.trim().len() > 20 && !ended.stderr.contains(shown.trim()));
        let renewed = home.oneup().args(["token", "show", "--refresh"]).run().stdout;
        assert_ne!(renewed, shown);
    }
}

/// `sandbox run` sets the variables of both.
#[test]
fn flags_select_the_realm_or_the_plan() {
    let sandbox = Sandbox::start(&[]);
    let (realm, plan) = (sandbox.url(), format!("{}/test", sandbox.url()));
    for (flags, path) in [
        (&[][..], "/oauth2/authorize/test?"),
        (&["--gateway", realm], "/auth/realms/dev-portal/protocol/openid-connect/auth?"),
        (&["--plan", &plan], "/oauth2/authorize/test?"),
    ] {
        Oneup::new()
            .args(["login", "patient", "--client-id", "c", "--no-listen", "--no-browser"])
            .args(flags)
            .env("ONEUP_CLIENT_SECRET", "s3")
            .env("ONEUP_GATEWAY", realm)
            .env("ONEUP_PLAN", &plan)
            .stdin("")
            .status(2)
            .stderr_has(format!("{}{path}", sandbox.url()))
            .run();
    }
}

#[test]
fn no_store_prints_the_token_and_saves_nothing() {
    let Some((home, sandbox)) = start(&[]) else { return };
    let login =
        Login::begin(&home, &sandbox, &["--redirect-uri", REDIRECT_URI, "--no-store", "--format", "header"]);
    allow(&login.url);
    let ended = login.end().assert_success();
    assert!(ended.stdout.starts_with("Authorization: Bearer "), "{}", ended.stdout);
    assert!(!home.profile_file("patient").exists());
}

#[test]
fn denial_is_an_authentication_error_and_saves_nothing() {
    let Some((home, sandbox)) = start(&[]) else { return };
    let login = Login::begin(&home, &sandbox, &["--redirect-uri", REDIRECT_URI]);
    assert!(deny(&login.url).contains("Access was not granted"));
    let ended = login.end();
    assert_eq!((ended.status, ended.stdout.as_str()), (Some(4), ""));
    assert!(ended.stderr.contains("access_denied") && ended.stderr.contains("hint: "), "{}", ended.stderr);
    assert!(!home.profile_file("patient").exists());
}

#[test]
fn concurrent_logins_do_not_mix_up_their_responses() {
    let Some((home, sandbox)) = start(&[]) else { return };
    let begin = |name| Login::begin(&home, &sandbox, &["--redirect-uri", REDIRECT_URI, "--profile", name]);
    let (one, two) = (begin("one"), begin("two"));
    let state = parameter(&one.url, "state");
    let misdirected = format!("{}?code=x&state={state}", parameter(&two.url, "redirect_uri"));
    assert!(curl(&[&misdirected]).contains("This belongs to another login"));
    allow(&two.url);
    allow(&one.url);
    for login in [two, one] {
        login.end().assert_success();
    }
    for name in ["one", "two"] {
        home.oneup().args(["token", "show", "--profile", name]).run();
    }
}

#[test]
fn port_in_use_is_a_usage_error_with_the_command_that_finds_the_process() {
    let (_listener, port) = used_port();
    let uri = format!("http://localhost:{port}/callback");
    Oneup::new()
        .args(["login", "patient", "--client-id", "c", "--redirect-uri", &uri])
        .env("ONEUP_CLIENT_SECRET", "s")
        .status(2)
        .stderr_has("is already in use")
        .stderr_has("to find the process")
        .run();
}

#[test]
fn realm_login_uses_its_authorization_endpoint_aud_and_no_pkce() {
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    let flags =
        ["--realm", "dev-portal", "--gateway", sandbox.url(), "--redirect-uri", REDIRECT_URI, "--no-pkce"];
    let aud = format!("{}/r4", sandbox.url());
    let login = Login::begin(&home, &sandbox, &[&flags[..], &["--aud", &aud]].concat());
    let path = "/auth/realms/dev-portal/protocol/openid-connect/auth?";
    assert!(login.url.starts_with(&format!("{}{path}", sandbox.url())), "{}", login.url);
    assert_eq!(parameter(&login.url, "aud"), aud);
    assert!(!login.url.contains("code_challenge"));
    if requires_program("curl") {
        allow(&login.url);
        login.end().assert_success();
    }
}

#[test]
fn code_from_stdin_is_exchanged_without_a_browser() {
    let Some((home, sandbox)) = start(&[]) else { return };
    let uri = "https://app.example/callback";
    let url = format!(
        "{}/oauth2/authorize/test?response_type=code&client_id=oneup-sandbox&redirect_uri={uri}&scope=patient/*.read&state=s",
        sandbox.url()
    );
    let flags = ["login", "patient", "--redirect-uri", uri];
    let address = browser::address_after_allowing(&url);
    let code = parameter(&address, "code");
    let login = |stdin: &str| {
        home.oneup().args(flags).args(["--code", "-"]).envs(sandbox.env()).stdin(stdin).never(&code)
    };
    login(&code).stdout("").run();
    // It works once.
    login(&code).status(4).run();
    home.oneup().args(["token", "show"]).run();
    login(&browser::address_after_allowing(&url)).stdout("").run();
    for nothing in ["", "\n", uri] {
        login(nothing).status(2).run();
    }
}

#[test]
fn no_way_to_receive_a_code_fails_immediately() {
    let sandbox = Sandbox::start(&[]);
    let begun = Instant::now();
    let flags = ["login", "patient", "--no-listen"];
    Oneup::new().args(flags).envs(sandbox.env()).status(2).stderr_has("--code -").run();
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[cfg(unix)]
#[test]
fn signal_ends_the_wait_and_saves_nothing() {
    for (signal, code) in [("INT", 2), ("TERM", 15)] {
        let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
        let login = Login::begin(&home, &sandbox, &["--redirect-uri", REDIRECT_URI]);
        let uri = parameter(&login.url, "redirect_uri");
        send_signal(&login.child, signal);
        let ended = login.end();
        use std::os::unix::process::ExitStatusExt as _;
        assert!(
            ended.status == Some(128 + code) || ended.exit.signal() == Some(code),
            "{signal}: {:?}",
            ended.exit
        );
        assert!(!ended.stderr.contains("error:") && ended.stdout.is_empty(), "{}", ended.stderr);
        assert!(!home.profile_file("patient").exists());
        let host = uri.replace("http://", "").replace("/callback", "");
        TcpListener::bind(host.replace("localhost", "127.0.0.1")).expect("the port is free again");
    }
}

#[test]
fn quiet_prints_only_the_url() {
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    let mut child = command(&home, &sandbox, &["--quiet", "--no-listen"]).spawn().expect("oneup starts");
    child.stdin.take().expect("piped").write_all(b"").expect("closed");
    let output = child.wait_with_output().expect("it ends");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(stderr.starts_with("http://") && stderr.lines().nth(1).is_some_and(|l| l.starts_with("error")));
}
