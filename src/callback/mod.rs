//! How an authorization code reaches us: from the browser to a loopback listener, or by the person's own hand.
//!
//! Both are open at the same time, because nobody knows beforehand which will work: on SSH no callback comes, and
//! on a desk nobody wants to paste. Whichever brings the answer to our request first ends the wait.

mod bind;
mod browser;
pub(crate) mod browser_page;
mod listener;
mod messages;
mod paste;
pub(crate) mod request_head;

use std::io::{BufRead, BufReader};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

pub use bind::Listener;
pub use messages::settle;

use crate::context::eprint_line;
use crate::error::Result;
use crate::oauth::authorize::{AuthorizationRequest, AuthorizationResponse};
use crate::oauth::secret::Secret;
use crate::output::progress::StatusLine;

/// How long to wait for the person: as long as a code lives.
pub const LIMIT: Duration = Duration::from_secs(300);

/// The ways that are open for this login.
#[derive(Debug)]
pub struct Ways {
    /// Where the browser comes back to; none when the redirect URI leads elsewhere, or with `--no-listen`.
    pub listener: Option<Listener>,
    /// Whether to open a browser.
    pub browser: bool,
    /// Whether stdin is read for a pasted address.
    pub paste: bool,
    /// Say nothing but the URL.
    pub quiet: bool,
}

/// What can happen while we wait.
enum Event {
    /// The listener has an answer that ends the wait.
    Answered(AuthorizationResponse),
    /// A line of stdin.
    Pasted(Zeroizing<String>),
    /// No more of stdin.
    InputEnded,
}

/// Sends the person to the authorization server and waits for the code, for `limit` at most.
///
/// # Errors
/// Usage: an endpoint or redirect URI that can't be used, or no way left for a code to arrive. Authentication:
/// access denied, or nobody logged in within the limit. Protocol: the answer of another issuer (RFC 9207).
pub fn obtain(request: &AuthorizationRequest, ways: Ways, limit: Duration) -> Result<Secret> {
    obtain_from(request, ways, limit, BufReader::new(std::io::stdin()))
}

/// [`obtain`], with the source of pasted lines as an argument; it is read only if paste is one of the ways.
fn obtain_from(
    request: &AuthorizationRequest,
    ways: Ways,
    limit: Duration,
    input: impl BufRead + Send + 'static,
) -> Result<Secret> {
    let deadline = Instant::now() + limit;
    let url = request.url()?;
    if ways.listener.is_none() && !ways.paste {
        return Err(messages::no_way());
    }
    let listens = ways.listener.is_some();
    let registered = ways.listener.as_ref().map(Listener::registration);
    let (sender, events) = channel();
    let serving = ways.listener.map(|it| it.serve(request, sender.clone(), listener::PATIENCE));
    let opens = ways.browser && browser::is_there();
    if ways.quiet {
        eprint_line(&url);
    } else {
        eprint_line(messages::introduction(&url, opens, registered.as_deref(), ways.paste));
    }
    if opens {
        browser::open(url.as_str());
    }
    if ways.paste {
        paste::watch(input, sender);
    }
    let wait = Wait { request, events, deadline, limit, listens, line: StatusLine::new(ways.quiet) };
    let outcome = wait.run();
    wait.line.clear();
    drop(serving);
    outcome
}

/// The wait for an event that settles the matter.
struct Wait<'a> {
    request: &'a AuthorizationRequest,
    events: Receiver<Event>,
    deadline: Instant,
    limit: Duration,
    listens: bool,
    line: StatusLine,
}

impl Wait<'_> {
    fn run(&self) -> Result<Secret> {
        // An event that came while a paste was being gathered.
        let mut kept = None;
        // The last paste, when it was no answer: what follows may be its other half.
        let mut half = Zeroizing::new(String::new());
        loop {
            let event = match kept.take() {
                Some(event) => event,
                None => self.next()?,
            };
            match event {
                Event::Answered(reply) => return messages::settle(reply),
                Event::InputEnded if self.listens => {}
                Event::InputEnded => return Err(messages::no_way()),
                Event::Pasted(first) => {
                    let (text, next) = paste::rest_of(first, &self.events);
                    kept = next;
                    if text.trim().is_empty() {
                        continue;
                    }
                    match self.judge(&half, &text) {
                        AuthorizationResponse::StateMismatch => self.complain(messages::WRONG_STATE),
                        AuthorizationResponse::Invalid(reason) => self.complain(&messages::unusable(reason)),
                        settled => return messages::settle(settled),
                    }
                    half = text;
                }
            }
        }
    }
}

impl Wait<'_> {
    /// The next event; meanwhile the person sees the time run.
    fn next(&self) -> Result<Event> {
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(messages::gave_up(self.limit, &self.request.redirect_uri, self.listens));
            }
            self.line.draw(&messages::waiting(left));
            match self.events.recv_timeout(left.min(Duration::from_millis(500))) {
                Ok(event) => return Ok(event),
                Err(RecvTimeoutError::Timeout) => {}
                // Every way has ended by itself; the listener's never does.
                Err(RecvTimeoutError::Disconnected) => return Err(messages::no_way()),
            }
        }
    }

    /// A paste by itself, or as the second half of the one before.
    fn judge(&self, half: &str, text: &str) -> AuthorizationResponse {
        let alone = self.request.interpret_paste(text);
        if half.is_empty() || is_settled(&alone) && text.contains('=') {
            return alone;
        }
        let both = Zeroizing::new(format!("{half}{text}"));
        match self.request.interpret_paste(&both) {
            joined if is_settled(&joined) => joined,
            _ => alone,
        }
    }

    fn complain(&self, text: &str) {
        self.line.clear();
        eprint_line(text);
    }
}

fn is_settled(reply: &AuthorizationResponse) -> bool {
    !matches!(reply, AuthorizationResponse::StateMismatch | AuthorizationResponse::Invalid(_))
}

#[cfg(test)]
mod tests;
