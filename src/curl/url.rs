//! A URL as curl will parse it, or an error: the only host in question is the one that curl connects to.
//!
//! Parsers of URLs disagree on unusual input, so this one accepts none of it: a scheme or none, a plain host, a port,
//! and the rest. Whatever curl could parse in another way (user info, backslashes, escapes, globs or unusual numbers in
//! the host) is refused. What remains is passed on as it is, with `https://` before it where the scheme is missing.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::oauth::loopback::is_loopback_host;

/// A URL that curl and oneup parse alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// The URL with its scheme, for curl.
    pub text: String,
    /// The host in lower case, without a port; an IPv6 address without its brackets.
    pub host: String,
    /// Whether the scheme is `http`, not `https`.
    pub is_http: bool,
}

impl Url {
    /// Returns whether the host is this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback_host(&self.host)
    }
}

/// Parses an argument in URL position; a path is joined to `base`.
///
/// # Errors
/// The rule that it breaks, as the end of a sentence that begins with the URL.
pub fn parse(argument: &str, base: &str) -> Result<Url, String> {
    match argument.strip_prefix('/') {
        Some(path) => parse_url(&format!("{}/{path}", base.trim_end_matches('/'))),
        None => parse_url(argument),
    }
}

fn parse_url(text: &str) -> Result<Url, String> {
    if text.is_empty() {
        return Err("is empty".into());
    }
    if text.chars().any(|c| c.is_control() || c == ' ') {
        return Err("contains a space or a control character".into());
    }
    let (scheme, rest) = split_scheme(text)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = parse_authority(&rest[..end])?;
    let is_http = match scheme.map(str::to_ascii_lowercase).as_deref() {
        None | Some("https") => false,
        Some("http") => true,
        _ => return Err("is neither https nor http".into()),
    };
    if is_http && !is_loopback_host(&host) {
        return Err("is not https".into());
    }
    let text = if scheme.is_some() { text.to_owned() } else { format!("https://{text}") };
    Ok(Url { text, host, is_http })
}

/// Splits `SCHEME://REST`.
fn split_scheme(text: &str) -> Result<(Option<&str>, &str), String> {
    let authority_end = text.find(['/', '?', '#']).unwrap_or(text.len());
    if let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| scheme.len() < authority_end) {
        return Ok((Some(scheme), rest));
    }
    let is_http = |scheme: &str| ["http", "https"].iter().any(|name| scheme.eq_ignore_ascii_case(name));
    if text.split_once(':').is_some_and(|(scheme, port)| is_http(scheme) && !is_port(port)) {
        return Err("lacks the two slashes after its scheme".into());
    }
    Ok((None, text))
}

/// Returns the host of `HOST`, `HOST:PORT`, `[IPV6]` or `[IPV6]:PORT`, and of nothing else.
fn parse_authority(authority: &str) -> Result<String, String> {
    if authority.contains('@') {
        return Err("contains a user name or password".into());
    }
    let is_address = |c: char| c.is_ascii_hexdigit() || matches!(c, ':' | '.' | '%');
    let (host, port) = match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, after)) if address.contains(':') && address.starts_with(is_address) => {
            let address: Ipv6Addr =
                address.parse().map_err(|_| "has an invalid IPv6 address, or one with a zone")?;
            (address.to_string(), after)
        }
        _ => {
            let (host, port) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            (parse_name(host)?, port)
        }
    };
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(host),
        Some(number) if is_port(number) => Ok(host),
        _ => Err("has a port that is not a number from 1 to 65535".into()),
    }
}

/// Returns whether it is a port number, without the `+` that curl 7 accepted.
fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Returns a DNS name or a dotted IPv4 address in lower case, and no other spelling of an address.
fn parse_name(host: &str) -> Result<String, String> {
    let host = host.to_ascii_lowercase();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let reason = match host.chars().find(|c| !is_name(*c)) {
        None if host.is_empty() => "has no host",
        None if host.ends_with('.') => "has a host that ends with a dot",
        None if host.split('.').any(str::is_empty) => "has an empty label in its host",
        None if is_numeric(&host) && host.parse::<Ipv4Addr>().is_err() => {
            "has an IPv4 address that is not written as four decimal numbers"
        }
        None => return Ok(host),
        Some('{' | '}' | '[' | ']') => "has a pattern of curl ({} or []) in its host",
        Some('%') => "has a percent escape in its host",
        Some('\\') => "contains a backslash before its path",
        Some(c) if !c.is_ascii() => "has a host that is not ASCII; write it in its xn-- form",
        Some(_) => "has a character in its host that no host name has",
    };
    Err(reason.into())
}

/// Returns whether a resolver could take the name for an IPv4 address.
fn is_numeric(host: &str) -> bool {
    let last = host.rsplit('.').next().unwrap_or_default();
    last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x")
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://api.plan.example/r4";

    #[test]
    fn joins_paths_and_adds_the_scheme() {
        for (argument, text, host) in [
            ("/Patient?_count=1", "https://api.plan.example/r4/Patient?_count=1", "api.plan.example"),
            ("//evil.example/x", "https://api.plan.example/r4//evil.example/x", "api.plan.example"),
            ("/@evil.example", "https://api.plan.example/r4/@evil.example", "api.plan.example"),
            ("/$export", "https://api.plan.example/r4/$export", "api.plan.example"),
            ("api.1up.health/r4", "https://api.1up.health/r4", "api.1up.health"),
            ("API.1up.Health", "https://API.1up.Health", "api.1up.health"),
            ("HTTPS://api.1up.health:8443?x=1", "HTTPS://api.1up.health:8443?x=1", "api.1up.health"),
            ("a.example#@b.example/", "https://a.example#@b.example/", "a.example"),
            ("a.example?@b.example/", "https://a.example?@b.example/", "a.example"),
            ("a.example/?u=http://b.example", "https://a.example/?u=http://b.example", "a.example"),
            ("a.example?u=http://b.example", "https://a.example?u=http://b.example", "a.example"),
            ("a.example/{1,2}[3-4]", "https://a.example/{1,2}[3-4]", "a.example"),
            ("http://127.0.0.1:8080/r4", "http://127.0.0.1:8080/r4", "127.0.0.1"),
            ("http://[::1]:80/", "http://[::1]:80/", "::1"),
            ("https://[0:0::1]/", "https://[0:0::1]/", "::1"),
            ("localhost:8080/x", "https://localhost:8080/x", "localhost"),
            ("a.example/%2e%2e/\u{e9}", "https://a.example/%2e%2e/\u{e9}", "a.example"),
        ] {
            let url = parse(argument, BASE).expect(argument);
            assert_eq!((url.text.as_str(), url.host.as_str()), (text, host), "{argument}");
        }
    }

    #[test]
    fn refuses_urls_that_can_be_parsed_in_two_ways() {
        for argument in [
            "",
            " ",
            "https://",
            "https:///x",
            "https:/a.example",
            "https:a.example",
            "https://a.example /",
            " https://a.example",
            "https://a.example\t/",
            "https://a.example\r\nX: y",
            "/x\ny",
            "/a b",
            "https://user@a.example/",
            "https://a.example@b.example/",
            "https://a.example:x@b.example",
            "https://a.example\\@b.example/",
            "https://a.example\\.b.example/",
            "\\\\a.example\\x",
            "https://a.example./",
            "https://a..example/",
            "https://.a.example/",
            "https://a%2eexample/",
            "https://a.example%2f.b.example/",
            "https://\u{ff41}.example/",
            "https://a\u{3002}example/",
            "https://b\u{fc}cher.example/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://127.0.0.0x1/",
            "https://1.2.3.4.5/",
            "https://[::1/",
            "https://[::1%25lo]/",
            "https://[::1]x/",
            "https://[v1.a]/",
            "https://::1/",
            "https://{a,b}.example/",
            "https://a.example{/,.b.example/}",
            "{https,http}://a.example/",
            "https://[a-b].example/",
            "https://a.example:/",
            "https://a.example:0/",
            "https://a.example:+443/",
            "https://a.example:99999/",
            "https://a.example:80:80/",
            "http://a.example/",
            "HTTP://a.example/",
            "ftp://127.0.0.1/",
            "file:///etc/passwd",
            "file://localhost/etc/passwd",
            "@urls.txt",
            "https://a.example;b.example/",
            "https://a,b.example/",
            "https://$a.example/",
            "https://a'b.example/",
            "http://0.0.0.0/",
            "http://[::]/",
            "http://[::ffff:127.0.0.1]/",
            "https://https://a.example/",
            "ipfs://a",
            "https://{{HOST}}/",
            "//a.example\n",
            "?x",
            "#x",
        ] {
            let parsed = parse(argument, BASE);
            assert!(parsed.is_err(), "{argument:?}: {parsed:?}");
        }
    }

    #[test]
    fn errors_name_the_broken_rule() {
        for (argument, rule) in [
            ("http:/127.0.0.1", "slashes"),
            ("https:a.example", "slashes"),
            ("https://", "no host"),
            ("https://{a,b}.example/", "pattern"),
            ("https://[a-b].example/", "pattern"),
            ("https://b\u{fc}cher.example/", "xn--"),
            ("https://user@a.example/", "user name"),
            ("https://a.example./", "dot"),
            ("https://a%2eexample/", "percent"),
            ("https://a.example\\.b.example/", "backslash"),
            ("https://127.1/", "IPv4"),
            ("https://[::1%25lo]/", "IPv6"),
            ("https://a.example:0/", "port"),
            ("http://a.example/", "not https"),
            ("ftp://a.example/", "neither"),
        ] {
            let error = parse(argument, BASE).expect_err(argument);
            assert!(error.contains(rule), "{argument}: {error}");
        }
    }
}
