//! Requests of an export: each with a valid token where it may have one, a new token after a 401, and again after a
//! failure that passes.

use std::time::Duration;

use serde_json::Value;

use super::progress::ExportProgress;
use crate::curl::hosts::Hosts;
use crate::curl::url;
use crate::error::{Error, ErrorKind, Result};
use crate::http::{Http, Method, Request, StreamingResponse, is_transient, require_safe};
use crate::oauth::secret::Secret;
use crate::output::duration;
use crate::text::{MAX_SNIPPET_LEN, sanitize, sanitize_url};

/// How often a request is sent that fails for a passing reason.
pub(super) const MAX_ATTEMPTS: u32 = 7;

/// The pause before the second request; it doubles each time.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);

/// How many redirects of a file are followed.
const MAX_REDIRECTS: u32 = 5;

/// The largest response that is kept in memory: a manifest, an error.
const MAX_BODY_BYTES: usize = 32 * 1024 * 1024;

/// Returns a valid access token; another one than the one that a server rejected.
pub type TokenSource<'a> = dyn Fn(Option<&Secret>) -> Result<Secret> + Sync + 'a;

/// The longest pause that a server may ask for: a garbled `Retry-After` must not stop an export for days.
pub(super) const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);

/// The servers of an export.
pub struct Remote<'a> {
    /// The one HTTP client.
    pub http: &'a Http,
    /// Where tokens come from.
    pub tokens: &'a TokenSource<'a>,
    /// The hosts that may have the token.
    pub hosts: &'a Hosts,
    /// Shows why a request is repeated.
    pub progress: &'a ExportProgress<'a>,
}

impl Remote<'_> {
    /// Sends a request with the token and repeats it after passing failures. Redirects are not followed.
    ///
    /// # Errors
    /// Network, after the last attempt; authentication, when a new token is rejected too.
    pub fn send(&self, method: &Method, url: &str, headers: &[(&str, &str)]) -> Result<StreamingResponse> {
        let mut attempt = 0;
        loop {
            let result = self.authorized(method, url, headers);
            let (cause, retry_after) = match &result {
                Ok(response) if is_transient(response.status()) => {
                    (describe(response.status()), response.retry_after())
                }
                Err(error) if error.kind() == ErrorKind::Network => (error.summary(), None),
                _ => return result,
            };
            attempt += 1;
            let pause = backoff(attempt - 1, retry_after);
            if attempt == MAX_ATTEMPTS || pause > MAX_RETRY_AFTER {
                return result;
            }
            self.progress.wait(&cause, pause);
        }
    }

    /// Gets a file, `what`, once. The token goes to the first host alone; redirects are followed without it.
    ///
    /// # Errors
    /// As [`Remote::send`], without repeating anything; protocol, for URLs that are not https and redirects that lead
    /// nowhere.
    pub fn get_file(
        &self,
        what: &str,
        url: &str,
        with_token: bool,
        headers: &[(&str, &str)],
    ) -> Result<StreamingResponse> {
        require_https(url, what)?;
        let mut response = if with_token {
            self.authorized(&Method::GET, url, headers)?
        } else {
            self.http.send(Request { method: Method::GET, url, headers, bearer: None })?
        };
        let mut location = url.to_owned();
        for _ in 0..MAX_REDIRECTS {
            if !(300..400).contains(&response.status()) {
                return Ok(response);
            }
            location = referenced_url(&response, "location", &location)
                .ok_or_else(|| Error::protocol(format!("{what} was redirected to nowhere")))?;
            require_https(&location, what)?;
            response =
                self.http.send(Request { method: Method::GET, url: &location, headers, bearer: None })?;
        }
        Err(Error::protocol(format!("{what} was redirected more than {MAX_REDIRECTS} times")))
    }

    /// Returns an error unless the token may go to this URL.
    ///
    /// # Errors
    /// Protocol, with the flag that allows the host.
    pub fn require_allowed(&self, url: &str, what: &str) -> Result<()> {
        require_https(url, what)?;
        let parsed =
            url::parse(url, "").map_err(|_| Error::protocol(format!("{what} has an invalid URL")))?;
        if self.hosts.allow(&parsed) {
            return Ok(());
        }
        let host = sanitize(&parsed.host, 255);
        Err(Error::protocol(format!("{what} is at {host}, which is not one of this profile's hosts"))
            .with_detail("the access token was not sent there")
            .with_hint(format!("if {host} may have the token: --allow-host {host}")))
    }

    fn authorized(&self, method: &Method, url: &str, headers: &[(&str, &str)]) -> Result<StreamingResponse> {
        let send = |token: &Secret| {
            self.http.send(Request { method: method.clone(), url, headers, bearer: Some(token) })
        };
        let token = (self.tokens)(None)?;
        let response = send(&token)?;
        if response.status() != 401 {
            return Ok(response);
        }
        let response = send(&(self.tokens)(Some(&token))?)?;
        if response.status() != 401 {
            return Ok(response);
        }
        Err(Error::auth("the server rejected a new access token (HTTP 401)")
            .with_detail(Rejection::read(response).text())
            .with_hint(
                "oneup token inspect shows its scopes; run the same command again to continue the export",
            ))
    }
}

/// Returns an error for a URL that a server gave and that is not requested. The path of a URL can be a secret.
fn require_https(url: &str, what: &str) -> Result<()> {
    if require_safe(url).is_ok() {
        return Ok(());
    }
    let message = match ::url::Url::parse(url) {
        Ok(url) => format!("{what} is at {}://{}", url.scheme(), url.host_str().unwrap_or_default()),
        Err(_) => format!("{what} has an invalid URL"),
    };
    Err(Error::protocol(message)
        .with_detail("only https URLs are requested, without a user name and without a fragment"))
}

/// Describes a response after which the request is repeated.
pub(super) fn describe(status: u16) -> String {
    format!("The server responded with HTTP {status}")
}

/// The absolute URL in a header of a response to `url`.
pub(super) fn referenced_url(response: &StreamingResponse, header: &str, url: &str) -> Option<String> {
    let reference = response.header(header)?;
    Some(::url::Url::parse(url).ok()?.join(&reference).ok()?.into())
}

/// The pause before attempt `attempt` + 1 (from 0), or what the server asks for.
pub(super) fn backoff(attempt: u32, retry_after: Option<u64>) -> Duration {
    let exponential = FIRST_BACKOFF * 2u32.pow(attempt.min(16));
    retry_after.map_or(exponential, |seconds| Duration::from_secs(seconds).max(FIRST_BACKOFF))
}

/// Reads a body that is kept in memory.
///
/// # Errors
/// Network, when the connection breaks; protocol, when it is too large.
pub(super) fn body(response: StreamingResponse) -> Result<Vec<u8>> {
    let (mut body, mut bytes) = (response.into_body(), Vec::new());
    loop {
        // The text of the library's error names the URL, which can be a secret.
        let chunk =
            body.chunk().map_err(|_| Error::network("connection closed before the response was complete"))?;
        if chunk.is_empty() {
            return Ok(bytes);
        }
        bytes.extend_from_slice(&chunk);
        if bytes.len() > MAX_BODY_BYTES {
            return Err(Error::protocol(format!("the response exceeds {} MiB", MAX_BODY_BYTES >> 20)));
        }
    }
}

/// A response that is none of the expected ones.
pub(super) struct Rejection {
    status: u16,
    /// In seconds.
    pub(super) retry_after: Option<u64>,
    /// `Location`, without its query.
    location: Option<String>,
    outcome: Option<Value>,
}

impl Rejection {
    /// Reads the response; of its body only an OperationOutcome counts, as others can hold anything.
    pub(super) fn read(response: StreamingResponse) -> Self {
        let (status, retry_after) = (response.status(), response.retry_after());
        let location = response.header("location");
        let location = location.as_deref().and_then(|url| url.split(['?', '#']).next()).map(sanitize_url);
        let outcome = body(response).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Self { status, retry_after, location, outcome: outcome.filter(is_outcome) }
    }

    /// Whether a later request may have another response: by its status, `Retry-After`, or the code of the
    /// OperationOutcome's issue, one of those below `transient` in FHIR's IssueType. `exception` is below it too, but
    /// servers use it for jobs that failed.
    pub(super) fn is_transient(&self) -> bool {
        const TRANSIENT: [&str; 6] =
            ["transient", "lock-error", "no-store", "timeout", "incomplete", "throttled"];
        let code = self.outcome.as_ref().and_then(|outcome| outcome["issue"][0]["code"].as_str());
        is_transient(self.status)
            || self.status >= 500
                && (self.retry_after.is_some() || code.is_some_and(|code| TRANSIENT.contains(&code)))
    }

    /// What the server says about it.
    pub(super) fn text(&self) -> String {
        let text = self.outcome.as_ref().and_then(outcome_text);
        let redirect = || self.location.as_ref().map(|url| format!("it redirects to {url}"));
        text.or_else(redirect).unwrap_or_else(|| "the response holds no OperationOutcome".into())
    }

    /// The error that it is; `what` was requested.
    pub(super) fn into_error(self, what: &str) -> Error {
        let message = format!("the server rejected {what} (HTTP {})", self.status);
        let error = match self.status {
            401 => Error::auth(message),
            403 => Error::auth(message).with_hint(
                "HTTP 403 has several causes at 1up: a client outside the United States, a tenant or scope that the \
                 client does not have (oneup token inspect --allows 'GET URL'), a firewall",
            ),
            404 => Error::failure(message).with_hint("check --gateway, --tenant and --fhir-base"),
            300..=399 => Error::protocol(message).with_hint("check --gateway, --tenant and --fhir-base"),
            429 | 500.. => Error::network(message).with_hint(match self.retry_after {
                Some(seconds) => format!(
                    "the server asks to wait {} (Retry-After); then run the same command again, it continues",
                    duration(seconds)
                ),
                None => "run the same command again later; it continues".into(),
            }),
            _ => Error::failure(message),
        };
        error.with_detail(self.text())
    }
}

fn is_outcome(resource: &Value) -> bool {
    resource["resourceType"] == "OperationOutcome"
}

/// What the first issue of an OperationOutcome says (FHIR R4, OperationOutcome).
fn outcome_text(outcome: &Value) -> Option<String> {
    let issue = outcome["issue"].get(0)?;
    let text = [&issue["diagnostics"], &issue["details"]["text"], &issue["code"]];
    text.into_iter().find_map(Value::as_str).map(|text| sanitize(text, MAX_SNIPPET_LEN))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn describes_an_operation_outcome() {
        let outcome =
            json!({"resourceType": "OperationOutcome", "issue": [{"code": "x", "diagnostics": "too\nmany"}]});
        assert_eq!(outcome_text(&outcome).as_deref(), Some("too many"));
        let outcome =
            json!({"resourceType": "OperationOutcome", "issue": [{"code": "x", "details": {"text": "t"}}]});
        assert_eq!(outcome_text(&outcome).as_deref(), Some("t"));
        assert!(!is_outcome(&json!({"resourceType": "Patient"})));
        assert_eq!(outcome_text(&json!({"resourceType": "OperationOutcome"})), None);
    }

    #[test]
    fn backs_off_exponentially_unless_the_server_says_when() {
        assert_eq!(backoff(0, None), Duration::from_millis(500));
        assert_eq!(backoff(3, None), Duration::from_secs(4));
        assert_eq!(backoff(3, Some(120)), Duration::from_secs(120));
        assert_eq!(backoff(3, Some(0)), FIRST_BACKOFF);
    }
}
