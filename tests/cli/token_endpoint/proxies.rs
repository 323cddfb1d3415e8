//! Proxies that fail, hang or require a password. They get the host name of the target and nothing else.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{BEARER, TOKEN, login_at, token};
use crate::support::{CLIENT_SECRET, FaultReport, Kind, Oneup, RawServer, response, unused_address};

/// A host that exists for the proxy only.
const TARGET: &str = "https://gateway.example/token";

/// A login at this token endpoint through this proxy.
fn login(token_url: &str, proxy: &str) -> Oneup {
    ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"]
        .into_iter()
        .fold(login_at(token_url), |run, name| run.env(name, proxy))
        .args(["-v", "--timeout", "3"])
        .never("proxypw")
}

/// The URL of a proxy, with a password.
fn with_password(address: SocketAddr) -> String {
    format!("http://me:proxypw@{address}")
}

#[test]
fn proxy_is_used_for_https_and_not_for_loopback() {
    let proxy = RawServer::start(|_, _, _| response("407 Proxy Authentication Required", &[], ""));
    let address = with_password(proxy.address());
    login(TARGET, &address).status(5).stderr_has("proxy").stderr_has("407").run();
    assert!(proxy.requests()[0].starts_with("CONNECT gateway.example:443"));
    let server = RawServer::start(|_, _, _| token(BEARER));
    login(&server.token_url(), &address).stdout(format!("{TOKEN}\n")).run();
    assert_eq!(proxy.count(), 1);
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
        let proxy = RawServer::start(move |_, _, _| response.to_vec());
        let outcome = login(TARGET, &with_password(proxy.address())).outcome();
        let is_good = outcome.status == Some(5)
            && outcome.stderr.contains(words)
            && !(outcome.shows("proxypw") || outcome.shows(CLIENT_SECRET))
            && !proxy.requests().iter().any(|request| request.contains(CLIENT_SECRET));
        report.check(is_good, name, &outcome);
    }
    report.finish();
}

#[test]
fn unreachable_proxy_is_named_instead_of_the_gateway() {
    let closed = unused_address();
    for (proxy, words) in [
        (with_password(closed), format!("proxy http://{closed} refused the connection")),
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
        login(TARGET, &proxy).status(5).stderr_has(words).run();
    }
}

#[test]
fn no_proxy_lists_hosts_that_are_reached_directly() {
    let proxy = RawServer::start(|_, _, _| response("403 Forbidden", &[], ""));
    login("https://gateway.invalid/token", &proxy.url())
        .env("NO_PROXY", "a.example, .gateway.invalid")
        .status(5)
        .stderr_has("could not resolve the host name of https://gateway.invalid (DNS)")
        .run();
    assert!(proxy.requests().is_empty(), "{:?}", proxy.requests());
}

#[test]
fn hanging_proxy_stops_at_the_deadline() {
    let proxy = RawServer::start(|_, _, _| {
        std::thread::sleep(Duration::from_secs(60));
        Vec::new()
    });
    let begun = Instant::now();
    login(TARGET, &proxy.url()).status(5).run();
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
            // An address, so that no name is looked up and nothing leaves this machine.
            let outcome =
                login("https://192.0.2.1/token", &format!("{scheme}://me:proxypw@{address}")).outcome();
            let leaks = outcome.shows("proxypw") || outcome.shows(CLIENT_SECRET);
            report.check(outcome.status == Some(5) && !leaks, format!("{scheme} {name}"), &outcome);
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
        let is_named = outcome.stderr.contains("error: HTTPS_PROXY is not a valid proxy URL");
        let is_good = outcome.status == Some(2) && is_named && !outcome.shows("proxypw");
        report.check(is_good, proxy, &outcome);
    }
    report.finish();
}
