//! Token endpoints that misbehave: a server that sends raw bytes, and what oneup does then.

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

use crate::support::{FaultReport, Kind, Oneup, RawServer, raw_server};

const SECRET: &str = "s3cr3t-of-the-client";
const TOKEN: &str = "t0ken-of-the-server";

fn json(status: &str, body: &str) -> Vec<u8> {
    RawServer::answer(status, "application/json", body)
}

fn token(rest: &str) -> Vec<u8> {
    json("200 OK", &format!(r#"{{"access_token":"{TOKEN}"{rest}}}"#))
}

/// `login provider --no-store` against this server.
fn login(server: &RawServer) -> Oneup {
    Oneup::new()
        .args(["login", "provider", "--no-store", "--client-id", "c", "--token-url"])
        .arg(format!("{}/token", server.url()))
        .env("ONEUP_CLIENT_SECRET", SECRET)
        .never(SECRET)
}

/// Sends each response to every request and checks the exit code and a part of stderr. With exit code 0 the token is
/// on stdout, else nothing is.
fn hold(what: &'static str, rows: Vec<(&str, Vec<u8>, i32, &str)>) {
    let mut report = FaultReport::new(Kind::Input, what);
    for (name, response, code, words) in rows {
        let server = raw_server(move |_, _, _| response.clone());
        let outcome = login(&server).args(["--timeout", "20"]).outcome();
        report.tried(1);
        let stdout = if code == 0 { format!("{TOKEN}\n") } else { String::new() };
        let tame =
            !outcome.stderr.contains(['\u{1b}', '\u{7}', '\u{202e}', '\0']) && outcome.stderr.len() < 2_000;
        if (outcome.status, &outcome.stdout) != (Some(code), &stdout)
            || !outcome.stderr.contains(words)
            || outcome.stderr.contains(SECRET)
            || !tame
        {
            let (shown, said) = (outcome.stdout.get(..200).unwrap_or(&outcome.stdout), &outcome.stderr);
            report.failed(format!("{name}: {:?}, stdout {shown:?}, stderr {said:?}", outcome.status));
        }
    }
    report.finish();
}

#[test]
fn redirects_are_not_followed_and_their_target_is_printed() {
    for status in ["301", "302", "303", "307", "308"] {
        let server = raw_server(move |_, _, _| {
            format!("HTTP/1.1 {status} Go\r\nLocation: https://evil.example/x\r\nContent-Length: 0\r\n\r\n")
                .into_bytes()
        });
        login(&server).status(3).stderr_has("https://evil.example/").run();
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn error_description_is_sanitized_cut_and_masked() {
    let long = "x".repeat(10_000);
    let body = format!(
        r#"{{"error":"invalid_client","error_description":"\u001b]0;pwn\u0007 \u202e {SECRET} {long}"}}"#
    );
    let server = raw_server(move |_, _, _| json("401 Unauthorized", &body));
    let outcome = login(&server).status(4).stderr_has("\\u{1b}]0;pwn\\u{7} \\u{202e} ***").run();
    assert!(outcome.stderr.len() < 1_500, "{}", outcome.stderr.len());
}

#[test]
fn retries_429_and_502_to_504() {
    for status in ["429 Slow", "502 Bad", "503 Busy", "504 Late"] {
        let server = raw_server(move |number, _, _| match number {
            0 => RawServer::answer(status, "text/html", "<p>busy"),
            _ => token(r#","token_type":"Bearer""#),
        });
        login(&server).stdout(format!("{TOKEN}\n")).run();
        assert_eq!(server.requests().len(), 2);
    }
}

#[test]
fn honors_retry_after_within_the_deadline() {
    let asked = |value: &'static str| {
        raw_server(move |number, _, _| match number {
            0 => {
                format!("HTTP/1.1 429 Slow\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n").into_bytes()
            }
            _ => token(r#","token_type":"Bearer""#),
        })
    };
    for value in
        ["1", "Thu, 01 Jan 1970 00:00:00 GMT", "garbage", "-1", "1e9", "99999999999999999999", "", "\u{9b}2J"]
    {
        login(&asked(value)).stdout(format!("{TOKEN}\n")).run();
    }
    let server = asked("99999999");
    login(&server).status(5).stderr_has("try again in 99999999 s, as the server asks").run();
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn gives_up_after_four_attempts() {
    let server = raw_server(|_, _, _| RawServer::answer("503 Busy", "text/html", "<p>busy"));
    login(&server).status(5).stderr_has("server error (HTTP 503)").run();
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn huge_retry_after_does_not_overflow() {
    let server = raw_server(|_, _, _| {
        let after = format!("Retry-After: {}", u64::MAX);
        format!("HTTP/1.1 429 Slow\r\n{after}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").into_bytes()
    });
    login(&server).status(5).stderr_has("rate limited (HTTP 429)").run();
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn invalid_token_response_shows_no_token() {
    let server = raw_server(|_, _, _| {
        let body =
            r#"{"access_token":"T0KEN-OF-A-MAC","refresh_token":"REFRESH-OF-A-MAC","token_type":"mac"}"#;
        RawServer::answer("200 OK", "text/plain", body)
    });
    login(&server).arg("-v").status(3).never("T0KEN-OF-A-MAC").never("REFRESH-OF-A-MAC").run();
}

#[test]
fn echoed_secret_is_masked_in_trace_and_errors() {
    let escaped: String = SECRET.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let percent: String = SECRET.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let echo = |place: &str, text: &str| format!(r#"{{"{place}":"no {text}","token_type":"Bearer"}}"#);
    for text in [SECRET, &escaped, &percent] {
        for (status, body) in [
            ("401 No", format!(r#"{{"error":"invalid_client","error_description":"bad {text}"}}"#)),
            ("401 No", format!(r#"{{"error":"{text}"}}"#)),
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
            ("400 No", format!("grant_type=client_credentials&client_secret={text}")),
            ("500 No", format!("<p>client_secret={text}")),
        ] {
            let response = body.clone();
            let server = raw_server(move |_, _, _| RawServer::answer(status, "text/html", &response));
            for method in ["post", "basic"] {
                let outcome = login(&server).args(["-v", "--auth-method", method]).outcome();
                let leaked = [SECRET, &escaped, &percent].iter().any(|text| outcome.stderr.contains(*text));
                assert!(!leaked, "{status} {body}: {}", outcome.stderr);
            }
        }
    }
}

#[test]
fn secret_in_location_is_masked() {
    for text in [SECRET.to_owned(), SECRET.replace('-', "%2D"), SECRET.replace('-', "%252d")] {
        let server = raw_server(move |_, _, _| {
            format!("HTTP/1.1 302 Go\r\nLocation: https://a.example/?client_secret={text}\r\nContent-Length: 0\r\n\r\n")
                .into_bytes()
        });
        login(&server).arg("-v").status(3).stderr_has("Location: https://a.example/?client_secret=***").run();
    }
}

#[test]
fn timeout_counts_for_the_whole_exchange() {
    let server = raw_server(|_, _, stream| {
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
        Oneup::new()
            .args(["login", "provider", "--no-store", "--client-id", "c", "--token-url", url])
            .env("ONEUP_CLIENT_SECRET", SECRET)
            .status(2)
            .stderr_has(words)
            .never(SECRET)
            .never("pw")
            .run();
    }
}

#[test]
fn dns_refused_and_tls_have_different_messages() {
    let closed =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("its number");
    let plain = raw_server(|_, _, _| b"HTTP/1.1 400 no TLS here\r\n\r\n".to_vec());
    for (url, words) in [
        ("https://does-not-exist.invalid/token".to_owned(), "DNS"),
        (format!("http://{closed}/token"), "refused the connection"),
        (format!("https://{}/token", plain.address()), "TLS"),
    ] {
        Oneup::new()
            .args(["login", "provider", "--no-store", "--client-id", "c", "--token-url", &url])
            .env("ONEUP_CLIENT_SECRET", SECRET)
            .status(5)
            .stderr_has(words)
            .never(SECRET)
            .run();
    }
}
