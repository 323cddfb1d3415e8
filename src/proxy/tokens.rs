//! The token of all requests: one is requested at a time, however many requests wait for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use hyper::header::HeaderValue;

use super::outcome::Refusal;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http;
use crate::oauth::secret::Secret;
use crate::oauth::token::Token;
use crate::system::clock::now;

/// How long a token is used before the source is asked again, which notices a login or logout of another process.
const RECHECK_INTERVAL: Duration = Duration::from_secs(1);

/// How long a failure is the response to all requests, before the source is asked again.
const FAILURE_BACKOFF: Duration = Duration::from_secs(2);

/// How long a server that rejects new tokens too is believed: what it rejects is not the token's age.
const REJECTION_BACKOFF: Duration = Duration::from_secs(30);

/// Where the proxy gets its access tokens. Its functions wait for files and servers.
pub trait TokenSource: Send + Sync {
    /// Returns a valid access token; another one than `rejected`.
    ///
    /// # Errors
    /// As the session's.
    fn access_token(&self, rejected: Option<&Secret>) -> Result<Token>;
}

/// A token, as it is sent.
pub struct Bearer {
    token: Token,
    /// `Bearer TOKEN`, marked as sensitive.
    pub header: HeaderValue,
}

/// The token in use.
pub struct Tokens {
    source: Arc<dyn TokenSource>,
    context: Context,
    state: Mutex<State>,
    /// Held while the source is asked.
    asking: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    current: Option<(Arc<Bearer>, Instant)>,
    failure: Option<(Refusal, Instant)>,
    /// When a token was rejected that had just been issued.
    rejected_new: Option<Instant>,
}

impl Tokens {
    /// Uses this source. Its failures are printed as warnings.
    pub fn new(source: Arc<dyn TokenSource>, context: Context) -> Self {
        Self { source, context, state: Mutex::default(), asking: tokio::sync::Mutex::default() }
    }

    /// Returns a valid token.
    ///
    /// # Errors
    /// The response to the client: 502, with the cause.
    pub async fn bearer(&self) -> Result<Arc<Bearer>, Refusal> {
        self.get(None).await
    }

    /// Returns another token than one that the server rejected (401); `None` if there is none, or a new one would be
    /// rejected too.
    pub async fn replace(&self, rejected: &Bearer) -> Option<Arc<Bearer>> {
        let is_pointless = |at: Instant| at.elapsed() < REJECTION_BACKOFF;
        if self.lock().rejected_new.is_some_and(is_pointless) {
            return None;
        }
        self.get(Some(&rejected.token.access_token)).await.ok()
    }

    /// Notes that the server rejected a token that had just replaced another.
    pub fn reject_new(&self) {
        self.lock().rejected_new = Some(Instant::now());
    }

    async fn get(&self, rejected: Option<&Secret>) -> Result<Arc<Bearer>, Refusal> {
        if let Some(result) = self.known(rejected) {
            return result;
        }
        let _asking = self.asking.lock().await;
        // While this request waited, another one asked.
        if let Some(result) = self.known(rejected) {
            return result;
        }
        let (source, unwanted) = (Arc::clone(&self.source), rejected.cloned());
        let asked = tokio::task::spawn_blocking(move || source.access_token(unwanted.as_ref()));
        let result = asked.await.unwrap_or_else(|_| Err(Error::failure("could not get a token")));
        let result = result.and_then(|token| {
            let header = http::bearer(&token.access_token)?;
            Ok(Arc::new(Bearer { token, header }))
        });
        let mut state = self.lock();
        match result {
            Ok(bearer) => {
                state.current = Some((Arc::clone(&bearer), Instant::now()));
                state.failure = None;
                Ok(bearer)
            }
            Err(error) => {
                self.context.warn(format_args!("could not get a token: {}", error.summary()));
                let text = format!("could not get a token: {}", described(&error));
                let refusal = Refusal::new(StatusCode::BAD_GATEWAY, "login", text);
                state.failure = Some((refusal.clone(), Instant::now()));
                Err(refusal)
            }
        }
    }

    /// What is known without the source.
    fn known(&self, rejected: Option<&Secret>) -> Option<Result<Arc<Bearer>, Refusal>> {
        let state = self.lock();
        let current = state.current.as_ref().filter(|(bearer, since)| {
            since.elapsed() < RECHECK_INTERVAL
                && rejected != Some(&bearer.token.access_token)
                && bearer.token.is_fresh(now(), None)
        });
        let failure = state.failure.as_ref().filter(|(_, since)| since.elapsed() < FAILURE_BACKOFF);
        match (current, failure) {
            (Some((bearer, _)), _) => Some(Ok(Arc::clone(bearer))),
            (None, Some((refusal, _))) => Some(Err(refusal.clone())),
            (None, None) => None,
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An error with its hint, on one line.
pub fn described(error: &Error) -> String {
    match error.hint() {
        Some(hint) => format!("{}; hint: {hint}", error.summary()),
        None => error.summary(),
    }
}
