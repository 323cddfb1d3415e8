//! `private_key_jwt` at the sandbox's realm: the checks of RFC 7523, compared with a real Keycloak.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA384, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::sandbox::TOKEN;
use crate::sandbox_realm::{CREDENTIALS, REALM, send};
use crate::support::{JWT_CLIENT, Oneup, Sandbox, client_key, keycloak};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The DER form of a key file (PKCS #8).
fn key(name: &str) -> Vec<u8> {
    let pem = std::fs::read_to_string(client_key(name)).expect("a key file");
    let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    STANDARD.decode(base64).expect("PEM")
}

/// The key ID in the JWK set of the fixtures.
fn kid(algorithm: &str) -> String {
    let set: Value = serde_json::from_str(&std::fs::read_to_string(client_key("jwks.json")).expect("a file"))
        .expect("JSON");
    let keys = set["keys"].as_array().expect("keys");
    let key = keys.iter().find(|key| key["alg"] == algorithm).expect("a key for the algorithm");
    key["kid"].as_str().expect("a kid").to_owned()
}

fn sign(header: &Value, claims: &Value, key_name: &str) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let random = SystemRandom::new();
    let signature = if key_name.starts_with("rs") {
        let pair = RsaKeyPair::from_pkcs8(&key(key_name)).expect("a key");
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(&RSA_PKCS1_SHA384, &random, signed.as_bytes(), &mut signature).expect("a signature");
        signature
    } else {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P384_SHA384_FIXED_SIGNING, &key(key_name)).expect("a key");
        pair.sign(&random, signed.as_bytes()).expect("a signature").as_ref().to_vec()
    };
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A server, and the client that it knows the keys of.
struct Server {
    base: String,
    client: &'static str,
}

impl Server {
    fn claims(&self) -> Value {
        static COUNT: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        let now = since_epoch.as_secs();
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        json!({
            "iss": self.client, "sub": self.client, "aud": format!("{}{TOKEN}", self.base), "iat": now,
            "exp": now + 60, "jti": format!("{}-{count}", since_epoch.as_nanos()),
        })
    }

    /// Status, `error` and `error_description`.
    fn send(&self, assertion: &str, more: &str) -> (u16, String, String) {
        let form = format!(
            "grant_type=client_credentials&scope=bulk-data%7Cuser/*.rs&client_assertion_type={TYPE}\
             &client_assertion={assertion}{more}"
        );
        let (status, body) = send(&self.base, TOKEN, &form);
        let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
        (status, text("error"), text("error_description"))
    }
}

fn at(sandbox: Sandbox) -> (Sandbox, Server) {
    let base = sandbox.url().to_owned();
    (sandbox, Server { base, client: JWT_CLIENT })
}

fn with_keys() -> (Sandbox, Server) {
    at(Sandbox::start_with_client_keys())
}

/// What is wrong with the assertion, and how the server responds.
#[derive(Clone, Copy, Debug)]
struct Case {
    /// Members of the claims; `null` removes one, `BASE` is the server's URL.
    claims: &'static str,
    header: &'static str,
    key: &'static str,
    expected: (u16, &'static str, &'static str),
}

const VALID: Case = Case { claims: "{}", header: "{}", key: "es384.pem", expected: (200, "", "") };
const BAD_SIGNATURE: &str =
    "Client authentication with signed JWT failed: Signature on JWT token failed validation";

const fn unauthenticated(claims: &'static str) -> Case {
    Case { claims, expected: (401, "invalid_client", CREDENTIALS), ..VALID }
}

const fn rejected(claims: &'static str, why: &'static str) -> Case {
    Case { claims, expected: (400, "invalid_client", why), ..VALID }
}

const CASES: &[Case] = &[
    VALID,
    Case { key: "rs384.pem", ..VALID },
    Case { claims: r#"{"aud":"BASE/auth/realms/dev-portal"}"#, ..VALID },
    Case { claims: r#"{"aud":["BASE/auth/realms/dev-portal"]}"#, ..VALID },
    rejected(r#"{"aud":"https://elsewhere.example"}"#, "Invalid token audience"),
    rejected(r#"{"aud":["BASE/auth/realms/dev-portal","x"]}"#, "Multiple audiences not allowed"),
    rejected(r#"{"aud":null}"#, "Invalid token audience"),
    unauthenticated(r#"{"sub":null}"#),
    unauthenticated(r#"{"iss":"x"}"#),
    unauthenticated(r#"{"iss":"svc","sub":"svc"}"#),
    unauthenticated(r#"{"iss":"nobody","sub":"nobody"}"#),
    rejected(r#"{"iat":1700000000}"#, "Token was issued too far in the past to be used now"),
    rejected(
        r#"{"iat":null,"exp":4000000000}"#,
        "Token expiration is too far in the future and iat claim not present in token",
    ),
    rejected(r#"{"exp":null}"#, "Token exp claim is required"),
    rejected(r#"{"exp":1000000000}"#, "Token is not active"),
    rejected(r#"{"nbf":4000000000}"#, "Token is not active"),
    rejected(r#"{"iat":4000000000}"#, "Token was issued in the future"),
    rejected(r#"{"jti":null}"#, "Token jti claim is required"),
    Case { header: r#"{"alg":"none"}"#, ..rejected("{}", "Invalid signature algorithm") },
    Case { header: r#"{"alg":"HS256"}"#, ..rejected("{}", "Invalid signature algorithm") },
    Case { key: "other.pem", ..rejected("{}", BAD_SIGNATURE) },
    Case { header: r#"{"kid":"unknown"}"#, ..rejected("{}", "Unable to load public key") },
];

impl Case {
    fn assertion(&self, server: &Server) -> String {
        let algorithm = if self.key.starts_with("rs") { "RS384" } else { "ES384" };
        let mut header = json!({ "alg": algorithm, "typ": "JWT", "kid": kid(algorithm) });
        let mut claims = server.claims();
        for (text, value) in [(self.claims, &mut claims), (self.header, &mut header)] {
            let changes: Value = serde_json::from_str(&text.replace("BASE", &server.base)).expect("JSON");
            for (name, change) in changes.as_object().expect("members") {
                value[name] = change.clone();
            }
            value.as_object_mut().expect("members").retain(|_, value| !value.is_null());
        }
        sign(&header, &claims, self.key)
    }
}

#[test]
fn assertion_is_checked_in_every_respect() {
    let (_sandbox, server) = with_keys();
    for case in CASES {
        let (status, error, description) = server.send(&case.assertion(&server), "");
        assert_eq!((status, error.as_str(), description.as_str()), case.expected, "{case:?}");
    }
    let far = Case { claims: r#"{"exp":4000000000}"#, ..VALID };
    assert_eq!(server.send(&far.assertion(&server), "").2, "Token expiration is too far in the future");
    for header in [r#"{"kid":null}"#, r#"{"crit":["x"],"x":1}"#] {
        let case = Case { header, ..VALID };
        assert_eq!(server.send(&case.assertion(&server), "").0, 400, "{header}");
    }
}

#[test]
fn assertion_is_valid_once() {
    let (_sandbox, server) = with_keys();
    let assertion = VALID.assertion(&server);
    assert_eq!(server.send(&assertion, "").0, 200);
    assert_eq!(server.send(&assertion, "").2, "Token reuse detected");
    assert_eq!(server.send(&VALID.assertion(&server), "&client_id=oneup-sandbox-jwt").0, 200);
    let mismatch = server.send(&VALID.assertion(&server), "&client_id=oneup-sandbox");
    assert_eq!((mismatch.0, mismatch.1.as_str()), (401, "unauthorized_client"));
}

#[test]
fn malformed_assertions_and_missing_keys_are_rejected() {
    let (_sandbox, server) = with_keys();
    for malformed in ["x", "a.b.c", "e30.e30.", "..."] {
        assert_eq!(server.send(malformed, "").1, "invalid_client", "{malformed}");
    }
    let (_sandbox, without_keys) = at(Sandbox::start(&[]));
    let assertion = VALID.assertion(&without_keys);
    assert_eq!(without_keys.send(&assertion, "").2, "Unable to load public key");
}

#[test]
fn client_jwks_must_be_a_set_of_public_keys() {
    for (file, status) in [("es384.pem", 2), ("missing.json", 2)] {
        let path = client_key(file);
        Oneup::new()
            .args(["sandbox", "serve", "--client-jwks", path.to_str().expect("UTF-8")])
            .status(status)
            .stderr_has("hint: oneup key jwks > FILE")
            .run();
    }
}

#[test]
fn real_keycloak_rejects_the_same_assertions() {
    let Some(base) = keycloak() else { return };
    let server = Server { base, client: "jwt" };
    for case in CASES {
        let (status, error, description) = server.send(&case.assertion(&server), "");
        assert_eq!((status, error.as_str(), description.as_str()), case.expected, "{case:?}");
    }
    let assertion = VALID.assertion(&server);
    assert_eq!(server.send(&assertion, "").0, 200);
    assert_eq!(server.send(&assertion, "").2, "Token reuse detected");
    let metadata = send(&server.base, &format!("{REALM}/.well-known/openid-configuration"), "").1;
    let methods = metadata["token_endpoint_auth_methods_supported"].as_array().expect("methods").clone();
    assert!(methods.contains(&json!("private_key_jwt")), "{methods:?}");
}
