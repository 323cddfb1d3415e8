//! The only outbound socket: form posts and JSON gets, under one deadline, with bounded retries, a size limit, and
//! never a redirect.

mod address;
mod failure;
pub(crate) mod retry;
mod trace;

use std::io::Read;
use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::blocking::{Client, RequestBuilder, Response};
use reqwest::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER,
};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use zeroize::Zeroizing;

pub use address::require_safe;

use crate::context::{Context, eprint_line};
use crate::error::{Error, Result};
use crate::oauth::grant::Form;
use crate::oauth::loopback::is_loopback;
use crate::system::clock;
use crate::text::{MAX_SNIPPET_LEN, sanitize};

/// The longest body that is read; a token answer has a few kilobytes.
const MAX_BODY: usize = 1024 * 1024;

/// Whether a request may be sent again when the server was busy or the connection broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    /// Client credentials and reads: sending twice changes nothing.
    Transient,
    /// A code or a refresh token: a second sending could burn it.
    Never,
}

/// What a server answered, whatever the status; redirects and busy servers are errors before this.
#[derive(Debug)]
pub struct HttpResponse {
    /// The HTTP status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// The server's clock, in seconds since the epoch.
    pub date: Option<i64>,
    /// At most 1 MiB. Secrets that were sent are masked where an error answer repeats them.
    pub body: Vec<u8>,
}

impl HttpResponse {
    /// A short, harmless piece of the body, with its content type, for messages.
    pub fn snippet(&self) -> String {
        let kind = self.content_type.as_deref().unwrap_or("no content type");
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(4096)]);
        format!("HTTP {}, {}: {}", self.status, sanitize(kind, 80), sanitize(&text, MAX_SNIPPET_LEN))
    }
}

/// The HTTP client of a command.
pub struct Http {
    timeout: Duration,
    cacert: Vec<reqwest::Certificate>,
    verbose: bool,
}

impl Http {
    /// Reads the CA bundle; connects nowhere yet.
    ///
    /// # Errors
    /// Usage, when `--cacert` can't be read or holds no certificate.
    pub fn new(context: &Context) -> Result<Self> {
        let cacert = context.cacert.as_deref().map_or(Ok(Vec::new()), read_bundle)?;
        Ok(Self { timeout: context.timeout, cacert, verbose: context.verbose })
    }

    /// Posts a form.
    ///
    /// # Errors
    /// Usage for plain http outside loopback; network; protocol for a redirect or a body over the limit.
    pub fn post_form(&self, url: &str, form: &Form, retry: Retry) -> Result<HttpResponse> {
        let client = self.client(url)?;
        // It goes through the library without a copy, and is wiped when the last of it is sent.
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
        form: Option<&Form>,
        retry: Retry,
    ) -> Result<HttpResponse> {
        let deadline = Instant::now() + self.timeout;
        let mut attempt = 0;
        loop {
            let outcome = self.once(url, request(&client)?, form, deadline);
            let Some(wait) = retry::wait(&outcome, retry, attempt, deadline) else {
                if outcome.is_err() {
                    // To drop it waits for its thread, which a server that floods can keep busy past the deadline.
                    let _ = std::thread::Builder::new().spawn(move || drop(client));
                }
                return outcome.and_then(|(answer, headers)| retry::settled(url, answer, &headers));
            };
            self.trace(|| format!("* trying again in {:.1} s", wait.as_secs_f32()));
            std::thread::sleep(wait);
            attempt += 1;
        }
    }

    fn once(
        &self,
        url: &str,
        request: RequestBuilder,
        form: Option<&Form>,
        deadline: Instant,
    ) -> Result<(HttpResponse, HeaderMap)> {
        let left = deadline.saturating_duration_since(Instant::now());
        let (client, request) = request
            .header(ACCEPT, "application/json")
            .timeout(left.max(Duration::from_millis(1)))
            .build_split();
        let request = request.map_err(|error| failure::explain(url, self.timeout, &error))?;
        let response =
            client.execute(request).map_err(|error| failure::explain(url, self.timeout, &error))?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        refuse_redirect(url, status, &headers)?;
        let body = read_body(url, response, self.timeout, deadline)?;
        let mut answer = HttpResponse {
            status,
            content_type: text(&headers, CONTENT_TYPE),
            date: text(&headers, DATE).and_then(|date| retry::http_date(&date)),
            body,
        };
        if let Some(form) = form {
            trace::mask_sent(&mut answer, form);
        }
        self.trace(|| trace::answer(&answer, form.is_some()));
        Ok((answer, headers))
    }

    /// A client for one URL. Loopback never goes through a proxy, and plain http needs no trust store, which takes
    /// longer to load than a local server takes to answer.
    fn client(&self, url: &str) -> Result<Client> {
        let parsed = require_safe(url)?;
        let mut builder = Client::builder()
            .user_agent(concat!("oneup/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            // A connection that the server is about to close is no place for the next try.
            .pool_max_idle_per_host(0)
            .retry(reqwest::retry::never());
        if is_loopback(&parsed) {
            builder = builder.no_proxy();
        }
        builder = if parsed.scheme() == "http" {
            builder.tls_certs_only([])
        } else {
            builder.tls_certs_merge(self.cacert.iter().cloned())
        };
        builder.build().map_err(|error| failure::explain(url, self.timeout, &error))
    }

    fn trace(&self, text: impl FnOnce() -> String) {
        if self.verbose {
            eprint_line(text());
        }
    }
}

fn read_bundle(path: &std::path::Path) -> Result<Vec<reqwest::Certificate>> {
    let unusable = |cause: String| {
        Error::usage(format!("can't use the CA bundle {}", path.display()))
            .with_detail(cause)
            .with_hint("--cacert takes a PEM file with one or more certificates")
    };
    let pem = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    let mut usable = Vec::new();
    for der in CertificateDer::pem_slice_iter(&pem) {
        let der = der.map_err(|_| unusable("it is not valid PEM".into()))?;
        // One that TLS can't use would fail each connection, with nothing to say for it.
        if RootCertStore::empty().add(der.clone()).is_ok() {
            usable.extend(reqwest::Certificate::from_der(&der));
        }
    }
    if usable.is_empty() {
        return Err(unusable("it holds no certificate".into()));
    }
    Ok(usable)
}

fn sensitive(value: &str) -> Result<reqwest::header::HeaderValue> {
    let mut value = reqwest::header::HeaderValue::from_str(value)
        .map_err(|_| Error::failure("the client can't be put into an Authorization header"))?;
    value.set_sensitive(true);
    Ok(value)
}

fn refuse_redirect(url: &str, status: u16, headers: &HeaderMap) -> Result<()> {
    if !(300..400).contains(&status) {
        return Ok(());
    }
    let target = text(headers, LOCATION).unwrap_or_else(|| "nowhere".into());
    Err(Error::protocol(format!(
        "{url} answered with a redirect (HTTP {status}), which a token request never follows"
    ))
    .with_detail(format_args!("it points to {}", sanitize(&target, MAX_SNIPPET_LEN)))
    .with_hint("check --gateway, --plan and --token-url"))
}

fn read_body(url: &str, mut response: Response, timeout: Duration, deadline: Instant) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        let count = response.read(&mut chunk).map_err(|error| failure::explain_read(url, timeout, error))?;
        body.extend_from_slice(&chunk[..count]);
        if count == 0 {
            return Ok(body);
        }
        if body.len() > MAX_BODY {
            return Err(Error::protocol(format!("{url} answered with more than 1 MiB"))
                .with_hint("no endpoint of OAuth does: check the address"));
        }
        if Instant::now() > deadline {
            return Err(failure::too_slow(url, timeout));
        }
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// `Retry-After` in seconds from now, of delta-seconds or a date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    retry::seconds(&text(headers, RETRY_AFTER)?, clock::now())
}
