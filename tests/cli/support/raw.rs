//! A server that sends raw bytes, for what no server library would send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use super::Request;

/// A server on loopback that keeps every request as it came.
pub(crate) struct RawServer {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl RawServer {
    /// Starts one. `respond` gets the number of the connection (from 0), the request and the stream: the bytes that it
    /// returns are written, and the connection is closed. It may also write to the stream itself, as slowly as it likes.
    pub(crate) fn start(
        respond: impl Fn(usize, &Request, &mut TcpStream) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        Self::start_at("127.0.0.1", respond)
    }

    /// The same at another address of this machine; all of 127.0.0.0/8 is one, on Linux.
    pub(crate) fn start_at(
        address: &str,
        respond: impl Fn(usize, &Request, &mut TcpStream) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((address, 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (received, respond) = (Arc::clone(&requests), Arc::new(respond));
        thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let Ok(mut stream) = stream else { return };
                let (received, respond) = (Arc::clone(&received), Arc::clone(&respond));
                thread::spawn(move || {
                    let request = read_request(&mut stream);
                    received.lock().expect("no panic").push(request.clone());
                    let bytes = respond(number, &request, &mut stream);
                    // The client may have closed the connection.
                    let _ = stream.write_all(&bytes).and_then(|()| stream.flush());
                });
            }
        });
        Self { address, requests }
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `http://127.0.0.1:PORT/token`
    pub(crate) fn token_url(&self) -> String {
        format!("{}/token", self.url())
    }

    /// `127.0.0.1:PORT`
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no panic").clone()
    }

    /// How many requests came.
    pub(crate) fn count(&self) -> usize {
        self.requests().len()
    }
}

/// Reads the head, and as much body as it announces.
fn read_request(stream: &mut TcpStream) -> Request {
    let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
    let (mut bytes, mut buffer) = (Vec::new(), [0_u8; 4096]);
    while !is_whole(&bytes) {
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
        }
    }
    Request::new(String::from_utf8_lossy(&bytes))
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
