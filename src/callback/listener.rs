//! The loopback listener: waits for the one redirect that answers our request, whatever else may come.
//!
//! Browsers connect early and send nothing, ask for icons, and retry; other programs and pages may connect as
//! well. So each connection has a thread and a deadline of its own, and only an answer with the right state ends
//! the wait. What isn't for us is answered and forgotten, unsaid: it must not be able to disturb the person.

use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Event;
use super::bind::Listener;
use super::browser_page::Page;
use super::request_head::{self, Bad, Head};
use crate::oauth::authorize::{AuthorizationRequest, AuthorizationResponse};

/// How long a connection may take to say what it wants.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// The most connections at once; more wait in the system's queue.
const CROWD: usize = 128;
/// How often a socket without visitors is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// A listener at work. Dropping it closes its sockets.
pub(super) struct Serving {
    desk: Arc<Desk>,
    threads: Vec<JoinHandle<()>>,
}

/// What all connections share.
struct Desk {
    request: AuthorizationRequest,
    path: String,
    hosts: Vec<String>,
    patience: Duration,
    /// The sender of the one answer; taken by the first valid one.
    sender: std::sync::Mutex<Option<Sender<Event>>>,
    visitors: AtomicUsize,
    closed: AtomicBool,
}

impl Listener {
    /// Begins to answer connections; the first valid answer goes to `sender`.
    pub(super) fn serve(
        self,
        request: &AuthorizationRequest,
        sender: Sender<Event>,
        patience: Duration,
    ) -> Serving {
        let names = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).into_iter();
        let own = self.sockets.iter().filter_map(|socket| socket.local_addr().ok()).map(|at| match at.ip() {
            std::net::IpAddr::V4(ip) => ip.to_string(),
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        });
        let named = names.chain(own).map(|name| match self.port {
            80 => name,
            port => format!("{name}:{port}"),
        });
        let desk = Arc::new(Desk {
            request: request.clone(),
            path: self.path,
            hosts: named.collect(),
            patience,
            sender: Some(sender).into(),
            visitors: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
        });
        let threads = self.sockets.into_iter().map(|socket| {
            let desk = Arc::clone(&desk);
            thread::spawn(move || desk.admit(&socket))
        });
        let threads = threads.collect();
        Serving { desk, threads }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        self.desk.closed.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Desk {
    /// Accepts connections until the listener closes. The socket doesn't block, so that it can.
    fn admit(self: &Arc<Self>, socket: &TcpListener) {
        let polled = socket.set_nonblocking(true).is_ok();
        while polled && !self.closed.load(Ordering::Relaxed) {
            if self.visitors.load(Ordering::Relaxed) >= CROWD {
                thread::sleep(PAUSE);
                continue;
            }
            // Any failure is of one connection, or passes (too many open files): the wait goes on.
            let Ok((stream, _)) = socket.accept() else {
                thread::sleep(PAUSE);
                continue;
            };
            self.visitors.fetch_add(1, Ordering::Relaxed);
            let desk = Arc::clone(self);
            let visit = thread::Builder::new().stack_size(256 * 1024).spawn(move || {
                desk.receive(stream);
                desk.visitors.fetch_sub(1, Ordering::Relaxed);
            });
            if visit.is_err() {
                self.visitors.fetch_sub(1, Ordering::Relaxed);
            }
        }
    }

    fn receive(&self, mut stream: TcpStream) {
        // Inherited from the listening socket on some systems.
        if stream.set_nonblocking(false).is_err() {
            return;
        }
        let (page, event) = match request_head::read(&mut stream, Instant::now() + self.patience) {
            Ok(head) => self.judge(&head),
            Err(Bad::TooLarge) => (Page::TooLarge, None),
            Err(Bad::Malformed) => (Page::NotHttp, None),
            Err(Bad::Late) => return,
        };
        let _ = request_head::write(&mut stream, &page.response());
        // After the page: the process may end as soon as the event is out.
        if let Some((sender, reply)) = event {
            let _ = sender.send(Event::Answered(reply));
        }
        request_head::drain(&mut stream);
    }

    /// The page for a request and, for the answer that ends the wait, whom to tell.
    fn judge(&self, head: &Head) -> (Page, Option<(Sender<Event>, AuthorizationResponse)>) {
        if !self.hosts.contains(&head.host) {
            // A name of someone else's that resolves to this machine: DNS rebinding.
            return (Page::WrongHost, None);
        }
        if head.method != "GET" {
            return (Page::WrongMethod, None);
        }
        if head.path != self.path {
            return (Page::NotFound, None);
        }
        let reply = self.request.parse_response(&head.query);
        let page = match &reply {
            AuthorizationResponse::Code(_) => Page::Received,
            AuthorizationResponse::Error { error, description } => {
                Page::Denied { error: error.clone(), description: description.clone() }
            }
            AuthorizationResponse::IssuerMismatch(_) => Page::WrongIssuer,
            AuthorizationResponse::StateMismatch => return (Page::WrongState, None),
            AuthorizationResponse::Invalid(reason) => return (Page::Unusable(reason), None),
        };
        match self.sender.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(sender) => (page, Some((sender, reply))),
            None => (Page::AlreadyAnswered, None),
        }
    }
}

#[cfg(test)]
mod tests;
