//! Why no answer came, told apart: DNS, refused, TLS, proxy, deadline, a broken connection.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use rustls::{CertificateError, Error as Tls};

use crate::error::Error;
use crate::text::sanitize;

/// Explains a failed request.
pub fn explain(url: &str, timeout: Duration, error: &reqwest::Error) -> Error {
    if error.is_timeout() {
        return too_slow(url, timeout);
    }
    classify(url, timeout, error)
}

/// Explains a body that broke off.
pub fn explain_read(url: &str, timeout: Duration, error: io::Error) -> Error {
    let timed_out = error.kind() == io::ErrorKind::TimedOut
        || chain(&error)
            .any(|cause| cause.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout));
    if timed_out { too_slow(url, timeout) } else { classify(url, timeout, &error) }
}

/// The deadline passed.
pub fn too_slow(url: &str, timeout: Duration) -> Error {
    Error::network(format!("{} did not answer whole within {} s", place(url), timeout.as_secs()))
        .with_hint("try again, or give it longer with --timeout SECS")
}

fn classify(url: &str, timeout: Duration, error: &(dyn StdError + 'static)) -> Error {
    let place = place(url);
    if let Some(tls) = find::<Tls>(error) {
        return explain_tls(&place, tls);
    }
    // The library's own text has the URL in it, which may have any word in it.
    let inner = chain(error)
        .filter(|cause| cause.downcast_ref::<reqwest::Error>().is_none_or(|it| it.url().is_none()));
    let text = inner.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    if text.contains("dns error") {
        return Error::network(format!("can't find the address of {place} (DNS)"))
            .with_hint("check the host name and the network");
    }
    if text.contains("proxy") || text.contains("tunnel") || text.contains("SOCKS") {
        return Error::network(format!("the proxy does not let a request through to {place}"))
            .with_detail(match find::<io::Error>(error).map(io::Error::kind) {
                _ if text.contains("authorization") => "it wants authentication (407)",
                Some(io::ErrorKind::ConnectionRefused) => "it refused the connection: nothing listens there",
                _ => "its tunnel failed",
            })
            .with_hint("check HTTPS_PROXY, ALL_PROXY and NO_PROXY");
    }
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionRefused) => Error::network(format!("{place} refused the connection"))
            .with_hint("check host and port, and that the server runs"),
        Some(io::ErrorKind::TimedOut) => too_slow(url, timeout),
        _ => Error::network(format!("the connection to {place} broke off"))
            .with_detail(sanitize(innermost(error), 200)),
    }
}

fn explain_tls(place: &str, tls: &Tls) -> Error {
    use CertificateError as Bad;
    let why = match tls {
        Tls::InvalidCertificate(Bad::Expired | Bad::ExpiredContext { .. }) => {
            "its certificate has expired".into()
        }
        Tls::InvalidCertificate(Bad::NotValidYet | Bad::NotValidYetContext { .. }) => {
            "its certificate is not valid yet; is this machine's clock right?".into()
        }
        Tls::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            "its certificate is for another host".into()
        }
        Tls::InvalidCertificate(Bad::UnknownIssuer | Bad::BadSignature) => {
            "its certificate is self-signed, or from an authority that this machine does not trust".into()
        }
        Tls::InvalidCertificate(Bad::Revoked) => "its certificate was revoked".into(),
        Tls::InvalidCertificate(other) if format!("{other:?}").contains("CaUsedAsEndEntity") => {
            "its certificate is self-signed, as an authority (CA:TRUE), which no server may be".into()
        }
        other => sanitize(&other.to_string(), 200),
    };
    let hint = match tls {
        Tls::InvalidCertificate(Bad::NotValidForName | Bad::NotValidForNameContext { .. }) => {
            "check the host's name; a certificate lists those that it is for"
        }
        _ => "behind a company's proxy, give its authority with --cacert FILE",
    };
    Error::network(format!("no secure connection (TLS) to {place}")).with_detail(why).with_hint(hint)
}

/// Scheme, host and port: a URL's path and query say nothing about a failed connection.
fn place(url: &str) -> String {
    let origin = url::Url::parse(url).map(|url| url.origin().ascii_serialization());
    sanitize(&origin.unwrap_or_default(), 200)
}

fn chain<'a>(error: &'a (dyn StdError + 'static)) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    std::iter::successors(Some(error), |&error| match error.downcast_ref::<io::Error>() {
        // An io::Error that wraps another error names that error's source as its own, and so hides the error itself.
        Some(io) => io.get_ref().map(|inner| inner as &(dyn StdError + 'static)),
        None => error.source(),
    })
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    chain(error).filter_map(|cause| cause.downcast_ref::<T>()).last()
}

fn innermost(error: &(dyn StdError + 'static)) -> &'static str {
    // Only fixed words: texts of inner errors can name proxies, and with them their credentials.
    match find::<io::Error>(error).map(io::Error::kind) {
        Some(io::ErrorKind::ConnectionReset) => "it was reset by the server",
        Some(io::ErrorKind::UnexpectedEof) => "it was closed before the answer was whole",
        Some(io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable) => {
            "the network is unreachable"
        }
        _ => "the answer never came whole",
    }
}
