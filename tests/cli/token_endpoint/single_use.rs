//! Codes and refresh tokens work once, so they are sent once, whatever the server responds.

use super::{SECRET, token};
use crate::support::{FaultReport, Home, Kind, Oneup, RawServer, raw_server};

fn login(home: &Home, server: &RawServer) -> Oneup {
    home.oneup()
        .args(["login", "patient", "--code", "-", "--client-id", "c", "--token-url"])
        .arg(format!("{}/token", server.url()))
        .env("ONEUP_CLIENT_SECRET", SECRET)
        .stdin("c0de-of-the-user")
        .never(SECRET)
        .never("c0de-of-the-user")
}

/// Responses after which the code may or may not have been used.
fn doubtful() -> Vec<(&'static str, Vec<u8>)> {
    let busy = |status| RawServer::answer(status, "text/html", "<p>busy");
    vec![
        ("reset", Vec::new()),
        ("half a response", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec()),
        ("502", busy("502 Bad")),
        ("503", busy("503 Busy")),
        ("504", busy("504 Late")),
        ("429", b"HTTP/1.1 429 Slow\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n".to_vec()),
        ("500", busy("500 Oops")),
    ]
}

#[test]
fn code_is_sent_once() {
    let mut report = FaultReport::new(Kind::Input, "failures after a code was sent");
    for (name, response) in doubtful() {
        let server = raw_server(move |_, _, _| response.clone());
        let outcome = login(&Home::new(), &server).outcome();
        report.tried(1);
        let told = outcome.stderr.contains("may have been used; log in again: oneup login patient");
        if (outcome.status, server.requests().len(), told) != (Some(5), 1, true) {
            report.failed(format!(
                "{name}: {:?}, {} sent, {}",
                outcome.status,
                server.requests().len(),
                outcome.stderr
            ));
        }
    }
    report.finish();
}

#[test]
fn refresh_token_is_sent_once_and_kept() {
    let mut report = FaultReport::new(Kind::Input, "failures after a refresh token was sent");
    for (name, response) in doubtful() {
        let server = raw_server(move |number, _, _| match number {
            1 => response.clone(),
            _ => token(r#","token_type":"Bearer","expires_in":60,"refresh_token":"r3fresh-of-theirs""#),
        });
        let home = Home::new();
        login(&home, &server).run();
        let outcome = home.oneup().args(["token", "show", "--refresh"]).outcome();
        report.tried(1);
        if (outcome.status, server.requests().len()) != (Some(5), 2) {
            report.failed(format!(
                "{name}: {:?}, {} sent: {}",
                outcome.status,
                server.requests().len(),
                outcome.stderr
            ));
        }
        // The next command sends the refresh token that was kept.
        home.oneup().args(["token", "show", "--refresh"]).run();
        assert!(server.requests()[2].contains("refresh_token=r3fresh-of-theirs"));
    }
    report.finish();
}
