//! The HTTP client: form posts and JSON gets with one deadline, bounded retries and a size limit; streaming requests
//! for exports. Redirects are never followed.

mod address;
mod body;
mod client;
mod failure;
pub(crate) mod retry;
mod stream;
mod tls;
mod trace;

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue,
    LOCATION, RETRY_AFTER,
};
use zeroize::Zeroizing;

pub use address::require_safe;
pub use stream::{Method, Request, StreamingResponse};

use crate::context::{Context, eprint_line};
use crate::error::{Error, Result};
use crate::oauth::grant::TokenRequest;
use crate::system::clock;
use crate::text::{MAX_SNIPPET_LEN, sanitize};
use body::{BodyError, Decoded};

/// Whether a request may be sent again after a 429 or 5xx.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Client credentials and reads: repeating them has no effect.
    Transient,
    /// A code or a refresh token: the first request may have used it up.
    Never,
}

/// A response of any status below 500, except redirects and 429.
#[derive(Debug)]
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// The server's clock (`Date`), in seconds since the epoch.
    pub date: Option<i64>,
    /// At most [`body::MAX_BODY_BYTES`]. Secrets of the request are masked where an error response repeats them.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// Returns the status, the content type and the beginning of the body, sanitized, for messages.
    pub fn snippet(&self) -> String {
        let kind = self.content_type.as_deref().unwrap_or("no content type");
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(4096)]);
        format!("HTTP {}, {}: {}", self.status, sanitize(kind, 80), sanitize(&text, MAX_SNIPPET_LEN))
    }
}

/// The HTTP client of a command. Any number of threads can share it.
pub struct Http {
    timeout: Duration,
    cacert: Vec<reqwest::Certificate>,
    verbose: bool,
    /// Clients of [`Http::send`], by origin.
    clients: Mutex<HashMap<String, Client>>,
}

impl Http {
    /// Reads the CA bundle; opens no connection.
    ///
    /// # Errors
    /// Usage, when `--cacert` can't be read or holds no certificate.
    pub fn new(context: &Context) -> Result<Self> {
        Ok(Self {
            timeout: context.timeout,
            cacert: context.cacert.as_deref().map_or(Ok(Vec::new()), client::read_bundle)?,
            verbose: context.verbose,
            clients: Mutex::default(),
        })
    }

    /// Posts a form.
    ///
    /// # Errors
    /// Usage for plain http outside loopback; network; protocol for a redirect or a body over the limit.
    pub fn post_form(&self, url: &str, form: &TokenRequest, retry: Retry) -> Result<HttpResponse> {
        let client = self.client(url)?;
        // The library sends this buffer without copying it; it is wiped when the last request is done.
        let body = Bytes::from_owner(Zeroizing::new(form.body.expose().as_bytes().to_vec()));
        let request = |client: &Client| {
            let mut request =
                client.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body.clone());
            if let Some(authorization) = &form.authorization {
                request = request.header(AUTHORIZATION, sensitive(authorization.expose())?);
            }
            Ok(request)
        };
        self.trace(|| trace::request("POST", url, Some(form)));
        self.exchange(url, client, request, Some(form), retry)
    }

    /// Gets a public document, such as a realm's keys.
    ///
    /// # Errors
    /// As [`Http::post_form`].
    pub fn get(&self, url: &str) -> Result<HttpResponse> {
        let client = self.client(url)?;
        self.trace(|| trace::request("GET", url, None));
        self.exchange(url, client, |client| Ok(client.get(url)), None, Retry::Transient)
    }

    fn exchange(
        &self,
        url: &str,
        client: Client,
        request: impl Fn(&Client) -> Result<RequestBuilder>,
        form: Option<&TokenRequest>,
        retry: Retry,
    ) -> Result<HttpResponse> {
        let deadline = Instant::now() + self.timeout;
        let mut attempt = 0;
        loop {
            let result = self.send_once(url, request(&client)?, form, deadline);
            let Some(backoff) = retry::backoff(&result, retry, attempt, deadline) else {
                if result.is_err() {
                    // Drop waits for the client's thread, which a server that floods it can keep busy past the
                    // deadline.
                    let _ = std::thread::Builder::new().spawn(move || drop(client));
                }
                return result
                    .and_then(|(response, headers)| retry::require_available(url, response, &headers));
            };
            self.trace(|| format!("* retrying in {:.1} s", backoff.as_secs_f32()));
            std::thread::sleep(backoff);
            attempt += 1;
        }
    }

    fn send_once(
        &self,
        url: &str,
        request: RequestBuilder,
        form: Option<&TokenRequest>,
        deadline: Instant,
    ) -> Result<(HttpResponse, HeaderMap)> {
        let remaining = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
        let response = request
            .header(ACCEPT, "application/json")
            .timeout(remaining)
            .send()
            .map_err(|error| failure::into_error(url, self.timeout, error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        reject_redirect(url, status, &headers)?;
        let body = self.read_body(url, response, deadline)?;
        let mut response = HttpResponse {
            status,
            content_type: text(&headers, CONTENT_TYPE),
            date: text(&headers, DATE).and_then(|date| retry::parse_http_date(&date)),
            body,
        };
        if let Some(form) = form {
            trace::mask_sent(&mut response, form);
        }
        self.trace(|| trace::response(&response, form.is_some()));
        Ok((response, headers))
    }

    fn read_body(&self, url: &str, response: Response, deadline: Instant) -> Result<Vec<u8>> {
        let is_gzip = response.headers().get(CONTENT_ENCODING).is_some_and(stream::is_gzip);
        body::read_limited(Decoded::new(response, is_gzip), deadline).map_err(|error| match error {
            BodyError::TooLarge => Error::protocol(format!("{url}: response exceeds 1 MiB"))
                .with_hint("no OAuth endpoint sends that much: check the URL"),
            BodyError::Timeout => failure::timed_out(url, self.timeout),
            BodyError::Io(error) => failure::into_read_error(url, self.timeout, error),
        })
    }

    fn trace(&self, text: impl FnOnce() -> String) {
        if self.verbose {
            eprint_line(text());
        }
    }
}

fn sensitive(value: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| Error::failure("the credentials can't be put into an Authorization header"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn reject_redirect(url: &str, status: u16, headers: &HeaderMap) -> Result<()> {
    if !(300..400).contains(&status) {
        return Ok(());
    }
    let target = text(headers, LOCATION).unwrap_or_else(|| "missing".into());
    Err(Error::protocol(format!("{url} sent a redirect (HTTP {status}); oneup does not follow it"))
        .with_detail(format_args!("Location: {}", sanitize(&target, MAX_SNIPPET_LEN)))
        .with_hint("check --gateway, --realm, --plan and --token-url"))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Returns `Retry-After` in seconds from now.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    retry::parse_retry_after(&text(headers, RETRY_AFTER)?, clock::now())
}
