//! Describes why a server rejected an assertion (`private_key_jwt`), and what to do next.
//!
//! Every reason has the same error code (`invalid_client`), so the words of the description decide: those of Keycloak, and
//! what other servers have in common with them.

use crate::error::Error;
use crate::http::HttpResponse;
use crate::oauth::client_key::KeyAlgorithm;
use crate::oauth::grant::AssertionSigner;
use crate::oauth::token_response::TokenError;
use crate::profile::Profile;
use crate::text::{MAX_SNIPPET_LEN, sanitize};

/// The longest untrusted name in a message, in characters.
const MAX_NAME_LEN: usize = 100;

/// A difference between the clocks that is worth mentioning, in seconds.
const MIN_SKEW: u64 = 5;

/// Why an assertion is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Audience,
    Reused,
    Time,
    Algorithm,
    UnknownKey,
    Signature,
    Client,
}

/// Describes an error response to an assertion; `None` if the error is about something else. `now` is the time here.
pub fn into_error(
    profile: &Profile,
    signer: &AssertionSigner,
    error: &TokenError,
    response: &HttpResponse,
    now: i64,
) -> Option<Error> {
    let TokenError::Denied { status, error, description } = error else { return None };
    if !["invalid_client", "unauthorized_client", "invalid_request"].contains(&error.as_str()) {
        return None;
    }
    let description = description.as_deref().unwrap_or_default();
    let reason = reason(description).or((error != "invalid_request").then_some(Reason::Client))?;
    let (message, hint) = describe(reason, profile, signer);
    let colon = if description.is_empty() { "" } else { ": " };
    let mut detail = format!(
        "endpoint: {}\nserver: {}{colon}{} (HTTP {status})",
        profile.origin(),
        response.redacted(error, MAX_NAME_LEN),
        response.redacted(description, MAX_SNIPPET_LEN)
    );
    if let Some(date) = response.date.filter(|_| reason == Reason::Time) {
        detail = format!("{}\n{detail}", describe_skew(now, date));
    }
    Some(Error::auth(message).with_detail(detail).with_hint(hint))
}

fn reason(description: &str) -> Option<Reason> {
    let text = description.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    // The first match counts: a signature algorithm is no signature, and a key that signs no unknown key.
    [
        (Reason::Audience, &["audience", "aud ", "\"aud\"", "`aud`"][..]),
        (Reason::Reused, &["reuse", "replay", "already used", "jti"]),
        (
            Reason::Time,
            &[
                "not active",
                "expired",
                "expir",
                "in the future",
                "in the past",
                "not yet valid",
                "iat",
                "nbf",
            ],
        ),
        (Reason::Algorithm, &["algorithm"]),
        (Reason::Signature, &["signature"]),
        (Reason::UnknownKey, &["public key", "kid", "jwk", "key not found", "unknown key", "no key"]),
        (Reason::Client, &["client"]),
    ]
    .into_iter()
    .find_map(|(reason, words)| has(words).then_some(reason))
}

fn describe(reason: Reason, profile: &Profile, signer: &AssertionSigner) -> (String, String) {
    let client = sanitize(&profile.client_id, MAX_NAME_LEN);
    let kid = sanitize(signer.key.kid(), MAX_NAME_LEN);
    let algorithm = signer.key.algorithm();
    let flag = if profile.name == profile.product.name() && profile.name == "provider" {
        String::new()
    } else {
        format!(" --profile {}", profile.name)
    };
    let register = format!("register the public key at the server: oneup key jwks{flag}");
    match reason {
        Reason::Audience => (
            format!("the server expects assertions for another audience than {}", signer.audience),
            "pass the token endpoint exactly as the server calls it: --token-url URL".into(),
        ),
        Reason::Reused => (
            "the server has already accepted an assertion with this jti, or takes it for one".into(),
            "try again: each request has a new assertion; if this repeats, a proxy may be sending requests twice".into(),
        ),
        Reason::Time => (
            "the server considers the assertion expired, or not valid yet".into(),
            "set this machine's clock, for example: timedatectl set-ntp true".into(),
        ),
        Reason::Algorithm => {
            let other = match algorithm {
                KeyAlgorithm::Rs384 => KeyAlgorithm::Es384,
                KeyAlgorithm::Es384 => KeyAlgorithm::Rs384,
            };
            (
                format!("the server does not accept {} from client {client}", algorithm.name()),
                format!("oneup key generate --alg {}{flag}, register it, then log in again", other.name()),
            )
        }
        Reason::UnknownKey => (format!("the server has no key {kid} for client {client}"), register),
        Reason::Signature => {
            (format!("the signature does not match the key {kid} that the server has for client {client}"), register)
        }
        Reason::Client => (
            format!("the server has no client {client} that authenticates with a signed JWT"),
            "check --client-id, and the client's authentication method at the server".into(),
        ),
    }
}

fn describe_skew(now: i64, server: i64) -> String {
    let seconds = now.abs_diff(server);
    match (seconds, now < server) {
        (..MIN_SKEW, _) => "this machine's clock agrees with the server's".into(),
        (_, true) => format!("this machine's clock is {seconds} s behind the server's"),
        (_, false) => format!("this machine's clock is {seconds} s ahead of the server's"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_of_servers_have_a_reason() {
        for (description, expected) in [
            ("Unable to load public key", Some(Reason::UnknownKey)),
            ("Invalid signature algorithm", Some(Reason::Algorithm)),
            (
                "Client authentication with signed JWT failed: Signature on JWT token failed validation",
                Some(Reason::Signature),
            ),
            ("Token is not active", Some(Reason::Time)),
            ("Token was issued in the future", Some(Reason::Time)),
            ("Token was issued too far in the past to be used now", Some(Reason::Time)),
            ("Token expiration is too far in the future", Some(Reason::Time)),
            ("Invalid token audience", Some(Reason::Audience)),
            ("Token reuse detected", Some(Reason::Reused)),
            ("Invalid client or Invalid client credentials", Some(Reason::Client)),
            ("unexpected \"aud\" claim value", Some(Reason::Audience)),
            ("something else", None),
        ] {
            assert_eq!(reason(description), expected, "{description}");
        }
    }

    #[test]
    fn skew_is_told_with_its_direction() {
        assert_eq!(describe_skew(1_000, 1_002), "this machine's clock agrees with the server's");
        assert_eq!(describe_skew(1_000, 1_400), "this machine's clock is 400 s behind the server's");
        assert_eq!(describe_skew(1_400, 1_000), "this machine's clock is 400 s ahead of the server's");
    }
}
