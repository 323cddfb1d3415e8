//! Verifies a JWT's signature with the keys of a realm (RFC 7517), or returns the exact reason why it can't.
//!
//! By the rules of RFC 8725: the algorithm must match the key's type, `none` and HMAC are never accepted, and the
//! header selects one of the trusted keys but never supplies one.

use std::str::FromStr;

use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::Value;

use super::jwt::Jwt;
use crate::error::{Error, Result};
use crate::text::sanitize;

/// Header members that embed or name a key. They are ignored.
pub const EMBEDDED_KEY_MEMBERS: [&str; 4] = ["jku", "jwk", "x5u", "x5c"];

/// The largest number of keys that are used; further keys are ignored.
const MAX_KEYS: usize = 64;

/// The longest untrusted name in a message, in characters.
const MAX_NAME_LEN: usize = 80;

/// A realm's public keys.
#[derive(Clone, Debug)]
pub struct KeySet(Vec<Key>);

/// A public key (RFC 7517 §4). A member of the wrong type makes this key unusable, not the set.
#[derive(Clone, Debug, Deserialize)]
struct Key {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// The result of a verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureStatus {
    /// The signature was made with a trusted key.
    Verified {
        /// The key's `kid`.
        kid: Option<String>,
        /// The key's `kty`.
        kty: String,
        /// The header's `alg`.
        algorithm: String,
    },
    /// The signature does not verify.
    Invalid(SignatureError),
}

/// Why a signature doesn't verify, each with a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// No key could verify a token with this header.
    Unsupported(String),
    /// The realm has no such key. It may have rotated its keys: fetch them again.
    NoKey(String),
    /// The key with the token's `kid` can't verify this signature.
    IncompatibleKey(String),
    /// The signature does not match: the token was changed, or signed with another key.
    Mismatch(String),
}

impl std::fmt::Display for SignatureError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (Self::Unsupported(text)
        | Self::NoKey(text)
        | Self::IncompatibleKey(text)
        | Self::Mismatch(text)) = self;
        f.write_str(text)
    }
}

/// Parses a JWKS document. Unusable keys are ignored (RFC 7517 §5).
///
/// # Errors
/// Protocol, if it is not a JWK set.
pub fn parse(body: &[u8]) -> Result<KeySet> {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(keys) = document.get("keys").and_then(Value::as_array) else {
        return Err(Error::protocol("the realm's keys are not a JWK set")
            .with_detail("\"keys\" is missing (RFC 7517 §5)"));
    };
    Ok(KeySet(keys.iter().take(MAX_KEYS).filter_map(|key| Key::deserialize(key).ok()).collect()))
}

/// Verifies the received bytes of a token with trusted keys. The caller checks dates and issuer.
pub fn verify(jwt: &Jwt, keys: &KeySet) -> SignatureStatus {
    match verifying_key(jwt, keys) {
        Ok((key, algorithm)) => SignatureStatus::Verified {
            kid: key.kid.clone(),
            kty: key.kty.clone(),
            algorithm: algorithm.to_owned(),
        },
        Err(error) => SignatureStatus::Invalid(error),
    }
}

/// Returns the key that verifies the token, and the algorithm.
fn verifying_key<'a>(jwt: &'a Jwt, keys: &'a KeySet) -> Result<(&'a Key, &'a str), SignatureError> {
    let algorithm = supported_algorithm(jwt)?;
    let candidates = candidate_keys(algorithm, jwt.header_str("kid"), keys)?;
    let (message, signature) = (jwt.signing_input.as_bytes(), jwt.signature.expose());
    let verifies = |key: &&&Key| key.check(algorithm, message, signature).unwrap_or(false);
    candidates.iter().find(verifies).map(|key| (*key, algorithm)).ok_or_else(|| {
        let keys = candidates.iter().map(|key| key.describe()).collect::<Vec<_>>().join(", ");
        SignatureError::Mismatch(format!("the {algorithm} signature does not match {keys}"))
    })
}

/// Returns the header's algorithm if it is supported.
fn supported_algorithm(jwt: &Jwt) -> Result<&str, SignatureError> {
    let problem = match (jwt.header.get("crit"), jwt.header_str("alg")) {
        (Some(crit), _) => {
            format!("unsupported critical header extensions (crit: {})", quoted(&crit.to_string()))
        }
        (_, None) => "the header has no alg".into(),
        (_, Some(none)) if none.eq_ignore_ascii_case("none") => "the token is unsigned (alg: none)".into(),
        (_, Some(hmac)) if hmac.to_ascii_uppercase().starts_with("HS") => {
            format!("{} is an HMAC, which a public key must not verify", quoted(hmac))
        }
        (_, Some(algorithm)) if required_key_type(algorithm).is_some() => return Ok(algorithm),
        (_, Some(unknown)) => format!("unsupported algorithm {}", quoted(unknown)),
    };
    Err(SignatureError::Unsupported(problem))
}

/// Returns the key type and curve that an algorithm requires (RFC 7518 §3.1, RFC 8037, RFC 9864).
fn required_key_type(algorithm: &str) -> Option<(&'static str, Option<&'static str>)> {
    match algorithm {
        "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => Some(("RSA", None)),
        "ES256" => Some(("EC", Some("P-256"))),
        "ES384" => Some(("EC", Some("P-384"))),
        "ES512" => Some(("EC", Some("P-521"))),
        "EdDSA" | "Ed25519" => Some(("OKP", Some("Ed25519"))),
        _ => None,
    }
}

/// Returns the keys to try: those with the header's `kid`, else those without a `kid`; all if the header has none.
fn candidate_keys<'a>(
    algorithm: &str,
    kid: Option<&str>,
    keys: &'a KeySet,
) -> Result<Vec<&'a Key>, SignatureError> {
    let matching: Vec<&Key> = match kid {
        Some(kid) => keys.0.iter().filter(|key| key.kid.as_deref() == Some(kid)).collect(),
        None => keys.0.iter().collect(),
    };
    let compatible = |keys: &[&'a Key]| -> Vec<&'a Key> {
        keys.iter().copied().filter(|key| key.key_mismatch(algorithm).is_none()).collect()
    };
    let usable = compatible(&matching);
    if !usable.is_empty() {
        return Ok(usable);
    }
    let Some(kid) = kid else {
        return Err(SignatureError::NoKey(format!("the realm has no signing key for {algorithm}")));
    };
    if let Some(why) = matching.first().and_then(|key| key.key_mismatch(algorithm)) {
        return Err(SignatureError::IncompatibleKey(why));
    }
    let without_kid = compatible(&keys.0.iter().filter(|key| key.kid.is_none()).collect::<Vec<_>>());
    if without_kid.is_empty() {
        return Err(SignatureError::NoKey(format!("the realm has no key {}", quoted(kid))));
    }
    Ok(without_kid)
}

impl Key {
    /// Returns why the key can't verify this algorithm, or `None` if it can.
    fn key_mismatch(&self, algorithm: &str) -> Option<String> {
        let (kty, crv) = required_key_type(algorithm)?;
        let name = self.describe();
        if self.usage.as_deref().is_some_and(|usage| usage != "sig")
            || self.key_ops.as_ref().is_some_and(|ops| !ops.iter().any(|op| op == "verify"))
        {
            return Some(format!("{name} is not a signing key"));
        }
        let matches = self.kty == kty
            && (crv.is_none() || self.crv.as_deref() == crv)
            && self
                .alg
                .as_deref()
                .is_none_or(|alg| alg == algorithm || (kty == "OKP" && required_key_type(alg).is_some()));
        (!matches).then(|| format!("{name} can't verify {algorithm}"))
    }

    fn describe(&self) -> String {
        match &self.kid {
            Some(kid) => format!("{} key {}", quoted(&self.kty), quoted(kid)),
            None => format!("{} key without a kid", quoted(&self.kty)),
        }
    }

    fn check(&self, algorithm: &str, message: &[u8], signature: &str) -> Option<bool> {
        if algorithm == "ES512" {
            return self.check_es512(message, signature);
        }
        let key = match required_key_type(algorithm)?.0 {
            "RSA" => DecodingKey::from_rsa_components(self.n.as_deref()?, self.e.as_deref()?),
            "EC" => DecodingKey::from_ec_components(self.x.as_deref()?, self.y.as_deref()?),
            _ => DecodingKey::from_ed_components(self.x.as_deref()?),
        };
        let algorithm = Algorithm::from_str(if algorithm == "Ed25519" { "EdDSA" } else { algorithm }).ok()?;
        crypto::verify(signature, message, &key.ok()?, algorithm).ok()
    }

    /// Verifies ES512, which Keycloak offers and `jsonwebtoken` lacks.
    fn check_es512(&self, message: &[u8], signature: &str) -> Option<bool> {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let point = [vec![4], decode(self.x.as_deref()?)?, decode(self.y.as_deref()?)?].concat();
        let key = UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point);
        Some(key.verify(message, &decode(signature)?).is_ok())
    }
}

/// Sanitizes a name that a server or a token chose.
fn quoted(name: &str) -> String {
    sanitize(name, MAX_NAME_LEN)
}

#[cfg(test)]
mod tests;
