//! What servers do wrong, row by row: a server that speaks raw bytes, and what oneup makes of it.

use std::io::Write;
use std::time::{Duration, Instant};

use crate::support::{Oneup, RawServer, raw_server};

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

/// Every answer is given as often as it is asked for; the exit code, and what stderr says.
#[test]
fn each_answer_has_its_exit_code_and_its_words() {
    let bearer = r#","token_type":"Bearer","expires_in":60"#;
    let html = |status| RawServer::answer(status, "text/html", "<html><b>no\x1b[31m</b>");
    let rows: Vec<(&str, Vec<u8>, i32, &str)> = vec![
        ("html", html("200 OK"), 3, "text/html: <html><b>no\\u{1b}[31m</b>"),
        ("no JSON object", json("200 OK", "[]"), 3, "not a JSON object"),
        ("a firewall", html("403 Forbidden"), 4, "blocked the request"),
        ("400 without JSON", html("400 Bad Request"), 4, "without an OAuth error"),
        ("404", html("404 Not Found"), 4, "no token endpoint"),
        ("200 with an error", json("200 OK", r#"{"error":"invalid_client"}"#), 4, "invalid_client"),
        ("no access token", json("200 OK", r#"{"token_type":"Bearer"}"#), 3, "access_token is missing"),
        ("a number", json("200 OK", r#"{"access_token":1,"token_type":"Bearer"}"#), 3, "access_token"),
        ("no type", token(""), 3, "token_type is missing"),
        ("mac", token(r#","token_type":"mac""#), 3, "token_type is mac"),
        ("DPoP", token(r#","token_type":"DPoP""#), 3, "token_type is DPoP"),
        ("lower case", token(r#","token_type":"bearer","expires_in":60"#), 0, ""),
        ("text lifetime", token(r#","token_type":"Bearer","expires_in":"60""#), 0, ""),
        ("huge lifetime", token(r#","token_type":"Bearer","expires_in":9223372036854775808"#), 0, ""),
        ("negative lifetime", token(r#","token_type":"Bearer","expires_in":-1"#), 0, ""),
        ("no lifetime", token(r#","token_type":"Bearer""#), 0, ""),
        ("plain", token(bearer), 0, ""),
        ("short body", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec(), 5, "broke off"),
        ("reset", Vec::new(), 5, "broke off"),
        ("no HTTP", b"SSH-2.0-OpenSSH\r\n".to_vec(), 5, "broke off"),
        ("500", html("500 Oops"), 5, "is failing (HTTP 500)"),
        ("over the limit", json("200 OK", &"x".repeat(1_100_000)), 3, "more than 1 MiB"),
    ];
    for (name, answer, code, words) in rows {
        let server = raw_server(move |_, _, _| answer.clone());
        let run = login(&server).status(code).stderr_has(words);
        let run = if code == 0 { run.stdout(format!("{TOKEN}\n")) } else { run };
        eprintln!("row: {name}");
        run.run();
    }
}

#[test]
fn no_redirect_is_followed_and_its_target_is_named() {
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
fn an_error_description_is_escaped_and_cut_and_never_repeats_the_secret() {
    let long = "x".repeat(10_000);
    let body = format!(
        r#"{{"error":"invalid_client","error_description":"\u001b]0;pwn\u0007 \u202e {SECRET} {long}"}}"#
    );
    let server = raw_server(move |_, _, _| json("401 Unauthorized", &body));
    let outcome = login(&server).status(4).stderr_has("\\u{1b}]0;pwn\\u{7} \\u{202e} ***").run();
    assert!(outcome.stderr.len() < 1_500, "{}", outcome.stderr.len());
}

#[test]
fn a_busy_server_is_asked_again_and_then_answers() {
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
fn retry_after_is_honoured_within_the_deadline_and_told_beyond_it() {
    let asked = |value: &'static str| {
        raw_server(move |number, _, _| match number {
            0 => {
                format!("HTTP/1.1 429 Slow\r\nRetry-After: {value}\r\nContent-Length: 0\r\n\r\n").into_bytes()
            }
            _ => token(r#","token_type":"Bearer""#),
        })
    };
    for value in ["1", "Thu, 01 Jan 1970 00:00:00 GMT", "garbage"] {
        login(&asked(value)).stdout(format!("{TOKEN}\n")).run();
    }
    let server = asked("99999999");
    login(&server).status(5).stderr_has("it asks to wait 99999999 s").run();
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_server_that_never_stops_being_busy_ends_as_a_network_failure() {
    let server = raw_server(|_, _, _| RawServer::answer("503 Busy", "text/html", "<p>busy"));
    login(&server).status(5).stderr_has("is failing (HTTP 503)").run();
    assert_eq!(server.requests().len(), 4);
}

#[test]
fn the_deadline_counts_for_the_whole_exchange() {
    let server = raw_server(|_, _, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        for _ in 0..60 {
            std::thread::sleep(Duration::from_millis(200));
            if stream.write_all(b" ").is_err() {
                break;
            }
        }
        Vec::new()
    });
    let start = Instant::now();
    login(&server).args(["--timeout", "2"]).status(5).stderr_has("within 2 s").run();
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

#[test]
fn addresses_that_must_not_get_a_secret_are_refused_before_anything_is_sent() {
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
fn dns_refused_and_tls_are_told_apart() {
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

#[test]
fn a_proxy_carries_https_its_password_stays_hidden_and_loopback_goes_without_it() {
    let proxy = raw_server(|_, _, _| {
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n".to_vec()
    });
    let address = format!("http://me:proxypw@{}", proxy.address());
    let run = |url: &str| {
        Oneup::new()
            .args(["login", "provider", "--no-store", "--client-id", "c", "-v", "--token-url", url])
            .env("ONEUP_CLIENT_SECRET", SECRET)
            .env("HTTPS_PROXY", &address)
            .env("HTTP_PROXY", &address)
            .env("ALL_PROXY", &address)
            .never(SECRET)
            .never("proxypw")
    };
    run("https://gateway.example/token").status(5).stderr_has("proxy").stderr_has("407").run();
    assert!(proxy.requests()[0].starts_with("CONNECT gateway.example:443"));
    let server = raw_server(|_, _, _| token(r#","token_type":"Bearer""#));
    run(&format!("{}/token", server.url())).stdout(format!("{TOKEN}\n")).run();
    assert_eq!(proxy.requests().len(), 1);
}
