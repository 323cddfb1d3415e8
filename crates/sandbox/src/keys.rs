//! The RSA keys of the realms, generated at each start; JWT signing, random identifiers and digests.
//!
//! Generating a key takes up to a few hundred milliseconds: a thread does it while the server already listens, and
//! the first request that needs a key waits for it.

use std::sync::{Arc, OnceLock};
use std::thread;

use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use aws_lc_rs::{digest, error::Unspecified};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// One signing key and one encryption key, as Keycloak publishes them.
pub(crate) struct Keys {
    signing: OnceLock<Result<RsaKey, Unspecified>>,
    encryption: OnceLock<Result<RsaKey, Unspecified>>,
}

struct RsaKey {
    pair: KeyPair,
    id: String,
}

impl Keys {
    /// Starts generating the keys in a thread and returns immediately.
    pub(crate) fn prepare() -> Arc<Self> {
        let keys = Arc::new(Self { signing: OnceLock::new(), encryption: OnceLock::new() });
        let ahead = Arc::clone(&keys);
        // The signing key first: a token request waits for it.
        thread::spawn(move || ahead.signing.get_or_init(RsaKey::generate).is_ok() && ahead.jwks().is_ok());
        keys
    }

    /// A JWT with these claims (RFC 7519), signed with RS256.
    pub(crate) fn sign(&self, claims: &Value) -> Result<String, Unspecified> {
        let key = self.signing.get_or_init(RsaKey::generate).as_ref().map_err(|&e| e)?;
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": key.id });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let mut signature = vec![0; key.pair.public_modulus_len()];
        key.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The JWK set (RFC 7517). The encryption key is first, so that a client that takes the first key fails.
    pub(crate) fn jwks(&self) -> Result<Value, Unspecified> {
        let encryption = self.encryption.get_or_init(RsaKey::generate).as_ref().map_err(|&e| e)?;
        let signing = self.signing.get_or_init(RsaKey::generate).as_ref().map_err(|&e| e)?;
        Ok(json!({ "keys": [encryption.jwk("enc", "RSA-OAEP"), signing.jwk("sig", "RS256")] }))
    }
}

impl RsaKey {
    fn generate() -> Result<Self, Unspecified> {
        let pair = KeyPair::generate(KeySize::Rsa2048)?;
        let id = URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, pair.public_key().as_ref()));
        Ok(Self { pair, id })
    }

    fn jwk(&self, usage: &str, algorithm: &str) -> Value {
        let public = self.pair.public_key();
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({
            "kid": self.id, "kty": "RSA", "alg": algorithm, "use": usage,
            "n": number(public.modulus().big_endian_without_leading_zero()),
            "e": number(public.exponent().big_endian_without_leading_zero()),
        })
    }
}

/// Random bytes in hex; `bytes` is their number before encoding.
pub(crate) fn random_hex(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    // Fails only if the operating system has no random numbers, and then no server can run.
    rand::fill(&mut buffer).expect("the system's random numbers");
    buffer.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A random UUID (RFC 9562 version 4).
pub(crate) fn random_uuid() -> String {
    uuid(&random_hex(16))
}

/// A UUID derived from a name.
pub(crate) fn uuid_from_name(name: &str) -> String {
    let digest = digest::digest(&digest::SHA256, name.as_bytes());
    uuid(&digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

fn uuid(hex: &str) -> String {
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..32])
}

/// The S256 challenge of a PKCE verifier (RFC 7636 §4.2).
pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenge_matches_rfc_7636() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn signed_token_verifies_with_published_key() {
        let keys = Keys::prepare();
        let token = keys.sign(&json!({ "sub": "me", "exp": 4_000_000_000_i64 })).expect("a signature");
        let set: jsonwebtoken::jwk::JwkSet =
            serde_json::from_value(keys.jwks().expect("keys")).expect("a JWK set");
        let kid = jsonwebtoken::decode_header(&token).expect("a header").kid.expect("a kid");
        let key = jsonwebtoken::DecodingKey::from_jwk(set.find(&kid).expect("the key")).expect("an RSA key");
        let rules = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::RS256);
        let claims = jsonwebtoken::decode::<Value>(&token, &key, &rules).expect("a valid token").claims;
        assert_eq!(claims["sub"], "me");
        assert_eq!(set.keys.len(), 2);
    }

    #[test]
    fn random_uuid_has_version_4() {
        let id = random_uuid();
        assert_eq!((id.len(), &id[14..15], &id[19..20]), (36, "4", "a"));
        assert_ne!(id, random_uuid());
    }
}
