//! Token endpoints with invalid, failing or slow responses.

mod documents;
mod malformed_http;
#[cfg(unix)]
mod proxies;
mod responses;
mod single_use;
#[cfg(unix)]
pub(crate) mod tls;

use std::io::Write;
use std::time::{Duration, Instant};

use crate::support::{
    CLIENT_SECRET, FaultReport, Kind, Oneup, RawServer, html_response, json_response, redirect, response,
    text_response, unused_address,
};

const TOKEN: &str = "t0ken-of-the-server";
const REDIRECTS: [&str; 5] =
    ["301 Moved", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"];
/// The rest of a token response.
const BEARER: &str = r#","token_type":"Bearer""#;

/// A token response with more members, each after a comma.
fn token(more: &str) -> Vec<u8> {
    json_response("200 OK", format!(r#"{{"access_token":"{TOKEN}"{more}}}"#))
}

/// `login provider --no-store` at this server.
fn login(server: &RawServer) -> Oneup {
    login_at(&server.token_url())
}

fn login_at(token_url: &str) -> Oneup {
    Oneup::new().login_provider(token_url).arg("--no-store")
}

/// Whether a message is short, and has no character that moves the cursor or changes the direction of text.
fn is_sanitized(message: &str) -> bool {
    !message.contains(['\u{1b}', '\u{7}', '\u{202e}', '\u{9b}', '\0']) && message.len() < 2_000
}

/// Sends each response to every request and checks the exit code and a part of stderr. With exit code 0 the token is
/// on stdout, else nothing is.
fn check_responses(what: &'static str, rows: Vec<(&str, Vec<u8>, i32, &str)>) {
    let mut report = FaultReport::new(Kind::Input, what);
    for (name, response, code, words) in rows {
        let server = RawServer::start(move |_, _, _| response.clone());
        let outcome = login(&server).args(["--timeout", "20"]).outcome();
        let stdout = if code == 0 { format!("{TOKEN}\n") } else { String::new() };
        let is_expected = (outcome.status, &outcome.stdout) == (Some(code), &stdout)
            && outcome.stderr.contains(words)
            && !outcome.stderr.contains(CLIENT_SECRET);
        report.check(is_expected && is_sanitized(&outcome.stderr), name, &outcome);
    }
    report.finish();
}

#[test]
fn redirects_are_not_followed_and_their_target_is_printed() {
    for status in REDIRECTS {
        let server = RawServer::start(move |_, _, _| redirect(status, "https://evil.example/x"));
        login(&server).status(3).stderr_has("https://evil.example/").run();
        assert_eq!(server.count(), 1);
    }
}

#[test]
fn error_description_is_sanitized_cut_and_masked() {
    let long = "x".repeat(10_000);
    let body = format!(
        r#"{{"error":"invalid_client","error_description":"\u001b]0;pwn\u0007 \u202e {CLIENT_SECRET} {long}"}}"#
    );
    let server = RawServer::start(move |_, _, _| json_response("401 Unauthorized", &body));
    let outcome = login(&server).status(4).stderr_has("\\u{1b}]0;pwn\\u{7} \\u{202e} ***").run();
    assert!(outcome.stderr.len() < 1_500, "{}", outcome.stderr.len());
}

#[test]
fn retries_429_and_502_to_504() {
    for status in
        ["429 Too Many Requests", "502 Bad Gateway", "503 Service Unavailable", "504 Gateway Timeout"]
    {
        let server = RawServer::start(move |number, _, _| match number {
            0 => html_response(status, "<p>busy"),
            _ => token(BEARER),
        });
        login(&server).stdout(format!("{TOKEN}\n")).run();
        assert_eq!(server.count(), 2);
    }
}

#[test]
fn honors_retry_after_within_the_deadline() {
    let after = |value: &'static str| {
        RawServer::start(move |number, _, _| match number {
            0 => response("429 Too Many Requests", &[("Retry-After", value)], ""),
            _ => token(BEARER),
        })
    };
    for value in
        ["1", "Thu, 01 Jan 1970 00:00:00 GMT", "garbage", "-1", "1e9", "99999999999999999999", "", "\u{9b}2J"]
    {
        login(&after(value)).stdout(format!("{TOKEN}\n")).run();
    }
    let server = after("99999999");
    login(&server).status(5).stderr_has("try again in 99999999 s, as the server asks").run();
    assert_eq!(server.count(), 1);
}

#[test]
fn gives_up_after_four_attempts() {
    let server = RawServer::start(|_, _, _| html_response("503 Service Unavailable", "<p>busy"));
    login(&server).status(5).stderr_has("server error (HTTP 503)").run();
    assert_eq!(server.count(), 4);
}

#[test]
fn huge_retry_after_does_not_overflow() {
    let server = RawServer::start(|_, _, _| {
        response("429 Too Many Requests", &[("Retry-After", &u64::MAX.to_string())], "")
    });
    login(&server).status(5).stderr_has("rate limited (HTTP 429)").run();
    assert_eq!(server.count(), 1);
}

#[test]
fn invalid_token_response_shows_no_token() {
    let server = RawServer::start(|_, _, _| {
        let body =
            r#"{"access_token":"T0KEN-OF-A-MAC","refresh_token":"REFRESH-OF-A-MAC","token_type":"mac"}"#;
        text_response("200 OK", body)
    });
    login(&server).arg("-v").status(3).never("T0KEN-OF-A-MAC").never("REFRESH-OF-A-MAC").run();
}

#[test]
fn echoed_secret_is_masked_in_trace_and_errors() {
    let escaped: String = CLIENT_SECRET.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let percent: String = CLIENT_SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let echo = |place: &str, text: &str| format!(r#"{{"{place}":"no {text}","token_type":"Bearer"}}"#);
    for text in [CLIENT_SECRET, &escaped, &percent] {
        for (status, body) in [
            ("401 Unauthorized", format!(r#"{{"error":"invalid_client","error_description":"bad {text}"}}"#)),
            ("401 Unauthorized", format!(r#"{{"error":"{text}"}}"#)),
            ("200 OK", format!(r#"{{"error":"invalid_client","error_description":"bad {text}"}}"#)),
            ("200 OK", format!("<p>client_secret={text}")),
            ("200 OK", echo("scope", text)),
            ("200 OK", format!(r#"{{"access_token":"t","token_type":"{text}"}}"#)),
            (
                "200 OK",
                format!(
                    r#"{{"access_token":"t","token_type":"Bearer","{text}":"","error":null,"scope":"{text}"}}"#
                ),
            ),
            ("400 Bad Request", format!("grant_type=client_credentials&client_secret={text}")),
            ("500 Internal Server Error", format!("<p>client_secret={text}")),
        ] {
            let response = body.clone();
            let server = RawServer::start(move |_, _, _| html_response(status, &response));
            for method in ["post", "basic"] {
                let outcome = login(&server).args(["-v", "--auth-method", method]).outcome();
                let leaked =
                    [CLIENT_SECRET, &escaped, &percent].iter().any(|text| outcome.stderr.contains(*text));
                assert!(!leaked, "{status} {body}: {}", outcome.stderr);
            }
        }
    }
}

#[test]
fn secret_in_location_is_masked() {
    for text in
        [CLIENT_SECRET.to_owned(), CLIENT_SECRET.replace('-', "%2D"), CLIENT_SECRET.replace('-', "%252d")]
    {
        let location = format!("https://a.example/?client_secret={text}");
        let server = RawServer::start(move |_, _, _| redirect("302 Found", &location));
        login(&server).arg("-v").status(3).stderr_has("Location: https://a.example/?client_secret=***").run();
    }
}

#[test]
fn timeout_counts_for_the_whole_exchange() {
    let server = RawServer::start(|_, _, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        for _ in 0..300 {
            std::thread::sleep(Duration::from_millis(200));
            if stream.write_all(b" ").is_err() {
                break;
            }
        }
        Vec::new()
    });
    let start = Instant::now();
    login(&server).args(["--timeout", "2"]).status(5).stderr_has("timed out after 2 s").run();
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn unsafe_token_urls_are_rejected_before_anything_is_sent() {
    for (url, words) in [
        ("http://gateway.example/token", "plain http"),
        ("http://localhost.evil.example/token", "plain http"),
        ("https://user:pw@gateway.example/token", "user name"),
        ("ftp://gateway.example/token", "not an https URL"),
        ("gateway.example", "is not a URL"),
    ] {
        login_at(url).status(2).stderr_has(words).never("pw").run();
    }
}

#[test]
fn dns_refused_and_tls_have_different_messages() {
    let closed = unused_address();
    let plain = RawServer::start(|_, _, _| text_response("400 Bad Request", "no TLS here"));
    for (url, words) in [
        ("https://does-not-exist.invalid/token".to_owned(), "DNS"),
        (format!("http://{closed}/token"), "refused the connection"),
        (format!("https://{}/token", plain.address()), "TLS"),
    ] {
        login_at(&url).status(5).stderr_has(words).run();
    }
}
