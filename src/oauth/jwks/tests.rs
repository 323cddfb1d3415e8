use super::*;
use crate::oauth::jwt::{TokenKind, decode};
use crate::oauth::secret::Secret;
use serde_json::{Map, json};

fn vectors(text: &str) -> Value {
    serde_json::from_str(text).expect("a fixture")
}

fn jose() -> Value {
    vectors(include_str!("../../../tests/vectors/jose.json"))
}

fn keys(keys: &Value) -> KeySet {
    parse(json!({ "keys": keys }).to_string().as_bytes()).expect("a JWK set")
}

fn token(text: &str) -> Jwt {
    match decode(text) {
        TokenKind::Jwt(jwt) => *jwt,
        other => panic!("no JWT: {other:?}"),
    }
}

/// A JWS whose payload need not be claims, as RFC 7520's are.
fn jws(compact: &str) -> Jwt {
    let (input, signature) = compact.rsplit_once('.').expect("three parts");
    let header = URL_SAFE_NO_PAD.decode(input.split('.').next().expect("a header")).expect("base64url");
    Jwt {
        header: serde_json::from_slice(&header).expect("JSON"),
        claims: Map::new(),
        repeated_claims: Vec::new(),
        signing_input: input.to_owned(),
        signature: Secret::new(signature),
    }
}

fn of_alg(alg: &str) -> (String, Value) {
    let jose = jose();
    let find = |list: &str| {
        jose[list].as_array().expect("a list").iter().find(|item| item["alg"] == alg).expect(alg).clone()
    };
    (find("tokens")["token"].as_str().expect("a token").to_owned(), find("keys"))
}

fn reheadered(text: &str, header: &Value) -> Jwt {
    let rest = text.split_once('.').expect("parts").1;
    token(&format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string())))
}

fn error(jwt: &Jwt, set: &KeySet) -> String {
    match verify(jwt, set) {
        SignatureStatus::Invalid(error) => error.to_string(),
        verified => panic!("{verified:?}"),
    }
}

#[test]
fn tokens_of_npm_jose_verify_with_every_algorithm() {
    let jose = jose();
    let all = keys(&jose["keys"]);
    for item in jose["tokens"].as_array().expect("tokens") {
        let alg = item["alg"].as_str().expect("alg");
        let status = verify(&token(item["token"].as_str().expect("token")), &all);
        assert!(
            matches!(&status, SignatureStatus::Verified { kid: Some(kid), algorithm, .. }
                if kid == &format!("key-{alg}") && algorithm == alg),
            "{alg}: {status:?}"
        );
    }
}

#[test]
fn rfc_examples_verify() {
    for item in vectors(include_str!("../../../tests/vectors/rfc.json")).as_array().expect("a list") {
        let status = verify(&jws(item["jws"].as_str().expect("jws")), &keys(&json!([item["key"]])));
        assert!(matches!(status, SignatureStatus::Verified { .. }), "{}: {status:?}", item["source"]);
    }
}

#[test]
fn one_flipped_bit_does_not_verify() {
    for alg in ["RS256", "RS384", "PS256", "ES256", "ES384", "ES512", "EdDSA"] {
        let (text, key) = of_alg(alg);
        let set = keys(&json!([key]));
        let good = jws(&text);
        let raw = URL_SAFE_NO_PAD.decode(good.signature.expose()).expect("base64url");
        for at in [0, raw.len() / 2, raw.len() - 1] {
            let mut flipped = raw.clone();
            flipped[at] ^= 1;
            let bad = Jwt { signature: Secret::new(URL_SAFE_NO_PAD.encode(flipped)), ..jws(&text) };
            assert_eq!(
                error(&bad, &set),
                format!("the {alg} signature does not match {} key key-{alg}", kty(alg))
            );
        }
        let bad = Jwt { signing_input: good.signing_input.replacen("eyJ", "eyI", 1), ..jws(&text) };
        assert!(error(&bad, &set).starts_with("the "));
        for cut in ["", "AA"] {
            let bad = Jwt { signature: Secret::new(cut), ..jws(&text) };
            assert!(error(&bad, &set).contains("does not match"), "{alg} with {cut:?}");
        }
    }
}

fn kty(alg: &str) -> &'static str {
    required_key_type(alg).expect("known").0
}

#[test]
fn rejects_none_hmac_and_unknown_algorithms() {
    let (text, key) = of_alg("RS256");
    let set = keys(&json!([key, {"kty": "oct", "k": "c2VjcmV0", "kid": "key-RS256"}]));
    for (alg, why) in [
        (json!("none"), "the token is unsigned (alg: none)"),
        (json!("NoNe"), "the token is unsigned (alg: none)"),
        (json!("HS256"), "HS256 is an HMAC, which a public key must not verify"),
        (json!("hs512"), "hs512 is an HMAC, which a public key must not verify"),
        (json!("RS1"), "unsupported algorithm RS1"),
        (json!("\u{1b}[31m"), "unsupported algorithm \\u{1b}[31m"),
        (json!(null), "the header has no alg"),
        (json!(["RS256"]), "the header has no alg"),
    ] {
        assert_eq!(error(&reheadered(&text, &json!({"alg": alg, "kid": "key-RS256"})), &set), why);
    }
}

#[test]
fn rejects_an_hmac_made_with_the_public_key() {
    let (_, key) = of_alg("RS256");
    let claims = URL_SAFE_NO_PAD.encode("{}");
    let input = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","kid":"key-RS256"}"#));
    let secret = jsonwebtoken::EncodingKey::from_secret(key["n"].as_str().expect("n").as_bytes());
    let signature = crypto::sign(input.as_bytes(), &secret, Algorithm::HS256).expect("signs");
    assert!(error(&token(&format!("{input}.{signature}")), &keys(&json!([key]))).contains("HMAC"));
}

#[test]
fn rejects_crit_and_ignores_keys_in_the_header() {
    let (text, key) = of_alg("RS256");
    let set = keys(&json!([key]));
    let crit = reheadered(&text, &json!({"alg": "RS256", "kid": "key-RS256", "crit": ["b64"], "b64": false}));
    assert_eq!(error(&crit, &set), r#"unsupported critical header extensions (crit: ["b64"])"#);
    let (_, other) = of_alg("ES256");
    let brought = reheadered(&text, &json!({"alg": "ES256", "jwk": other, "jku": "https://evil.example/"}));
    assert_eq!(error(&brought, &set), "the realm has no signing key for ES256");
}

#[test]
fn selects_the_key_by_kid_kty_and_use() {
    let (text, key) = of_alg("RS256");
    let with = |changes: &Value| {
        let mut key = key.clone();
        for (name, value) in changes.as_object().expect("an object") {
            key[name.as_str()] = value.clone();
        }
        key
    };
    let encryption = with(&json!({"use": "enc", "alg": "RSA-OAEP", "kid": "enc"}));
    let ok = |set: &Value| matches!(verify(&token(&text), &keys(set)), SignatureStatus::Verified { .. });
    assert!(ok(&json!([encryption, key])), "in any order");
    assert!(ok(&json!([with(&json!({"kid": null}))])), "a key without a kid");
    assert!(ok(&json!([with(&json!({"use": null, "alg": null}))])));
    assert!(ok(&json!([{"kty": 7}, "x", {"kty": "oct", "k": "c2VjcmV0"}, key])), "strange neighbours");
    for (set, why) in [
        (json!([with(&json!({"kid": "new"}))]), "the realm has no key key-RS256"),
        (json!([]), "the realm has no key key-RS256"),
        (json!([with(&json!({"use": "enc"}))]), "RSA key key-RS256 is not a signing key"),
        (json!([with(&json!({"key_ops": ["encrypt"]}))]), "RSA key key-RS256 is not a signing key"),
        (json!([with(&json!({"alg": "RS512"}))]), "RSA key key-RS256 can't verify RS256"),
        (json!([with(&json!({"kty": "EC"}))]), "EC key key-RS256 can't verify RS256"),
        (json!([with(&json!({"n": "!"}))]), "the RS256 signature does not match RSA key key-RS256"),
        (json!([with(&json!({"n": null}))]), "the RS256 signature does not match RSA key key-RS256"),
    ] {
        assert_eq!(error(&token(&text), &keys(&set)), why);
    }
    let nameless = reheadered(&text, &json!({"alg": "RS256"}));
    assert_eq!(error(&nameless, &keys(&json!([encryption]))), "the realm has no signing key for RS256");
}

#[test]
fn only_a_jwk_set_is_a_jwk_set() {
    for body in ["", "<html>", "{}", r#"{"keys":{}}"#, "[]"] {
        assert_eq!(parse(body.as_bytes()).expect_err(body).kind().exit().code(), 3);
    }
}
