//! Streams that are closed, full, or whose reader is gone: no panic, no secret in another stream or file, and the exit code
//! that scripts expect.
#![cfg(unix)]

use crate::support::{Home, TokenEndpoint};

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
