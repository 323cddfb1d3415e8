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
fn proxy_failures_are_network_errors_that_name_the_cause() {
    let mut report = FaultReport::new(Kind::Input, "proxies that fail");
    for (name, response, words) in [
        (
            "forbidden",
            &b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"[..],
            "refused to connect to https://gateway.example (HTTP 403)",
        ),
        (
            "bad gateway",
            b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n",
            "could not reach https://gateway.example (HTTP 502)",
        ),
        (
            "a redirect",
            b"HTTP/1.1 302 Found\r\nLocation: https://evil.example/\r\nContent-Length: 0\r\n\r\n",
            "(HTTP 302)",
        ),
        ("hangs up", b"", "proxy CONNECT failed"),
        ("no HTTP", b"\x05\x00", "proxy CONNECT failed"),
        ("a tunnel to nowhere", b"HTTP/1.1 200 Connection established\r\n\r\n", ""),
        ("a tunnel without TLS", b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 400 no\r\n\r\n", ""),
        ("an endless head", &[b'x'; 100_000], "proxy CONNECT failed"),
    ] {
        let proxy = raw_server(move |_, _, _| response.to_vec());
        let outcome =
            login("https://gateway.example/token", &format!("http://me:proxypw@{}", proxy.address()))
                .outcome();
        report.tried(1);
        let leaked = outcome.stderr.contains("proxypw") || outcome.stderr.contains(SECRET);
        if outcome.status != Some(5)
            || leaked
            || !outcome.stderr.contains(words)
            || proxy.requests().iter().any(|request| request.contains(SECRET))
        {
            report.failed(format!("{name}: {:?}: {}", outcome.status, outcome.stderr));
        }
    }
    report.finish();
}

#[test]
fn unreachable_proxy_is_named_instead_of_the_gateway() {
    let closed =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
    for (proxy, words) in [
        (format!("http://me:proxypw@{closed}"), format!("proxy http://{closed} refused the connection")),
        (format!("socks5h://{closed}"), format!("proxy socks5h://{closed} refused the connection")),
        (
            "http://me:proxypw@no-such-proxy.invalid:3128".to_owned(),
            "could not resolve the proxy's host name no-such-proxy.invalid (DNS)".to_owned(),
        ),
        (
            "socks5h://no-such-proxy.invalid".to_owned(),
            "could not resolve the proxy's host name no-such-proxy.invalid (DNS)".to_owned(),
        ),
    ] {
        login("https://gateway.example/token", &proxy).status(5).stderr_has(words).run();
    }
}

#[test]
fn no_proxy_lists_hosts_that_are_reached_directly() {
    let proxy = raw_server(|_, _, _| b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec());
    login("https://gateway.invalid/token", &format!("http://{}", proxy.address()))
        .env("NO_PROXY", "a.example, .gateway.invalid")
        .status(5)
        .stderr_has("could not resolve the host name of https://gateway.invalid (DNS)")
        .run();
    assert!(proxy.requests().is_empty(), "{:?}", proxy.requests());
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
        for (name, responses) in [
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
                    for response in &responses {
                        let _ = stream.read(&mut bytes);
                        let _ = stream.write_all(response);
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

/// curl rejects these too; a direct connection would send the secret around a proxy that was meant to be used.
#[test]
fn invalid_proxy_variable_is_a_usage_error_and_nothing_is_sent() {
    let mut report = FaultReport::new(Kind::Input, "invalid proxy variables");
    for proxy in [
        "http://me:proxypw@",
        "://me:proxypw@x",
        "ftp://me:proxypw@127.0.0.1:1",
        "http://me:proxypw@[::1",
        "http://me:proxy#proxypw@127.0.0.1:1",
        "http://me:proxypw@127.0.0.1:99999",
        "http://me:proxypw@127.0.0.1:1\r",
    ] {
        let outcome = login("https://192.0.2.1/token", proxy).outcome();
        report.tried(1);
        let is_named = outcome.stderr.contains("error: HTTPS_PROXY is not a valid proxy URL");
        if outcome.status != Some(2) || !is_named || outcome.stderr.contains("proxypw") {
            report.failed(format!("{proxy}: {:?}: {}", outcome.status, outcome.stderr));
        }
    }
    report.finish();
}
