//! The public keys of the client that authenticates with a signed JWT, from a JWK set (RFC 7517).

use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA384, RsaPublicKeyComponents, UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

/// The keys by their ID. RSA keys are for RS384, keys on P-384 for ES384: the two algorithms that SMART requires.
#[derive(Debug, Default)]
pub(crate) struct ClientKeys(Vec<(String, PublicKey)>);

#[derive(Debug)]
enum PublicKey {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point.
    P384(Vec<u8>),
}

/// Why a signature is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureError {
    /// No key has the ID.
    UnknownKey,
    /// The key is for another algorithm.
    WrongAlgorithm,
    Invalid,
}

impl ClientKeys {
    /// Parses a JWK set.
    ///
    /// # Errors
    /// A text for the user, without a period.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let set: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
        let keys = set["keys"].as_array().ok_or("the member `keys` is missing")?;
        if keys.is_empty() {
            return Err("there are no keys".to_owned());
        }
        keys.iter().map(parse_key).collect::<Result<_, _>>().map(Self)
    }

    /// Verifies a JWS signature with the key of this ID.
    pub(crate) fn verify(
        &self,
        kid: &str,
        algorithm: &str,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), SignatureError> {
        let (_, key) = self.0.iter().find(|(id, _)| id == kid).ok_or(SignatureError::UnknownKey)?;
        let verified = match (key, algorithm) {
            (PublicKey::Rsa { n, e }, "RS384") => RsaPublicKeyComponents { n: n.as_slice(), e: e.as_slice() }
                .verify(&RSA_PKCS1_2048_8192_SHA384, message, signature),
            (PublicKey::P384(point), "ES384") => {
                UnparsedPublicKey::new(&ECDSA_P384_SHA384_FIXED, point).verify(message, signature)
            }
            _ => return Err(SignatureError::WrongAlgorithm),
        };
        verified.map_err(|_| SignatureError::Invalid)
    }
}

fn parse_key(key: &Value) -> Result<(String, PublicKey), String> {
    let text = |name: &str| key[name].as_str().ok_or_else(|| format!("a key has no member `{name}`"));
    let bytes = |name: &str| {
        URL_SAFE_NO_PAD.decode(text(name)?).map_err(|_| format!("the member `{name}` is not base64url"))
    };
    if key.get("d").is_some() {
        return Err("a key is private; give the public keys only".to_owned());
    }
    let public = match (text("kty")?, key["crv"].as_str()) {
        ("RSA", _) => PublicKey::Rsa { n: bytes("n")?, e: bytes("e")? },
        ("EC", Some("P-384")) => PublicKey::P384([vec![4], bytes("x")?, bytes("y")?].concat()),
        _ => return Err("a key is neither RSA nor EC on P-384".to_owned()),
    };
    Ok((text("kid")?.to_owned(), public))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_unusable_sets() {
        for wrong in [
            "",
            "{}",
            r#"{"keys":[]}"#,
            r#"{"keys":[{"kty":"oct","k":"AA","kid":"1"}]}"#,
            r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA","kid":"1"}]}"#,
            r#"{"keys":[{"kty":"RSA","n":"AA","e":"AQAB"}]}"#,
            r#"{"keys":[{"kty":"RSA","n":"AA","e":"AQAB","d":"AA","kid":"1"}]}"#,
        ] {
            assert!(ClientKeys::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn key_is_chosen_by_id_and_algorithm() {
        let keys =
            ClientKeys::parse(r#"{"keys":[{"kty":"RSA","n":"AA","e":"AQAB","kid":"1"}]}"#).expect("keys");
        assert_eq!(keys.verify("2", "RS384", b"", b""), Err(SignatureError::UnknownKey));
        assert_eq!(keys.verify("1", "ES384", b"", b""), Err(SignatureError::WrongAlgorithm));
        assert_eq!(keys.verify("1", "RS384", b"", b""), Err(SignatureError::Invalid));
    }
}
