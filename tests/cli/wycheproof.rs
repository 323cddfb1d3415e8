//! Wycheproof's signatures against the verification of `token inspect --verify`: its valid ones verify, its invalid ones
//! don't, and none panics. `tests/judges/run wycheproof` installs the vectors and runs this.
//!
//! The vectors sign any bytes; a JWS signs ASCII, so the messages that are not text are left out.

use std::fs;
use std::path::Path;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use oneup::oauth::jwks::{self, SignatureStatus};
use oneup::oauth::jwt::Jwt;
use oneup::oauth::secret::Secret;
use serde_json::{Map, Value, json};

/// Algorithm of a JWS, and the beginning and end of the names of its files.
const FILES: [(&str, &str, &str); 11] = [
    ("ES256", "ecdsa_secp256r1_sha256_p1363_test", ""),
    ("ES384", "ecdsa_secp384r1_sha384_p1363_test", ""),
    ("ES512", "ecdsa_secp521r1_sha512_p1363_test", ""),
    ("EdDSA", "ed25519_test", ""),
    ("RS256", "rsa_signature_", "_sha256_test"),
    ("RS384", "rsa_signature_", "_sha384_test"),
    ("RS512", "rsa_signature_", "_sha512_test"),
    ("PS256", "rsa_pss_", "_sha256_mgf1_32_test"),
    ("PS384", "rsa_pss_", "_sha384_mgf1_48_test"),
    ("PS512", "rsa_pss_", "_sha512_mgf1_64_test"),
    ("Ed25519", "ed25519_test", ""),
];

#[test]
#[ignore = "needs Wycheproof's vectors; tests/judges/run wycheproof"]
fn wycheproof_signatures() {
    let dir = std::env::var("ONEUP_WYCHEPROOF").expect("the directory of the vectors");
    for (algorithm, start, end) in FILES {
        let (mut verified, mut rejected) = (0, 0);
        for group in groups(Path::new(&dir), start, end) {
            let Some(keys) = key_set(&group) else { continue };
            for vector in group["tests"].as_array().expect("tests") {
                let Some(is_verified) = verify(algorithm, &keys, vector) else { continue };
                let id = format!("{algorithm}, {}: {}", vector["tcId"], vector["comment"]);
                match vector["result"].as_str() {
                    Some("valid") => assert!(is_verified, "{id}"),
                    Some("invalid") => assert!(!is_verified, "{id}"),
                    // Either is right.
                    _ => continue,
                }
                if is_verified { verified += 1 } else { rejected += 1 }
            }
        }
        assert!(verified > 0 && rejected > 0, "{algorithm}: {verified} verified, {rejected} rejected");
        println!("{algorithm}: {verified} verified, {rejected} rejected");
    }
}

fn groups(dir: &Path, start: &str, end: &str) -> Vec<Value> {
    let mut groups = Vec::new();
    for entry in fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry")) {
        let name = entry.file_name().into_string().expect("UTF-8");
        let stem = name.strip_suffix(".json").unwrap_or_default();
        // Between the two is the size of the key.
        let size = stem.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
        if size.is_some_and(|size| size.bytes().all(|byte| byte.is_ascii_digit())) {
            let text = fs::read_to_string(entry.path()).expect("a file");
            let document: Value = serde_json::from_str(&text).expect("JSON");
            groups.extend(document["testGroups"].as_array().expect("groups").iter().cloned());
        }
    }
    groups
}

/// The group's key as a realm would publish it; `None` for a group without a JWK.
fn key_set(group: &Value) -> Option<jwks::KeySet> {
    let key = ["publicKeyJwk", "keyJwk"].into_iter().map(|name| &group[name]).find(|key| key.is_object())?;
    Some(jwks::parse(json!({ "keys": [key] }).to_string().as_bytes()).expect("a JWK set"))
}

/// Whether a signature verifies; `None` for a message that no JWS can have.
fn verify(algorithm: &str, keys: &jwks::KeySet, vector: &Value) -> Option<bool> {
    let hex = |name: &str| bytes(vector[name].as_str().expect(name));
    let jwt = Jwt {
        header: Map::from_iter([("alg".to_owned(), json!(algorithm))]),
        claims: Map::new(),
        repeated_claims: Vec::new(),
        signing_input: String::from_utf8(hex("msg")).ok()?,
        signature: Secret::new(URL_SAFE_NO_PAD.encode(hex("sig"))),
    };
    Some(matches!(jwks::verify(&jwt, keys), SignatureStatus::Verified { .. }))
}

fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at: usize| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex");
    (0..hex.len()).step_by(2).map(byte).collect()
}
