//! Which URLs a secret may be sent to.

use url::Url;

use super::loopback::is_loopback;
use crate::error::{Error, Result};
use crate::text::{sanitize, sanitize_url};

/// Parses the URL of an endpoint. Rejects what must not carry a secret: a scheme other than https (or http on
/// loopback), a user name or password, a fragment (RFC 6749 §3.1, §3.2).
///
/// # Errors
/// Usage, before anything is sent.
pub fn require_safe(url: &str) -> Result<Url> {
    // The parser accepts a missing slash (`https:a.example`), which other parsers read as another host.
    let is_absolute = |parsed: &Url| {
        let scheme = url.trim_start().split_once("://").map_or("", |(scheme, _)| scheme);
        parsed.has_host() && scheme.eq_ignore_ascii_case(parsed.scheme())
    };
    let parsed = Url::parse(url).ok().filter(is_absolute).ok_or_else(|| {
        Error::usage(format!("{} is not a URL", sanitize_url(url))).with_hint("a URL begins with https://")
    })?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        let host = sanitize(parsed.host_str().unwrap_or_default(), 200);
        return Err(Error::usage(format!("the URL of {host} must not contain a user name or password"))
            .with_hint("remove everything between :// and @"));
    }
    if parsed.fragment().is_some() {
        return Err(Error::usage(format!("{} must not have a fragment (#...)", sanitize_url(url)))
            .with_hint("remove the # and everything after it"));
    }
    match parsed.scheme() {
        "https" => Ok(parsed),
        "http" if is_loopback(&parsed) => Ok(parsed),
        "http" => Err(Error::usage(format!(
            "{} is plain http, which would send the secret unencrypted",
            sanitize_url(url)
        ))
        .with_hint("use https://; plain http is allowed on loopback only")),
        _ => Err(Error::usage(format!("{} is not an https URL", sanitize_url(url)))
            .with_hint("a URL begins with https://")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allows_https_and_http_on_loopback() {
        for url in [
            "https://a.example/t",
            "http://127.0.0.1:1/t",
            "http://127.9.9.9/",
            "http://[::1]:9/",
            "http://localhost/",
        ] {
            assert!(require_safe(url).is_ok(), "{url}");
        }
        for url in [
            "http://a.example/t",
            "http://localhost.a.example/",
            "http://10.0.0.1/",
            "http://localhost./",
            "http://[::ffff:127.0.0.1]/",
            "ftp://a.example/",
            "a.example/t",
            "https://",
            "https:a.example/t",
            "https:/a.example/t",
            "https:\\\\a.example\\t",
            "https:42//x://a.example/t",
            "https://user:pw@a.example/",
            "https://user@a.example/",
            "https://a.example/t#f",
            "data:text/plain,x",
            "",
        ] {
            assert_eq!(require_safe(url).expect_err(url).kind().exit().code(), 2);
        }
    }

    #[test]
    fn messages_mask_passwords() {
        for url in ["ftp://user:pw@a.example/", "http://user:p#pw@a.example/", "user:pw@a.example"] {
            let error = require_safe(url).expect_err(url).to_string();
            assert!(!error.contains("pw"), "{error}");
        }
    }
}
