//! One request: sent to the server with a token, again with a new one after a 401, and its response passed on.

use std::error::Error as StdError;
use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Incoming};
use hyper::header::{AUTHORIZATION, CONTENT_LENGTH, HeaderMap};
use hyper::http::request::Parts;
use hyper::{Method, Response, StatusCode};
use url::Url;

use super::App;
use super::body::{Collected, Silence, Timely, collect_small};
use super::headers::clean_request;
use super::outcome::Refusal;
use super::tokens::{Bearer, described};
use crate::http::AsyncClient;

/// The largest body of a request that can be sent again.
const MAX_REPEATABLE_BYTES: usize = 1024 * 1024;

/// The longest wait between two parts of a request's body.
const SEND_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest wait for the head of a response, and between two parts of its body.
const MAX_SILENCE: Duration = Duration::from_secs(300);

/// How many origins keep their connections.
const MAX_CLIENTS: usize = 32;

/// A request as it is sent.
struct Outgoing {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: OutgoingBody,
    client: AsyncClient,
}

enum OutgoingBody {
    Whole(Bytes),
    Streamed(Option<reqwest::Body>),
}

impl App {
    /// Sends a request to the server, and returns the response whatever its status.
    ///
    /// # Errors
    /// The response to the client where there is none of the server.
    pub(super) async fn forward(
        &self,
        head: &Parts,
        body: Incoming,
        url: Url,
    ) -> Result<Response<reqwest::Body>, Refusal> {
        let client = self.client(&url)?;
        let mut headers = head.headers.clone();
        clean_request(&mut headers, self.gate.read_only);
        let body = outgoing_body(body).await?;
        let mut request = Outgoing { method: head.method.clone(), url, headers, body, client };
        let bearer = self.tokens.bearer().await?;
        let response = request.send(&bearer).await?;
        if response.status() != StatusCode::UNAUTHORIZED || !request.is_repeatable() {
            return Ok(response);
        }
        let Some(bearer) = self.tokens.replace(&bearer).await else { return Ok(response) };
        drop(response);
        let response = request.send(&bearer).await?;
        if response.status() == StatusCode::UNAUTHORIZED {
            self.tokens.reject_new();
        }
        Ok(response)
    }

    /// The client of an origin, which keeps connections to it.
    fn client(&self, url: &Url) -> Result<AsyncClient, Refusal> {
        let origin = url.origin().ascii_serialization();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&origin) {
            return Ok(client.clone());
        }
        let client =
            self.http.async_client(&origin, Some(MAX_SILENCE)).map_err(|error| unavailable(&error))?;
        if clients.len() >= MAX_CLIENTS {
            clients.clear();
        }
        clients.insert(origin, client.clone());
        Ok(client)
    }
}

/// Reads a request's body, if it is small.
async fn outgoing_body(body: Incoming) -> Result<OutgoingBody, Refusal> {
    if body.is_end_stream() {
        return Ok(OutgoingBody::Whole(Bytes::new()));
    }
    match collect_small(Timely::new(body, SEND_TIMEOUT), MAX_REPEATABLE_BYTES)
        .await
        .map_err(client_stopped)?
    {
        Collected::Whole(bytes) => Ok(OutgoingBody::Whole(bytes)),
        Collected::Partial(rest) => Ok(OutgoingBody::Streamed(Some(reqwest::Body::wrap(rest)))),
    }
}

impl Outgoing {
    fn is_repeatable(&self) -> bool {
        matches!(self.body, OutgoingBody::Whole(_))
    }

    async fn send(&mut self, bearer: &Bearer) -> Result<Response<reqwest::Body>, Refusal> {
        let mut result = self.send_once(bearer).await;
        // The server may have closed a connection that was kept too long.
        let is_safe = matches!(self.method, Method::GET | Method::HEAD) && self.is_repeatable();
        if is_safe
            && result
                .as_ref()
                .is_err_and(|error| error.is_request() && !error.is_connect() && !error.is_timeout())
        {
            result = self.send_once(bearer).await;
        }
        match result {
            Ok(response) => Ok(response),
            Err(error) => Err(self.describe(error).await),
        }
    }

    async fn send_once(&mut self, bearer: &Bearer) -> reqwest::Result<Response<reqwest::Body>> {
        let mut headers = self.headers.clone();
        headers.insert(AUTHORIZATION, bearer.header.clone());
        let body = match &mut self.body {
            OutgoingBody::Whole(bytes) if bytes.is_empty() => {
                // Some servers require a length of requests that usually have a body (RFC 9110 §8.6).
                if matches!(self.method, Method::POST | Method::PUT | Method::PATCH) {
                    headers.insert(CONTENT_LENGTH, 0.into());
                }
                None
            }
            OutgoingBody::Whole(bytes) => Some(bytes.clone().into()),
            OutgoingBody::Streamed(body) => body.take(),
        };
        self.client.send(self.method.clone(), self.url.clone(), headers, body).await
    }

    async fn describe(&self, error: reqwest::Error) -> Refusal {
        if is_client_silent(&error) {
            return client_stopped(error);
        }
        let is_timeout = error.is_timeout();
        let (client, url) = (self.client.clone(), self.url.clone());
        let described = tokio::task::spawn_blocking(move || client.describe(&url, error)).await;
        let mut refusal = match described {
            Ok(error) => unavailable(&error),
            Err(_) => Refusal::new(StatusCode::BAD_GATEWAY, "transient", "the request failed"),
        };
        if is_timeout {
            refusal.status = StatusCode::GATEWAY_TIMEOUT;
            refusal.code = "timeout";
        }
        refusal
    }
}

fn unavailable(error: &crate::error::Error) -> Refusal {
    Refusal::new(StatusCode::BAD_GATEWAY, "transient", described(error))
}

/// The client did not send the rest of the request's body.
fn client_stopped<E>(_: E) -> Refusal {
    Refusal::new(StatusCode::REQUEST_TIMEOUT, "timeout", "the rest of the request did not arrive")
}

fn is_client_silent(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<Silence>() {
            return true;
        }
        cause = error.source();
    }
    false
}
