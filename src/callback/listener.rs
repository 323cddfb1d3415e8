//! The loopback listener: waits for the one redirect that answers this authorization request.
//!
//! Browsers connect early and send nothing, request icons, and retry; other programs and web pages may connect as well. So
//! each connection has a thread and a deadline of its own, and only a response with the right state ends the wait. Other
//! requests are answered, and nothing is printed about them.

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Event;
use super::bind::Listener;
use super::browser_page::BrowserResponse;
use super::request_head::{self, HeadError, RequestHead};
use crate::oauth::authorize::{AuthorizationRequest, AuthorizationResponse};

/// How long a connection may take to send its request.
pub(super) const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// The most concurrent connections; more wait in the system's queue.
const MAX_CONNECTIONS: usize = 128;
/// How often a socket is polled for connections.
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A running listener. Dropping it closes its sockets.
pub(super) struct RunningListener {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What all connections share.
struct Shared {
    request: AuthorizationRequest,
    path: String,
    hosts: Vec<String>,
    request_timeout: Duration,
    /// For the response; taken by the first valid one.
    sender: std::sync::Mutex<Option<Sender<Event>>>,
    connections: AtomicUsize,
    closed: AtomicBool,
}

impl Listener {
    /// Starts to accept connections; the first valid response goes to `sender`.
    pub(super) fn serve(
        self,
        request: &AuthorizationRequest,
        sender: Sender<Event>,
        request_timeout: Duration,
    ) -> RunningListener {
        let names = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).into_iter();
        let own = self.sockets.iter().filter_map(|socket| socket.local_addr().ok()).map(|at| match at.ip() {
            std::net::IpAddr::V4(ip) => ip.to_string(),
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        });
        let named = names.chain(own).map(|name| match self.port {
            80 => name,
            port => format!("{name}:{port}"),
        });
        let shared = Arc::new(Shared {
            request: request.clone(),
            path: self.path,
            hosts: named.collect(),
            request_timeout,
            sender: Some(sender).into(),
            connections: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        });
        let threads = self.sockets.into_iter().map(|socket| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.accept_all(&socket))
        });
        let threads = threads.collect();
        RunningListener { shared, threads }
    }
}

impl Drop for RunningListener {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Accepts connections until the listener is dropped. The socket doesn't block, so that it notices.
    fn accept_all(self: &Arc<Self>, socket: &TcpListener) {
        let polled = socket.set_nonblocking(true).is_ok();
        while polled && !self.closed.load(Ordering::Relaxed) {
            if self.connections.load(Ordering::Relaxed) >= MAX_CONNECTIONS {
                thread::sleep(POLL_INTERVAL);
                continue;
            }
            // A failure concerns one connection, or is temporary (too many open files).
            let Ok((stream, _)) = socket.accept() else {
                thread::sleep(POLL_INTERVAL);
                continue;
            };
            self.connections.fetch_add(1, Ordering::Relaxed);
            let shared = Arc::clone(self);
            let visit = thread::Builder::new().stack_size(256 * 1024).spawn(move || {
                shared.handle(stream);
                shared.connections.fetch_sub(1, Ordering::Relaxed);
            });
            if visit.is_err() {
                self.connections.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    fn handle(&self, mut stream: TcpStream) {
        // Inherited from the listening socket on some systems.
        if stream.set_nonblocking(false).is_err() {
            return;
        }
        let (page, event) = match request_head::read(&mut stream, Instant::now() + self.request_timeout) {
            Ok(head) => self.route(&head),
            Err(HeadError::TooLarge) => (BrowserResponse::TooLarge, None),
            Err(HeadError::Malformed) => (BrowserResponse::NotHttp, None),
            Err(HeadError::TimedOut) => return,
        };
        let _ = request_head::write(&mut stream, &page.to_bytes());
        // After the page: the process may end as soon as the event is sent.
        if let Some((sender, response)) = event {
            let _ = sender.send(Event::Received(response));
        }
        request_head::drain(&mut stream);
    }

    /// The page for a request and, for the response that ends the wait, its receiver.
    fn route(&self, head: &RequestHead) -> (BrowserResponse, Option<(Sender<Event>, AuthorizationResponse)>) {
        if !self.hosts.contains(&head.host) {
            // Another name that resolves to this machine: DNS rebinding.
            return (BrowserResponse::WrongHost, None);
        }
        if head.method != "GET" {
            return (BrowserResponse::WrongMethod, None);
        }
        if head.path != self.path {
            return (BrowserResponse::NotFound, None);
        }
        let response = self.request.parse_response(&head.query);
        let page = match &response {
            AuthorizationResponse::Code(_) => BrowserResponse::Received,
            AuthorizationResponse::Error { error, description } => {
                BrowserResponse::Denied { error: error.clone(), description: description.clone() }
            }
            AuthorizationResponse::IssuerMismatch(_) => BrowserResponse::IssuerMismatch,
            AuthorizationResponse::StateMismatch => return (BrowserResponse::StateMismatch, None),
            AuthorizationResponse::Invalid(reason) => return (BrowserResponse::Invalid(reason), None),
        };
        match self.sender.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(sender) => (page, Some((sender, response))),
            None => (BrowserResponse::AlreadyReceived, None),
        }
    }
}

#[cfg(test)]
mod tests;
