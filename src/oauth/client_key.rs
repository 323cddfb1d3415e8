//! The private key of a client, and the assertions that it signs (`private_key_jwt`: RFC 7523, SMART Backend Services).
//!
//! RS384 and ES384 are the two algorithms that SMART requires of every server; the key's type decides which one is used.

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPairComponents, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA384, RsaKeyPair,
    RsaPublicKeyComponents,
};
use aws_lc_rs::{digest, rand};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use clap::ValueEnum;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::authorize::random_text;
use super::secret::Secret;
use crate::error::{Error, Result};

/// How long an assertion is valid, in seconds. SMART allows 300; the rest is for clocks that differ.
pub const ASSERTION_LIFETIME: i64 = 120;

/// `client_assertion_type` (RFC 7523 §2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A signature algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeyAlgorithm {
    /// RSA, 3072 bits
    #[value(name = "RS384")]
    Rs384,
    /// ECDSA on P-384
    #[value(name = "ES384")]
    Es384,
}

impl KeyAlgorithm {
    /// The value of `alg`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rs384 => "RS384",
            Self::Es384 => "ES384",
        }
    }
}

enum Pair {
    Rsa(RsaKeyPair),
    Ec(EcdsaKeyPair),
}

/// A private key that a client authenticates with.
pub struct ClientKey {
    pair: Pair,
    kid: String,
    text: Secret,
}

impl std::fmt::Debug for ClientKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ClientKey({})", self.kid)
    }
}

impl ClientKey {
    /// Parses a PEM file (PKCS #8, PKCS #1 or SEC 1, not encrypted) or a JWK. A JWK's own `kid` is kept; otherwise it is the
    /// RFC 7638 thumbprint. `source` names where the text is from.
    ///
    /// # Errors
    /// Usage; nothing of the text is in the message.
    pub fn parse(text: &str, source: &str) -> Result<Self> {
        let text = text.trim_start_matches('\u{feff}').trim();
        let (pair, kid) = if text.starts_with('{') { parse_jwk(text) } else { parse_pem(text) }.map_err(
            |(problem, hint)| {
                Error::usage(format!("the private key from {source} {problem}; nothing was sent"))
                    .with_hint(hint)
            },
        )?;
        let mut key = Self { pair, kid: String::new(), text: Secret::new(text) };
        key.kid = kid.unwrap_or_else(|| key.thumbprint());
        Ok(key)
    }

    /// Generates a key.
    ///
    /// # Errors
    /// Failure, on a system without a source of randomness.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self> {
        let failed = |_| Error::failure("can't generate a key");
        let der = match algorithm {
            KeyAlgorithm::Rs384 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa3072).map_err(failed)?;
                let der: Pkcs8V1Der<'static> = pair.as_der().map_err(failed)?;
                Zeroizing::new(der.as_ref().to_vec())
            }
            KeyAlgorithm::Es384 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).map_err(failed)?;
                Zeroizing::new(pair.to_pkcs8v1().map_err(failed)?.as_ref().to_vec())
            }
        };
        Self::parse(&to_pem(&der), "the generated key")
    }

    /// The PEM file or the JWK, to be stored.
    pub fn text(&self) -> &Secret {
        &self.text
    }

    /// The key ID, which the server finds the public key by.
    pub fn kid(&self) -> &str {
        &self.kid
    }

    /// The algorithm of its signatures.
    pub fn algorithm(&self) -> KeyAlgorithm {
        match self.pair {
            Pair::Rsa(_) => KeyAlgorithm::Rs384,
            Pair::Ec(_) => KeyAlgorithm::Es384,
        }
    }

    /// Returns the public key as a JWK (RFC 7517).
    pub fn public_jwk(&self) -> Value {
        let mut jwk = self.public_members();
        jwk["kid"] = self.kid.as_str().into();
        jwk["alg"] = self.algorithm().name().into();
        jwk["use"] = "sig".into();
        jwk
    }

    /// The members of the thumbprint, in lexicographic order.
    fn public_members(&self) -> Value {
        let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.pair {
            Pair::Rsa(pair) => {
                let public = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                json!({ "e": encode(&public.e), "kty": "RSA", "n": encode(&public.n) })
            }
            Pair::Ec(pair) => {
                // An uncompressed point: a byte 4, then both coordinates.
                let point = &pair.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "crv": "P-384", "kty": "EC", "x": encode(x), "y": encode(y) })
            }
        }
    }

    fn thumbprint(&self) -> String {
        let canonical = self.public_members().to_string();
        URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, canonical.as_bytes()))
    }

    /// Returns a signed assertion (RFC 7523 §3) for one request.
    ///
    /// # Errors
    /// Failure: the key can't sign, or the system has no source of randomness.
    pub fn assertion(&self, client_id: &str, audience: &str, now: i64) -> Result<Secret> {
        let mut bytes = [0; 32];
        rand::fill(&mut bytes).map_err(|_| Error::failure("the system has no source of randomness"))?;
        let header = json!({ "alg": self.algorithm().name(), "kid": self.kid, "typ": "JWT" });
        let claims = json!({
            "iss": client_id,
            "sub": client_id,
            "aud": audience,
            "iat": now,
            "exp": now.saturating_add(ASSERTION_LIFETIME),
            "jti": random_text(&bytes),
        });
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.sign(signed.as_bytes())?;
        Ok(Secret::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
    }

    fn sign(&self, message: &[u8]) -> Result<Vec<u8>> {
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA384, &random, message, &mut signature).map(|()| signature)
            }
            Pair::Ec(pair) => pair.sign(&random, message).map(|signature| signature.as_ref().to_vec()),
        };
        signature.map_err(|_| Error::failure("can't sign with the private key"))
    }
}

/// Why a text is not a usable key, and what to do.
type Unusable = (&'static str, &'static str);

const GENERATE: &str =
    "use a key for RS384 (RSA, 2048 bits or more) or ES384 (P-384), or make one: oneup key generate";
const NOT_A_KEY: Unusable = ("is neither a PEM private key nor a JWK", GENERATE);
const ENCRYPTED: Unusable = (
    "is encrypted with a passphrase",
    "let a command decrypt it: --key-command 'openssl pkey -in FILE -passin …'",
);
const PUBLIC: Unusable = ("is a public key", "use the private key that belongs to it");
const OTHER_ALGORITHM: Unusable = ("is for another algorithm", GENERATE);
const DAMAGED: Unusable = ("is damaged or incomplete", GENERATE);

/// The parsed key and its own `kid`.
type Parsed = std::result::Result<(Pair, Option<String>), Unusable>;

fn parse_pem(text: &str) -> Parsed {
    if text.contains("ENCRYPTED") {
        return Err(ENCRYPTED);
    }
    if text.contains("PUBLIC KEY-----") {
        return Err(PUBLIC);
    }
    if !text.contains("PRIVATE KEY-----") {
        return Err(NOT_A_KEY);
    }
    let der = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| DAMAGED)?;
    let der = Zeroizing::new(der);
    let bytes = der.secret_der();
    let ec = || EcdsaKeyPair::from_private_key_der(&ECDSA_P384_SHA384_FIXED_SIGNING, bytes);
    let pair = match &*der {
        PrivateKeyDer::Pkcs1(_) => Pair::Rsa(RsaKeyPair::from_der(bytes).map_err(|_| DAMAGED)?),
        PrivateKeyDer::Sec1(_) => Pair::Ec(ec().map_err(|_| OTHER_ALGORITHM)?),
        _ => RsaKeyPair::from_pkcs8(bytes)
            .map(Pair::Rsa)
            .or_else(|_| ec().map(Pair::Ec))
            .map_err(|_| OTHER_ALGORITHM)?,
    };
    Ok((pair, None))
}

/// A private key as RFC 7518 §6 has it.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    d: Option<Secret>,
    p: Option<Secret>,
    q: Option<Secret>,
    dp: Option<Secret>,
    dq: Option<Secret>,
    qi: Option<Secret>,
}

fn parse_jwk(text: &str) -> Parsed {
    let jwk: Jwk = serde_json::from_str(text).map_err(|_| NOT_A_KEY)?;
    let d = private(jwk.d.as_ref()).map_err(|_| PUBLIC)?;
    let (pair, algorithm) = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
        ("EC", Some("P-384")) => {
            let point = [vec![4], public(jwk.x.as_ref())?, public(jwk.y.as_ref())?].concat();
            let pair =
                EcdsaKeyPair::from_private_key_and_public_key(&ECDSA_P384_SHA384_FIXED_SIGNING, &d, &point);
            (Pair::Ec(pair.map_err(|_| DAMAGED)?), "ES384")
        }
        ("RSA", _) => {
            let components = KeyPairComponents {
                public_key: RsaPublicKeyComponents { n: public(jwk.n.as_ref())?, e: public(jwk.e.as_ref())? },
                d,
                p: private(jwk.p.as_ref())?,
                q: private(jwk.q.as_ref())?,
                dP: private(jwk.dp.as_ref())?,
                dQ: private(jwk.dq.as_ref())?,
                qInv: private(jwk.qi.as_ref())?,
            };
            let pair = RsaKeyPair::from_components(&components);
            (Pair::Rsa(pair.map_err(|_| DAMAGED)?), "RS384")
        }
        _ => return Err(OTHER_ALGORITHM),
    };
    if jwk.alg.is_some_and(|named| named != algorithm) {
        return Err(OTHER_ALGORITHM);
    }
    Ok((pair, jwk.kid.filter(|kid| !kid.is_empty())))
}

fn public(member: Option<&String>) -> std::result::Result<Vec<u8>, Unusable> {
    URL_SAFE_NO_PAD.decode(member.ok_or(DAMAGED)?).map_err(|_| DAMAGED)
}

fn private(member: Option<&Secret>) -> std::result::Result<Zeroizing<Vec<u8>>, Unusable> {
    let text = member.ok_or(DAMAGED)?.expose();
    URL_SAFE_NO_PAD.decode(text).map(Zeroizing::new).map_err(|_| DAMAGED)
}

/// Returns the PEM text as one allocation, which its owner wipes. Its single line of base64 is for oneup alone.
fn to_pem(pkcs8: &[u8]) -> Zeroizing<String> {
    let base64 = Zeroizing::new(STANDARD.encode(pkcs8));
    Zeroizing::new(["-----BEGIN PRIVATE KEY-----\n", &base64, "\n-----END PRIVATE KEY-----\n"].concat())
}

#[cfg(test)]
mod tests;
