//! Proxies that fail, hang or ask for a password. They see the host name of the target and nothing else.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use super::{SECRET, TOKEN, token};
use crate::support::{FaultReport, Kind, Oneup, raw_server};

/// A login at a server that is not here, through this proxy.
fn login(url: &str, proxy: &str) -> Oneup {
    Oneup::new()
        .args([
            "login",
            "provider",
            "--no-store",
            "--client-id",
            "c",
            "-v",
            "--timeout",
            "3",
            "--token-url",
            url,
        ])
        .env("ONEUP_CLIENT_SECRET", SECRET)
        .env("HTTPS_PROXY", proxy)
        .env("HTTP_PROXY", proxy)
        .env("ALL_PROXY", proxy)
        .never(SECRET)
        .never("proxypw")
}

#[test]
fn proxy_is_used_for_https_and_not_for_loopback() {
    let proxy = raw_server(|_, _, _| {
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n".to_vec()
    });
    let address = format!("http://me:proxypw@{}", proxy.address());
    login("https://gateway.example/token", &address).status(5).stderr_has("proxy").stderr_has("407").run();
    assert!(proxy.requests()[0].starts_with("CONNECT gateway.example:443"));
    let server = raw_server(|_, _, _| token(r#","token_type":"Bearer""#));
    login(&format!("{}/token", server.url()), &address).stdout(format!("{TOKEN}\n")).run();
    assert_eq!(proxy.requests().len(), 1);
}

#[test]
fn proxy_failures_are_network_errors() {
    let mut report = FaultReport::new(Kind::Input, "proxies that fail");
    for (name, answer) in [
        ("forbidden", &b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"[..]),
        ("bad gateway", b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"),
        ("a redirect", b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n"),
        ("hangs up", b""),
        ("no HTTP", b"\x05\x00"),
        ("a tunnel to nowhere", b"HTTP/1.1 200 Connection established\r\n\r\n"),
        ("a tunnel without TLS", b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 400 no\r\n\r\n"),
        ("an endless head", &[b'x'; 100_000]),
    ] {
        let proxy = raw_server(move |_, _, _| answer.to_vec());
        let outcome =
            login("https://gateway.example/token", &format!("http://me:proxypw@{}", proxy.address()))
                .outcome();
        report.tried(1);
        let leaked = outcome.stderr.contains("proxypw") || outcome.stderr.contains(SECRET);
        if outcome.status != Some(5)
            || leaked
            || proxy.requests().iter().any(|request| request.contains(SECRET))
        {
            report.failed(format!("{name}: {:?}: {}", outcome.status, outcome.stderr));
        }
    }
    report.finish();
}

#[test]
fn hanging_proxy_stops_at_the_deadline() {
    let proxy = raw_server(|_, _, _| {
        std::thread::sleep(Duration::from_secs(60));
        Vec::new()
    });
    let begun = Instant::now();
    login("https://gateway.example/token", &format!("http://{}", proxy.address())).status(5).run();
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn socks_proxy_failures_are_network_errors() {
    let mut report = FaultReport::new(Kind::Input, "SOCKS proxies that fail");
    for scheme in ["socks5", "socks5h", "socks4", "socks4a"] {
        for (name, answers) in [
            ("hangs up", vec![&b""[..]]),
            ("takes no method", vec![b"\x05\xff"]),
            ("refuses the password", vec![b"\x05\x02", b"\x01\x01"]),
            ("does not reach it", vec![b"\x05\x00", b"\x05\x04\x00\x01\x00\x00\x00\x00\x00\x00"]),
            ("another version", vec![b"\x09\x00"]),
            ("speaks HTTP", vec![b"HTTP/1.1 400 no\r\n\r\n"]),
        ] {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
            let address = listener.local_addr().expect("an address");
            std::thread::spawn(move || {
                for mut stream in listener.incoming().map_while(Result::ok) {
                    let mut bytes = [0; 512];
                    for answer in &answers {
                        let _ = stream.read(&mut bytes);
                        let _ = stream.write_all(answer);
                    }
                }
            });
            // An address, so that no name need be looked up: nothing leaves this machine.
            let outcome =
                login("https://192.0.2.1/token", &format!("{scheme}://me:proxypw@{address}")).outcome();
            report.tried(1);
            if outcome.status != Some(5)
                || outcome.stderr.contains("proxypw")
                || outcome.stderr.contains(SECRET)
            {
                report.failed(format!("{scheme} {name}: {:?}: {}", outcome.status, outcome.stderr));
            }
        }
    }
    report.finish();
}

#[test]
fn invalid_proxy_variable_is_an_error_without_its_password() {
    let mut report = FaultReport::new(Kind::Input, "proxy variables that name none");
    for proxy in [
        "http://me:proxypw@",
        "://me:proxypw@x",
        "ftp://me:proxypw@127.0.0.1:1",
        "http://me:proxypw@[::1",
        "me:proxypw@127.0.0.1:1",
        "http://me:proxypw@127.0.0.1:99999",
    ] {
        let outcome = login("https://192.0.2.1/token", proxy).outcome();
        report.tried(1);
        if !matches!(outcome.status, Some(2 | 5)) || outcome.stderr.contains("proxypw") {
            report.failed(format!("{proxy}: {:?}: {}", outcome.status, outcome.stderr));
        }
    }
    report.finish();
}
