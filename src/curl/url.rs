//! A URL as curl will see it, or a refusal: the only host in question is the one that curl connects to.
//!
//! Parsers of URLs disagree at the edges, so this one has none: a scheme or none, a plain host, a port, and the
//! rest. Whatever curl might read in another way (user info, backslashes, escapes, globs or odd numbers in the
//! host) is refused, and what remains is rewritten with its scheme and a `/` after the host.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::oauth::loopback::is_loopback_host;

/// A URL that curl and oneup read alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// What is given to curl.
    pub text: String,
    /// Lower case, without a port; an IPv6 address without its brackets.
    pub host: String,
    /// `http`, not `https`.
    pub plain: bool,
}

impl Url {
    /// Whether it stays on this machine.
    pub fn is_loopback(&self) -> bool {
        is_loopback_host(&self.host)
    }
}

/// Reads an argument in URL position; a path is joined to `base`.
///
/// # Errors
/// What is wrong with it, as the end of a sentence that begins with the URL.
pub fn read(argument: &str, base: &str) -> Result<Url, String> {
    if let Some(path) = argument.strip_prefix('/') {
        return parse(&format!("{}/{path}", base.trim_end_matches('/')));
    }
    parse(argument)
}

fn parse(text: &str) -> Result<Url, String> {
    if text.is_empty() {
        return Err("is empty".into());
    }
    if text.chars().any(|c| c.is_control() || c == ' ') {
        return Err("has a space or a control character in it".into());
    }
    let (plain, rest) = scheme(text)?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    let host = host(authority)?;
    if plain && !is_loopback_host(&host) {
        return Err("is not https".into());
    }
    let scheme = if plain { "http" } else { "https" };
    let slash = if tail.starts_with('/') { "" } else { "/" };
    Ok(Url { text: format!("{scheme}://{}{slash}{tail}", authority.to_ascii_lowercase()), host, plain })
}

/// Whether it is plain http, and what follows the scheme; none means https.
fn scheme(text: &str) -> Result<(bool, &str), String> {
    let authority_end = text.find(['/', '?', '#']).unwrap_or(text.len());
    match text.split_once("://") {
        Some((scheme, rest)) if scheme.len() < authority_end => match scheme.to_ascii_lowercase().as_str() {
            "https" => Ok((false, rest)),
            "http" => Ok((true, rest)),
            _ => Err("is neither https nor http".into()),
        },
        _ => Ok((false, text)),
    }
}

/// The host of `HOST`, `HOST:PORT`, `[IPV6]` or `[IPV6]:PORT`, and of nothing else.
fn host(authority: &str) -> Result<String, String> {
    if authority.contains('@') {
        return Err("has a user name in it".into());
    }
    let odd = || String::from("has a host that can be read in more than one way");
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (address, after) = rest.split_once(']').ok_or_else(odd)?;
            let address: Ipv6Addr = address.parse().map_err(|_| odd())?;
            (address.to_string(), after)
        }
        None => {
            let colon = authority.find(':').unwrap_or(authority.len());
            let (host, port) = authority.split_at(colon);
            (name(host).ok_or_else(odd)?, port)
        }
    };
    match port.strip_prefix(':') {
        None if port.is_empty() => Ok(host),
        Some(number) if is_port(number) => Ok(host),
        _ => Err("has a port that is no number from 1 to 65535".into()),
    }
}

/// A port number; curl 7 took `+80` and the like.
fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

/// A DNS name or a dotted IPv4 address in lower case, and no other spelling of an address: no trailing dot, no
/// octal, hexadecimal or short form, no percent escapes, nothing beyond ASCII.
fn name(host: &str) -> Option<String> {
    let host = host.to_ascii_lowercase();
    let label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    if !host.split('.').all(label) {
        return None;
    }
    let last = host.rsplit('.').next().unwrap_or_default();
    let numeric = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    (!numeric || host.parse::<Ipv4Addr>().is_ok()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://api.plan.example/r4";

    #[test]
    fn a_path_is_joined_and_a_scheme_added() {
        for (argument, text, host) in [
            ("/Patient?_count=1", "https://api.plan.example/r4/Patient?_count=1", "api.plan.example"),
            ("//evil.example/x", "https://api.plan.example/r4//evil.example/x", "api.plan.example"),
            ("/@evil.example", "https://api.plan.example/r4/@evil.example", "api.plan.example"),
            ("/$export", "https://api.plan.example/r4/$export", "api.plan.example"),
            ("api.1up.health/r4", "https://api.1up.health/r4", "api.1up.health"),
            ("API.1up.Health", "https://api.1up.health/", "api.1up.health"),
            ("HTTPS://api.1up.health:8443?x=1", "https://api.1up.health:8443/?x=1", "api.1up.health"),
            ("a.example#@b.example/", "https://a.example/#@b.example/", "a.example"),
            ("a.example?@b.example/", "https://a.example/?@b.example/", "a.example"),
            ("a.example/?u=http://b.example", "https://a.example/?u=http://b.example", "a.example"),
            ("a.example?u=http://b.example", "https://a.example/?u=http://b.example", "a.example"),
            ("a.example/{1,2}[3-4]", "https://a.example/{1,2}[3-4]", "a.example"),
            ("http://127.0.0.1:8080/r4", "http://127.0.0.1:8080/r4", "127.0.0.1"),
            ("http://[::1]:80/", "http://[::1]:80/", "::1"),
            ("https://[0:0::1]/", "https://[0:0::1]/", "::1"),
            ("localhost:8080/x", "https://localhost:8080/x", "localhost"),
            ("a.example/%2e%2e/\u{e9}", "https://a.example/%2e%2e/\u{e9}", "a.example"),
        ] {
            let url = read(argument, BASE).expect(argument);
            assert_eq!((url.text.as_str(), url.host.as_str()), (text, host), "{argument}");
        }
    }

    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
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
            assert!(read(argument, BASE).is_err(), "{argument:?} was taken for {:?}", read(argument, BASE));
        }
    }
}
