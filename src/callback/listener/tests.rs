//! Requests to the loopback listener, from raw sockets.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::oauth::secret::Secret;

const STATE: &str = "the-right-state";

/// A listener on a free port.
struct TestListener {
    port: u16,
    events: Receiver<Event>,
    _running: RunningListener,
}

fn listen(request_timeout: Duration) -> TestListener {
    let listener = Listener::bind("http://localhost:0/cb").expect("free port").expect("loopback");
    let request = AuthorizationRequest {
        authorize_url: "https://auth.example/a".into(),
        client_id: "c".into(),
        redirect_uri: listener.redirect_uri().into(),
        scope: String::new(),
        state: STATE.into(),
        verifier: None,
        aud: None,
        issuer: Some("https://auth.example".into()),
    };
    let port = listener.port;
    let (sender, events) = channel();
    TestListener { port, events, _running: listener.serve(&request, sender, request_timeout) }
}

impl TestListener {
    fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).expect("it listens")
    }

    /// Sends bytes as they are, and reads to the end.
    fn send(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // What it refuses it needn't read to the end.
        let _ = stream.write_all(bytes);
        read(stream)
    }

    fn ask(&self, method: &str, target: &str) -> String {
        let port = self.port;
        self.send(format!("{method} {target} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n").as_bytes())
    }

    fn get(&self, target: &str) -> String {
        self.ask("GET", target)
    }

    fn still_waits(&self) {
        assert!(self.events.try_recv().is_err(), "it still waits");
        let answer = self.get(&format!("/cb?code=good&state={STATE}"));
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("You can close this tab"), "{answer}");
        self.has(&AuthorizationResponse::Code(Secret::new("good")));
    }

    fn has(&self, expected: &AuthorizationResponse) {
        match self.events.recv_timeout(Duration::from_secs(5)) {
            Ok(Event::Received(response)) => assert_eq!(response, *expected),
            _ => panic!("no answer, instead of {expected:?}"),
        }
    }
}

fn read(mut stream: TcpStream) -> String {
    let mut answer = String::new();
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a duration");
    let _ = stream.read_to_string(&mut answer);
    answer
}

fn starts(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
}

#[test]
fn other_paths_are_not_found() {
    let listener = listen(REQUEST_TIMEOUT);
    starts(&listener.get("/favicon.ico"), 404);
    starts(&listener.get(&format!("/?code=c&state={STATE}")), 404);
    starts(&listener.get(&format!("/cb/?code=c&state={STATE}")), 404);
    listener.still_waits();
}

#[test]
fn silent_and_slow_connections_delay_no_other_and_are_dropped() {
    let timeout = Duration::from_secs(1);
    let listener = listen(timeout);
    let silent = listener.connect();
    let mut slow = listener.connect();
    let begun = Instant::now();
    starts(&listener.get("/favicon.ico"), 404);
    assert!(begun.elapsed() < timeout, "others are served meanwhile");
    for byte in b"GET /cb?code=c HTTP/1.1\r\nHost: localhost\r\n" {
        if slow.write_all(&[*byte]).is_err() {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(read(slow), "", "a byte now and then doesn't move the deadline");
    assert_eq!(read(silent), "");
    listener.still_waits();
}

#[test]
fn oversized_head_is_rejected() {
    let listener = listen(REQUEST_TIMEOUT);
    let head = format!("GET /cb?code=c&state={STATE} HTTP/1.1\r\nHost: localhost:{}\r\n", listener.port);
    let flood = format!("{head}X: {}\r\n\r\n", "x".repeat(80 * 1024));
    starts(&listener.send(flood.as_bytes()), 431);
    starts(&listener.send(&b"G".repeat(70 * 1024)), 431);
    listener.still_waits();
}

#[test]
fn wrong_state_is_rejected_and_the_wait_continues() {
    let listener = listen(REQUEST_TIMEOUT);
    for target in [
        "/cb?code=c&state=wrong",
        "/cb?code=c",
        "/cb",
        "/cb?error=access_denied&state=wrong",
        "/cb?code=c&code=d&state=the-right-state",
        "/cb?state=the-right-state",
    ] {
        starts(&listener.get(target), 400);
    }
    listener.still_waits();
}

#[test]
fn denial_with_the_right_state_ends_the_wait() {
    let listener = listen(REQUEST_TIMEOUT);
    let answer = listener.get(&format!("/cb?error=access_denied&error_description=%3Cb%3Eno&state={STATE}"));
    assert!(answer.contains("Access was not granted") && answer.contains("&lt;b&gt;no"), "{answer}");
    listener.has(&AuthorizationResponse::Error {
        error: "access_denied".into(),
        description: Some("<b>no".into()),
    });
}

#[test]
fn response_of_another_issuer_ends_the_wait_unused() {
    let listener = listen(REQUEST_TIMEOUT);
    starts(&listener.get(&format!("/cb?code=c&state={STATE}&iss=https://evil.example")), 400);
    listener.has(&AuthorizationResponse::IssuerMismatch("https://evil.example".into()));
}

#[test]
fn only_get_is_allowed() {
    let listener = listen(REQUEST_TIMEOUT);
    for method in ["POST", "HEAD", "OPTIONS", "PUT", "get"] {
        let answer = listener.ask(method, &format!("/cb?code=c&state={STATE}"));
        starts(&answer, 405);
        assert!(answer.contains("\r\nAllow: GET\r\n"));
    }
    let body = format!(
        "POST /cb HTTP/1.1\r\nHost: localhost:{}\r\nContent-Length: 9\r\n\r\ncode=c&st",
        listener.port
    );
    starts(&listener.send(body.as_bytes()), 405);
    listener.still_waits();
}

#[test]
fn other_host_names_are_rejected() {
    let listener = listen(REQUEST_TIMEOUT);
    for host in ["evil.example", "localhost", "localhost:1", "localhost.evil.example", ""] {
        let request = format!("GET /cb?code=c&state={STATE} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        starts(&listener.send(request.as_bytes()), 400);
    }
    starts(&listener.send(b"GET /cb HTTP/1.1\r\n\r\n"), 400);
    starts(&listener.send(b"\x16\x03\x01\x02\x00\x01\r\n\r\n"), 400);
    listener.still_waits();
}

#[test]
fn first_valid_response_wins() {
    let listener = listen(REQUEST_TIMEOUT);
    starts(&listener.get(&format!("/cb?code=first&state={STATE}")), 200);
    starts(&listener.get(&format!("/cb?code=second&state={STATE}")), 409);
    starts(&listener.get(&format!("/cb?error=access_denied&state={STATE}")), 409);
    listener.has(&AuthorizationResponse::Code(Secret::new("first")));
    assert!(listener.events.try_recv().is_err());
}

#[test]
fn many_connections_do_not_block_the_browser() {
    let listener = listen(Duration::from_millis(500));
    let connections: Vec<_> = (0..2 * MAX_CONNECTIONS).map(|_| listener.connect()).collect();
    listener.still_waits();
    drop(connections);
}

#[test]
fn both_address_families_respond_and_the_port_is_released() {
    let listener = listen(REQUEST_TIMEOUT);
    let port = listener.port;
    if let Ok(mut stream) = TcpStream::connect(SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), port)) {
        let request = format!("GET /cb?code=six&state={STATE} HTTP/1.1\r\nHost: [::1]:{port}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        starts(&read(stream), 200);
        listener.has(&AuthorizationResponse::Code(Secret::new("six")));
    }
    drop(listener);
    assert!(Listener::bind(&format!("http://localhost:{port}/cb")).expect("free again").is_some());
}
