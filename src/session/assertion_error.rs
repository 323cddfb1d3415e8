//! Describes why a server rejected an assertion (`private_key_jwt`), and what to do next.
//!
//! Every reason has the same error code (`invalid_client`), so the words of the description decide: those of Keycloak, and
//! what other servers have in common with them.

use crate::oauth::client_key::KeyAlgorithm;
use crate::oauth::grant::AssertionSigner;
use crate::profile::{self, Profile};
use crate::text::sanitize;

/// The longest untrusted name in a message, in characters.
pub const MAX_NAME_LEN: usize = 100;

/// A difference between the clocks that is worth mentioning, in seconds.
const MIN_SKEW: u64 = 5;

/// Returns the message and the hint for an error response to an assertion; `None` if the error is about something else.
/// `skew` is by how many seconds this machine's clock is ahead of the server's, if that is known.
pub fn meaning(
    profile: &Profile,
    signer: &AssertionSigner,
    error: &str,
    description: &str,
    skew: Option<i64>,
) -> Option<(String, String)> {
    if !["invalid_client", "unauthorized_client", "invalid_request"].contains(&error) {
        return None;
    }
    let client = sanitize(&profile.client_id, MAX_NAME_LEN);
    let kid = sanitize(signer.key.kid(), MAX_NAME_LEN);
    let flag = profile::key_flag(&profile.name);
    let register = format!("register the public key at the server: oneup key jwks{flag}");
    let (algorithm, other) = match signer.key.algorithm() {
        KeyAlgorithm::Rs384 => ("RS384", "ES384"),
        KeyAlgorithm::Es384 => ("ES384", "RS384"),
    };
    // An invalid request need not be about the client, any other of the errors is.
    let client_words: &[&str] = if error == "invalid_request" { &["client"] } else { &[""] };
    let reasons: [(&[&str], String, String); 7] = [
        (
            &["audience", "aud ", "\"aud\"", "`aud`"],
            format!("the server expects assertions for another audience than {}", signer.audience),
            "pass the token endpoint exactly as the server calls it: --token-url URL".into(),
        ),
        (
            &["reuse", "replay", "already used", "jti"],
            "the server has already accepted an assertion with this jti, or takes it for one".into(),
            "try again: each request has a new assertion; if this repeats, a proxy may be sending requests twice".into(),
        ),
        (
            &["not active", "expir", "in the future", "in the past", "not yet valid", "iat", "nbf"],
            format!("the server considers the assertion expired, or not valid yet{}", describe_skew(skew)),
            "set this machine's clock, for example: timedatectl set-ntp true".into(),
        ),
        (
            &["algorithm"],
            format!("the server does not accept {algorithm} from client {client}"),
            format!("oneup key generate --alg {other}{flag}, register it, then log in again"),
        ),
        (
            &["signature"],
            format!("the signature does not match the key {kid} that the server has for client {client}"),
            register.clone(),
        ),
        (
            &["public key", "kid", "jwk", "key not found", "unknown key", "no key"],
            format!("the server has no key {kid} for client {client}"),
            register,
        ),
        (
            client_words,
            format!("the server has no client {client} that authenticates with a signed JWT"),
            "check --client-id, and the client's authentication method at the server".into(),
        ),
    ];
    // The first match counts: `signature algorithm` is about the algorithm, `signature of the key` about the signature.
    let text = description.to_ascii_lowercase();
    let mut reasons = reasons.into_iter();
    let (_, message, hint) = reasons.find(|(words, ..)| words.iter().any(|word| text.contains(word)))?;
    Some((message, hint))
}

fn describe_skew(skew: Option<i64>) -> String {
    match skew {
        None => String::new(),
        Some(seconds) if seconds.unsigned_abs() < MIN_SKEW => {
            "; this machine's clock agrees with the server's".into()
        }
        Some(seconds) if seconds < 0 => {
            format!("; this machine's clock is {} s behind the server's", seconds.unsigned_abs())
        }
        Some(seconds) => format!("; this machine's clock is {seconds} s ahead of the server's"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::oauth::client_key::ClientKey;
    use crate::oauth::product::realm_endpoints;

    #[test]
    fn descriptions_of_servers_have_a_reason() {
        let profile = Profile::example(realm_endpoints("https://gateway.1up.health", "dev-portal"));
        let key = Arc::new(ClientKey::generate(KeyAlgorithm::Es384).expect("a key"));
        let signer = AssertionSigner { key, audience: profile.token_url.clone() };
        for (description, expected) in [
            ("Unable to load public key", "has no key"),
            ("Invalid signature algorithm", "does not accept ES384"),
            (
                "Client authentication with signed JWT failed: Signature on JWT token failed validation",
                "signature does not match",
            ),
            ("Token is not active", "expired, or not valid yet"),
            ("Token was issued in the future", "expired, or not valid yet"),
            ("Token was issued too far in the past to be used now", "expired, or not valid yet"),
            ("Token expiration is too far in the future", "expired, or not valid yet"),
            ("Invalid token audience", "another audience"),
            ("Token reuse detected", "already accepted"),
            ("Invalid client or Invalid client credentials", "has no client svc"),
            ("unexpected \"aud\" claim value", "another audience"),
        ] {
            for error in ["invalid_client", "unauthorized_client", "invalid_request"] {
                let (message, _) = meaning(&profile, &signer, error, description, None).expect(description);
                assert!(message.contains(expected), "{description}: {message}");
            }
        }
        let unknown = |error| meaning(&profile, &signer, error, "something else", None);
        assert!(unknown("invalid_client").is_some_and(|(message, _)| message.contains("has no client svc")));
        assert_eq!((unknown("invalid_request"), unknown("invalid_grant")), (None, None));
    }

    #[test]
    fn skew_is_told_with_its_direction() {
        assert_eq!(describe_skew(Some(-2)), "; this machine's clock agrees with the server's");
        assert_eq!(describe_skew(Some(-400)), "; this machine's clock is 400 s behind the server's");
        assert_eq!(describe_skew(Some(400)), "; this machine's clock is 400 s ahead of the server's");
        assert_eq!(describe_skew(None), "");
    }
}
