//! Every row of what comes to a loopback listener, from raw sockets.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::oauth::secret::Secret;

const STATE: &str = "the-right-state";

/// A listener on a free port, with little patience.
struct Desk {
    port: u16,
    events: Receiver<Event>,
    _serving: Serving,
}

fn listen(patience: Duration) -> Desk {
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
    Desk { port, events, _serving: listener.serve(&request, sender, patience) }
}

impl Desk {
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
            Ok(Event::Answered(reply)) => assert_eq!(reply, *expected),
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
fn an_icon_and_other_paths_are_not_found() {
    let desk = listen(PATIENCE);
    starts(&desk.get("/favicon.ico"), 404);
    starts(&desk.get(&format!("/?code=c&state={STATE}")), 404);
    starts(&desk.get(&format!("/cb/?code=c&state={STATE}")), 404);
    desk.still_waits();
}

#[test]
fn a_preconnect_and_a_slow_one_hold_up_nobody_and_are_dropped() {
    let patience = Duration::from_secs(1);
    let desk = listen(patience);
    let silent = desk.connect();
    let mut slow = desk.connect();
    let begun = Instant::now();
    starts(&desk.get("/favicon.ico"), 404);
    assert!(begun.elapsed() < patience, "others are served at once");
    for byte in b"GET /cb?code=c HTTP/1.1\r\nHost: localhost\r\n" {
        if slow.write_all(&[*byte]).is_err() {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_eq!(read(slow), "", "a byte now and then doesn't move the deadline");
    assert_eq!(read(silent), "");
    desk.still_waits();
}

#[test]
fn headers_without_end_are_refused() {
    let desk = listen(PATIENCE);
    let head = format!("GET /cb?code=c&state={STATE} HTTP/1.1\r\nHost: localhost:{}\r\n", desk.port);
    let flood = format!("{head}X: {}\r\n\r\n", "x".repeat(80 * 1024));
    starts(&desk.send(flood.as_bytes()), 431);
    starts(&desk.send(&b"G".repeat(70 * 1024)), 431);
    desk.still_waits();
}

#[test]
fn a_wrong_state_is_refused_and_the_wait_goes_on() {
    let desk = listen(PATIENCE);
    for target in [
        "/cb?code=c&state=wrong",
        "/cb?code=c",
        "/cb",
        "/cb?error=access_denied&state=wrong",
        "/cb?code=c&code=d&state=the-right-state",
        "/cb?state=the-right-state",
    ] {
        starts(&desk.get(target), 400);
    }
    desk.still_waits();
}

#[test]
fn a_denial_with_the_right_state_ends_the_wait() {
    let desk = listen(PATIENCE);
    let answer = desk.get(&format!("/cb?error=access_denied&error_description=%3Cb%3Eno&state={STATE}"));
    assert!(answer.contains("Access was not granted") && answer.contains("&lt;b&gt;no"), "{answer}");
    desk.has(&AuthorizationResponse::Error {
        error: "access_denied".into(),
        description: Some("<b>no".into()),
    });
}

#[test]
fn another_issuers_answer_ends_the_wait_unused() {
    let desk = listen(PATIENCE);
    starts(&desk.get(&format!("/cb?code=c&state={STATE}&iss=https://evil.example")), 400);
    desk.has(&AuthorizationResponse::IssuerMismatch("https://evil.example".into()));
}

#[test]
fn only_get_is_allowed() {
    let desk = listen(PATIENCE);
    for method in ["POST", "HEAD", "OPTIONS", "PUT", "get"] {
        let answer = desk.ask(method, &format!("/cb?code=c&state={STATE}"));
        starts(&answer, 405);
        assert!(answer.contains("\r\nAllow: GET\r\n"));
    }
    let body =
        format!("POST /cb HTTP/1.1\r\nHost: localhost:{}\r\nContent-Length: 9\r\n\r\ncode=c&st", desk.port);
    starts(&desk.send(body.as_bytes()), 405);
    desk.still_waits();
}

#[test]
fn another_hosts_name_is_refused() {
    let desk = listen(PATIENCE);
    for host in ["evil.example", "localhost", "localhost:1", "localhost.evil.example", ""] {
        let request = format!("GET /cb?code=c&state={STATE} HTTP/1.1\r\nHost: {host}\r\n\r\n");
        starts(&desk.send(request.as_bytes()), 400);
    }
    starts(&desk.send(b"GET /cb HTTP/1.1\r\n\r\n"), 400);
    starts(&desk.send(b"\x16\x03\x01\x02\x00\x01\r\n\r\n"), 400);
    desk.still_waits();
}

#[test]
fn the_first_valid_answer_wins() {
    let desk = listen(PATIENCE);
    starts(&desk.get(&format!("/cb?code=first&state={STATE}")), 200);
    starts(&desk.get(&format!("/cb?code=second&state={STATE}")), 409);
    starts(&desk.get(&format!("/cb?error=access_denied&state={STATE}")), 409);
    desk.has(&AuthorizationResponse::Code(Secret::new("first")));
    assert!(desk.events.try_recv().is_err());
}

#[test]
fn a_crowd_does_not_keep_the_browser_out() {
    let desk = listen(Duration::from_millis(500));
    let crowd: Vec<_> = (0..2 * CROWD).map(|_| desk.connect()).collect();
    desk.still_waits();
    drop(crowd);
}

#[test]
fn both_families_answer_and_the_port_is_free_afterwards() {
    let desk = listen(PATIENCE);
    let port = desk.port;
    if let Ok(mut stream) = TcpStream::connect(SocketAddr::new(std::net::Ipv6Addr::LOCALHOST.into(), port)) {
        let request = format!("GET /cb?code=six&state={STATE} HTTP/1.1\r\nHost: [::1]:{port}\r\n\r\n");
        stream.write_all(request.as_bytes()).expect("it reads");
        starts(&read(stream), 200);
        desk.has(&AuthorizationResponse::Code(Secret::new("six")));
    }
    drop(desk);
    assert!(Listener::bind(&format!("http://localhost:{port}/cb")).expect("free again").is_some());
}
