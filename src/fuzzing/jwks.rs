//! Keys of a realm, and verification of a signature with them.

use serde_json::{Value, json};

use super::{assert_harmless, assert_presentable};
use crate::oauth::jwks::{KeySet, SignatureError, SignatureStatus, parse, verify};
use crate::oauth::jwt::{Jwt, TokenKind, decode};
use crate::oauth::secret::Secret;

/// All algorithms that a public key may check (RFC 7518 §3.1, RFC 8037, RFC 9864).
const SIGNATURES: [&str; 11] =
    ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"];

/// The first line is a token, the rest a JWK set.
pub fn jwks(bytes: &[u8]) {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return };
    let (token, document) = (&bytes[..end], &bytes[end + 1..]);
    let set = match parse(document) {
        Ok(set) => set,
        Err(error) => {
            assert_eq!(error.kind().exit().code(), 3);
            return assert_presentable(&error);
        }
    };
    let Ok(token) = std::str::from_utf8(token) else { return };
    let TokenKind::Jwt(jwt) = decode(token) else { return };
    let verdict = verify(&jwt, &set);
    assert_eq!(verify(&jwt, &set), verdict, "verifying again gives the same");
    match &verdict {
        SignatureStatus::Verified { kid, algorithm, .. } => {
            assert!(SIGNATURES.contains(&algorithm.as_str()));
            assert_eq!(jwt.header_str("alg"), Some(algorithm.as_str()));
            let named = jwt.header_str("kid");
            assert!(named.is_none() || kid.is_none() || named == kid.as_deref());
            assert!(!jwt.header.contains_key("crit"));
            the_signature_is_of_these_bytes(&jwt, &set);
        }
        SignatureStatus::Invalid(error) => assert_harmless(&error.to_string()),
    }
    neighbours_change_nothing(&jwt, document, &verdict);
}

fn is_verified(verdict: &SignatureStatus) -> bool {
    matches!(verdict, SignatureStatus::Verified { .. })
}

/// A change anywhere makes it invalid.
fn the_signature_is_of_these_bytes(jwt: &Jwt, set: &KeySet) {
    let again = |signing_input: String, signature: &str| {
        let (header, claims) = (jwt.header.clone(), jwt.claims.clone());
        let repeated_claims = Vec::new();
        verify(
            &Jwt { header, claims, repeated_claims, signing_input, signature: Secret::new(signature) },
            set,
        )
    };
    let (input, signature) = (jwt.signing_input.clone(), jwt.signature.expose());
    assert!(is_verified(&again(input.clone(), signature)));
    assert!(!is_verified(&again(format!("{input}A"), signature)));
    assert!(!is_verified(&again(input[1..].to_owned(), signature)));
    let first = if signature.starts_with('A') { "B" } else { "A" };
    assert!(!is_verified(&again(input, &format!("{first}{}", &signature[1..]))));
}

/// The order of the keys, and keys for other uses, make no difference.
fn neighbours_change_nothing(jwt: &Jwt, document: &[u8], verdict: &SignatureStatus) {
    let keys: Value = serde_json::from_slice(document).unwrap_or_default();
    let Some(keys) = keys["keys"].as_array().filter(|keys| keys.len() < 32) else { return };
    let others = [json!({"kty": "oct", "k": "c2VjcmV0", "kid": "other"}), json!(7), json!({"kty": 1})];
    let shuffled: Vec<&Value> = others.iter().chain(keys.iter().rev()).collect();
    let set = parse(json!({ "keys": shuffled }).to_string().as_bytes()).expect("a JWK set");
    let other = verify(jwt, &set);
    // Which of several incompatible keys is named may differ.
    let kind = |verdict: &SignatureStatus| match verdict {
        SignatureStatus::Invalid(SignatureError::Mismatch(_)) => Some("mismatch".to_owned()),
        SignatureStatus::Invalid(SignatureError::IncompatibleKey(_)) => Some("unfit".to_owned()),
        SignatureStatus::Invalid(other) => Some(other.to_string()),
        SignatureStatus::Verified { .. } => None,
    };
    if jwt.header_str("kid") != Some("other") {
        assert_eq!(kind(&other), kind(verdict));
    }
}
