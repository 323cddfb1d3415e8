//! Client credentials at a real Keycloak: a server that was not written for these tests.

use std::thread::sleep;
use std::time::Duration;

use crate::keycloak_keys::curl;
use crate::support::{Home, KEYCLOAK_SCOPE as SCOPE, KEYCLOAK_SECRET as SECRET, Oneup, keycloak};

const WRONG_SECRET: &str = "wrong-secret-of-a-client";

/// A login at the realm, in a home of its own.
fn login(gateway: &str, client_id: &str) -> Oneup {
    login_in(&Home::new(), gateway, client_id)
}

fn login_in(home: &Home, gateway: &str, client_id: &str) -> Oneup {
    home.oneup()
        .args(["login", "provider", "--gateway", gateway, "--client-id", client_id])
        .env("ONEUP_CLIENT_SECRET", SECRET)
        .never(SECRET)
}

/// A home in which `client_id` is logged in.
fn logged_in(gateway: &str, client_id: &str) -> Home {
    login(gateway, client_id).stdout("").run().home
}

fn show(home: &Home, flags: &[&str]) -> String {
    home.oneup().args(["token", "show"]).args(flags).stderr("").run().stdout.trim_end().to_owned()
}

#[test]
fn login_show_status_and_logout() {
    let Some(gateway) = keycloak() else { return };
    let home = logged_in(&gateway, "svc");

    let token = show(&home, &[]);
    assert_eq!(token.split('.').count(), 3, "Keycloak's access tokens are JWTs");
    assert_eq!(show(&home, &[]), token, "a valid token is printed again");
    assert_eq!(show(&home, &["--format", "header"]), format!("Authorization: Bearer {token}"));

    let json: serde_json::Value = serde_json::from_str(&show(&home, &["--format", "json"])).expect("JSON");
    assert_eq!(json["access_token"], token.as_str());
    assert_eq!(json["token_type"], "Bearer");
    assert_eq!(json["product"], "provider");
    assert_eq!(json["profile"], "provider");
    assert_eq!(json["scope"], SCOPE);
    assert!(json["expires_in"].as_i64().is_some_and(|left| (1..=60).contains(&left)), "{json}");

    home.oneup().args(["status", "--check"]).stdout_has("svc").never(&token).never(SECRET).run();
    home.oneup().arg("logout").stdout("").never(SECRET).run();
    home.oneup().args(["token", "show"]).status(4).stderr_has("hint: ").stderr_has("oneup login").run();
    home.oneup().args(["logout", "--profile", "provider"]).status(4).run();
}

#[test]
fn no_store_prints_the_token_and_saves_nothing() {
    let Some(gateway) = keycloak() else { return };
    let run = login(&gateway, "svc").arg("--no-store").env_remove("ONEUP_STORE").run();
    assert_eq!(run.stdout.trim_end().split('.').count(), 3);
    assert!(!run.home.config().join("profiles").exists(), "no profile");
    run.home.oneup().args(["token", "show"]).status(4).run();
}

#[test]
fn expired_token_is_replaced() {
    let Some(gateway) = keycloak() else { return };
    let home = logged_in(&gateway, "short");
    let first = show(&home, &[]);
    sleep(Duration::from_secs(4));
    assert_ne!(show(&home, &[]), first);
}

#[test]
fn refresh_replaces_a_valid_token() {
    let Some(gateway) = keycloak() else { return };
    let home = logged_in(&gateway, "svc");
    let first = show(&home, &[]);
    let second = show(&home, &["--refresh"]);
    assert_ne!(second, first);
    sleep(Duration::from_secs(6));
    assert_ne!(show(&home, &["--min-ttl", "55"]), second, "55 of 60 seconds are no longer left");
}

#[test]
fn id_and_secret_are_encoded() {
    let Some(gateway) = keycloak() else { return };
    for method in ["post", "basic"] {
        login(&gateway, "my client:1")
            .args(["--auth-method", method])
            .env("ONEUP_CLIENT_SECRET", "p&a=s+s% wörd")
            .stdout("")
            .never("s+s%")
            .run();
    }
}

#[test]
fn scope_is_sent_with_single_spaces() {
    let Some(gateway) = keycloak() else { return };
    let scope = format!("  openid \t {SCOPE} ");
    let home = login(&gateway, "svc").args(["--scope", &scope]).stdout("").run().home;
    let json: serde_json::Value = serde_json::from_str(&show(&home, &["--format", "json"])).expect("JSON");
    assert!(json["scope"].as_str().is_some_and(|granted| granted.contains(SCOPE)), "{json}");
}

/// An error response of Keycloak, and a part of oneup's message.
struct ErrorCase {
    client_id: &'static str,
    secret: &'static str,
    flags: &'static [&'static str],
    message: &'static str,
}

const ERRORS: &[ErrorCase] = &[
    ErrorCase {
        client_id: "no-such-client",
        secret: SECRET,
        flags: &[],
        message: "unknown or disabled client",
    },
    ErrorCase { client_id: "disabled", secret: SECRET, flags: &[], message: "disabled" },
    ErrorCase { client_id: "svc", secret: WRONG_SECRET, flags: &[], message: "secret" },
    ErrorCase { client_id: "no-service-account", secret: SECRET, flags: &[], message: "grant" },
    ErrorCase { client_id: "public", secret: SECRET, flags: &[], message: "grant" },
    ErrorCase { client_id: "assertion", secret: SECRET, flags: &[], message: "client_assertion_type" },
    ErrorCase { client_id: "svc", secret: SECRET, flags: &["--scope", "nope"], message: "--scope" },
    ErrorCase {
        client_id: "svc",
        secret: SECRET,
        flags: &["--scope", "unassigned/*.rs"],
        message: "--scope",
    },
    ErrorCase {
        client_id: "svc",
        secret: SECRET,
        flags: &["--realm", "tls-only"],
        message: "HTTPS required",
    },
    ErrorCase {
        client_id: "svc",
        secret: SECRET,
        flags: &["--realm", "nowhere"],
        message: "Realm does not exist",
    },
];

#[test]
fn error_responses_are_exit_4_with_a_hint_and_save_nothing() {
    let Some(gateway) = keycloak() else { return };
    for case in ERRORS {
        let run = login(&gateway, case.client_id)
            .args(case.flags)
            .env("ONEUP_CLIENT_SECRET", case.secret)
            .status(4)
            .stderr_has("error: ")
            .stderr_has("hint: ")
            .stderr_has(case.message)
            .never(case.secret)
            .run();
        assert!(!run.home.profile_file("provider").exists(), "{}", case.client_id);
    }
}

#[test]
fn changed_secret_is_rejected_and_keeps_the_profile() {
    let Some(gateway) = keycloak() else { return };
    let home = logged_in(&gateway, "svc");
    login_in(&home, &gateway, "svc").env("ONEUP_CLIENT_SECRET", WRONG_SECRET).status(4).run();
    assert!(!show(&home, &["--refresh"]).is_empty(), "a failed login keeps the previous one");
}

#[test]
fn invalid_code_is_rejected() {
    let Some(gateway) = keycloak() else { return };
    Oneup::new()
        .args(["login", "patient", "--gateway", &gateway, "--client-id", "patient-app", "--code", "-"])
        .env("ONEUP_CLIENT_SECRET", SECRET)
        .stdin("not-a-code-of-this-realm\n")
        .status(4)
        .stderr_has("hint: ")
        .never("not-a-code-of-this-realm")
        .never(SECRET)
        .run();
}

#[test]
fn inspect_verifies_against_the_realm() {
    let Some(gateway) = keycloak() else { return };
    let home = logged_in(&gateway, "svc");
    let token = show(&home, &[]);
    let inspect = |flags: &[&str]| home.oneup().args(["token", "inspect"]).args(flags).never(&token);
    inspect(&[]).stdout_has("/auth/realms/dev-portal").run();
    inspect(&["--verify"]).run();

    // A token with one changed letter in its signature, from stdin.
    let (rest, signature) = token.rsplit_once('.').expect("a JWT");
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    let forged = format!("{rest}.{flipped}{}", &signature[1..]);
    inspect(&["--verify", "-"]).stdin(forged).status(7).stdout_has("").run();
}

#[test]
fn inspect_rejects_tokens_of_another_realm() {
    let Some(gateway) = keycloak() else { return };
    let home = logged_in(&gateway, "svc");
    let form = "grant_type=password&client_id=admin-cli&username=admin&password=admin";
    let url = format!("{gateway}/auth/realms/master/protocol/openid-connect/token");
    let response = curl(&["-d", form, &url]);
    let token = response["access_token"].as_str().expect("a token of the master realm");
    home.oneup().args(["token", "inspect", "--verify", "-"]).stdin(token).status(7).stdout_has("").run();
}

#[test]
fn introspection_is_active_for_the_audience_only() {
    let Some(gateway) = keycloak() else { return };
    let home = logged_in(&gateway, "audience");
    home.oneup().args(["token", "inspect", "--introspect"]).stdout_has("active").run();
    let home = logged_in(&gateway, "svc");
    let run = home.oneup().args(["token", "inspect", "--introspect"]).run();
    assert!(run.shows("audience"), "{run}");
}
