//! How an authorization code is received: by a loopback listener, or pasted by the user.
//!
//! Both are open at the same time, since it is unknown in advance which one will work: over SSH no redirect arrives, and on a
//! desktop no user wants to paste. The first response to this request ends the wait.

mod bind;
mod browser;
pub(crate) mod browser_page;
mod listener;
mod messages;
mod paste;
pub(crate) mod request_head;

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

pub use bind::Listener;
pub use messages::into_code;

use crate::context::eprint_line;
use crate::error::{Error, ErrorKind, Result};
use crate::oauth::authorize::{AuthorizationRequest, AuthorizationResponse};
use crate::oauth::secret::Secret;
use crate::output::duration;
use browser::RedirectPage;

/// How long to wait for the user: the lifetime of an authorization code.
pub const LOGIN_TIMEOUT: Duration = Duration::from_secs(300);

/// How this login can receive its code.
#[derive(Debug)]
pub struct CallbackOptions {
    /// The listener at the redirect URI; `None` when that is not on loopback, or with `--no-listen`.
    pub listener: Option<Listener>,
    /// Whether to open a browser.
    pub browser: bool,
    /// Whether to read a pasted URL from stdin.
    pub paste: bool,
    /// Whether to print the URL alone.
    pub quiet: bool,
}

/// What can happen during the wait.
enum Event {
    /// The listener received a response that ends the wait.
    Received(AuthorizationResponse),
    /// A line of stdin.
    Pasted(Zeroizing<String>),
    /// Ctrl-D at the terminal.
    #[cfg_attr(not(unix), allow(dead_code, reason = "no line editor of our own there"))]
    Canceled,
    /// The end of a pipe at stdin.
    InputEnded,
}

/// Sends the user to the authorization server and waits for the code, for `timeout` at most.
///
/// # Errors
/// Usage: an invalid endpoint or redirect URI, or no way left to receive a code. Authentication: access denied, or no
/// login within the timeout. Protocol: the response of another issuer (RFC 9207).
pub fn obtain_code(
    request: &AuthorizationRequest,
    options: CallbackOptions,
    timeout: Duration,
) -> Result<Secret> {
    obtain_code_from(request, options, timeout, paste::watch_stdin)
}

/// [`obtain_code`] with the source of pasted lines as an argument, which is called only if the options include paste.
fn obtain_code_from<G>(
    request: &AuthorizationRequest,
    options: CallbackOptions,
    timeout: Duration,
    watch: impl FnOnce(Sender<Event>) -> G,
) -> Result<Secret> {
    let deadline = Instant::now() + timeout;
    let url = request.url()?;
    if options.listener.is_none() && !options.paste {
        return Err(messages::no_way());
    }
    let listens = options.listener.is_some();
    let registration = options.listener.as_ref().map(Listener::registration);
    let (sender, events) = channel();
    let running = options.listener.map(|it| it.serve(request, sender.clone(), listener::REQUEST_TIMEOUT));
    let page =
        (options.browser && browser::is_available()).then(|| RedirectPage::new(url.as_str()).ok()).flatten();
    let opens = page.is_some();
    if options.quiet {
        eprint_line(&url);
    } else {
        eprint_line(messages::introduction(&url, opens, registration.as_deref(), options.paste));
        // Printed once: a countdown would overwrite what is typed, and a screen reader would read it out.
        eprint_line(format_args!("Waiting for the login (up to {})...", duration(timeout.as_secs())));
    }
    let guard = options.paste.then(|| watch(sender));
    if let Some(page) = &page {
        page.open();
    }
    let result = CodeWait { request, events, deadline, timeout, listens }.run();
    drop((guard, running, page));
    result
}

/// The wait for the event that ends it.
struct CodeWait<'a> {
    request: &'a AuthorizationRequest,
    events: Receiver<Event>,
    deadline: Instant,
    timeout: Duration,
    listens: bool,
}

impl CodeWait<'_> {
    fn run(&self) -> Result<Secret> {
        // An event that arrived while the lines of a paste were gathered.
        let mut pending = None;
        // The last paste, if it was invalid: the next one may be its second half.
        let mut first_half = Zeroizing::new(String::new());
        loop {
            let event = match pending.take() {
                Some(event) => event,
                None => self.next()?,
            };
            match event {
                Event::Received(response) => return into_code(response),
                Event::Canceled => return Err(Error::new(ErrorKind::Interrupted, "canceled")),
                Event::InputEnded if self.listens => {}
                Event::InputEnded => return Err(messages::no_way()),
                Event::Pasted(first) => {
                    let (text, next) = paste::gather(first, &self.events);
                    pending = next;
                    if text.trim().is_empty() {
                        continue;
                    }
                    match self.interpret(&first_half, &text) {
                        AuthorizationResponse::StateMismatch => eprint_line(messages::STATE_MISMATCH),
                        AuthorizationResponse::Invalid(reason) => eprint_line(format_args!(
                            "Invalid: {reason}.\nCopy the whole URL at which the browser ended and paste it again."
                        )),
                        response => return into_code(response),
                    }
                    first_half = text;
                }
            }
        }
    }

    fn next(&self) -> Result<Event> {
        let remaining = self.deadline.saturating_duration_since(Instant::now());
        self.events.recv_timeout(remaining).map_err(|error| match error {
            RecvTimeoutError::Timeout => {
                messages::timed_out(self.timeout, &self.request.redirect_uri, self.listens)
            }
            // The listener never ends by itself, so there is none.
            RecvTimeoutError::Disconnected => messages::no_way(),
        })
    }

    /// Interprets a paste alone, or as the second half of the one before.
    fn interpret(&self, first_half: &str, text: &str) -> AuthorizationResponse {
        let alone = self.request.interpret_paste(text);
        if first_half.is_empty() || is_final(&alone) && text.contains('=') {
            return alone;
        }
        let both = Zeroizing::new(format!("{first_half}{text}"));
        match self.request.interpret_paste(&both) {
            joined if is_final(&joined) => joined,
            _ => alone,
        }
    }
}

fn is_final(response: &AuthorizationResponse) -> bool {
    !matches!(response, AuthorizationResponse::StateMismatch | AuthorizationResponse::Invalid(_))
}

#[cfg(test)]
mod tests;
