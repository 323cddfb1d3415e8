//! Responses that are not valid HTTP, compressed or endless.

use std::io::Write;
use std::time::{Duration, Instant};

use super::{REDIRECTS, TOKEN, check_responses, is_sanitized, login};
use crate::support::{FaultReport, Kind, RawServer, gzip, redirect, response, size};

/// A valid token response after this head.
fn after(head: impl AsRef<[u8]>) -> Vec<u8> {
    let body = good();
    let rest = format!("Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    [head.as_ref(), rest.as_bytes()].concat()
}

const BROKEN: &str = "closed before the response was complete";
const NOT_HTTP: &str = "did not send an HTTP response";

fn good() -> String {
    format!(r#"{{"access_token":"{TOKEN}","token_type":"Bearer","expires_in":60}}"#)
}

fn chunked(body: &[u8]) -> Vec<u8> {
    [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", body].concat()
}

#[test]
fn invalid_http_is_a_network_error() {
    let body = good();
    let length = body.len();
    let short = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", length + 9);
    let two = format!("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: {length}\r\n\r\n{body}");
    let same =
        format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nContent-Length: {length}\r\n\r\n{body}");
    let early = format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{body}");
    let whole = format!("{length:x}\r\n{body}\r\n0\r\n\r\n");
    let trailer = format!("{length:x}\r\n{body}\r\n0\r\nX-Late: {}\r\n\r\n", "x".repeat(1_000));
    check_responses(
        "invalid HTTP",
        vec![
            ("nothing", Vec::new(), 5, BROKEN),
            ("another protocol", b"SSH-2.0-OpenSSH\r\n".to_vec(), 5, NOT_HTTP),
            ("TLS", b"\x15\x03\x03\x00\x02\x02\x28".to_vec(), 5, NOT_HTTP),
            ("a short body", short.into_bytes(), 5, BROKEN),
            ("two lengths", two.into_bytes(), 5, BROKEN),
            ("one length twice", same.into_bytes(), 0, ""),
            ("more than was announced", early.into_bytes(), 3, "not a JSON object"),
            ("a negative length", b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n{}".to_vec(), 5, BROKEN),
            (
                "a length of 23 digits",
                b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999\r\n\r\n".to_vec(),
                5,
                BROKEN,
            ),
            ("chunks", chunked(whole.as_bytes()), 0, ""),
            ("chunks with a trailer", chunked(trailer.as_bytes()), 0, ""),
            ("chunks of garbage", chunked(b"zz\r\n{}\r\n0\r\n\r\n"), 5, "can't be decoded"),
            ("a chunk of 64 bits", chunked(b"ffffffffffffffff\r\n{}"), 5, BROKEN),
            (
                "a chunk that is longer than 64 bits",
                chunked(b"1ffffffffffffffff\r\n{}"),
                5,
                "can't be decoded",
            ),
            ("chunks without an end", chunked(b"2\r\n{}\r\n"), 5, BROKEN),
            ("no reason phrase", after("HTTP/1.1 200\r\n"), 0, ""),
            ("HTTP/1.0", after("HTTP/1.0 200 OK\r\n"), 0, ""),
            ("HTTP/0.9", good().into_bytes(), 5, NOT_HTTP),
            ("HTTP/3", after("HTTP/3.0 200 OK\r\n"), 5, NOT_HTTP),
            ("a status that is not a number", after("HTTP/1.1 two OK\r\n"), 5, NOT_HTTP),
            ("a status of two digits", after("HTTP/1.1 20 OK\r\n"), 5, NOT_HTTP),
            ("a header without a colon", after("HTTP/1.1 200 OK\r\nnothing\r\n"), 5, BROKEN),
            ("a NUL in a header", after(b"HTTP/1.1 200 OK\r\nX: a\0b\r\n"), 5, BROKEN),
            (
                "a header of 1 MB",
                after(format!("HTTP/1.1 200 OK\r\nX: {}\r\n", "x".repeat(1_000_000))),
                5,
                BROKEN,
            ),
            (
                "ten thousand headers",
                after(format!("HTTP/1.1 200 OK\r\n{}", "X: y\r\n".repeat(10_000))),
                5,
                BROKEN,
            ),
            (
                "a thousand early hints",
                after("HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1_000) + "HTTP/1.1 200 OK\r\n"),
                0,
                "",
            ),
            (
                "a switch of protocols",
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n".to_vec(),
                3,
                "not a JSON object",
            ),
        ],
    );
}

/// A response whose body has this encoding.
fn encoded(encoding: &str, body: &[u8]) -> Vec<u8> {
    response("200 OK", &[("Content-Encoding", encoding)], body)
}

#[test]
fn decodes_gzip_although_only_identity_was_accepted() {
    let server = RawServer::start(|_, _, _| encoded("gzip", &gzip(good().as_bytes())));
    login(&server).stdout(format!("{TOKEN}\n")).run();
    assert!(server.requests()[0].to_lowercase().contains("accept-encoding: identity\r\n"));
}

#[test]
fn rejects_what_can_not_be_decoded() {
    let bomb = encoded("gzip", &gzip(&vec![b' '; 100 << 20]));
    assert!(bomb.len() < 1 << 20);
    let packed = gzip(&vec![b'x'; 4096]);
    // No length: the stream just ends.
    let head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n";
    let truncated = [&head[..], &packed[..packed.len() - 12]].concat();
    check_responses(
        "compressed responses",
        vec![
            ("a bomb", bomb, 3, "response exceeds 1 MiB"),
            ("gzip that is not gzip", encoded("gzip", good().as_bytes()), 5, "can't be decoded"),
            ("half a gzip stream", truncated, 5, "closed before the response was complete"),
            ("gzip of HTML", encoded("gzip", &gzip(b"<html>")), 3, "not a JSON object"),
        ],
    );
    for encoding in ["deflate", "br", "zstd"] {
        let server = RawServer::start(move |_, _, _| encoded(encoding, &gzip(good().as_bytes())));
        login(&server).status(3).stderr_has("not a JSON object").run();
    }
}

/// Name, beginning, what is repeated, exit code, part of stderr.
type Endless = (&'static str, &'static [u8], &'static [u8], i32, &'static str);

/// Each server writes until the connection is closed.
#[test]
fn endless_responses_stop_at_the_size_limit_or_the_deadline() {
    let mut report = FaultReport::new(Kind::Input, "endless responses");
    let chunk: Vec<u8> = [&b"1000\r\n"[..], &[b'x'; 0x1000], b"\r\n"].concat();
    let chunk: &'static [u8] = chunk.leak();
    let endless: [Endless; 6] = [
        ("a body without a length", b"HTTP/1.1 200 OK\r\n\r\n", &[b'x'; 4096], 3, "response exceeds 1 MiB"),
        (
            "chunks",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            chunk,
            3,
            "response exceeds 1 MiB",
        ),
        (
            "headers",
            b"HTTP/1.1 200 OK\r\n",
            b"X: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\r\n",
            5,
            BROKEN,
        ),
        ("one header", b"HTTP/1.1 200 OK\r\nX: ", &[b'x'; 4096], 5, BROKEN),
        ("a status line", b"HTTP/1.1 200 ", &[b'x'; 4096], 5, BROKEN),
        ("early hints", b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 5, "timed out after 3 s"),
    ];
    for (name, head, more, code, words) in endless {
        let server = RawServer::start(move |_, _, stream| {
            let begun = Instant::now();
            let mut open = stream.write_all(head).is_ok();
            while open && begun.elapsed() < Duration::from_secs(60) {
                open = stream.write_all(more).is_ok();
            }
            Vec::new()
        });
        let begun = Instant::now();
        let outcome = login(&server).args(["--timeout", "3"]).outcome();
        let is_good = outcome.status == Some(code)
            && outcome.stderr.contains(words)
            && begun.elapsed() < Duration::from_secs(20);
        report.check(is_good, format!("{name} after {:?}", begun.elapsed()), &outcome);
    }
    report.finish();
}

#[test]
fn sends_no_cookies_and_no_other_headers() {
    let server = RawServer::start(|number, _, _| match number {
        0 => after("HTTP/1.1 503 Service Unavailable\r\nSet-Cookie: a=b\r\n"),
        _ => after("HTTP/1.1 200 OK\r\nSet-Cookie: a=b; Domain=localhost\r\n"),
    });
    login(&server).stdout(format!("{TOKEN}\n")).run();
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for request in requests {
        let head = request.split("\r\n\r\n").next().expect("a head");
        let mut names: Vec<String> =
            head.lines().skip(1).filter_map(|line| Some(line.split_once(':')?.0.to_lowercase())).collect();
        names.sort_unstable();
        assert_eq!(
            names,
            ["accept", "accept-encoding", "content-length", "content-type", "host", "user-agent"]
        );
    }
}

#[test]
fn redirect_target_is_sanitized() {
    let mut report = FaultReport::new(Kind::Input, "redirects of a token request");
    for location in [
        "https://evil.example/x",
        "//evil.example/",
        "/token",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "\u{9b}2J\u{202e}",
        "",
        &"x".repeat(20_000),
    ] {
        let other = ["300 Multiple Choices", "304 Not Modified", "305 Use Proxy", "399 Unknown"];
        for status in REDIRECTS.into_iter().chain(other).step_by(size(4, 1)) {
            let response = redirect(status, location);
            let server = RawServer::start(move |_, _, _| response.clone());
            let outcome = login(&server).outcome();
            let is_good = outcome.status == Some(3) && server.count() == 1 && is_sanitized(&outcome.stderr);
            report.check(is_good, format!("{status} to {location:.50}"), &outcome);
        }
    }
    report.finish();
}
