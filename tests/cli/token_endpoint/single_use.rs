//! Codes and refresh tokens work once, so they are sent once, whatever the server responds.

use crate::support::{Fault, FaultReport, Home, Kind, TokenEndpoint, html_response, response};

/// Responses after which the code may or may not have been used.
fn ambiguous() -> Vec<(&'static str, Vec<u8>)> {
    let busy = |status| html_response(status, "<p>busy");
    vec![
        ("reset", Vec::new()),
        ("half a response", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec()),
        ("502", busy("502 Bad Gateway")),
        ("503", busy("503 Service Unavailable")),
        ("504", busy("504 Gateway Timeout")),
        ("429", response("429 Too Many Requests", &[("Retry-After", "0")], "")),
        ("500", busy("500 Internal Server Error")),
    ]
}

#[test]
fn code_is_sent_once() {
    let mut report = FaultReport::new(Kind::Input, "failures after a code was sent");
    for (name, response) in ambiguous() {
        let server = TokenEndpoint::builder().fault(0, Fault::Response(response)).start();
        let outcome = server.login_with_code(Home::new().oneup(), "c", "file").outcome();
        let has_hint = outcome.stderr.contains("may have been used; log in again: oneup login patient");
        let name = format!("{name}, {} sent", server.count());
        report.check((outcome.status, server.count(), has_hint) == (Some(5), 1, true), name, &outcome);
    }
    report.finish();
}

#[test]
fn refresh_token_is_sent_once_and_kept() {
    let mut report = FaultReport::new(Kind::Input, "failures after a refresh token was sent");
    for (name, response) in ambiguous() {
        let builder = TokenEndpoint::builder().members(r#""refresh_token":"r3fresh-of-theirs""#);
        let server = builder.fault(1, Fault::Response(response)).start();
        let home = Home::new();
        server.login_with_code(home.oneup(), "c", "file").run();
        let outcome = home.oneup().args(["token", "show", "--refresh"]).outcome();
        let name = format!("{name}, {} sent", server.count());
        report.check((outcome.status, server.count()) == (Some(5), 2), name, &outcome);
        // The next command sends the refresh token that was kept.
        home.oneup().args(["token", "show", "--refresh"]).run();
        assert!(server.requests()[2].contains("refresh_token=r3fresh-of-theirs"));
    }
    report.finish();
}
