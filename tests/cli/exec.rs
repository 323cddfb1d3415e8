//! `oneup exec`: a program with the token in its environment, and with a file that stays fresh.
#![cfg(unix)]

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::support::{Home, Oneup, RawServer, raw_server};

/// A token endpoint whose tokens are `token-1`, `token-2`, … and live this many seconds.
fn server(lifetime: u32) -> RawServer {
    let count = AtomicU32::new(0);
    raw_server(move |_, _, _| {
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        let body =
            format!(r#"{{"access_token":"token-{number}","token_type":"Bearer","expires_in":{lifetime}}}"#);
        RawServer::answer("200 OK", "application/json", &body)
    })
}

fn login(server: &RawServer) -> Home {
    let home = Home::new();
    home.oneup()
        .args(["login", "provider", "--client-id", "id", "--store", "file"])
        .args(["--token-url", &format!("{}/token", server.url())])
        .env("ONEUP_CLIENT_SECRET", "s3cr3t")
        .run();
    home
}

fn sh(home: &Home, flags: &[&str], script: &str) -> Oneup {
    home.oneup().arg("exec").args(flags).args(["--", "sh", "-c", script])
}

#[test]
fn the_program_has_the_token_and_not_the_secret() {
    let home = login(&server(300));
    sh(&home, &[], "echo $ONEUP_TOKEN; cat").stdin("in\n").stdout("token-1\nin\n").stderr("").run();
    sh(&home, &["--var", "FHIR"], "echo $FHIR-$ONEUP_TOKEN").stdout("token-1-\n").run();
    sh(&home, &[], "echo \"[$ONEUP_CLIENT_SECRET]\"")
        .env("ONEUP_CLIENT_SECRET", "s3cr3t")
        .stdout("[]\n")
        .run();
}

#[test]
fn a_mistyped_option_is_no_program() {
    let server = server(3600);
    let home = login(&server);
    home.oneup()
        .args(["exec", "--tokenfile", "--", "true"])
        .status(125)
        .stderr("error: oneup exec has no option --tokenfile\nhint: did you mean `--token-file`?\n")
        .run();
}

#[test]
fn the_exit_code_is_the_programs() {
    let home = login(&server(300));
    for flags in [&[][..], &["--token-file"]] {
        sh(&home, flags, "exit 7").status(7).run();
        home.oneup().arg("exec").args(flags).args(["--", "/nonexistent"]).status(127).run();
        home.oneup().arg("exec").args(flags).args(["--", "/dev/null"]).status(126).run();
        home.oneup().arg("exec").args(flags).args(["--var", "PATH", "--", "true"]).status(125).run();
    }
    sh(&home, &["--token-file"], "kill -9 $$").status(137).run();
    Home::new().oneup().args(["exec", "--", "true"]).status(125).stderr_has("oneup login").run();
}

#[test]
fn a_token_file_is_private_fresh_and_removed() {
    let home = login(&server(12));
    let script = r#"ls -l "$ONEUP_TOKEN_FILE" | cut -c1-10; cat "$ONEUP_TOKEN_FILE"; echo
                    for i in $(seq 300); do test "$(cat "$ONEUP_TOKEN_FILE")" = token-1 || break; sleep 0.1; done
                    cat "$ONEUP_TOKEN_FILE"; echo; echo "$ONEUP_TOKEN_FILE" > place"#;
    let outcome = sh(&home, &["--token-file"], script).run();
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines[..2], ["-rw-------", "token-1"]);
    assert!(lines[2] > "token-1", "{lines:?}");
    let place = std::fs::read_to_string(home.path("place")).expect("the script wrote it");
    let place = std::path::Path::new(place.trim());
    assert!(!place.exists() && !place.parent().expect("a directory").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn a_killed_one_leaves_a_token_that_the_next_one_removes() {
    let home = login(&server(300));
    let runtime = home.path("run");
    std::fs::create_dir(&runtime).expect("a directory");
    let rooms = || std::fs::read_dir(&runtime).expect("it is there").count();
    let wait_for = |script: &str, name: &str| {
        let child = sh(&home, &["--token-file"], script).env("XDG_RUNTIME_DIR", &runtime).spawn();
        while !home.path(name).exists() {
            std::thread::sleep(Duration::from_millis(20));
        }
        child
    };
    let mut killed = wait_for("touch one; sleep 3", "one");
    let mut living =
        wait_for("touch two; while test ! -e three; do sleep 0.1; done; cat $ONEUP_TOKEN_FILE", "two");
    killed.kill().expect("SIGKILL");
    killed.wait().expect("it is gone");
    assert_eq!(rooms(), 2, "nobody was there to remove it");
    sh(&home, &["--token-file"], "ls $XDG_RUNTIME_DIR | wc -l")
        .env("XDG_RUNTIME_DIR", &runtime)
        .stdout("2\n")
        .run();
    home.write("three", "");
    assert!(living.wait().expect("it ends").success(), "the other's token was still there");
    assert_eq!(rooms(), 0);
}

#[test]
fn a_signal_reaches_the_program_and_the_file_is_removed() {
    let home = login(&server(300));
    let script =
        r#"trap 'rm started; exit 3' TERM; echo "$ONEUP_TOKEN_FILE" > started; while :; do sleep 0.1; done"#;
    let mut child = sh(&home, &["--token-file"], script).spawn();
    let started = home.path("started");
    while !std::fs::read_to_string(&started).is_ok_and(|text| text.ends_with('\n')) {
        std::thread::sleep(Duration::from_millis(20));
    }
    let place = std::fs::read_to_string(&started).expect("the script wrote it");
    let kill = std::process::Command::new("kill").arg(child.id().to_string()).status().expect("kill runs");
    assert!(kill.success());
    assert_eq!(child.wait().expect("our child").code(), Some(3));
    assert!(!started.exists() && !std::path::Path::new(place.trim()).exists());
}
