//! Clocks that are wrong, and that jump: an expired token is never printed, and no login is lost.

use super::scenario::checking_clients;
use crate::support::{FaultReport, Home, Kind, Oneup, requires_program, send_signal, size, wait_until};

fn show_at(home: &Home, time: &str) -> Oneup {
    home.oneup_under(&["faketime", "-f", time]).args(["token", "show"])
}

#[test]
fn clock_jump_causes_a_token_request_and_keeps_the_login() {
    if !requires_program("faketime") {
        return;
    }
    let mut report = FaultReport::new(Kind::Fault, "clock jumps");
    let (home, endpoint) = (Home::new(), checking_clients().start());
    endpoint.login_as(home.oneup(), "old", "file").run();
    // The number of the token that is printed: a new one if the old one can't be valid.
    for (time, number) in [
        ("+0", 0),
        ("+30m", 0),
        ("+2h", 1),
        ("+2h", 1),
        // That one was issued in the future.
        ("+0", 2),
        ("-1d", 3),
        ("+0", 4),
        ("+0", 4),
        ("@1970-01-02 00:00:00", 5),
        ("@2037-12-31 23:59:59", 6),
        ("@2106-02-08 00:00:00", 7),
        ("@2500-01-01 00:00:00", 8),
        ("+0", 9),
    ] {
        show_at(&home, time).stdout(format!("old-token-{number}\n")).stderr("").run();
        home.oneup_under(&["faketime", "-f", time]).arg("status").stdout_has("refreshed automatically").run();
        report.tried(2);
    }
    report.finish();
}

/// After sleep, or after the clock was set, the token has expired at the next check.
#[test]
fn clock_jump_during_exec_refreshes_the_token_file() {
    // The interval is 15 s, which is too long for the quick tests.
    if size(true, false) || !requires_program("faketime") {
        return;
    }
    let (home, endpoint) = (Home::new(), checking_clients().start());
    endpoint.login_as(home.oneup(), "old", "file").run();
    let clock = home.write("clock", "+0\n");
    let script = r#"echo "$ONEUP_TOKEN_FILE" > place; sleep 300"#;
    let run = home
        // The variable takes precedence over the file.
        .oneup_under(&["faketime", "-f", "+0", "env", "-u", "FAKETIME"])
        .args(["exec", "--token-file", "--", "sh", "-c", script]);
    let mut child = run
        .env("FAKETIME_TIMESTAMP_FILE", &clock)
        .env("FAKETIME_NO_CACHE", "1")
        .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        .env("DONT_FAKE_MONOTONIC", "1")
        .spawn();
    let token = || {
        let place = std::fs::read_to_string(home.path("place")).unwrap_or_default();
        std::fs::read_to_string(place.trim()).unwrap_or_default()
    };
    let wait_for = |wanted: &str| wait_until(wanted, || token() == wanted);
    wait_for("old-token-0");
    std::fs::write(&clock, "+2h\n").expect("it is ours");
    wait_for("old-token-1");
    send_signal(&child, "TERM");
    child.wait().expect("it ends");
}
