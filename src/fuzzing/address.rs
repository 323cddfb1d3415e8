//! A URL that a secret may be sent to, as each part of oneup reads it.

use url::Url;

use super::{assert_presentable, assert_same_host};
use crate::curl::url as curls;
use crate::http::require_safe;
use crate::oauth::loopback::{is_loopback, is_loopback_host};

/// The text of the URL.
pub fn address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let sent = match require_safe(text) {
        Ok(url) => {
            assert!(url.scheme() == "https" || is_loopback(&url));
            assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
            assert_eq!(require_safe(url.as_str()).as_ref().ok(), Some(&url), "parsed again, it is the same");
            Some(url)
        }
        Err(error) => {
            assert_eq!(error.kind().exit().code(), 2);
            assert_presentable(&error);
            None
        }
    };
    let Ok(curls) = curls::parse(text, "https://api.plan.example/r4") else { return };
    assert!(!curls.is_http || is_loopback_host(&curls.host));
    match Url::parse(&curls.text) {
        Ok(parsed) => is_the_same_host(&parsed, &curls),
        // It decodes what DNS and curl take literally.
        Err(error) => assert!(curls.host.contains("xn--"), "{}: {error}", curls.text),
    }
    if let Some(sent) = sent {
        is_the_same_host(&sent, &curls);
    }
}

/// Two parsers that share no code agree on where it goes.
fn is_the_same_host(url: &Url, curls: &curls::Url) {
    assert_same_host(url, &curls.host);
    assert_eq!(url.scheme() == "http", curls.is_http);
    assert_eq!(is_loopback(url), curls.is_loopback());
}
