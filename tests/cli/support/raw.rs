//! A server that answers with raw bytes, for what no honest server library would send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Serves until dropped; remembers every request as it came.
pub(crate) struct RawServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

/// Starts a server on loopback. `answer` gets the number of the connection (from 0), the request and the stream:
/// the bytes it returns are written and the connection is closed. It may also write by itself, as slowly as it likes.
pub(crate) fn raw_server(
    answer: impl Fn(usize, &str, &mut TcpStream) -> Vec<u8> + Send + Sync + 'static,
) -> RawServer {
    raw_server_at("127.0.0.1", answer)
}

/// The same on another address of this machine; all of 127.0.0.0/8 is one, on Linux.
pub(crate) fn raw_server_at(
    address: &str,
    answer: impl Fn(usize, &str, &mut TcpStream) -> Vec<u8> + Send + Sync + 'static,
) -> RawServer {
    let listener = TcpListener::bind((address, 0)).expect("a free port");
    let address = listener.local_addr().expect("an address");
    let requests = Arc::new(Mutex::new(Vec::new()));
    let (seen, answer) = (Arc::clone(&requests), Arc::new(answer));
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let Ok(mut stream) = stream else { return };
            let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
            thread::spawn(move || {
                let request = read_request(&mut stream);
                seen.lock().expect("no test panicked here").push(request.clone());
                let bytes = answer(number, &request, &mut stream);
                // A client that has already hung up is its own affair.
                let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
            });
        }
    });
    RawServer { address, requests }
}

impl RawServer {
    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `127.0.0.1:PORT`
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far: head and body.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no test panicked here").clone()
    }

    /// A whole answer with this status line's tail (`200 OK`), content type and body.
    pub(crate) fn answer(status: &str, content_type: &str, body: &str) -> Vec<u8> {
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }
}

/// Reads the head, and as much body as it announces.
fn read_request(stream: &mut TcpStream) -> String {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let (mut bytes, mut buffer) = (Vec::new(), [0_u8; 4096]);
    while !is_whole(&bytes) {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_whole(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let Some((head, _)) = text.split_once("\r\n\r\n") else { return false };
    let announced = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    bytes.len() >= head.len() + 4 + announced.unwrap_or(0)
}
