//! Which URLs a secret may be sent to.

use url::Url;

use crate::error::{Error, Result};
use crate::oauth::loopback::is_loopback;
use crate::text::sanitize;

/// Parses an endpoint, and refuses what must not carry a secret: another scheme than https (http on loopback
/// excepted), a user name or password in it, a fragment (RFC 6749 §3.1, §3.2).
///
/// # Errors
/// Usage, before anything is sent.
pub fn require_safe(url: &str) -> Result<Url> {
    let shown = || sanitize(url, 200);
    // The parser forgives a missing slash (`https:a.example`), where other readers of a URL find another host.
    let spelt_out = |parsed: &Url| {
        let scheme = url.trim_start().split_once("://").map_or("", |(scheme, _)| scheme);
        parsed.has_host() && scheme.eq_ignore_ascii_case(parsed.scheme())
    };
    let parsed = Url::parse(url).ok().filter(spelt_out).ok_or_else(|| {
        Error::usage(format!("{} is not a URL", shown())).with_hint("a URL begins with https://")
    })?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err(Error::usage(format!(
            "a URL of {} must not hold a user name or a password",
            host(&parsed)
        ))
        .with_hint("leave out what stands before the @"));
    }
    if parsed.fragment().is_some() {
        return Err(Error::usage(format!("{} must not have a fragment (#...)", shown()))
            .with_hint("leave out the # and what follows"));
    }
    match parsed.scheme() {
        "https" => Ok(parsed),
        "http" if is_loopback(&parsed) => Ok(parsed),
        "http" => Err(Error::usage(format!(
            "{} is plain http, which would show the secret to the network",
            shown()
        ))
        .with_hint("use https://; plain http is for loopback alone")),
        _ => {
            Err(Error::usage(format!("{} is not an https URL", shown()))
                .with_hint("a URL begins with https://"))
        }
    }
}

fn host(url: &Url) -> String {
    sanitize(url.host_str().unwrap_or_default(), 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_alone() {
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
}
