//! Why there is no response, told apart: DNS, refused, TLS, proxy, timeout, broken connection, not HTTP.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use super::proxy::Proxy;
use super::tls;
use crate::error::Error;
use crate::text::sanitize;

/// What is known of an exchange when it fails.
pub struct Exchange<'a> {
    /// The URL of the request.
    pub url: &'a str,
    /// The time allowed, for messages.
    pub timeout: Duration,
    /// The proxy in use.
    pub proxy: Option<&'a Proxy>,
}

impl Exchange<'_> {
    /// Returns the error for a request that failed.
    pub fn error(&self, error: reqwest::Error) -> Error {
        if error.is_timeout() {
            return self.timed_out();
        }
        self.classify(error.without_url())
    }

    /// Returns the error for a body that could not be read to its end.
    pub fn read_error(&self, error: io::Error) -> Error {
        let is_timeout = error.kind() == io::ErrorKind::TimedOut
            || chain(&error)
                .any(|cause| cause.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout));
        if is_timeout { self.timed_out() } else { self.classify(error) }
    }

    /// Returns the error for a request whose deadline has passed.
    pub fn timed_out(&self) -> Error {
        let seconds = self.timeout.as_secs();
        let error = Error::network(format!("request to {} timed out after {seconds} s", origin(self.url)))
            .with_hint("try again, with a longer --timeout SECS if the network is slow");
        match self.proxy {
            Some(proxy) => {
                error.with_detail(format!("through the proxy {} ({})", proxy.display(), proxy.variable()))
            }
            None => error,
        }
    }

    fn classify(&self, error: impl StdError + 'static) -> Error {
        let origin = origin(self.url);
        let text = chain(&error).map(ToString::to_string).collect::<Vec<_>>().join(": ");
        if let Some(proxy) = self.proxy
            && (text.contains("tunnel error") || text.contains("SOCKS"))
        {
            return proxy.error(&origin, &text, self.timeout);
        }
        if let Some(tls) = find::<rustls::Error>(&error) {
            return tls::into_error(&origin, tls);
        }
        if text.contains("dns error") {
            return Error::network(format!("could not resolve the host name of {origin} (DNS)"))
                .with_hint("check the host name and the network connection");
        }
        if text.contains("invalid HTTP version") || text.contains("invalid HTTP status") {
            return Error::network(format!("{origin} did not send an HTTP response"))
                .with_hint("check host and port of the URL; another service may listen there");
        }
        let kind = find::<io::Error>(&error).map(io::Error::kind);
        match kind {
            Some(io::ErrorKind::ConnectionRefused) => {
                Error::network(format!("{origin} refused the connection"))
                    .with_hint("check host and port of the URL, and that the server is running")
            }
            Some(io::ErrorKind::TimedOut) => self.timed_out(),
            Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
                Error::network(format!("{origin} is unreachable")).with_hint("check the network connection")
            }
            Some(io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) => {
                Error::network(format!("{origin} sent a response that can't be decoded"))
                    .with_hint("try again; a proxy on the way may have damaged it")
            }
            _ => Error::network(format!("connection to {origin} closed before the response was complete"))
                .with_detail(describe_closed(kind))
                .with_hint(
                    "try again; if it happens each time, a proxy or firewall may be closing the connection",
                ),
        }
    }
}

/// Returns fixed words only: the texts of inner errors can contain a proxy's password.
fn describe_closed(kind: Option<io::ErrorKind>) -> &'static str {
    match kind {
        Some(io::ErrorKind::ConnectionReset) => "connection reset by peer",
        Some(io::ErrorKind::UnexpectedEof) => "unexpected end of file",
        Some(io::ErrorKind::BrokenPipe) => "broken pipe",
        _ => "invalid or incomplete response",
    }
}

/// Scheme, host and port: path and query don't matter for a failed connection, and may be secret.
pub fn origin(url: &str) -> String {
    let origin = url::Url::parse(url).map(|url| url.origin().ascii_serialization());
    sanitize(&origin.unwrap_or_default(), 200)
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        // The source of an io::Error that wraps another error is that error's source, which skips the error itself.
        Some(io) => io.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
        None => error.source(),
    })
}

/// Returns the innermost error of this type.
fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    chain(error).filter_map(|cause| cause.downcast_ref::<T>()).last()
}
