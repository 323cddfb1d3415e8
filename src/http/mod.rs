//! The HTTP client: form posts and JSON gets with one deadline, bounded retries and a size limit; streaming requests
//! for exports. Redirects are never followed.

mod async_client;
mod body;
mod client;
mod exchange;
mod failure;
pub mod proxy;
pub mod redact;
pub(crate) mod retry;
mod stream;
mod tls;
mod trace;

use std::io::ErrorKind;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use reqwest::blocking::RequestBuilder;
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue,
    LOCATION, RETRY_AFTER,
};
use zeroize::Zeroizing;

pub use async_client::AsyncClient;
pub use reqwest::Method;
pub use retry::is_transient;
pub use stream::{Request, StreamingResponse, is_gzip};
pub use trace::bare_path;

use crate::context::{Context, eprint_line};
use crate::error::{Error, Result};
pub use crate::oauth::endpoint_url::require_safe;
use crate::oauth::grant::TokenRequest;
use crate::oauth::secret::Secret;
use crate::system::clock;
use crate::system::deadline::Deadline;
use crate::text::{MAX_SNIPPET_LEN, sanitize};
use client::Route;
use failure::Exchange;
use redact::Redactor;
use stream::{StreamClient, header_name};

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
    /// At most 1 MiB, as it was sent: nothing of it may be printed that [`HttpResponse::redactor`] has not seen.
    pub body: Vec<u8>,
    /// Masks the secrets of the request, which some servers repeat.
    pub redactor: Redactor,
}

impl HttpResponse {
    /// Describes the response for messages: status, content type, and the OAuth error or the beginning of an error's
    /// body, redacted and sanitized. Nothing is shown of a success or of what may hold a token.
    pub fn snippet(&self) -> String {
        let kind = self.redacted(self.content_type.as_deref().unwrap_or("no content type"), 80);
        let head = format!("HTTP {}, {kind}", self.status);
        let is_success = (200..=299).contains(&self.status);
        match self.oauth_error() {
            _ if self.body.is_empty() => head,
            Some(error) if !is_success => format!("{head}: {}", self.redacted(&error, MAX_SNIPPET_LEN)),
            None if !is_success && !self.may_hold_token() => {
                // Redacted before it is cut.
                let text = String::from_utf8_lossy(&self.body[..self.body.len().min(MAX_SNIPPET_BYTES)]);
                format!("{head}: {}", self.redacted(&text, MAX_SNIPPET_LEN))
            }
            _ => format!("{head}, {} bytes", self.body.len()),
        }
    }

    /// `error` and `error_description` (RFC 6749 §5.2).
    fn oauth_error(&self) -> Option<String> {
        let members: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&self.body).ok()?;
        let error = members.get("error")?.as_str().filter(|error| !error.is_empty())?;
        let description = members.get("error_description").and_then(serde_json::Value::as_str);
        Some(description.map_or_else(|| error.to_owned(), |text| format!("{error}: {text}")))
    }

    /// Returns text of this response for messages: redacted, sanitized, and cut at `max_len` characters.
    pub fn redacted(&self, text: &str, max_len: usize) -> String {
        sanitize(&self.redactor.redact(text), max_len)
    }

    /// Whatever the content type is: a token response that is not valid may still be one.
    fn may_hold_token(&self) -> bool {
        let text = String::from_utf8_lossy(&self.body);
        ["_token", "-token", "\"token", "eyJ"].iter().any(|sign| text.contains(sign))
    }
}

/// How much of a body a snippet is made from, in bytes.
const MAX_SNIPPET_BYTES: usize = 4096;

/// The HTTP client of a command. Any number of threads can share it.
pub struct Http {
    timeout: Duration,
    /// When form posts and gets end, if not `timeout` after they begin.
    deadline: Option<Deadline>,
    cacert: Vec<reqwest::Certificate>,
    verbose: bool,
    /// Clients of [`Http::send`]; those that nothing else refers to are free.
    clients: Mutex<Vec<Arc<StreamClient>>>,
}

impl Http {
    /// Reads the CA bundle; opens no connection.
    ///
    /// # Errors
    /// Usage, when `--cacert` can't be read or holds no certificate.
    pub fn new(context: &Context) -> Result<Self> {
        Ok(Self {
            timeout: context.timeout,
            deadline: None,
            cacert: context.cacert.as_deref().map_or(Ok(Vec::new()), client::read_bundle)?,
            verbose: context.verbose,
            clients: Mutex::default(),
        })
    }

    /// Makes everything but [`Http::send`] end at `deadline`, retries included, instead of `--timeout` after it begins.
    #[must_use]
    pub fn until(self, deadline: Deadline) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Posts a form, which is made for each attempt: an assertion in it is valid once.
    ///
    /// # Errors
    /// Usage for plain http outside loopback; network; protocol for a redirect or a body over the limit; those of `form`.
    pub fn post_form(
        &self,
        url: &str,
        form: impl Fn() -> Result<TokenRequest>,
        retry: Retry,
    ) -> Result<HttpResponse> {
        let request = |client: &reqwest::blocking::Client| {
            let form = form()?;
            self.trace(|| trace::request("POST", url, Some(&form)));
            // The library sends this buffer without copying it; it is wiped when the last request is done.
            let body = Bytes::from_owner(Zeroizing::new(form.body.expose().as_bytes().to_vec()));
            let mut request =
                client.post(url).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body);
            if let Some(header) = &form.authorization {
                request = request.header(AUTHORIZATION, sensitive(header.expose())?);
            }
            Ok((request, Redactor::for_form(&form)))
        };
        self.exchange(url, request, retry)
    }

    /// Gets a public document, such as a realm's keys.
    ///
    /// # Errors
    /// As [`Http::post_form`].
    pub fn get(&self, url: &str) -> Result<HttpResponse> {
        self.trace(|| trace::request("GET", url, None));
        self.exchange(url, |client| Ok((client.get(url), Redactor::default())), Retry::Transient)
    }

    fn exchange(
        &self,
        url: &str,
        request: impl Fn(&reqwest::blocking::Client) -> Result<(RequestBuilder, Redactor)>,
        retry: Retry,
    ) -> Result<HttpResponse> {
        let route = self.route(url)?;
        let deadline = self.deadline.unwrap_or_else(|| Deadline::after(self.timeout));
        let mut attempt = 0;
        loop {
            let (builder, redactor) = request(&route.client)?;
            let result = self.send_once(url, &route, builder, &redactor, deadline);
            let Some(backoff) = retry::backoff(&result, retry, attempt, deadline) else {
                if result.is_err() {
                    // Drop waits for the client's thread, which a server that floods it can keep busy past the
                    // deadline.
                    let _ = std::thread::Builder::new().spawn(move || drop(route));
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
        route: &Route,
        request: RequestBuilder,
        redactor: &Redactor,
        deadline: Deadline,
    ) -> Result<(HttpResponse, HeaderMap)> {
        let exchange = self.exchange_of(url, route);
        let response = request
            .header(ACCEPT, "application/json")
            .timeout(deadline.remaining().max(Duration::from_millis(1)))
            .send()
            .map_err(|error| exchange.error(error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        reject_redirect(url, status, &headers, redactor)?;
        let is_gzip = headers.get(CONTENT_ENCODING).is_some_and(is_gzip);
        let body = body::read_limited(body::decode(response, is_gzip), deadline).map_err(|error| {
            if error.kind() == ErrorKind::FileTooLarge {
                return Error::protocol(format!("{url}: response exceeds 1 MiB"))
                    .with_hint("no OAuth endpoint or Vault sends that much: check the URL");
            }
            exchange.read_error(error)
        })?;
        let response = HttpResponse {
            status,
            content_type: text(&headers, CONTENT_TYPE),
            date: text(&headers, DATE).and_then(|date| retry::parse_http_date(&date)),
            body,
            redactor: redactor.clone(),
        };
        self.trace(|| trace::response(&response));
        Ok((response, headers))
    }

    fn exchange_of<'a>(&self, url: &'a str, route: &'a Route) -> Exchange<'a> {
        Exchange { url, timeout: self.timeout, proxy: route.proxy.as_ref() }
    }

    fn trace(&self, text: impl FnOnce() -> String) {
        if self.verbose {
            eprint_line(text());
        }
    }
}

/// Returns the value of an `Authorization` header with this token (RFC 6750 §2.1).
///
/// # Errors
/// Failure: a token with characters that a header can't contain.
pub fn bearer(token: &Secret) -> Result<HeaderValue> {
    sensitive(&format!("Bearer {}", token.expose()))
}

fn sensitive(value: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(value)
        .map_err(|_| Error::failure("the credentials can't be put into an Authorization header"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn reject_redirect(url: &str, status: u16, headers: &HeaderMap, redactor: &Redactor) -> Result<()> {
    if !(300..400).contains(&status) {
        return Ok(());
    }
    let target = text(headers, LOCATION).unwrap_or_else(|| "missing".into());
    Err(Error::protocol(format!("{url} sent a redirect (HTTP {status}); oneup does not follow it"))
        .with_detail(format_args!("Location: {}", sanitize(&redactor.redact(&target), MAX_SNIPPET_LEN)))
        .with_hint("check --gateway, --realm, --plan and --token-url"))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Returns `Retry-After` in seconds from now.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    retry::parse_retry_after(&text(headers, RETRY_AFTER)?, clock::now())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snippet(status: u16, body: &str) -> String {
        let content_type = Some("text/html\u{1b}".to_owned());
        HttpResponse { status, content_type, date: None, body: body.into(), redactor: Redactor::default() }
            .snippet()
    }

    #[test]
    fn snippet_shows_errors_and_nothing_of_a_success_or_a_token() {
        assert_eq!(snippet(403, "<b>\u{1b}[31m no"), "HTTP 403, text/html\\u{1b}: <b>\\u{1b}[31m no");
        assert_eq!(snippet(204, ""), "HTTP 204, text/html\\u{1b}");
        for (status, body) in [
            (200, "<p>hello"),
            (202, "{\"error\":\"hello\"}"),
            (400, "{\"access_token\":\"hello\"}"),
            (500, "hello eyJhbGciOi"),
        ] {
            assert_eq!(
                snippet(status, body),
                format!("HTTP {status}, text/html\\u{{1b}}, {} bytes", body.len())
            );
        }
        assert_eq!(
            snippet(400, r#"{"error":"unsupported_token_type","error_description":"x","access_token":"t"}"#),
            "HTTP 400, text/html\\u{1b}: unsupported_token_type: x"
        );
    }
}
