//! Whether a signature holds: the keys of a realm (RFC 7517), the one that fits, and the exact reason when none does.
//!
//! RFC 8725 is what this module is about: the algorithm must go with the key, `none` and HMAC never do, and the
//! header chooses among trusted keys but never brings one along. The mathematics are a library's.

use std::str::FromStr;

use aws_lc_rs::signature::{ECDSA_P521_SHA512_FIXED, UnparsedPublicKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::Value;

use super::jwt::Jwt;
use crate::error::{Error, Result};

/// Header members that would bring a key along; they are ignored, and said to be.
pub const IGNORED: [&str; 4] = ["jku", "jwk", "x5u", "x5c"];

/// No realm has more keys than this; a longer list is cut.
const MOST_KEYS: usize = 64;

/// A realm's public keys.
#[derive(Clone, Debug)]
pub struct KeySet(Vec<Key>);

/// A public key, as far as choosing and using it needs. Members of unknown type make the key unusable, not the set.
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

/// What came of verifying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureStatus {
    /// The signature is that of a trusted key.
    Verified {
        /// The key's `kid`, where it has one.
        kid: Option<String>,
        /// `kty` of the key.
        kty: String,
        /// `alg` of the header.
        algorithm: String,
    },
    /// It is not, or nobody can say.
    Refused(SignatureError),
}

/// Why a signature doesn't verify.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// The header names no algorithm.
    NoAlgorithm,
    /// `alg` is `none`: the token is not signed.
    Unsigned,
    /// An HMAC: made with a shared secret, which public keys can't check.
    Hmac(String),
    /// An algorithm that no key here goes with.
    UnknownAlgorithm(String),
    /// The header demands extensions (`crit`) that are not understood.
    Critical(String),
    /// No key has this `kid`. The realm may have rotated its keys: fetch them once more.
    UnknownKey(String),
    /// The key of that name is there and can't be used for this.
    UnfitKey(String),
    /// The realm has no key that goes with the algorithm.
    NoKey(String),
    /// The key fits, and the signature is not its own: the token was changed, or somebody else signed it.
    Mismatch {
        /// The keys that were tried, in words.
        keys: String,
        /// `alg` of the header.
        algorithm: String,
    },
}

impl std::fmt::Display for SignatureError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoAlgorithm => f.write_str("the header names no algorithm"),
            Self::Unsigned => f.write_str("the token is not signed (alg none)"),
            Self::Hmac(alg) => write!(f, "{alg} is an HMAC, which a public key must never check"),
            Self::UnknownAlgorithm(alg) => write!(f, "the algorithm {alg} is not known"),
            Self::Critical(names) => write!(f, "the header demands what is not understood (crit: {names})"),
            Self::UnknownKey(kid) => write!(f, "the realm has no key {kid}"),
            Self::UnfitKey(why) => f.write_str(why),
            Self::NoKey(alg) => write!(f, "the realm has no signing key for {alg}"),
            Self::Mismatch { keys, algorithm } => write!(f, "the {algorithm} signature is not of {keys}"),
        }
    }
}

/// The keys of a JWKS document. A key that can't be read is left out (RFC 7517 §5).
///
/// # Errors
/// Protocol, when it is no such document.
pub fn parse(body: &[u8]) -> Result<KeySet> {
    let document: Value = serde_json::from_slice(body).unwrap_or_default();
    let Some(keys) = document.get("keys").and_then(Value::as_array) else {
        return Err(Error::protocol("the realm's keys are not a JWK set")
            .with_detail("RFC 7517 §5 asks for \"keys\""));
    };
    Ok(KeySet(keys.iter().take(MOST_KEYS).filter_map(|key| Key::deserialize(key).ok()).collect()))
}

/// Checks the received bytes of a token against trusted keys. Dates and issuer are the caller's to judge.
pub fn verify(jwt: &Jwt, keys: &KeySet) -> SignatureStatus {
    let algorithm = match acceptable(jwt) {
        Ok(algorithm) => algorithm,
        Err(refusal) => return SignatureStatus::Refused(refusal),
    };
    let candidates = match choose(algorithm, jwt.header_text("kid"), keys) {
        Ok(candidates) => candidates,
        Err(refusal) => return SignatureStatus::Refused(refusal),
    };
    let holds = |key: &&Key| key.verifies(algorithm, jwt.signing_input.as_bytes(), jwt.signature.expose());
    match candidates.iter().copied().find(holds) {
        Some(key) => SignatureStatus::Verified {
            kid: key.kid.clone(),
            kty: key.kty.clone(),
            algorithm: algorithm.to_owned(),
        },
        None => {
            let keys = candidates.iter().map(|key| key.describe()).collect::<Vec<_>>().join(", ");
            SignatureStatus::Refused(SignatureError::Mismatch { keys, algorithm: algorithm.to_owned() })
        }
    }
}

/// The header's algorithm, when the header is one to go on with.
fn acceptable(jwt: &Jwt) -> Result<&str, SignatureError> {
    if let Some(crit) = jwt.header.get("crit") {
        return Err(SignatureError::Critical(shown(&crit.to_string())));
    }
    let algorithm = jwt.header_text("alg").ok_or(SignatureError::NoAlgorithm)?;
    match algorithm {
        none if none.eq_ignore_ascii_case("none") => Err(SignatureError::Unsigned),
        hmac if hmac.to_ascii_uppercase().starts_with("HS") => Err(SignatureError::Hmac(shown(hmac))),
        other if demands(other).is_none() => Err(SignatureError::UnknownAlgorithm(shown(other))),
        known => Ok(known),
    }
}

/// The key type and curve that an algorithm goes with (RFC 7518 §3.1, RFC 8037, RFC 9864).
fn demands(algorithm: &str) -> Option<(&'static str, Option<&'static str>)> {
    match algorithm {
        "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => Some(("RSA", None)),
        "ES256" => Some(("EC", Some("P-256"))),
        "ES384" => Some(("EC", Some("P-384"))),
        "ES512" => Some(("EC", Some("P-521"))),
        "EdDSA" | "Ed25519" => Some(("OKP", Some("Ed25519"))),
        _ => None,
    }
}

/// The keys to try. One with the header's `kid` where there is one; keys without a name are tried when no name says
/// otherwise.
fn choose<'a>(algorithm: &str, kid: Option<&str>, keys: &'a KeySet) -> Result<Vec<&'a Key>, SignatureError> {
    let named: Vec<&Key> = match kid {
        Some(kid) => keys.0.iter().filter(|key| key.kid.as_deref() == Some(kid)).collect(),
        None => keys.0.iter().collect(),
    };
    let fitting = |keys: &[&'a Key]| -> Vec<&'a Key> {
        keys.iter().copied().filter(|key| key.unfit_for(algorithm).is_none()).collect()
    };
    let found = fitting(&named);
    if !found.is_empty() {
        return Ok(found);
    }
    let Some(kid) = kid else { return Err(SignatureError::NoKey(algorithm.to_owned())) };
    if let Some(why) = named.first().and_then(|key| key.unfit_for(algorithm)) {
        return Err(SignatureError::UnfitKey(why));
    }
    let nameless = fitting(&keys.0.iter().filter(|key| key.kid.is_none()).collect::<Vec<_>>());
    if nameless.is_empty() { Err(SignatureError::UnknownKey(shown(kid))) } else { Ok(nameless) }
}

impl Key {
    /// Why the key can't check this algorithm; none when it can.
    fn unfit_for(&self, algorithm: &str) -> Option<String> {
        let (kty, crv) = demands(algorithm)?;
        let name = self.describe();
        if self.usage.as_deref().is_some_and(|usage| usage != "sig")
            || self.key_ops.as_ref().is_some_and(|ops| !ops.iter().any(|op| op == "verify"))
        {
            return Some(format!("{name} is not for signatures"));
        }
        let fits = self.kty == kty
            && (crv.is_none() || self.crv.as_deref() == crv)
            && self
                .alg
                .as_deref()
                .is_none_or(|alg| alg == algorithm || (kty == "OKP" && demands(alg).is_some()));
        (!fits).then(|| format!("{name} doesn't go with {algorithm}"))
    }

    fn describe(&self) -> String {
        match &self.kid {
            Some(kid) => format!("{} key {}", shown(&self.kty), shown(kid)),
            None => format!("{} key without a kid", shown(&self.kty)),
        }
    }

    fn verifies(&self, algorithm: &str, message: &[u8], signature: &str) -> bool {
        self.check(algorithm, message, signature).unwrap_or(false)
    }

    fn check(&self, algorithm: &str, message: &[u8], signature: &str) -> Option<bool> {
        if algorithm == "ES512" {
            return self.check_es512(message, signature);
        }
        let key = match demands(algorithm)?.0 {
            "RSA" => DecodingKey::from_rsa_components(self.n.as_deref()?, self.e.as_deref()?),
            "EC" => DecodingKey::from_ec_components(self.x.as_deref()?, self.y.as_deref()?),
            _ => DecodingKey::from_ed_components(self.x.as_deref()?),
        };
        let algorithm = Algorithm::from_str(if algorithm == "Ed25519" { "EdDSA" } else { algorithm }).ok()?;
        crypto::verify(signature, message, &key.ok()?, algorithm).ok()
    }

    /// The one algorithm of Keycloak's that the JOSE library leaves out; the same cryptography has it.
    fn check_es512(&self, message: &[u8], signature: &str) -> Option<bool> {
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).ok();
        let point = [vec![4], decode(self.x.as_deref()?)?, decode(self.y.as_deref()?)?].concat();
        let key = UnparsedPublicKey::new(&ECDSA_P521_SHA512_FIXED, point);
        Some(key.verify(message, &decode(signature)?).is_ok())
    }
}

/// A name that a server or a token chose: escaped and cut, as it goes into sentences.
fn shown(name: &str) -> String {
    name.chars().take(80).flat_map(char::escape_default).collect()
}

#[cfg(test)]
mod tests;
