//! `token inspect --verify` and `--introspect` against a realm whose keys rotate, whose documents are inconsistent, and
//! whose introspection responses can be misunderstood.

use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{Home, Oneup, RawServer, html_response, json_response};

const REALM: &str = "/auth/realms/r";

/// A key of the realm, by its `kid`.
pub(crate) struct Signer(&'static str, Ed25519KeyPair);

impl Signer {
    pub(crate) fn new(kid: &'static str) -> Self {
        Self(kid, Ed25519KeyPair::generate().expect("a key"))
    }

    fn jwk(&self) -> Value {
        let x = URL_SAFE_NO_PAD.encode(self.1.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": self.0, "x": x})
    }

    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = json!({"alg": "EdDSA", "kid": self.0, "typ": "JWT"});
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(&header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.1.sign(input.as_bytes()));
        format!("{input}.{signature}")
    }
}

/// What the realm publishes; nothing but its keys unless a test changes it.
#[derive(Default)]
pub(crate) struct RealmState {
    discovery: Option<Value>,
    keys: Vec<Value>,
    pub(crate) introspection: Value,
}

pub(crate) struct Realm {
    server: RawServer,
    state: Arc<Mutex<RealmState>>,
    home: Home,
}

impl Realm {
    pub(crate) fn new(keys: &[&Signer]) -> Self {
        let state = RealmState { keys: keys.iter().map(|key| key.jwk()).collect(), ..RealmState::default() };
        let state = Arc::new(Mutex::new(state));
        let shared = Arc::clone(&state);
        let server = RawServer::start(move |_, request, _| {
            let state = shared.lock().expect("no panic");
            let body = match request.target().strip_prefix(REALM) {
                Some("/.well-known/openid-configuration") => state.discovery.clone(),
                Some("/protocol/openid-connect/certs") => Some(json!({"keys": state.keys})),
                Some("/protocol/openid-connect/token/introspect") => Some(state.introspection.clone()),
                _ => None,
            };
            match body {
                Some(body) => json_response("200 OK", body.to_string()),
                None => html_response("404 Not Found", "<html>"),
            }
        });
        let home = Home::new();
        let issuer = format!("{}{REALM}", server.url());
        let token_url = format!("{issuer}/protocol/openid-connect/token");
        let more = format!("issuer = \"{issuer}\"\nclient_secret_command = \"echo s3cret\"\n");
        home.write_profile(&token_url, &issuer, &more);
        Self { server, state, home }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn issuer(&self) -> String {
        format!("{}{REALM}", self.url())
    }

    fn claims(&self) -> Value {
        json!({"iss": self.issuer(), "azp": "c", "scope": "user/*.rs", "iat": 0, "exp": 4_102_444_800_u64})
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut RealmState)) {
        change(&mut self.state.lock().expect("no panic"));
    }

    pub(crate) fn inspect(&self, token: &str) -> Oneup {
        self.home.oneup().args(["token", "inspect", "-"]).stdin(token)
    }

    fn verify(&self, token: &str) -> Oneup {
        self.inspect(token).arg("--verify")
    }

    /// How many requests came for paths that end so.
    fn count(&self, path: &str) -> usize {
        self.server.requests().iter().filter(|request| request.target().ends_with(path)).count()
    }
}

#[test]
fn keys_are_cached_and_an_unknown_kid_refetches_them_once() {
    let (old, new, never) = (Signer::new("old"), Signer::new("new"), Signer::new("never"));
    let realm = Realm::new(&[&old]);
    for _ in 0..3 {
        realm
            .verify(&old.sign(&realm.claims()))
            .stdout_has("Signature  verified: EdDSA, OKP key old\n")
            .run();
    }
    assert_eq!(realm.count("/certs"), 1, "ten minutes from the cache");
    realm.change(|state| state.keys = vec![new.jwk()]);
    realm.verify(&new.sign(&realm.claims())).stdout_has("Signature  verified: EdDSA, OKP key new\n").run();
    assert_eq!(realm.count("/certs"), 2);
    realm
        .verify(&never.sign(&realm.claims()))
        .status(7)
        .stdout_has("Status     invalid signature; valid for ")
        .stdout_has("Signature  invalid: the realm has no key never\n")
        .run();
    assert_eq!(realm.count("/certs"), 3, "once more, and not again");
}

#[test]
fn modified_token_does_not_verify() {
    let key = Signer::new("k");
    let realm = Realm::new(&[&key]);
    let good = key.sign(&realm.claims());
    let mut claims = realm.claims();
    claims["scope"] = "system/*.cruds".into();
    let forged = Signer::new("k").sign(&claims);
    let parts: Vec<&str> = good.split('.').collect();
    let swapped = format!("{}.{}.{}", parts[0], forged.split('.').nth(1).expect("claims"), parts[2]);
    for token in [forged, swapped] {
        realm
            .verify(&token)
            .status(7)
            .stdout_has("Signature  invalid: the EdDSA signature does not match OKP key k\n")
            .run();
    }
    realm
        .verify("8f2d61c04ab9e7")
        .status(7)
        .stdout_has("Signature  not verified: an opaque token has no signature")
        .run();
}

#[test]
fn another_issuer_is_never_contacted() {
    let key = Signer::new("k");
    let (realm, other) = (Realm::new(&[&key]), Realm::new(&[&key]));
    realm
        .verify(&key.sign(&other.claims()))
        .arg("--introspect")
        .status(7)
        .stdout_has("Status     signature not verified; valid for ")
        .stdout_has("Signature  not verified: unknown issuer; the profile trusts\n")
        .stdout_has("Realm      not sent: the token was issued by another issuer\n")
        .run();
    assert_eq!((realm.server.count(), other.server.count()), (0, 0));
}

#[test]
fn inconsistent_discovery_document_is_rejected() {
    let key = Signer::new("k");
    let realm = Realm::new(&[&key]);
    let token = key.sign(&realm.claims());
    for (document, words) in [
        (json!({"issuer": "https://evil.example"}), "error: the discovery document is not the realm's"),
        (
            json!({"issuer": realm.issuer(), "jwks_uri": "https://evil.example/keys"}),
            "error: the discovery document's jwks_uri is not a URL on the issuer's origin",
        ),
    ] {
        realm.change(|state| state.discovery = Some(document));
        realm.verify(&token).status(3).stderr_has(words).run();
    }
}

#[test]
fn inactive_introspection_is_explained() {
    let key = Signer::new("k");
    let realm = Realm::new(&[&key]);
    let ask = |claims: &Value| realm.inspect(&key.sign(claims)).arg("--introspect").never("s3cret");
    realm.change(|state| state.introspection = json!({"active": true, "client_id": "c"}));
    ask(&realm.claims()).stdout_has("Realm      active\n").run();
    realm.change(|state| state.introspection = json!({"active": false}));
    ask(&realm.claims())
        .stdout_has("Realm      active: false, which may be wrong\n")
        .stdout_has("             Keycloak responds so for valid tokens too if their audience\n")
        .run();
    let mut claims = realm.claims();
    claims["aud"] = json!(["account", "c"]);
    ask(&claims).status(7).stdout_has("Realm      not active: expired, revoked").run();
    realm.change(|state| state.introspection = json!({"error": "x"}));
    ask(&claims).status(3).stderr_has("error: the response is not an introspection response").run();
}
