//! The loopback listener: waits for the one redirect that answers this authorization request.
//!
//! Browsers connect early and send nothing, request icons, and retry; other programs and web pages may connect as well. So
//! each connection has a thread and a deadline of its own, and only a response with the right state ends the wait. Other
//! requests are answered, and nothing is printed about them.

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Event;
use super::bind::Listener;
use super::browser_page::{BrowserResponse, WRONG_METHOD};
use super::request_head::{self, HeadError, RequestHead};
use crate::oauth::authorize::{AuthorizationRequest, AuthorizationResponse};
use crate::oauth::loopback::is_loopback_host;

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
    port: u16,
    request_timeout: Duration,
    /// For the response; taken by the first valid one.
    sender: std::sync::Mutex<Option<Sender<Event>>>,
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
        let shared = Arc::new(Shared {
            request: request.clone(),
            path: self.path,
            port: self.port,
            request_timeout,
            sender: Some(sender).into(),
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
            // Each connection holds a reference.
            let accepts = Arc::strong_count(self) < MAX_CONNECTIONS;
            // A failure concerns one connection, or is temporary (too many open files).
            let Some((stream, _)) = accepts.then(|| socket.accept().ok()).flatten() else {
                thread::sleep(POLL_INTERVAL);
                continue;
            };
            let shared = Arc::clone(self);
            let _ = thread::Builder::new().stack_size(256 * 1024).spawn(move || shared.handle(stream));
        }
    }

    fn handle(&self, mut stream: TcpStream) {
        // Inherited from the listening socket on some systems.
        if stream.set_nonblocking(false).is_err() {
            return;
        }
        let (page, event) = match request_head::read(&mut stream, Instant::now() + self.request_timeout) {
            Ok(head) => self.route(&head),
            Err(HeadError::TooLarge) => {
                (BrowserResponse::Rejected("431 Request Header Fields Too Large"), None)
            }
            Err(HeadError::Malformed) => (BrowserResponse::Rejected("400 Bad Request"), None),
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
        let name = match self.port {
            80 => Some(head.host.as_str()),
            port => head.host.strip_suffix(&format!(":{port}")),
        };
        if !name.is_some_and(is_loopback_host) {
            // Another name that resolves to this machine: DNS rebinding.
            return (BrowserResponse::Rejected("400 Bad Request"), None);
        }
        if head.method != "GET" {
            return (WRONG_METHOD, None);
        }
        if head.path != self.path {
            return (BrowserResponse::Rejected("404 Not Found"), None);
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
