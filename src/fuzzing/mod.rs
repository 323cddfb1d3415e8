//! Invariants of every parser of untrusted bytes, whatever the bytes are: more than that it ends without a panic.
//!
//! Each function here takes bytes and asserts. cargo-fuzz looks for bytes that break one (`fuzz/`), and `cargo test`
//! replays those that were found before (`tests/corpus`).

mod address;
mod callback;
mod credentials;
mod curl;
mod discovery;
mod jwks;
mod jwt;
mod pasted;
mod profile;
mod proxy;
mod retry_after;
mod scope;
#[cfg(test)]
mod tests;
mod token_response;

pub use address::address;
pub use callback::callback;
pub use credentials::credentials;
pub use curl::curl;
pub use discovery::discovery;
pub use jwks::jwks;
pub use jwt::jwt;
pub use pasted::pasted;
pub use profile::profile;
pub use proxy::proxy;
pub use retry_after::retry_after;
pub use scope::scope;
pub use token_response::token_response;

use std::net::Ipv6Addr;

use url::Url;

use crate::error::Error;
use crate::oauth::product::{GATEWAY, REALM, realm_endpoints};
use crate::profile::Profile;

/// The present, in seconds since the epoch.
const NOW: i64 = 1_800_000_000;

/// A profile of the Dev Portal's realm.
fn dev_portal() -> Profile {
    let (gateway, realm) = (Some(GATEWAY.to_owned()), Some(REALM.to_owned()));
    Profile { gateway, realm, ..Profile::example(realm_endpoints(GATEWAY, REALM)) }
}

/// Asserts that another parser's URL has this host. Two spellings of one IPv6 address are one host.
fn assert_same_host(url: &Url, host: &str) {
    let theirs = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let as_address = |text: &str| text.parse::<Ipv6Addr>().ok();
    let same = theirs == host || (as_address(host).is_some() && as_address(theirs) == as_address(host));
    assert!(same, "{url} has the host {theirs}, not {host}");
}

/// Asserts that a text can go to a terminal as it is: nothing in it moves the cursor, changes colors or the
/// direction of what follows.
fn assert_harmless(text: &str) {
    let bad = |c: &char| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    assert_eq!(text.chars().find(bad), None, "{text:?}");
}

/// Returns the text without the report's own styles; any other escape stays.
fn without_styles(text: &str) -> String {
    ["\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m"]
        .iter()
        .fold(text.to_owned(), |text, style| text.replace(style, ""))
}

/// Asserts that an error can be shown: harmless, and no longer than a screen.
fn assert_presentable(error: &Error) {
    let text = error.to_string();
    assert_harmless(&text);
    assert!(text.len() < 8_000, "{} bytes: {text}", text.len());
    assert!(!text.starts_with('\n') && !text.contains("\n\n"), "{text:?}");
}
