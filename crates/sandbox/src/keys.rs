//! The realm's RSA keys, made anew at each start, and what is signed with them.
//!
//! Making a key takes up to a few hundred milliseconds: a thread does it while the server already listens, and
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
    signing: OnceLock<Result<Key, Unspecified>>,
    encryption: OnceLock<Result<Key, Unspecified>>,
}

struct Key {
    pair: KeyPair,
    id: String,
}

impl Keys {
    /// Begins to make the keys and returns at once.
    pub(crate) fn prepare() -> Arc<Self> {
        let keys = Arc::new(Self { signing: OnceLock::new(), encryption: OnceLock::new() });
        let ahead = Arc::clone(&keys);
        // One after the other: the signing key is the one that somebody waits for.
        thread::spawn(move || ahead.signing.get_or_init(Key::generate).is_ok() && ahead.jwks().is_ok());
        keys
    }

    /// A JWT with these claims (RFC 7519), signed with RS256.
    pub(crate) fn sign(&self, claims: &Value) -> Result<String, Unspecified> {
        let key = self.signing.get_or_init(Key::generate).as_ref().map_err(|&e| e)?;
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": key.id });
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(claims));
        let mut signature = vec![0; key.pair.public_modulus_len()];
        key.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// The JWK set (RFC 7517): the encryption key first, so that nobody gets away with taking the first.
    pub(crate) fn jwks(&self) -> Result<Value, Unspecified> {
        let encryption = self.encryption.get_or_init(Key::generate).as_ref().map_err(|&e| e)?;
        let signing = self.signing.get_or_init(Key::generate).as_ref().map_err(|&e| e)?;
        Ok(json!({ "keys": [encryption.jwk("enc", "RSA-OAEP"), signing.jwk("sig", "RS256")] }))
    }
}

impl Key {
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

/// This many random bytes in hex.
pub(crate) fn random_hex(bytes: usize) -> String {
    let mut buffer = vec![0; bytes];
    // The system's generator fails only where nothing else would work either.
    rand::fill(&mut buffer).expect("the system's random numbers");
    buffer.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A random identifier in the form of a UUID (RFC 9562 version 4).
pub(crate) fn random_id() -> String {
    uuid(&random_hex(16))
}

/// An identifier that stays the same for a name.
pub(crate) fn id_of(name: &str) -> String {
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
    fn the_challenge_is_that_of_rfc_7636() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn what_is_signed_verifies_with_the_published_signing_key() {
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
    fn an_identifier_looks_like_a_uuid() {
        let id = random_id();
        assert_eq!((id.len(), &id[14..15], &id[19..20]), (36, "4", "a"));
        assert_ne!(id, random_id());
    }
}
