use std::path::Path;

use serde_json::Value;

use super::*;
use crate::oauth::jwks::{self, SignatureStatus};
use crate::oauth::jwt::{TokenKind, decode};

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/client-keys").join(name);
    std::fs::read_to_string(path).expect("a fixture")
}

/// The RSA key of RFC 7517, appendix A.2.
fn rsa_jwk() -> String {
    serde_json::json!({
        "kty": "RSA", "kid": "2011-04-29", "e": "AQAB",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
        "d": "X4cTteJY_gn4FYPsXB8rdXix5vwsg1FLN5E3EaG6RJoVH-HLLKD9M7dx5oo7GURknchnrRweUkC7hT5fJLM0WbFAKNLWY2vv7B6NqXSzUvxT0_YSfqijwp3RTzlBaCxWp4doFk5N2o8Gy_nHNKroADIkJ46pRUohsXywbReAdYaMwFs9tv8d_cPVY3i07a3t8MN6TNwm0dSawm9v47UiCl3Sk5ZiG7xojPLu4sbg1U2jx4IBTNBznbJSzFHK66jT8bgkuqsk0GjskDJk19Z4qwjwbsnn4j2WBii3RL-Us2lGVkY8fkFzme1z0HbIkfz0Y6mqnOYtqc0X4jfcKoAC8Q",
        "p": "83i-7IvMGXoMXCskv73TKr8637FiO7Z27zv8oj6pbWUQyLPQBQxtPVnwD20R-60eTDmD2ujnMt5PoqMrm8RfmNhVWDtjjMmCMjOpSXicFHj7XOuVIYQyqVWlWEh6dN36GVZYk93N8Bc9vY41xy8B9RzzOGVQzXvNEvn7O0nVbfs",
        "q": "3dfOR9cuYq-0S-mkFLzgItgMEfFzB2q3hWehMuG0oCuqnb3vobLyumqjVZQO1dIrdwgTnCdpYzBcOfW5r370AFXjiWft_NGEiovonizhKpo9VVS78TzFgxkIdrecRezsZ-1kYd_s1qDbxtkDEgfAITAG9LUnADun4vIcb6yelxk",
        "dp": "G4sPXkc6Ya9y8oJW9_ILj4xuppu0lzi_H7VTkS8xj5SdX3coE0oimYwxIi2emTAue0UOa5dpgFGyBJ4c8tQ2VF402XRugKDTP8akYhFo5tAA77Qe_NmtuYZc3C3m3I24G2GvR5sSDxUyAN2zq8Lfn9EUms6rY3Ob8YeiKkTiBj0",
        "dq": "s9lAH9fggBsoFR8Oac2R_E2gw282rT2kGOAhvIllETE1efrA6huUUvMfBcMpn8lqeW6vzznYY5SSQF7pMdC_agI3nG8Ibp1BUb0JUiraRNqUfLhcQb_d9GF4Dh7e74WbRsobRonujTYN1xCaP6TO61jvWrX-L18txXw494Q_cgk",
        "qi": "GyM_p6JrXySiz1toFgKbWV-JdI3jQ4ypu9rbMWx3rQJBfmt0FoYzgUIZEVFEcOqwemRN81zoDAaa-Bk0KWNGDjJHZDdDmFhW3AN7lI-puxk_mHZGJ11rxyR8O55XLSe3SPmRfKwZI6yU24ZxvQKFYItdldUKGzO6Ia6zTKhAVRU",
    })
    .to_string()
}

/// The key of `es384.pem` with other members.
fn ec_jwk(changes: Value) -> String {
    let key = ClientKey::parse(&fixture("es384.pem"), "test").expect("a key");
    let mut jwk = key.public_jwk();
    jwk["d"] = "Sb4S7nVhFkwM5DOL2Ioo2qwmRjNAeyChsMC2jA1J9v7LRmPUB8Bv9GaYyuEZg7Cw".into();
    for (name, value) in changes.as_object().expect("members") {
        jwk[name] = value.clone();
    }
    jwk.to_string()
}

fn verifies(key: &ClientKey) -> bool {
    let assertion = key.assertion("client", "https://a.example/token", 1_000).expect("signed");
    let set = serde_json::json!({ "keys": [key.public_jwk()] }).to_string();
    let keys = jwks::parse(set.as_bytes()).expect("a set");
    let TokenKind::Jwt(jwt) = decode(assertion.expose()) else { return false };
    matches!(jwks::verify(&jwt, &keys), SignatureStatus::Verified { .. })
}

#[test]
fn thumbprints_are_those_of_other_programs() {
    let set: Value = serde_json::from_str(&fixture("jwks.json")).expect("JSON");
    for (file, index) in [("rs384.pem", 0), ("es384.pem", 1)] {
        let key = ClientKey::parse(&fixture(file), "test").expect("a key");
        let mut jwk = key.public_jwk();
        jwk.sort_all_objects();
        let mut expected = set["keys"][index].clone();
        expected.sort_all_objects();
        assert_eq!(jwk, expected);
    }
    // RFC 7638 §3.1 has this thumbprint of this key.
    let without_kid = rsa_jwk().replace("\"kid\":\"2011-04-29\",", "");
    let key = ClientKey::parse(&without_kid, "test").expect("a key");
    assert_eq!(key.kid(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn pem_and_jwk_sign_and_a_jwk_keeps_its_kid() {
    for (text, kid, algorithm) in [
        (fixture("rs384.pem"), "nh5D6-79KdfMFbHrZoK802OFA9hufdU_UGLwnbPuMaY", "RS384"),
        (fixture("es384.pem"), "fbFKK0dG-9gb7ZpeneN1XcYLpAVpx4s4Eok-rpm7-Yg", "ES384"),
        (rsa_jwk(), "2011-04-29", "RS384"),
        (ec_jwk(serde_json::json!({ "kid": "mine" })), "mine", "ES384"),
        (ec_jwk(serde_json::json!({ "kid": null })), "fbFKK0dG-9gb7ZpeneN1XcYLpAVpx4s4Eok-rpm7-Yg", "ES384"),
    ] {
        let key = ClientKey::parse(&text, "test").expect(kid);
        assert_eq!((key.kid(), key.algorithm().name()), (kid, algorithm));
        assert!(verifies(&key), "{kid}");
        assert!(!key.public_jwk().to_string().contains("\"d\""));
    }
}

#[test]
fn generated_keys_sign_and_are_read_back() {
    for algorithm in [KeyAlgorithm::Es384, KeyAlgorithm::Rs384] {
        let key = ClientKey::generate(algorithm).expect("generated");
        assert!(key.algorithm() == algorithm && verifies(&key));
        let again = ClientKey::parse(key.text().expose(), "test").expect("as stored");
        assert_eq!(again.public_jwk(), key.public_jwk());
    }
}

#[test]
fn assertion_has_the_claims_of_rfc_7523_and_a_fresh_jti() {
    let key = ClientKey::parse(&fixture("es384.pem"), "test").expect("a key");
    let claims = || {
        let assertion = key.assertion("client", "https://a.example/token", 1_000).expect("signed");
        let part = assertion.expose().split('.').nth(1).expect("claims").to_owned();
        serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).expect("base64url")).expect("JSON")
    };
    let (first, second) = (claims(), claims());
    assert_eq!((&first["iss"], &first["sub"]), (&"client".into(), &"client".into()));
    assert_eq!(first["aud"], "https://a.example/token");
    assert_eq!((first["iat"].as_i64(), first["exp"].as_i64()), (Some(1_000), Some(1_120)));
    assert!(first["jti"].as_str().is_some_and(|id| id.len() >= 22) && first["jti"] != second["jti"]);
}

#[test]
fn unusable_keys_are_told_apart_and_not_shown() {
    let pem = fixture("es384.pem");
    let encrypted = pem.replace("PRIVATE KEY", "ENCRYPTED PRIVATE KEY");
    let damaged = pem.replace("MIG2", "MIG3");
    let public = "-----BEGIN PUBLIC KEY-----\nMIG2\n-----END PUBLIC KEY-----\n".to_owned();
    let public_jwk = ClientKey::parse(&pem, "test").expect("a key").public_jwk().to_string();
    for (text, problem) in [
        (String::new(), "neither a PEM"),
        ("s3cr3t-of-a-client".into(), "neither a PEM"),
        ("{\"kty\":".into(), "neither a PEM"),
        (encrypted, "passphrase"),
        (public, "public key"),
        (public_jwk, "public key"),
        (damaged, "another algorithm"),
        (pem.replace("MIG2", "!!!!"), "damaged"),
        (ec_jwk(serde_json::json!({ "d": "AAAA" })), "damaged"),
        (ec_jwk(serde_json::json!({ "crv": "P-256" })), "another algorithm"),
        (ec_jwk(serde_json::json!({ "alg": "ES512" })), "another algorithm"),
        (ec_jwk(serde_json::json!({ "kty": "oct" })), "another algorithm"),
    ] {
        let error = ClientKey::parse(&text, "key.pem").expect_err(problem);
        assert_eq!(error.kind().exit().code(), 2);
        let message = error.to_string();
        assert!(message.contains("from key.pem") && message.contains(problem), "{message}");
        assert!(
            !message.contains("s3cr3t") && !message.contains("MIG") && message.contains("hint: "),
            "{message}"
        );
    }
    assert_eq!(
        format!("{:?}", ClientKey::parse(&pem, "test")),
        "Ok(ClientKey(fbFKK0dG-9gb7ZpeneN1XcYLpAVpx4s4Eok-rpm7-Yg))"
    );
}
