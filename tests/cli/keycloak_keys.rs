//! Key rotation at a real Keycloak, and modified tokens: in a realm of its own, which Keycloak's admin API creates and
//! deletes, so that no other test loses its keys.

use std::process::Command;

use aws_lc_rs::hmac;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::support::{Home, KEYCLOAK_SCOPE as SCOPE, KEYCLOAK_SECRET as SECRET, keycloak};

/// A realm of Keycloak's; deleted when the test has passed.
pub(crate) struct Realm {
    keycloak: String,
    name: String,
}

impl Realm {
    fn new(keycloak: String) -> Self {
        let clients = json!([{"clientId": "svc", "secret": SECRET, "serviceAccountsEnabled": true,
            "optionalClientScopes": [SCOPE]}]);
        Self::with_clients(keycloak, "rotation", &clients)
    }

    /// One with these clients, and a name that begins so.
    pub(crate) fn with_clients(keycloak: String, prefix: &str, clients: &Value) -> Self {
        let realm = Self { keycloak, name: format!("{prefix}-{}", std::process::id()) };
        let document = json!({
            "realm": realm.name, "enabled": true, "accessTokenLifespan": 300,
            "clientScopes": [{"name": SCOPE, "protocol": "openid-connect"}],
            "clients": clients,
        });
        realm.admin("POST", "", Some(&document));
        realm
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The bootstrap admin's token; it is valid for a minute, so each request gets a new one.
    fn admin_token(&self) -> String {
        let url = format!("{}/auth/realms/master/protocol/openid-connect/token", self.keycloak);
        let form = "grant_type=password&client_id=admin-cli&username=admin&password=admin";
        curl(&["-d", form, &url])["access_token"].as_str().expect("a token").to_owned()
    }

    /// Sends a request to the admin API; `path` is below it, and a new realm is posted above it.
    pub(crate) fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let below =
            if method == "POST" && path.is_empty() { String::new() } else { format!("/{}{path}", self.name) };
        let url = format!("{}/auth/admin/realms{below}", self.keycloak);
        let authorization = format!("Authorization: Bearer {}", self.admin_token());
        let body = body.map(Value::to_string);
        let mut args = vec!["-X", method, "-H", &authorization, "-H", "Content-Type: application/json"];
        args.extend(body.iter().flat_map(|body| ["-d", body.as_str()]));
        args.push(&url);
        curl(&args)
    }

    /// The provider of the realm's first signing key.
    fn first_provider(&self) -> Value {
        let all = self.admin("GET", "/components?type=org.keycloak.keys.KeyProvider", None);
        let found = all.as_array().expect("a list").iter().find(|one| one["providerId"] == "rsa-generated");
        found.expect("a provider of RSA signing keys").clone()
    }

    fn configure(&self, provider: &Value, name: &str, value: &str) {
        let mut provider = provider.clone();
        provider["config"][name] = json!([value]);
        let path = format!("/components/{}", provider["id"].as_str().expect("an id"));
        self.admin("PUT", &path, Some(&provider));
    }

    /// A new key that signs from now on.
    fn rotate(&self, old: &Value) {
        let provider = json!({
            "name": "rotated", "providerId": "rsa-generated", "providerType": "org.keycloak.keys.KeyProvider",
            "parentId": old["parentId"],
            "config": {"priority": ["1000"], "enabled": ["true"], "active": ["true"], "algorithm": ["RS256"],
                "keySize": ["2048"]},
        });
        self.admin("POST", "/components", Some(&provider));
        self.configure(old, "active", "false");
    }

    fn certs(&self) -> Vec<Value> {
        let url = format!("{}/auth/realms/{}/protocol/openid-connect/certs", self.keycloak, self.name);
        curl(&[&url])["keys"].as_array().expect("keys").clone()
    }

    fn log_in(&self) -> Home {
        let home = Home::new();
        home.oneup()
            .args(["login", "provider", "--gateway", &self.keycloak, "--realm", &self.name])
            .args(["--client-id", "svc"])
            .env("ONEUP_CLIENT_SECRET", SECRET)
            .run();
        home
    }
}

impl Drop for Realm {
    fn drop(&mut self) {
        // After a failure it stays, so that it can be inspected.
        if !std::thread::panicking() {
            self.admin("DELETE", "", None);
        }
    }
}

/// The response that curl gets, as JSON; null if it has no body.
pub(crate) fn curl(args: &[&str]) -> Value {
    let output = Command::new("curl").args(["-fsS", "--noproxy", "*"]).args(args).output().expect("curl");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    serde_json::from_slice(&output.stdout).unwrap_or_default()
}

fn show(home: &Home, flags: &[&str]) -> String {
    home.oneup().args(["token", "show"]).args(flags).run().stdout.trim_end().to_owned()
}

fn part(token: &str, index: usize) -> Value {
    let bytes = URL_SAFE_NO_PAD.decode(token.split('.').nth(index).expect("a part")).expect("base64url");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn kid(token: &str) -> String {
    part(token, 0)["kid"].as_str().expect("a kid").to_owned()
}

/// The reason why `--verify` fails (null if it does not), and how often the keys were fetched.
#[track_caller]
fn verify(home: &Home, token: &str, status: i32) -> (Value, usize) {
    let run = home
        .oneup()
        .args(["token", "inspect", "-", "--verify", "--format", "json", "-v"])
        .stdin(token)
        .status(status)
        .stdout_has("\"verification\"")
        .run();
    let report: Value = serde_json::from_str(&run.stdout).expect("JSON");
    let verification = &report["verification"];
    assert_eq!(verification["verified"], status == 0, "{verification}");
    (verification["reason"].clone(), run.stderr.matches("/protocol/openid-connect/certs").count())
}

#[test]
fn old_tokens_verify_until_their_key_is_removed() {
    let Some(keycloak) = keycloak() else { return };
    let realm = Realm::new(keycloak);
    let home = realm.log_in();
    let old = show(&home, &[]);
    assert_eq!(verify(&home, &old, 0), (Value::Null, 1));

    let provider = realm.first_provider();
    realm.rotate(&provider);
    let new = show(&home, &["--refresh"]);
    assert_ne!(kid(&new), kid(&old), "Keycloak signs with its new key");
    assert_eq!(verify(&home, &old, 0), (Value::Null, 0), "the keys are cached");
    assert_eq!(verify(&home, &new, 0), (Value::Null, 1), "an unknown kid fetches them once");
    assert_eq!(verify(&home, &old, 0), (Value::Null, 0), "the passive key is still published");

    realm.configure(&provider, "enabled", "false");
    std::fs::remove_dir_all(home.state().join("keys")).expect("cached keys");
    let missing = format!("the realm has no key {}", kid(&old));
    assert_eq!(verify(&home, &old, 7), (missing.clone().into(), 1));
    assert_eq!(
        verify(&home, &old, 7),
        (missing.into(), 1),
        "the key may be published again, so the keys are fetched again"
    );
    assert_eq!(verify(&home, &new, 0), (Value::Null, 0));
    modified_tokens_are_rejected(&realm, &home, &old, &new);
}

/// One flipped bit, each forbidden algorithm, each malformed shape.
fn modified_tokens_are_rejected(realm: &Realm, home: &Home, old: &str, good: &str) {
    let parts: Vec<&str> = good.split('.').collect();
    let key = kid(good);
    let certs = realm.certs();
    let encryption = certs.iter().find(|key| key["use"] == "enc").expect("an encryption key");
    let encryption = encryption["kid"].as_str().expect("a kid");
    let public = certs.iter().find(|one| one["kid"] == key.as_str()).expect("the signing key")["n"].as_str();
    let with =
        |header: &Value| format!("{}.{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), parts[1], parts[2]);
    let flipped = |index: usize| {
        let mut bytes = URL_SAFE_NO_PAD.decode(parts[index]).expect("base64url");
        let at = bytes.len() / 2;
        bytes[at] ^= 1;
        let mut parts: Vec<String> = parts.iter().map(|part| (*part).to_owned()).collect();
        parts[index] = URL_SAFE_NO_PAD.encode(bytes);
        parts.join(".")
    };
    let hmac = {
        let header = URL_SAFE_NO_PAD.encode(json!({"alg": "HS256", "kid": key}).to_string());
        let input = format!("{header}.{}", parts[1]);
        let secret = hmac::Key::new(hmac::HMAC_SHA256, public.expect("a modulus").as_bytes());
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(hmac::sign(&secret, input.as_bytes())))
    };
    let mismatch = format!("the RS256 signature does not match RSA key {key}");
    let opaque = "an opaque token has no signature; ask the realm with --introspect".to_owned();
    let mismatched_key = |alg: &str| format!("RSA key {key} can't verify {alg}");
    for (token, reason) in [
        (flipped(2), mismatch.clone()),
        (format!("{}.{}.{}", parts[0], old.split('.').nth(1).expect("claims"), parts[2]), mismatch.clone()),
        (
            with(&json!({"alg": "RS256", "kid": key, "jku": "https://evil.example/", "jwk": {}})),
            mismatch.clone(),
        ),
        (with(&json!({"alg": "RS256"})), mismatch),
        (with(&json!({"alg": "none", "kid": key})), "the token is unsigned (alg: none)".into()),
        (
            format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#), parts[1]),
            "the token is unsigned (alg: none)".into(),
        ),
        (hmac, "HS256 is an HMAC, which a public key must not verify".into()),
        (with(&json!({"alg": "RS512", "kid": key})), mismatched_key("RS512")),
        (with(&json!({"alg": "PS256", "kid": key})), mismatched_key("PS256")),
        (with(&json!({"alg": "ES256", "kid": key})), mismatched_key("ES256")),
        (with(&json!({"alg": "ES256"})), "the realm has no signing key for ES256".into()),
        (with(&json!({"alg": "RS1", "kid": key})), "unsupported algorithm RS1".into()),
        (with(&json!({"kid": key})), "the header has no alg".into()),
        (
            with(&json!({"alg": "RS256", "kid": encryption})),
            format!("RSA key {encryption} is not a signing key"),
        ),
        (
            with(&json!({"alg": "RS256", "kid": key, "crit": ["exp"]})),
            r#"unsupported critical header extensions (crit: ["exp"])"#.into(),
        ),
        (format!("{}.{}", parts[0], parts[1]), opaque.clone()),
        (format!("{good}.{}", parts[2]), opaque.clone()),
        (format!("{good}="), opaque.clone()),
        (format!("{}..{}", parts[0], parts[2]), opaque.clone()),
        (good.replace('.', ","), opaque.clone()),
        (format!("{good}.x.y"), "it is encrypted; only its audience can verify it".into()),
    ] {
        assert_eq!(verify(home, &token, 7).0, reason.as_str(), "{token}");
    }
    // With a flipped bit, header or claims may no longer be JSON.
    for token in [flipped(0), flipped(1)] {
        verify(home, &token, 7);
    }
    assert_eq!(verify(home, good, 0).0, Value::Null);
}
