//! Bodies of any size are streamed at the pace of the slower side, in little memory.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use super::Proxy;
use crate::support::{RawServer, TokenEndpoint, size, text_response};

const MB: usize = 1024 * 1024;

/// The largest amount of memory that a process has used.
fn peak_memory(proxy: &Proxy) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", proxy.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("Linux");
    line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
}

/// Reads until the response ends so.
#[track_caller]
fn read_until(stream: &mut TcpStream, end: &[u8]) {
    let (mut response, mut buffer) = (Vec::new(), [0; 1000]);
    while !response.ends_with(end) {
        let count = stream.read(&mut buffer).expect("a part of the response");
        assert!(count > 0, "{}", String::from_utf8_lossy(&response));
        response.extend_from_slice(&buffer[..count]);
    }
}

#[test]
fn bodies_stream_in_both_directions() {
    let (sent, received) = channel::<()>();
    let received = std::sync::Mutex::new(received);
    let server = RawServer::start(move |_, request, stream| {
        // The first part of the body comes before the rest is sent.
        let mut buffer = [0; 100];
        assert!(request.contains("first") || stream.read(&mut buffer).expect("the first part") > 0);
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 6\r\nConnection: close\r\n\r\n";
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(b"one")).expect("written");
        let wait = received.lock().expect("no panic").recv_timeout(Duration::from_secs(10));
        wait.expect("the client has the first part");
        b"two".to_vec()
    });
    let endpoint = TokenEndpoint::start();
    let proxy = Proxy::at(&endpoint, &["--allow-host", "127.0.0.1"]);
    let mut stream = proxy.connect();
    let path = format!("{}/~{}/x", proxy.key(), server.address());
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n",
        proxy.address()
    )
    .expect("written");
    read_until(&mut stream, b"one");
    sent.send(()).expect("the server waits");
    read_until(&mut stream, b"two");
}

#[test]
fn response_waits_for_a_client_that_does_not_read() {
    let length = size(200, 1024) * MB;
    let sent = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&sent);
    let server = RawServer::start(move |_, _, stream| {
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/fhir+ndjson\r\nContent-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).expect("written");
        let block = vec![b'x'; MB];
        for _ in 0..length / MB {
            if stream.write_all(&block).is_err() {
                break;
            }
            counter.fetch_add(MB, Ordering::SeqCst);
        }
        Vec::new()
    });
    let proxy = Proxy::at(&TokenEndpoint::start(), &[]);
    let before = peak_memory(&proxy);
    let mut response = proxy.get(&format!("/~{}/file", server.address()));
    std::thread::sleep(Duration::from_secs(1));
    assert!(sent.load(Ordering::SeqCst) < 40 * MB, "{} bytes are on the way", sent.load(Ordering::SeqCst));
    let mut received = 0;
    let mut buffer = vec![0; MB];
    loop {
        match response.read(&mut buffer).expect("a part of the body") {
            0 => break,
            count => received += count,
        }
    }
    assert_eq!(received, length);
    assert!(peak_memory(&proxy) < before + 30 * MB, "{before} bytes became {}", peak_memory(&proxy));
    // A client that disconnects ends the server's response too.
    sent.store(0, Ordering::SeqCst);
    drop(proxy.get(&format!("/~{}/file", server.address())));
    std::thread::sleep(Duration::from_millis(500));
    let stopped_at = sent.load(Ordering::SeqCst);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(sent.load(Ordering::SeqCst), stopped_at);
    assert!(stopped_at < length, "{stopped_at}");
}

#[test]
fn request_waits_for_a_server_that_does_not_read() {
    let server = RawServer::start(|_, _, stream| {
        std::thread::sleep(Duration::from_secs(1));
        let (mut tail, mut buffer) = (Vec::new(), vec![0; MB]);
        while !tail.ends_with(b"\r\n0\r\n\r\n") {
            let count = stream.read(&mut buffer).ok().filter(|count| *count > 0).expect("the body");
            tail.extend_from_slice(&buffer[..count]);
            tail.drain(..tail.len().saturating_sub(10));
        }
        text_response("200 OK", "all")
    });
    let endpoint = TokenEndpoint::start();
    let proxy = Proxy::at(&endpoint, &[]);
    let before = peak_memory(&proxy);
    let mut stream = proxy.connect();
    let path = format!("{}/~{}/x", proxy.key(), server.address());
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: {}\r\nTransfer-Encoding: chunked\r\n\r\n", proxy.address());
    stream.write_all(head.as_bytes()).expect("written");
    let chunk = [format!("{MB:x}\r\n").into_bytes(), vec![b'x'; MB], b"\r\n".to_vec()].concat();
    let begun = Instant::now();
    for _ in 0..100 {
        stream.write_all(&chunk).expect("read in the end");
    }
    stream.write_all(b"0\r\n\r\n").expect("read in the end");
    assert!(begun.elapsed() > Duration::from_millis(700), "sent in {:?}", begun.elapsed());
    read_until(&mut stream, b"all");
    assert!(peak_memory(&proxy) < before + 30 * MB, "{before} bytes became {}", peak_memory(&proxy));
}

#[test]
fn connections_are_kept_and_requests_can_follow_without_waiting() {
    let endpoint =
        TokenEndpoint::builder().resources(|request| text_response("200 OK", request.target())).start();
    let proxy = Proxy::at(&endpoint, &[]);
    let request = "GET /KEY/N HTTP/1.1\r\nHost: HOST\r\n\r\n";
    let last = "GET /KEY/last HTTP/1.1\r\nHost: HOST\r\nConnection: close\r\n\r\n";
    let requests: String = (0..5).map(|number| request.replace('N', &format!("Patient/{number}"))).collect();
    let responses = proxy.raw(&(requests + last));
    assert_eq!(responses.matches("HTTP/1.1 200 OK").count(), 6, "{responses}");
    let order: Vec<_> = (0..5).map(|number| responses.find(&format!("/r4/Patient/{number}"))).collect();
    assert!(order.is_sorted() && order[0].is_some(), "{responses}");
    let old = proxy.raw("GET /KEY/Patient HTTP/1.0\r\nHost: HOST\r\n\r\n");
    assert!(old.starts_with("HTTP/1.0 200") && old.ends_with("/r4/Patient"), "{old}");
}
