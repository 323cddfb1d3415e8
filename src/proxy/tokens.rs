//! The token of all requests: one is requested at a time, however many requests wait for it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hyper::StatusCode;
use hyper::header::HeaderValue;

use super::outcome::Refusal;
use crate::error::{Error, Result};
use crate::http;
use crate::oauth::secret::Secret;
use crate::oauth::token::Token;
use crate::system::clock::now;

/// How long a token is used before the source is asked again, which notices a login or logout of another process.
const RECHECK_INTERVAL: Duration = Duration::from_secs(1);

/// The same for a token of unknown lifetime, of which the source knows no more.
const UNKNOWN_RECHECK_INTERVAL: Duration = Duration::from_secs(60);

/// How long a failure is the response to all requests, before the source is asked again.
const FAILURE_BACKOFF: Duration = Duration::from_secs(2);

/// How long no further token is requested after the server rejected a new one: a newer token would not help.
const REJECTION_BACKOFF: Duration = Duration::from_secs(30);

/// Returns a valid access token; another one than one that a server rejected. Waits for files and servers.
pub type TokenSource = dyn Fn(Option<&Secret>) -> Result<Token> + Send + Sync;

/// A token, as it is sent.
pub struct Bearer {
    token: Token,
    /// `Bearer TOKEN`, marked as sensitive.
    pub header: HeaderValue,
}

/// The token in use.
pub struct Tokens {
    source: Arc<TokenSource>,
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
    /// Uses this source.
    pub fn new(source: Arc<TokenSource>) -> Self {
        Self { source, state: Mutex::default(), asking: tokio::sync::Mutex::default() }
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
        let asked = tokio::task::spawn_blocking(move || source(unwanted.as_ref()));
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
            let is_current = match bearer.token.lifetime.expires_in {
                Some(_) => since.elapsed() < RECHECK_INTERVAL && bearer.token.lifetime.is_fresh(now(), None),
                None => since.elapsed() < UNKNOWN_RECHECK_INTERVAL,
            };
            is_current && rejected != Some(&bearer.token.access_token)
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::oauth::token::Lifetime;

    /// Issues `token-0`, `token-1`, …, each after a pause; or fails.
    #[derive(Default)]
    struct Source {
        requests: AtomicUsize,
        lifetime: Option<u64>,
        is_down: bool,
    }

    impl Source {
        fn issue(&self) -> Result<Token> {
            std::thread::sleep(Duration::from_millis(20));
            let number = self.requests.fetch_add(1, Ordering::SeqCst);
            if self.is_down {
                return Err(Error::auth("not logged in").with_hint("log in"));
            }
            let lifetime = Lifetime { issued_at: now(), expires_in: self.lifetime };
            Ok(Token::new(Secret::new(format!("token-{number}")), lifetime))
        }
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(2).enable_time().build().expect("a runtime").block_on(future)
    }

    /// How many tokens are requested when this many requests get one, then have it rejected.
    fn requests(source: Source, count: usize) -> usize {
        let source = Arc::new(source);
        let issuer = Arc::clone(&source);
        let tokens = Arc::new(Tokens::new(Arc::new(move |_: Option<&Secret>| issuer.issue())));
        run(async {
            let tasks: Vec<_> = (0..count)
                .map(|_| {
                    let tokens = Arc::clone(&tokens);
                    tokio::spawn(async move {
                        let Ok(first) = tokens.bearer().await else { return };
                        let second = tokens.replace(&first).await.expect("another token");
                        assert_ne!(first.header, second.header);
                    })
                })
                .collect();
            for task in tasks {
                task.await.expect("no panic");
            }
        });
        source.requests.load(Ordering::SeqCst)
    }

    #[test]
    fn any_number_of_requests_make_one_token_request() {
        assert_eq!(requests(Source { lifetime: Some(3600), ..Source::default() }, 100), 2);
        assert_eq!(requests(Source::default(), 100), 2, "of unknown lifetime");
        assert_eq!(requests(Source { is_down: true, ..Source::default() }, 100), 1);
    }

    #[test]
    fn server_that_rejects_new_tokens_gets_no_more_of_them() {
        let source = Source { lifetime: Some(3600), ..Source::default() };
        let tokens = Tokens::new(Arc::new(move |_: Option<&Secret>| source.issue()));
        run(async {
            let first = tokens.bearer().await.expect("a token");
            let second = tokens.replace(&first).await.expect("another");
            assert!(second.header.is_sensitive());
            tokens.reject_new();
            assert!(tokens.replace(&second).await.is_none());
            assert_eq!(tokens.bearer().await.expect("a token").header, second.header);
        });
    }
}
