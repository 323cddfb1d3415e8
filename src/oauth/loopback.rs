//! Which hosts are this machine: where plain http is allowed, no proxy is used, and a redirect can be listened for.
//!
//! One strict definition. What some resolvers or kernels also take for loopback (`localhost.`, names below it, IPv4-mapped
//! addresses, `0.0.0.0`) is not: others connect to another machine.

use std::net::IpAddr;

use url::Url;

/// Returns whether a host, as written in a URL, is this machine: `localhost`, 127.0.0.0/8 or `::1` (RFC 8252 §7.3, §8.3).
pub fn is_loopback_host(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    match bare.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    }
}

/// Returns the same for a URL's host.
pub fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(is_loopback_host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_this_machine_and_nothing_like_it() {
        for host in ["localhost", "LocalHost", "127.0.0.1", "127.9.9.9", "[::1]", "::1", "0:0:0:0:0:0:0:1"] {
            assert!(is_loopback_host(host), "{host}");
        }
        for host in [
            "",
            "localhost.",
            "localhost..",
            "[localhost]",
            "a.localhost",
            "localhost.example",
            "127.0.0.1.example",
            "127.0.0.1.",
            "127.1",
            "2130706433",
            "0.0.0.0",
            "10.0.0.1",
            "128.0.0.1",
            "::",
            "::2",
            "::ffff:127.0.0.1",
            "[::ffff:7f00:1]",
            "::127.0.0.1",
            "fe80::1",
            "[::1",
        ] {
            assert!(!is_loopback_host(host), "{host}");
        }
    }

    #[test]
    fn a_url_is_asked_for_its_host_as_it_is_dialled() {
        for (url, loopback) in [
            ("http://localhost:8484/callback", true),
            ("http://LOCALHOST/", true),
            // The parser makes one address of every spelling, to which the connection is made.
            ("http://127.1/", true),
            ("http://0x7f000001/", true),
            ("http://[0:0::1]:80/", true),
            ("http://localhost./", false),
            ("http://[::ffff:127.0.0.1]/", false),
            ("http://localhost@a.example/", false),
            ("http://a.example/localhost", false),
            ("data:localhost", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).expect(url)), loopback, "{url}");
        }
    }
}
