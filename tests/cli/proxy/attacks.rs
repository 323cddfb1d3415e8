//! Attacks by other programs of this machine, without the key or with it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use super::Proxy;
use crate::support::{TokenEndpoint, size, text_response};

fn endpoint() -> TokenEndpoint {
    TokenEndpoint::builder().resources(|_| text_response("200 OK", "ok")).start()
}

#[test]
fn requests_are_not_smuggled() {
    let endpoint = endpoint();
    let proxy = Proxy::at(&endpoint, &["--read-only"]);
    let smuggled = "DELETE /r4/smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n";
    for (headers, body) in [
        ("Content-Length: 6\r\nTransfer-Encoding: chunked", "0\r\n\r\nX"),
        ("Transfer-Encoding: chunked\r\nContent-Length: 3", "0\r\n\r\n"),
        ("Content-Length: 3\r\nContent-Length: 50", "a=b"),
        ("Content-Length: 3, 50", "a=b"),
        ("Content-Length: +3", "a=b"),
        ("Content-Length: -1", "a=b"),
        ("Content-Length: 0x3", "a=b"),
        ("Content-Length: 99999999999999999999", "a=b"),
        ("Transfer-Encoding: xchunked", "0\r\n\r\n"),
        ("Transfer-Encoding: chunked, identity", "0\r\n\r\n"),
        ("Transfer-Encoding : chunked", "0\r\n\r\n"),
        ("Transfer-Encoding:\x0bchunked", "0\r\n\r\n"),
        ("X: y\r\n Transfer-Encoding: chunked", "0\r\n\r\n"),
        ("X: a\r\n\tb", ""),
        ("X: a\0b", ""),
        ("X Y: a", ""),
        (": a", ""),
        ("Transfer-Encoding: chunked", "3\na=b\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "-3\r\na=b\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "fffffffffffffffff\r\na=b\r\n0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "3\r\na=bX0\r\n\r\n"),
        ("Transfer-Encoding: chunked", "0\r\nContent-Length: 5\r\n\r\n"),
    ] {
        let request =
            format!("POST /KEY/Patient/_search HTTP/1.1\r\nHost: HOST\r\n{headers}\r\n\r\n{body}{smuggled}");
        let response = proxy.raw(&request);
        let first = response.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("HTTP/1.1 4") || first.starts_with("HTTP/1.1 200"),
            "{headers}: {response}"
        );
    }
    // The server got whole searches only, each with the framing of the proxy.
    for request in endpoint.resource_requests() {
        assert!(request.starts_with("POST /r4/Patient/_search HTTP/1.1\r\n"), "{request}");
        assert!(!request.contains("smuggled"), "{request}");
        let head = request.split("\r\n\r\n").next().unwrap_or_default().to_ascii_lowercase();
        let framing = head.matches("content-length").count() + head.matches("transfer-encoding").count();
        assert_eq!(framing, 1, "{request}");
    }
}

#[test]
fn endless_heads_are_rejected() {
    let endpoint = endpoint();
    let proxy = Proxy::at(&endpoint, &[]);
    let many: String = (0..200).map(|number| format!("X-{number}: y\r\n")).collect();
    for head in [
        format!("GET /KEY/Patient HTTP/1.1\r\nHost: HOST\r\nX: {}\r\n\r\n", "y".repeat(200_000)),
        format!("GET /KEY/{} HTTP/1.1\r\nHost: HOST\r\n\r\n", "y".repeat(200_000)),
        format!("GET /KEY/Patient HTTP/1.1\r\nHost: HOST\r\n{many}\r\n"),
    ] {
        let response = proxy.raw(&head);
        let status = response.get(9..12).unwrap_or_default();
        assert!(matches!(status, "" | "414" | "431"), "{response}");
    }
    assert!(endpoint.resource_requests().is_empty());
    assert_eq!(proxy.get("/Patient").status(), 200);
}

#[test]
fn idle_connections_end_and_others_are_served() {
    let endpoint = endpoint();
    let proxy = Proxy::at(&endpoint, &[]);
    let mut slow: Vec<TcpStream> = (0..300).map(|_| proxy.connect()).collect();
    for stream in &mut slow {
        let _ = stream.write_all(b"GET /");
    }
    let begun = Instant::now();
    let client = reqwest::blocking::Client::builder().no_proxy().timeout(Duration::from_secs(60)).build();
    let response = client.expect("a client").get(format!("{}/Patient", proxy.url)).send();
    assert_eq!(response.expect("it is served in the end").status(), 200);
    assert!(begun.elapsed() < Duration::from_secs(45), "{:?}", begun.elapsed());
    let mut rest = Vec::new();
    let _ = slow[0].set_read_timeout(Some(Duration::from_secs(20)));
    assert!(slow[0].read_to_end(&mut rest).is_ok(), "it was closed");
}

#[test]
fn guessing_the_key_finds_nothing() {
    let endpoint = endpoint();
    let proxy = Proxy::at(&endpoint, &[]);
    let key = &proxy.key()[1..];
    let count = size(500, 20_000);
    let mut responses = std::collections::BTreeSet::new();
    let origin = proxy.url.strip_suffix(proxy.key()).expect("the key is at the end");
    for number in 0..count {
        let guess =
            format!("{}{:08x}", &key[..24], u32::from_str_radix(&key[24..], 16).expect("hex") ^ (number + 1));
        let response = proxy.client.get(format!("{origin}/{guess}/Patient")).send().expect("a response");
        responses.insert((response.status().as_u16(), response.text().expect("a body")));
    }
    assert_eq!(responses.len(), 1, "all are alike: {responses:?}");
    assert!(responses.first().is_some_and(|(status, _)| *status == 404));
    assert!(endpoint.resource_requests().is_empty());
}

#[test]
fn other_users_cannot_find_the_key_in_the_argument_list_or_environment() {
    let proxy = Proxy::at(&endpoint(), &[]);
    for file in ["cmdline", "environ"] {
        let bytes = std::fs::read(format!("/proc/{}/{file}", proxy.id()));
        // A process that is not dumpable hides its environment.
        let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        assert!(!text.contains(&proxy.key()[1..]) && !text.contains("token-0"), "{file}");
    }
}
