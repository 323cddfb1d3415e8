//! Streams that are closed, full, or whose reader is gone: no panic, no secret in another stream or file, and the exit code
//! that scripts expect.
#![cfg(unix)]

use crate::support::{
    CLIENT_SECRET, Home, Oneup, Request, Sandbox, TokenEndpoint, json_response, requires_program,
};

/// Runs oneup with this stdout and returns its exit code and stderr.
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

/// A reader that stops early, such as `head`, is no failure.
#[test]
fn broken_pipe_is_silent() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    for words in PRINTING {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        assert_eq!(run_into(&home, words, writer), (Some(0), String::new()), "{words}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn full_stdout_is_a_failure() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    for words in PRINTING {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("it is there");
        let expected = "error: can't write to stdout\n  No space left on device (os error 28)\n";
        assert_eq!(run_into(&home, words, full), (Some(1), expected.to_owned()), "{words}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn full_stderr_keeps_the_exit_code() {
    for args in [&[][..], &["token"], &["token", "shwo"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("/dev/full");
        let mut oneup = std::process::Command::new(env!("CARGO_BIN_EXE_oneup"));
        assert_eq!(oneup.args(args).stderr(full).status().expect("it runs").code(), Some(2), "{args:?}");
    }
}

/// The redirections of a shell that close some of the three streams.
const CLOSED: [&str; 7] = ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"];

/// What each command prints on stdout, or a part of it; nothing for one whose product is not printed.
const COMMANDS: [(&[&str], &str); 10] = [
    (&["token", "show"], "token-"),
    (&["token", "show", "--refresh"], "token-"),
    (&["token", "inspect"], "valid for"),
    (&["status"], "provider"),
    (&["login", "provider"], ""),
    (&["exec", "--", "sh", "-c", "echo out; echo err >&2; cat"], "out"),
    (&["exec", "--token-file", "--", "sh", "-c", "echo out; echo err >&2; cat"], "out"),
    (&["curl", "-s", "/Patient/1"], "Patient"),
    (&["doctor"], "responds"),
    (&["--help"], "Usage"),
];

fn endpoint() -> TokenEndpoint {
    let patient = |_: &Request| json_response("200 OK", r#"{"resourceType":"Patient"}"#);
    TokenEndpoint::builder().resources(patient).start()
}

/// Runs oneup below a shell that redirects its streams.
fn redirected(home: &Home, redirections: &str, args: &[&str]) -> Oneup {
    home.oneup_under(&["sh", "-c", &format!("exec \"$0\" \"$@\" {redirections}")]).args(args)
}

/// Returns whether these redirections leave stdout open.
fn is_stdout_open(redirections: &str) -> bool {
    !redirections.split(' ').any(|redirection| redirection == ">&-")
}

#[test]
fn closed_streams_change_no_exit_code_and_leak_nothing() {
    let endpoint = endpoint();
    let home = Home::logged_in(&endpoint);
    for (args, printed) in COMMANDS {
        for redirections in CLOSED {
            let run = redirected(&home, redirections, args)
                .env("ONEUP_CLIENT_SECRET", CLIENT_SECRET)
                .never(CLIENT_SECRET);
            let run = if is_stdout_open(redirections) { run.stdout_has(printed) } else { run.stdout("") };
            let stderr = run.run().stderr;
            assert!(
                !stderr.contains("token-") && !stderr.contains("panicked"),
                "{args:?} {redirections}: {stderr}"
            );
        }
    }
    // A stream that a file took over would be found in it.
    home.oneup().args(["token", "show"]).stderr("").run();
    home.oneup().arg("status").stdout_has("provider").stderr("").run();
}

#[test]
fn login_without_streams_says_what_is_missing_instead_of_waiting() {
    for redirections in CLOSED.iter().filter(|redirections| redirections.contains('<')) {
        redirected(&Home::new(), redirections, &["login", "provider"]).status(2).run();
        redirected(&Home::new(), redirections, &["token", "show"]).status(4).run();
        redirected(&Home::new(), redirections, &["exec", "--", "true"]).status(125).run();
    }
}

#[test]
fn export_is_complete_without_a_reader_of_its_output() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.oneup().args(["login", "provider"]).envs(sandbox.env()).run();
    for (number, redirections) in [">&-", "<&- >&- 2>&-", "2>&-", "| true", "| head -n 1"].iter().enumerate()
    {
        let dir = format!("members-{number}");
        let script = format!("\"$0\" \"$@\" {redirections}");
        home.oneup_under(&["sh", "-c", &script]).args(["export", &dir, "--type", "Patient,Coverage"]).run();
        for file in ["Patient.1.ndjson", "Coverage.1.ndjson"] {
            assert!(home.path(format!("{dir}/{file}")).exists(), "{redirections}: {file}");
        }
    }
    if cfg!(target_os = "linux") {
        let run = redirected(&home, "> /dev/full", &["export", "full", "--type", "Patient"]);
        run.status(1).stderr_has("error: can't write to stdout").run();
    }
}

/// Rust ignores SIGPIPE, and children would inherit that.
#[test]
fn program_of_exec_ends_by_sigpipe() {
    if !requires_program("bash") {
        return;
    }
    let endpoint = TokenEndpoint::start();
    let home = Home::logged_in(&endpoint);
    for flags in [&[][..], &["--token-file"]] {
        let script = "yes | head -n 1; echo ${PIPESTATUS[0]}";
        home.oneup().arg("exec").args(flags).args(["--", "bash", "-c", script]).stdout("y\n141\n").run();
    }
}
