//! `token show`, `status` and `logout`, and many of them at once.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::support::{Home, RawServer, raw_server};

fn server(lifetime: u32) -> RawServer {
    raw_server(move |number, _, _| {
        // Long enough for all to be waiting at the lock.
        thread::sleep(Duration::from_millis(if number == 0 { 0 } else { 500 }));
        let body =
            format!(r#"{{"access_token":"token-{number}","token_type":"Bearer","expires_in":{lifetime}}}"#);
        RawServer::answer("200 OK", "application/json", &body)
    })
}

fn logged_in(server: &RawServer) -> Home {
    let home = Home::new();
    home.oneup()
        .args(["login", "provider", "--client-id", "c", "--client-secret-stdin", "--token-url"])
        .arg(format!("{}/auth/token", server.url()))
        .stdin("hunter2")
        .run();
    home
}

/// Makes the stored token an hour older, as if time had passed.
fn age(home: &Home) {
    let item =
        fs::read_dir(home.state().join("secrets")).expect("the store").next().expect("an item").expect("it");
    let text = fs::read_to_string(item.path()).expect("text");
    let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let obtained = json["token"]["issued_at"].as_i64().expect("a time");
    json["token"]["issued_at"] = (obtained - 3600).into();
    fs::write(item.path(), json.to_string()).expect("a writable store");
}

#[test]
fn a_live_token_is_handed_out_without_a_request_and_an_expired_one_renewed_first() {
    let server = server(3600);
    let home = logged_in(&server);
    home.oneup().args(["token", "show"]).stdout("token-0\n").stderr("").run();
    home.oneup()
        .args(["token", "show", "--format", "header"])
        .stdout("Authorization: Bearer token-0\n")
        .run();
    assert_eq!(server.requests().len(), 1);
    age(&home);
    home.oneup().args(["token", "show"]).stdout("token-1\n").stderr("").run();
    home.oneup()
        .args(["token", "show", "--min-ttl", "4000"])
        .stdout("token-2\n")
        .stderr("warning: the new token expires sooner than --min-ttl requires\n")
        .run();
    home.oneup().args(["token", "show", "--refresh"]).stdout("token-3\n").run();
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn a_hundred_at_once_make_one_request_and_hand_out_one_token() {
    let server = server(3600);
    let home = logged_in(&server);
    age(&home);
    let children: Vec<_> = (0..100).map(|_| home.oneup().args(["token", "show"]).spawn()).collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "token-1\n");
        assert!(output.status.success());
    }
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn a_killed_holder_of_the_lock_holds_up_nobody() {
    let server = raw_server(|number, _, _| {
        if number == 1 {
            // The holder waits for as long as it lives.
            thread::sleep(Duration::from_secs(60));
        }
        let body = format!(r#"{{"access_token":"token-{number}","token_type":"Bearer","expires_in":3600}}"#);
        RawServer::answer("200 OK", "application/json", &body)
    });
    let home = logged_in(&server);
    age(&home);
    let mut first = home.oneup().args(["token", "show"]).spawn();
    while server.requests().len() < 2 {
        thread::sleep(Duration::from_millis(5));
    }
    let rest: Vec<_> = (0..20).map(|_| home.oneup().args(["token", "show"]).spawn()).collect();
    thread::sleep(Duration::from_millis(100));
    first.kill().expect("SIGKILL");
    first.wait().expect("it is gone");
    for child in rest {
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "token-2\n");
    }
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn a_store_that_cannot_be_used_costs_neither_token_nor_profile() {
    let server = server(3600);
    let home = logged_in(&server);
    let item = fs::read_dir(home.state().join("secrets"))
        .expect("the store")
        .next()
        .expect("an item")
        .expect("it")
        .path();
    let kept = fs::read(&item).expect("an item");
    fs::write(&item, &kept[..20]).expect("half of it");
    home.oneup().args(["token", "show"]).status(6).never("hunter2").run();
    home.oneup().args(["logout"]).status(6).run();
    fs::write(&item, &kept).expect("all of it");
    home.oneup().args(["token", "show"]).stdout("token-0\n").run();
    // Nothing is needed of a login that is to be forgotten.
    fs::write(&item, &kept[..20]).expect("half of it");
    home.oneup().args(["logout", "--no-revoke"]).run();
    assert!(!item.exists());
}

#[test]
fn a_broken_profile_is_named_and_kept() {
    let server = server(3600);
    let home = logged_in(&server);
    let file = home.config().join("profiles/provider.toml");
    let kept = fs::read_to_string(&file).expect("a profile");
    for broken in [&kept[..40], "", "schema = 2\n", "\0\0\0"] {
        fs::write(&file, broken).expect("a writable profile");
        home.oneup().args(["token", "show"]).status(1).stderr_has("provider.toml").run();
        home.oneup()
            .args(["login", "provider", "--client-secret-stdin"])
            .stdin("x")
            .status(1)
            .stderr_has("provider.toml")
            .run();
        assert_eq!(fs::read_to_string(&file).expect("still there"), broken);
    }
}

#[test]
fn the_formats_for_ci_mask_before_they_export() {
    let server = server(3600);
    let home = logged_in(&server);
    let env = home.write("github_env", "A=1\n");
    home.oneup()
        .args(["token", "show", "--format", "github"])
        .env("GITHUB_ENV", &env)
        .stdout("::add-mask::token-0\n")
        .run();
    assert_eq!(fs::read_to_string(&env).expect("it"), "A=1\nONEUP_TOKEN=token-0\n");
    home.oneup()
        .args(["token", "show", "--format", "github"])
        .status(2)
        .stderr_has("GITHUB_ENV is not set")
        .run();
    home.oneup()
        .args(["token", "show", "--format", "azure"])
        .stdout("##vso[task.setvariable variable=ONEUP_TOKEN;issecret=true]token-0\n")
        .run();
}

#[test]
fn oneup_token_is_the_token_unless_a_profile_is_named() {
    let server = server(3600);
    let home = logged_in(&server);
    home.oneup().args(["token", "show"]).env("ONEUP_TOKEN", "given").stdout("given\n").run();
    home.oneup()
        .args(["token", "show", "--profile", "provider"])
        .env("ONEUP_TOKEN", "given")
        .stdout("token-0\n")
        .run();
    home.oneup()
        .args(["token", "show"])
        .env("ONEUP_TOKEN", "given")
        .env("ONEUP_PROFILE", "provider")
        .stdout("given\n")
        .run();
}

#[test]
fn status_reads_no_secret_and_its_check_is_an_exit_code() {
    let server = server(3600);
    let home = logged_in(&server);
    fs::remove_dir_all(home.state().join("secrets")).expect("the store is gone");
    home.oneup()
        .arg("status")
        .stdout_has("provider (Provider Access)\n  token   ")
        .stdout_has("left; renewed by itself\n  client  c\n  scope   bulk-data|user/*.rs\n")
        .run();
    let json = home.oneup().args(["status", "--format", "json"]).run();
    let rows: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!((&rows[0]["profile"], &rows[0]["live"]), (&"provider".into(), &true.into()));
    home.oneup().args(["status", "--check"]).run();
    Home::new().oneup().args(["status", "--check"]).status(4).run();
    Home::new().oneup().args(["status", "--format", "json"]).stdout("[]\n").run();
}

#[test]
fn logout_forgets_everything_and_a_second_one_is_an_error() {
    let server = server(3600);
    let home = logged_in(&server);
    home.oneup().arg("logout").stderr_has("Logged out of provider (Provider Access).\n").run();
    for place in ["secrets", "notes", "locks"] {
        assert_eq!(fs::read_dir(home.state().join(place)).expect("a directory").count(), 0, "{place}");
    }
    for words in [&["logout"][..], &["logout", "--all"], &["token", "show"]] {
        let said = "error: nobody is logged in\nhint: oneup login provider, p2p or patient\n";
        home.oneup().args(words).status(4).stderr(said).run();
    }
}

#[test]
fn logout_of_all_forgets_those_it_can_and_names_each_that_it_can_not() {
    let server = server(3600);
    let home = logged_in(&server);
    for name in ["broken", "worse"] {
        fs::write(home.config().join(format!("profiles/{name}.toml")), "no profile").expect("a file");
    }
    home.oneup()
        .args(["logout", "--all"])
        .status(1)
        .stderr_has("broken.toml, line 1, is not a profile")
        .stderr_has("Logged out of provider (Provider Access).\n")
        .stderr_has("worse.toml, line 1, is not a profile")
        .run();
    assert!(!home.config().join("profiles/provider.toml").exists());
}

#[test]
fn several_profiles_want_a_choice() {
    let server = server(3600);
    let home = logged_in(&server);
    home.oneup()
        .args([
            "login",
            "p2p",
            "--profile",
            "second",
            "--client-id",
            "c",
            "--client-secret-stdin",
            "--token-url",
        ])
        .arg(format!("{}/auth/token", server.url()))
        .stdin("hunter2")
        .run();
    home.oneup().args(["token", "show"]).status(4).stderr_has("provider, second").run();
    home.oneup().args(["token", "show"]).env("ONEUP_PROFILE", "second").stdout("token-1\n").run();
    home.oneup()
        .args(["token", "show", "--profile", "third"])
        .status(4)
        .stderr_has("there is no profile third")
        .run();
    home.oneup().args(["logout", "--all"]).run();
    home.oneup().arg("status").stdout("").run();
}

/// Runs oneup with this stdout; its exit code and stderr.
fn run_into(home: &Home, words: &str, stdout: impl Into<std::process::Stdio>) -> (Option<i32>, String) {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_oneup"))
        .args(words.split(' '))
        .env("ONEUP_CONFIG_DIR", home.config())
        .env("ONEUP_STATE_DIR", home.state())
        .env("ONEUP_NO_CACHE", "1")
        .env_remove("ONEUP_TOKEN")
        .stdout(stdout)
        .output()
        .expect("oneup runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

const PRINTING: [&str; 9] = [
    "sandbox demo",
    "token show",
    "status",
    "token inspect",
    "man",
    "completions bash",
    "--version",
    "--help",
    "token show --help",
];

/// Whoever reads has gone away: that is no failure, and nothing is said.
#[cfg(unix)]
#[test]
fn a_broken_pipe_is_quiet() {
    let server = server(3600);
    let home = logged_in(&server);
    for words in PRINTING {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        assert_eq!(run_into(&home, words, writer), (Some(0), String::new()), "{words}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_stdout_that_is_full_is_a_failure() {
    let server = server(3600);
    let home = logged_in(&server);
    for words in PRINTING {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("it is there");
        let told = "error: can't write to stdout\n  No space left on device (os error 28)\n";
        assert_eq!(run_into(&home, words, full), (Some(1), told.to_owned()), "{words}");
    }
}
