use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::error::ErrorKind;

const TOKEN: &str = "t0ken-of-the-profile";

/// A server on loopback that records request heads; `respond` writes to the connection, which is then closed.
struct Server {
    url: String,
    heads: Arc<Mutex<Vec<String>>>,
}

fn serve(respond: impl Fn(&mut TcpStream) + Send + 'static) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/file?x=1", listener.local_addr().expect("an address"));
    let heads = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&heads);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let lines = BufReader::new(&stream).lines().map_while(Result::ok);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            seen.lock().expect("not poisoned").push(head.join("\n").to_lowercase());
            respond(&mut stream);
        }
    });
    Server { url, heads }
}

fn serve_bytes(response: impl Into<Vec<u8>>) -> Server {
    let response = response.into();
    serve(move |stream| {
        let _ = stream.write_all(&response);
    })
}

fn http(timeout: Duration) -> Http {
    Http { timeout, cacert: Vec::new(), verbose: false, deadline: None, clients: Mutex::default() }
}

fn get<'a>(url: &'a str, headers: &'a [(&'a str, &'a str)]) -> Request<'a> {
    Request { method: Method::GET, url, headers, bearer: None }
}

fn read(response: StreamingResponse) -> io::Result<Vec<u8>> {
    let (mut body, mut bytes) = (response.into_body(), Vec::new());
    loop {
        match body.chunk()? {
            chunk if chunk.is_empty() => return Ok(bytes),
            chunk => bytes.extend_from_slice(&chunk),
        }
    }
}

#[test]
fn sends_headers_and_bearer_token_and_returns_response_headers() {
    let server = serve_bytes(
        "HTTP/1.1 206 Partial\r\nETag: \"v1\"\r\nRetry-After: 7\r\nContent-Location: /job/1\r\n\
         X-Progress: 50%\r\nContent-Length: 2\r\n\r\nok",
    );
    let token = Secret::new(TOKEN);
    let headers = [("Range", "bytes=5-"), ("If-Range", "\"v1\""), ("Accept", "application/fhir+ndjson")];
    let request =
        Request { method: Method::DELETE, url: &server.url, headers: &headers, bearer: Some(&token) };
    let response = http(Duration::from_secs(20)).send(request).expect("a response");
    assert_eq!(response.status(), 206);
    assert_eq!(response.header("etag").as_deref(), Some("\"v1\""));
    assert_eq!(response.header("Content-Location").as_deref(), Some("/job/1"));
    assert_eq!(response.header("X-Progress").as_deref(), Some("50%"));
    assert_eq!(response.header("Location"), None);
    assert_eq!((response.retry_after(), response.content_length()), (Some(7), Some(2)));
    assert_eq!(read(response).expect("the body"), b"ok");
    let heads = server.heads.lock().expect("not poisoned");
    assert!(heads[0].starts_with("delete /file?x=1 http/1.1"), "{}", heads[0]);
    for line in [
        "range: bytes=5-",
        "if-range: \"v1\"",
        "accept: application/fhir+ndjson",
        "accept-encoding: identity",
        "authorization: bearer t0ken-of-the-profile",
    ] {
        assert!(heads[0].lines().any(|sent| sent == line), "{line} is missing in {}", heads[0]);
    }
}

#[test]
fn returns_error_statuses_and_redirects_after_one_request() {
    for status in [202, 301, 302, 307, 308, 401, 404, 410, 429, 500, 503] {
        let server = serve_bytes(format!(
            "HTTP/1.1 {status} X\r\nLocation: http://localhost:1/elsewhere\r\nContent-Length: 0\r\n\r\n"
        ));
        let response = http(Duration::from_secs(20)).send(get(&server.url, &[])).expect("a response");
        assert_eq!(response.status(), status);
        assert_eq!(response.header("location").as_deref(), Some("http://localhost:1/elsewhere"));
        assert_eq!(server.heads.lock().expect("not poisoned").len(), 1);
    }
}

#[test]
fn decodes_gzip_unless_the_response_is_partial() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(b"{\"resourceType\":\"Patient\"}\n").expect("a vector");
    let packed = encoder.finish().expect("a vector");
    for (status, is_decoded) in [(200, true), (206, false)] {
        let length = packed.len();
        let head =
            format!("HTTP/1.1 {status} X\r\nContent-Encoding: GZIP\r\nContent-Length: {length}\r\n\r\n");
        let server = serve_bytes([head.as_bytes(), &packed].concat());
        let response = http(Duration::from_secs(20)).send(get(&server.url, &[])).expect("a response");
        assert_eq!(response.is_decoded(), is_decoded);
        let length = u64::try_from(length).expect("small");
        assert_eq!(response.content_length(), (!is_decoded).then_some(length));
        let body = read(response).expect("the body");
        assert_eq!(body.starts_with(b"{\"resourceType\""), is_decoded);
        assert_eq!(body == packed, !is_decoded);
    }
}

#[test]
fn timeout_counts_between_reads_and_not_for_the_whole_transfer() {
    let server = serve(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n");
        for _ in 0..20 {
            std::thread::sleep(Duration::from_millis(150));
            let _ = stream.write_all(b"x");
        }
    });
    let start = Instant::now();
    let response = http(Duration::from_secs(2)).send(get(&server.url, &[])).expect("a response");
    assert_eq!(read(response).expect("the body").len(), 20);
    assert!(start.elapsed() > Duration::from_secs(2), "{:?}", start.elapsed());
}

#[test]
fn silence_and_a_short_body_are_network_errors() {
    let hang = |stream: &mut TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx");
        std::thread::sleep(Duration::from_secs(30));
    };
    let cut = |stream: &mut TcpStream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx");
    };
    for (server, words) in [(serve(hang), "timed out after 1 s"), (serve(cut), "closed before the response")]
    {
        let http = http(Duration::from_secs(1));
        let response = http.send(get(&server.url, &[])).expect("a response");
        let error = http.read_error(&server.url, read(response).expect_err("no end"));
        assert_eq!(error.kind(), ErrorKind::Network);
        assert!(error.to_string().contains(words), "{error}");
    }
}

#[test]
fn rejects_unsafe_urls_and_headers_before_anything_is_sent() {
    let server = serve_bytes("");
    for request in [
        get("http://a.example/", &[]),
        get("https://user:pw@a.example/", &[]),
        get("file:///etc/passwd", &[]),
        get(&server.url, &[("X", "a\r\nY: b")]),
        get(&server.url, &[("X\r\nY", "b")]),
    ] {
        let error = http(Duration::from_secs(1)).send(request).err().expect("an error");
        assert_eq!(error.kind(), ErrorKind::Usage, "{error}");
    }
    assert!(server.heads.lock().expect("not poisoned").is_empty());
}

/// A server that keeps connections and responds to each request; `Connection: close` is not announced before the
/// `requests`th, after which it closes. Returns its URL and the number of connections so far.
fn serve_kept(requests: usize) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    let count = Arc::new(AtomicUsize::new(0));
    let connections = Arc::clone(&count);
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            connections.fetch_add(1, Ordering::SeqCst);
            std::thread::spawn(move || {
                let lines = BufReader::new(stream.try_clone().expect("a copy")).lines().map_while(Result::ok);
                for _ in lines.filter(String::is_empty).take(requests) {
                    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
                }
            });
        }
    });
    (url, count)
}

#[test]
fn requests_in_a_row_share_a_connection() {
    let (url, connections) = serve_kept(usize::MAX);
    let http = http(Duration::from_secs(20));
    for _ in 0..20 {
        assert_eq!(read(http.send(get(&url, &[])).expect("a response")).expect("a body"), b"ok");
    }
    assert_eq!(connections.load(Ordering::SeqCst), 1);
}

#[test]
fn a_kept_connection_that_the_server_closed_is_replaced() {
    let (url, connections) = serve_kept(1);
    let http = http(Duration::from_secs(20));
    for _ in 0..20 {
        assert_eq!(read(http.send(get(&url, &[])).expect("a response")).expect("a body"), b"ok");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(connections.load(Ordering::SeqCst), 20);
}

#[test]
fn a_body_that_is_dropped_early_does_not_disturb_the_next_request() {
    let large = format!("HTTP/1.1 200 OK\r\nContent-Length: 4000000\r\n\r\n{}", "x".repeat(4_000_000));
    let server = serve_bytes(large);
    let http = http(Duration::from_secs(20));
    for _ in 0..5 {
        drop(http.send(get(&server.url, &[])).expect("a response"));
    }
    assert_eq!(read(http.send(get(&server.url, &[])).expect("a response")).expect("a body").len(), 4_000_000);
}

#[test]
fn concurrent_responses_have_a_client_each() {
    let server = serve_bytes("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
    let http = http(Duration::from_secs(20));
    let first = http.send(get(&server.url, &[])).expect("a response");
    let second = http.send(get(&server.url, &[])).expect("a response");
    assert_eq!(http.clients.lock().expect("not poisoned").len(), 2);
    for response in [second, first] {
        assert_eq!(read(response).expect("a body"), b"ok");
    }
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| read(http.send(get(&server.url, &[])).expect("a response")).expect("a body"));
        }
    });
    assert!(http.clients.lock().expect("not poisoned").len() <= 8);
}

#[test]
fn debug_of_a_request_shows_no_token() {
    let token = Secret::new(TOKEN);
    let request = Request { bearer: Some(&token), ..get("https://a.example/", &[]) };
    assert!(!format!("{request:?}").contains(TOKEN));
}
