//! `private_key_jwt` at a real Keycloak, with a client whose JWK set has the key of `oneup key generate`.

use serde_json::{Value, json};

use crate::keycloak_keys::Realm;
use crate::support::{Home, KEYCLOAK_SCOPE as SCOPE, Oneup, keycloak, requires_program};

/// A realm, a home with a generated key, and the key's public set.
struct Fixture {
    gateway: String,
    realm: Realm,
    home: Home,
}

impl Fixture {
    /// The client `generated` has the key; `attributes` are further ones of the client.
    fn new(gateway: &str, name: &str, algorithm: &str, attributes: Value) -> Self {
        let home = Home::new();
        let set = home.oneup().args(["key", "generate", "--alg", algorithm]).run().stdout;
        let mut client = json!({
            "clientId": "generated", "clientAuthenticatorType": "client-jwt", "serviceAccountsEnabled": true,
            "standardFlowEnabled": false, "optionalClientScopes": [SCOPE],
            "attributes": {"use.jwks.string": "true", "jwks.string": set},
        });
        for (name, value) in attributes.as_object().expect("members") {
            client["attributes"][name] = value.clone();
        }
        let realm = Realm::with_clients(gateway.to_owned(), name, &json!([client]));
        Self { gateway: gateway.to_owned(), realm, home }
    }

    fn login(&self) -> Oneup {
        self.login_under(&[], "generated")
    }

    fn login_under(&self, program: &[&str], client: &str) -> Oneup {
        self.home
            .oneup_under(program)
            .args(["login", "provider", "--gateway", &self.gateway, "--realm", self.realm.name()])
            .args(["--client-id", client, "--scope", SCOPE, "--auth-method", "private_key_jwt"])
    }
}

#[test]
fn generated_keys_are_accepted() {
    let Some(gateway) = keycloak() else { return };
    for algorithm in ["RS384", "ES384"] {
        let fixture = Fixture::new(&gateway, &format!("jwt-{algorithm}"), algorithm, json!({}));
        fixture.login().stdout("").run();
        let show = || {
            let run = fixture.home.oneup().args(["token", "show", "--refresh"]).stderr("").run();
            run.stdout
        };
        let (first, second) = (show(), show());
        assert_ne!(first, second);
        fixture.home.oneup().args(["token", "inspect", "--verify"]).run();
        fixture.home.oneup().args(["token", "inspect", "--introspect"]).run();
        fixture
            .home
            .oneup()
            .args(["token", "revoke"])
            .stderr_has("The server revoked the access token")
            .run();
        fixture.home.oneup().args(["doctor", "--login"]).stdout_has("token granted").outcome();
    }
}

#[test]
fn wrong_assertions_are_rejected_with_the_reason() {
    let Some(gateway) = keycloak() else { return };
    let fixture = Fixture::new(&gateway, "jwt-wrong", "ES384", json!({}));
    fixture
        .login_under(&[], "unregistered")
        .status(4)
        .stderr_has("the server has no client unregistered that authenticates with a signed JWT")
        .run();
    if requires_program("faketime") {
        for offset in ["-10m", "+10m"] {
            fixture
                .login_under(&["faketime", "-f", offset], "generated")
                .status(4)
                .stderr_has("expired, or not valid yet")
                .run();
        }
    }
    // Keycloak is the same server under this name, but its issuer is another one.
    let elsewhere = gateway.replace("127.0.0.1", "localhost");
    let clients = fixture.realm.admin("GET", "/clients?clientId=generated", None);
    let client = clients[0].clone();
    let with_issuer =
        json!({"realm": fixture.realm.name(), "attributes": {"frontendUrl": format!("{elsewhere}/auth")}});
    fixture.realm.admin("PUT", "", Some(&with_issuer));
    fixture.login().status(4).stderr_has("the server expects assertions for another audience than ").run();
    fixture
        .login()
        .args([
            "--token-url",
            &format!("{elsewhere}/auth/realms/{}/protocol/openid-connect/token", fixture.realm.name()),
        ])
        .run();
    fixture.realm.admin(
        "PUT",
        "",
        Some(&json!({"realm": fixture.realm.name(), "attributes": {"frontendUrl": ""}})),
    );

    // First a key that is not registered, then another key with the registered ID.
    fixture.home.oneup().args(["key", "generate"]).run();
    fixture
        .login()
        .status(4)
        .stderr_has("the server has no key ")
        .stderr_has("hint: register the public key")
        .run();
    let path = format!("/clients/{}", client["id"].as_str().expect("an id"));
    let with_keys = |keys: Value, algorithm: &str| {
        let mut client = client.clone();
        client["attributes"]["jwks.string"] = json!({ "keys": keys }).to_string().into();
        client["attributes"]["token.endpoint.auth.signing.alg"] = algorithm.into();
        fixture.realm.admin("PUT", &path, Some(&client));
    };
    let set: Value =
        serde_json::from_str(&fixture.home.oneup().args(["key", "jwks"]).run().stdout).expect("JSON");
    let (login_key, generated) = (&set["keys"][0], &set["keys"][1]);
    let mut mixed = login_key.clone();
    mixed["kid"] = generated["kid"].clone();
    with_keys(json!([mixed]), "");
    fixture.login().status(4).stderr_has("the signature does not match the key ").run();

    with_keys(json!([generated]), "RS384");
    fixture.login().status(4).stderr_has("the server does not accept ES384").stderr_has("--alg RS384").run();
    with_keys(json!([generated]), "ES384");
    fixture.login().run();
}
