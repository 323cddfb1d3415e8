//! The ways together: what arrives first wins, and each end of the wait has its own exit code.

use std::io::{Cursor, Read, Write};
use std::net::TcpStream;
use std::thread;

use super::*;
use crate::oauth::secret::Secret;

const STATE: &str = "the-right-state";

fn request(redirect_uri: &str) -> AuthorizationRequest {
    AuthorizationRequest {
        authorize_url: "http://127.0.0.1:9/authorize".into(),
        client_id: "c".into(),
        redirect_uri: redirect_uri.into(),
        scope: String::new(),
        state: STATE.into(),
        verifier: None,
        aud: None,
        issuer: None,
    }
}

fn ways(listener: Option<Listener>, paste: bool) -> Ways {
    Ways { listener, browser: false, paste, quiet: true }
}

fn pasted(text: &str, limit: Duration) -> Result<Secret> {
    obtain_from(&request("https://app.example/cb"), ways(None, true), limit, Cursor::new(text.to_owned()))
}

/// Input that never comes and never ends.
struct Silence;

impl Read for Silence {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        loop {
            thread::park();
        }
    }
}

#[test]
fn a_wrapped_paste_is_one_address() {
    let text = format!("https://app.example/cb?state={STATE}&code=ab\ncd\n");
    assert_eq!(pasted(&text, LIMIT).expect("a code").expose(), "abcd");
}

#[test]
fn nobody_there_is_wrong_usage() {
    assert_eq!(pasted("", LIMIT).expect_err("no input").kind().exit().code(), 2);
    assert_eq!(
        pasted("https://app.example/cb?code=c&state=x\n", LIMIT).expect_err("wrong").kind().exit().code(),
        2
    );
    let error = obtain(&request("https://app.example/cb"), ways(None, false), LIMIT).expect_err("no way");
    assert_eq!(error.kind().exit().code(), 2);
}

#[test]
fn a_pasted_denial_is_authentication() {
    let text = format!("https://app.example/cb?error=access_denied&state={STATE}\n");
    assert_eq!(pasted(&text, LIMIT).expect_err("denied").kind().exit().code(), 4);
}

#[test]
fn the_wait_ends_at_its_limit() {
    let listener = Listener::bind("http://127.0.0.1:0/cb").expect("free port");
    let begun = Instant::now();
    let input = BufReader::new(Silence);
    let outcome = obtain_from(&request("x:y"), ways(listener, true), Duration::from_millis(300), input);
    assert_eq!(outcome.expect_err("nobody came").kind().exit().code(), 4);
    assert!((300..3000).contains(&begun.elapsed().as_millis()));
}

#[test]
fn the_browser_ends_the_wait_while_stdin_is_open_and_when_it_is_closed() {
    let inputs: [Box<dyn Read + Send>; 2] = [Box::new(Silence), Box::new(std::io::empty())];
    for input in inputs {
        let listener = Listener::bind("http://127.0.0.1:0/cb").expect("free port").expect("loopback");
        let request = request(listener.redirect_uri());
        let host = request.redirect_uri.replace("http://", "").replace("/cb", "");
        let browser = thread::spawn(move || {
            thread::sleep(Duration::from_millis(100));
            let mut stream = TcpStream::connect(&host).expect("it listens");
            let get = format!("GET /cb?code=c&state={STATE} HTTP/1.1\r\nHost: {host}\r\n\r\n");
            stream.write_all(get.as_bytes()).expect("it reads");
            let mut page = String::new();
            stream.read_to_string(&mut page).expect("a page");
            page
        });
        let code = obtain_from(&request, ways(Some(listener), true), LIMIT, BufReader::new(input));
        assert_eq!(code.expect("a code").expose(), "c");
        assert!(browser.join().expect("no panic").contains("You can close this tab"));
    }
}

#[test]
fn a_second_paste_may_be_the_first_ones_other_half_or_a_new_try() {
    let whole = format!("https://app.example/cb?code=abcdefgh&state={STATE}");
    let (head, tail) = whole.split_at(45);
    let waiting = request("https://app.example/cb");
    let (_, events) = channel();
    let line = StatusLine::new(true);
    let wait =
        Wait { request: &waiting, events, deadline: Instant::now(), limit: LIMIT, listens: false, line };
    for (half, text, found) in [
        ("", whole.as_str(), true),
        (head, tail, true),
        (head, whole.as_str(), true),
        ("nonsense here", whole.as_str(), true),
        ("", head, false),
        ("nonsense here", "https://app.example/cb?code=c&state=x", false),
    ] {
        let reply = wait.judge(half, text);
        assert_eq!(
            reply == AuthorizationResponse::Code(Secret::new("abcdefgh")),
            found,
            "{half:?} {text:?}: {reply:?}"
        );
    }
}
