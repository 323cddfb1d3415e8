//! Which requests reach the server, and with which headers.

use std::io::{Read, Write};
use std::time::Duration;

use super::{Proxy, head, home_at};
use crate::support::{Request, Sandbox, TokenEndpoint, response, text_response, unused_address};

/// A FHIR server that responds to everything with an empty Patient.
fn endpoint() -> TokenEndpoint {
    let patient = r#"{"resourceType":"Patient"}"#;
    TokenEndpoint::builder()
        .resources(move |_| response("200 OK", &[("Content-Type", "application/fhir+json")], patient))
        .start()
}

#[test]
fn adds_the_token_and_drops_the_callers_credentials() {
    let endpoint = endpoint();
    let proxy = Proxy::at(&endpoint, &[]);
    let request = proxy.client.post(format!("{}/Patient?x=1%2F2", proxy.url));
    let response = request
        .header("Authorization", "Bearer mine")
        .header("Cookie", "a=b")
        .header("Proxy-Authorization", "Basic x")
        .header("Connection", "X-Hop, Upgrade")
        .header("X-Hop", "1")
        .header("Upgrade", "h2c")
        .header("Referer", format!("{}/x", proxy.url))
        .header("Prefer", "return=minimal")
        .header("User-Agent", "test/1")
        .body("{}")
        .send()
        .expect("a response");
    assert_eq!(response.status(), 200);
    let requests = endpoint.resource_requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].starts_with("POST /r4/Patient?x=1%2F2 HTTP/1.1\r\n"), "{}", requests[0]);
    assert!(requests[0].ends_with("\r\n\r\n{}"), "{}", requests[0]);
    let mut lines = head(&requests[0]);
    lines.sort_unstable();
    let host = format!("host: {}", endpoint.url().trim_start_matches("http://"));
    assert_eq!(
        lines,
        [
            "accept-encoding: identity",
            "accept: */*",
            "authorization: bearer token-0",
            "content-length: 2",
            &host,
            "prefer: return=minimal",
            "user-agent: test/1",
        ]
    );
}

#[test]
fn requests_without_the_key_or_to_other_hosts_are_not_forwarded() {
    let endpoint = endpoint();
    let proxy = Proxy::at(&endpoint, &["--read-only"]);
    for (request, status) in [
        ("GET /Patient HTTP/1.1\r\nHost: HOST\r\n", 404),
        ("GET /0123456789abcdef0123456789abcdef/Patient HTTP/1.1\r\nHost: HOST\r\n", 404),
        ("GET /KEY/Patient HTTP/1.1\r\nHost: rebound.example\r\n", 403),
        ("GET /KEY/Patient HTTP/1.0\r\n", 403),
        ("GET /KEY/Patient HTTP/1.1\r\nHost: HOST\r\nOrigin: http://evil.example\r\n", 403),
        ("GET /KEY/Patient HTTP/1.1\r\nHost: HOST\r\nOrigin: null\r\n", 403),
        ("GET /KEY/Patient HTTP/1.1\r\nHost: HOST\r\nSec-Fetch-Site: cross-site\r\n", 403),
        ("GET http://evil.example/KEY/Patient HTTP/1.1\r\nHost: HOST\r\n", 403),
        ("GET /KEY/~evil.example/x HTTP/1.1\r\nHost: HOST\r\n", 403),
        ("GET /KEY/~HOST/KEY/Patient HTTP/1.1\r\nHost: HOST\r\n", 403),
        ("GET /KEY/x/%2e%2e/y HTTP/1.1\r\nHost: HOST\r\n", 400),
        ("GET /KEY/x/..%2fy HTTP/1.1\r\nHost: HOST\r\n", 400),
        ("POST /KEY/Patient HTTP/1.1\r\nHost: HOST\r\nContent-Length: 0\r\n", 405),
        ("DELETE /KEY/Patient/1 HTTP/1.1\r\nHost: HOST\r\n", 405),
        ("TRACE /KEY/Patient HTTP/1.1\r\nHost: HOST\r\n", 405),
        ("CONNECT api.1up.health:443 HTTP/1.1\r\nHost: HOST\r\n", 403),
    ] {
        let response = proxy.raw(&format!("{request}Connection: close\r\n\r\n"));
        assert!(
            response.starts_with(&format!("HTTP/1.1 {status}"))
                || response.starts_with(&format!("HTTP/1.0 {status}")),
            "{request}: {response}"
        );
        assert!(!response.to_ascii_lowercase().contains("access-control"), "{response}");
        assert!(response.contains("OperationOutcome"), "{response}");
    }
    assert!(endpoint.resource_requests().is_empty());
    for request in [
        "GET /KEY/Patient HTTP/1.1\r\nHost: HOST\r\n",
        "GET http://HOST/KEY/Patient HTTP/1.1\r\nHost: HOST\r\n",
        "POST /KEY/Patient/_search HTTP/1.1\r\nHost: HOST\r\nContent-Length: 3\r\n",
    ] {
        let response = proxy.raw(&format!("{request}Connection: close\r\n\r\na=b"));
        assert!(response.starts_with("HTTP/1.1 200"), "{request}: {response}");
    }
    assert_eq!(endpoint.resource_requests().len(), 3);
}

#[test]
fn a_401_gets_one_new_token_and_one_retry() {
    let sandbox = Sandbox::start(&["--fail", "401=1"]);
    let home = home_at(&sandbox);
    let proxy = Proxy::start(&home, &["--profile", "r4"]);
    let before = sandbox.count("/token");
    assert_eq!(proxy.get("/Patient/123456789123").status(), 200);
    assert_eq!(sandbox.count("/token"), before + 1);
    assert_eq!(sandbox.count("/Patient/123456789123"), 2);
}

#[test]
fn a_server_that_rejects_every_token_is_sent_no_further_token_requests() {
    let responses = |request: &Request| text_response("401 Unauthorized", request.body());
    let endpoint = TokenEndpoint::builder().resources(responses).start();
    let proxy = Proxy::at(&endpoint, &[]);
    for _ in 0..20 {
        let response = proxy.client.post(format!("{}/Patient", proxy.url)).body("again").send();
        let response = response.expect("a response");
        assert_eq!(response.status(), 401);
        assert_eq!(response.text().expect("a body"), "again");
    }
    let requests = endpoint.requests();
    let tokens = requests.iter().filter(|request| request.is_for_token()).count();
    assert_eq!((tokens, requests.len()), (2, 2 + 21));
    let sent =
        |number: usize| endpoint.resource_requests()[number].contains(&format!("token-{}", number.min(1)));
    assert!(sent(0) && sent(1) && sent(20));
}

#[test]
fn failures_are_operation_outcomes_with_the_cause() {
    let endpoint = TokenEndpoint::builder().lifetime(1).start();
    let proxy = Proxy::at(&endpoint, &["--timeout", "2"]);
    let response = proxy.get(&format!("/~{}/Patient?name=Doe", unused_address()));
    assert_eq!(response.status(), 502);
    let text = response.text().expect("a body");
    assert!(text.contains("OperationOutcome") && text.contains("refused the connection"), "{text}");
    assert!(!text.contains("Doe"), "{text}");
    endpoint.set_down(true);
    std::thread::sleep(Duration::from_millis(1500));
    let text = proxy.get("/Patient").text().expect("a body");
    assert!(text.contains("OperationOutcome") && text.contains("could not get a token"), "{text}");
    endpoint.set_down(false);
    std::thread::sleep(Duration::from_millis(2100));
    assert_eq!(proxy.get("/Patient").status(), 404, "the server's own response");
    let (_, stderr) = proxy.end("INT");
    assert_eq!(stderr.matches("could not get a token").count(), 1, "{stderr}");
}

#[test]
fn a_client_that_waits_for_100_continue_gets_it_only_if_the_body_is_wanted() {
    let endpoint = endpoint();
    let proxy = Proxy::at(&endpoint, &["--read-only"]);
    let expect = |path: &str| {
        let mut stream = proxy.connect();
        let (key, host) = (proxy.key(), proxy.address());
        write!(
            stream,
            "POST {key}{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
        )
        .expect("written");
        let mut buffer = [0; 1000];
        let count = stream.read(&mut buffer).expect("a response");
        let first = String::from_utf8_lossy(&buffer[..count]).into_owned();
        if first.starts_with("HTTP/1.1 100") {
            stream.write_all(b"a=b").expect("written");
            let count = stream.read(&mut buffer).expect("a response");
            return format!("100 {}", String::from_utf8_lossy(&buffer[..count]));
        }
        first
    };
    assert!(expect("/Patient/_search").starts_with("100 HTTP/1.1 200"));
    assert!(expect("/Patient").starts_with("HTTP/1.1 405"));
    let requests = endpoint.resource_requests();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].ends_with("\r\n\r\na=b") && !requests[0].contains("expect"), "{}", requests[0]);
}

#[test]
fn log_has_neither_queries_nor_key_nor_token() {
    let endpoint = endpoint();
    let proxy = Proxy::at(&endpoint, &["-v"]);
    assert_eq!(proxy.get("/Patient?name=Doe").status(), 200);
    assert!(
        proxy
            .raw("GET /wr0ngkey/Patient HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n")
            .contains("404")
    );
    let key = proxy.key().to_owned();
    let (status, stderr) = proxy.end("INT");
    assert_eq!(status, Some(130));
    assert!(stderr.contains("GET /Patient 200 "), "{stderr}");
    assert!(stderr.contains("GET (refused) 404 "), "{stderr}");
    for secret in ["Doe", &key[1..], "token-0", "wr0ngkey"] {
        assert!(!stderr.contains(secret), "{secret}: {stderr}");
    }
}
