//! Listener and paste together: the first response wins, and each end of the wait has its exit code.

use std::io::{BufReader, Cursor, Read, Write};
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

fn options(listener: Option<Listener>, paste: bool) -> CallbackOptions {
    CallbackOptions { listener, browser: false, paste, quiet: true }
}

fn pasted(text: &str) -> Result<Secret> {
    let input = Cursor::new(text.to_owned());
    obtain_code_from(&request("https://app.example/cb"), options(None, true), LOGIN_TIMEOUT, |sender| {
        paste::watch(input, sender)
    })
}

/// Input without data and without end.
struct Silence;

impl Read for Silence {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        loop {
            thread::park();
        }
    }
}

#[test]
fn wrapped_paste_is_one_url() {
    let text = format!("https://app.example/cb?state={STATE}&code=ab\ncd\n");
    assert_eq!(pasted(&text).expect("a code").expose(), "abcd");
}

#[test]
fn no_way_to_receive_a_code_is_a_usage_error() {
    assert_eq!(pasted("").expect_err("no input").kind().exit().code(), 2);
    assert_eq!(pasted("https://app.example/cb?code=c&state=x\n").expect_err("wrong").kind().exit().code(), 2);
    let error = obtain_code(&request("https://app.example/cb"), options(None, false), LOGIN_TIMEOUT)
        .expect_err("no way");
    assert_eq!(error.kind().exit().code(), 2);
}

#[test]
fn pasted_denial_is_an_authentication_error() {
    let text = format!("https://app.example/cb?error=access_denied&state={STATE}\n");
    assert_eq!(pasted(&text).expect_err("denied").kind().exit().code(), 4);
}

#[test]
fn wait_ends_at_its_timeout() {
    let listener = Listener::bind("http://127.0.0.1:0/cb").expect("free port");
    let begun = Instant::now();
    let input = BufReader::new(Silence);
    let result =
        obtain_code_from(&request("x:y"), options(listener, true), Duration::from_millis(300), |sender| {
            paste::watch(input, sender);
        });
    assert_eq!(result.expect_err("timed out").kind().exit().code(), 4);
    assert!((300..3000).contains(&begun.elapsed().as_millis()));
}

#[test]
fn redirect_ends_the_wait_whether_stdin_is_open_or_closed() {
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
        let code = obtain_code_from(&request, options(Some(listener), true), LOGIN_TIMEOUT, |sender| {
            paste::watch(BufReader::new(input), sender);
        });
        assert_eq!(code.expect("a code").expose(), "c");
        assert!(browser.join().expect("no panic").contains("You can close this tab"));
    }
}

#[test]
fn second_paste_may_complete_the_first_or_replace_it() {
    let whole = format!("https://app.example/cb?code=abcdefgh&state={STATE}");
    let (head, tail) = whole.split_at(45);
    let waiting = request("https://app.example/cb");
    let (_, events) = channel();
    let wait = CodeWait {
        request: &waiting,
        events,
        deadline: Instant::now(),
        timeout: LOGIN_TIMEOUT,
        listens: false,
    };
    for (half, text, found) in [
        ("", whole.as_str(), true),
        (head, tail, true),
        (head, whole.as_str(), true),
        ("nonsense here", whole.as_str(), true),
        ("", head, false),
        ("nonsense here", "https://app.example/cb?code=c&state=x", false),
    ] {
        let response = wait.interpret(half, text);
        assert_eq!(
            response == AuthorizationResponse::Code(Secret::new("abcdefgh")),
            found,
            "{half:?} {text:?}: {response:?}"
        );
    }
}
