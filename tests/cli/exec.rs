//! `oneup exec`: a program with the token in its environment, and in a file that is kept up to date.
#![cfg(unix)]

use crate::support::{Home, Oneup, TokenEndpoint, send_signal, wait_for_line, wait_until};

/// A home that is logged in at an endpoint whose tokens are valid for this many seconds; the endpoint must outlive it.
fn login(lifetime: u32) -> (Home, TokenEndpoint) {
    let endpoint = TokenEndpoint::builder().lifetime(lifetime).start();
    (Home::logged_in(&endpoint), endpoint)
}

fn sh(home: &Home, flags: &[&str], script: &str) -> Oneup {
    home.oneup().arg("exec").args(flags).args(["--", "sh", "-c", script])
}

#[test]
fn program_gets_the_token_and_no_secret() {
    let (home, _endpoint) = login(300);
    sh(&home, &[], "echo $ONEUP_TOKEN; cat").stdin("in\n").stdout("token-0\nin\n").stderr("").run();
    sh(&home, &["--var", "FHIR"], "echo $FHIR-$ONEUP_TOKEN").stdout("token-0-\n").run();
    sh(&home, &[], "echo \"[$ONEUP_CLIENT_SECRET]\"")
        .env("ONEUP_CLIENT_SECRET", "s3cr3t")
        .stdout("[]\n")
        .run();
}

#[test]
fn suggests_closest_option() {
    let (home, _endpoint) = login(3600);
    home.oneup()
        .args(["exec", "--tokenfile", "--", "true"])
        .status(125)
        .stderr("error: unknown option of oneup exec: --tokenfile\nhint: did you mean `--token-file`?\n")
        .run();
}

#[test]
fn exits_with_the_exit_code_of_the_program() {
    let (home, _endpoint) = login(300);
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
fn token_file_is_private_refreshed_and_removed() {
    let (home, _endpoint) = login(12);
    let script = r#"ls -l "$ONEUP_TOKEN_FILE" | cut -c1-10; cat "$ONEUP_TOKEN_FILE"; echo
                    for i in $(seq 300); do test "$(cat "$ONEUP_TOKEN_FILE")" = token-0 || break; sleep 0.1; done
                    cat "$ONEUP_TOKEN_FILE"; echo; echo "$ONEUP_TOKEN_FILE" > place"#;
    let outcome = sh(&home, &["--token-file"], script).run();
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert_eq!(lines[..2], ["-rw-------", "token-0"]);
    assert!(lines[2] > "token-0", "{lines:?}");
    let place = std::fs::read_to_string(home.path("place")).expect("the script wrote it");
    let place = std::path::Path::new(place.trim());
    assert!(!place.exists() && !place.parent().expect("a directory").exists());
}

#[test]
#[cfg(target_os = "linux")]
fn token_file_of_a_killed_process_is_removed_by_the_next() {
    let (home, _endpoint) = login(300);
    let runtime = home.path("run");
    std::fs::create_dir(&runtime).expect("a directory");
    let directories = || std::fs::read_dir(&runtime).expect("it is there").count();
    let wait_for = |script: &str, name: &str| {
        let child = sh(&home, &["--token-file"], script).env("XDG_RUNTIME_DIR", &runtime).spawn();
        wait_until(name, || home.path(name).exists());
        child
    };
    let mut killed = wait_for("touch one; sleep 3", "one");
    let mut other =
        wait_for("touch two; while test ! -e three; do sleep 0.1; done; cat $ONEUP_TOKEN_FILE", "two");
    killed.kill().expect("SIGKILL");
    killed.wait().expect("it is gone");
    assert_eq!(directories(), 2, "no process was there to remove it");
    sh(&home, &["--token-file"], "ls $XDG_RUNTIME_DIR | wc -l")
        .env("XDG_RUNTIME_DIR", &runtime)
        .stdout("2\n")
        .run();
    home.write("three", "");
    assert!(other.wait().expect("it ends").success(), "the other's token was still there");
    assert_eq!(directories(), 0);
}

#[test]
fn token_file_is_removed_after_sigterm() {
    let (home, _endpoint) = login(300);
    let script =
        r#"trap 'rm started; exit 3' TERM; echo "$ONEUP_TOKEN_FILE" > started; while :; do sleep 0.1; done"#;
    let mut child = sh(&home, &["--token-file"], script).spawn();
    let started = home.path("started");
    let place = wait_for_line(&started);
    send_signal(&child, "TERM");
    assert_eq!(child.wait().expect("our child").code(), Some(3));
    assert!(!started.exists() && !std::path::Path::new(place.trim()).exists());
}

/// Sends every signal that ends a process by default, and those of job control that can be caught.
#[test]
#[cfg(target_os = "linux")]
fn signals_are_forwarded_to_the_program() {
    let (home, _endpoint) = login(300);
    let mut signals =
        vec!["HUP", "INT", "QUIT", "USR1", "USR2", "ALRM", "TERM", "XCPU", "XFSZ", "PROF", "VTALRM"];
    signals.extend(["WINCH", "CONT", "URG", "ABRT", "TRAP", "SYS"]);
    signals.extend(["PWR", "IO", "16", "36", "64"]);
    let traps: String =
        signals.iter().map(|signal| format!("trap 'echo {signal} >> got' {signal}\n")).collect();
    let script =
        format!("{traps}echo $ONEUP_TOKEN_FILE > started; while ! test -e stop; do sleep 0.05; done");
    let mut child =
        home.oneup_with_default_signals().args(["exec", "--token-file", "--", "sh", "-c", &script]).spawn();
    let file = wait_for_line(&home.path("started"));
    for signal in &signals {
        send_signal(&child, signal);
        wait_until(signal, || {
            std::fs::read_to_string(home.path("got")).is_ok_and(|got| got.lines().any(|line| line == *signal))
        });
    }
    home.write("stop", "");
    assert_eq!(child.wait().expect("our child").code(), Some(0));
    assert!(!std::path::Path::new(file.trim()).exists());
}

#[test]
fn ignored_signals_stay_ignored() {
    let (home, _endpoint) = login(300);
    let nohup = ["sh", "-c", "trap '' HUP; exec \"$0\" \"$@\""];
    let run =
        home.oneup_under(&nohup).args(["exec", "--token-file", "--", "sh", "-c", "kill -HUP $$; echo alive"]);
    run.stdout("alive\n").run();
}

#[test]
fn token_that_is_too_long_for_a_variable_is_in_the_file_only() {
    let server = TokenEndpoint::builder().prefix(&"x".repeat(200_000)).start();
    let home = Home::logged_in(&server);
    sh(&home, &[], "true").status(125).stderr_has("too long for an environment variable").run();
    sh(&home, &[], "true").status(125).stderr_has("--token-file").run();
    sh(&home, &["--token-file"], "wc -c < $ONEUP_TOKEN_FILE; echo \"[$ONEUP_TOKEN]\"")
        .env("ONEUP_TOKEN", "inherited")
        .stdout("200001\n[]\n")
        .stderr_has("warning: the access token is too long")
        .run();
}

#[test]
fn usage_errors_exit_125() {
    for command in ["exec", "curl", "sandbox run"] {
        let run = || Oneup::new().args(command.split(' '));
        run().status(125).stderr_has("error: ").run();
        run().args(["--timeout", "x", "--", "true"]).status(125).stderr_has("error: ").run();
    }
    Oneup::new().args(["--timeout", "x", "exec", "true"]).status(125).run();
}
