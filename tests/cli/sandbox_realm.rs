//! The sandbox's realm beside the real Keycloak: the same requests to both, by curl, and the answers compared by
//! status, error, description and the set of JSON members.

use std::process::Command;

use serde_json::Value;

use crate::support::{Sandbox, requires_variable};

const REALM: &str = "/auth/realms/dev-portal";
const SECRET_THERE: &str = "secret-of-a-test-client";
const SECRET_HERE: &str = "not-a-secret";

/// The clients of `.ci/dev-portal.json`, and those of the sandbox that are like them.
const CLIENTS: [(&str, &str); 5] = [
    ("svc", "oneup-sandbox"),
    ("public", "oneup-sandbox-public"),
    ("disabled", "oneup-sandbox-disabled"),
    ("no-service-account", "oneup-sandbox-login-only"),
    ("assertion", "oneup-sandbox-assertion"),
];

/// What is sent, with the client's name in Keycloak and `SECRET` for its secret; status, error and description.
type Case = (&'static str, &'static str, u16, &'static str, &'static str);

const CREDENTIALS: &str = "Invalid client or Invalid client credentials";

#[rustfmt::skip]
const CASES: [Case; 33] = [
    ("token", "grant_type=client_credentials&client_id=svc&SECRET&scope=bulk-data%7Cuser/*.rs", 200, "", ""),
    ("token", "grant_type=client_credentials&client_id=svc&SECRET&scope=openid+bulk-data%7Cuser/*.rs", 200, "", ""),
    ("token", "grant_type=client_credentials&client_id=svc&SECRET", 200, "", ""),
    ("token", "grant_type=client_credentials&client_id=svc&SECRET&scope=", 400, "invalid_scope", "Invalid scopes: "),
    ("token", "grant_type=client_credentials&client_id=svc&SECRET&scope=nope", 400, "invalid_scope", "Invalid scopes: nope"),
    ("token", "grant_type=client_credentials&client_id=svc&SECRET&scope=openid++openid", 400, "invalid_scope", "Invalid scopes: openid  openid"),
    ("token", "grant_type=client_credentials&client_id=svc&SECRET&scope=a&scope=b", 400, "invalid_request", "duplicated parameter"),
    ("token", "client_id=svc&SECRET", 400, "invalid_request", "Missing form parameter: grant_type"),
    ("token", "grant_type=&client_id=svc&SECRET", 400, "unsupported_grant_type", "Unsupported grant_type"),
    ("token", "grant_type=barter&client_id=svc&SECRET", 400, "unsupported_grant_type", "Unsupported grant_type"),
    ("token", "grant_type=client_credentials", 401, "invalid_client", CREDENTIALS),
    ("token", "grant_type=client_credentials&client_id=nobody&SECRET", 401, "invalid_client", CREDENTIALS),
    ("token", "grant_type=client_credentials&client_id=disabled&SECRET", 401, "invalid_client", CREDENTIALS),
    ("token", "grant_type=client_credentials&client_id=svc", 401, "unauthorized_client", CREDENTIALS),
    ("token", "grant_type=client_credentials&client_id=svc&client_secret=x", 401, "unauthorized_client", CREDENTIALS),
    ("token", "grant_type=client_credentials&client_id=public", 401, "unauthorized_client", "Public client not allowed to retrieve service account"),
    ("token", "grant_type=client_credentials&client_id=no-service-account&SECRET", 401, "unauthorized_client", "Client not enabled to retrieve service account"),
    ("token", "grant_type=client_credentials&client_id=assertion&SECRET", 400, "invalid_client", "Parameter client_assertion_type is missing"),
    ("token", "grant_type=authorization_code&client_id=no-service-account&SECRET", 400, "invalid_request", "Missing parameter: code"),
    ("token", "grant_type=authorization_code&client_id=no-service-account&SECRET&code=x", 400, "invalid_grant", "Code not valid"),
    ("token", "grant_type=refresh_token&client_id=svc&SECRET", 400, "invalid_request", "No refresh token"),
    ("token", "grant_type=refresh_token&client_id=svc&SECRET&refresh_token=x", 400, "invalid_grant", "Invalid refresh token"),
    ("token/introspect", "client_id=svc&SECRET", 400, "invalid_request", "Token not provided."),
    ("token/introspect", "client_id=svc&SECRET&token=x", 200, "", ""),
    ("token/introspect", "client_id=svc&client_secret=x&token=x", 401, "invalid_client", "Client authentication failed."),
    ("token/introspect", "client_id=public&token=x", 403, "invalid_request", "Client not allowed."),
    ("token/introspect", "token=x", 401, "invalid_client", CREDENTIALS),
    ("revoke", "client_id=svc&SECRET", 400, "invalid_request", "Token not provided"),
    ("revoke", "client_id=svc&SECRET&token=x", 200, "invalid_token", "Invalid token"),
    ("revoke", "client_id=svc&client_secret=x&token=x", 401, "unauthorized_client", CREDENTIALS),
    ("token", "", 405, "HTTP 405 Method Not Allowed", ""),
    ("revoke", "", 405, "HTTP 405 Method Not Allowed", ""),
    ("nothing", "", 404, "HTTP 404 Not Found", ""),
];

/// An answer: its status, and its JSON.
fn ask(base: &str, path: &str, form: &str) -> (u16, Value) {
    let url = format!("{base}{path}");
    let mut curl = Command::new("curl");
    curl.args(["-sS", "--noproxy", "*", "-H", "Accept: application/json", "-w", "\n%{http_code}", &url]);
    if !form.is_empty() {
        curl.args(["-d", form]);
    }
    let output = curl.output().expect("curl");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let (body, status) = text.rsplit_once('\n').expect("a status");
    (status.parse().expect("a number"), serde_json::from_str(body).unwrap_or(Value::Null))
}

/// What two servers of a kind have in common.
fn shape((status, answer): &(u16, Value)) -> (u16, String, String, Vec<String>) {
    let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
    let mut members: Vec<String> =
        answer.as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default();
    members.sort();
    (*status, text("error"), text("error_description"), members)
}

fn path(endpoint: &str) -> String {
    format!("{REALM}/protocol/openid-connect/{endpoint}")
}

fn here(form: &str) -> String {
    let parts = form.split('&').map(|part| {
        let name = part.strip_prefix("client_id=");
        let ours = name.and_then(|name| CLIENTS.iter().find(|(there, _)| *there == name));
        ours.map_or(part.to_owned(), |(_, ours)| format!("client_id={ours}"))
    });
    parts.collect::<Vec<_>>().join("&").replace("&SECRET", &format!("&client_secret={SECRET_HERE}"))
}

#[test]
fn the_realm_answers_as_keycloak_is_known_to() {
    let sandbox = Sandbox::start(&[]);
    for (endpoint, form, status, error, description) in CASES {
        let (got, answer) = ask(sandbox.url(), &path(endpoint), &here(form));
        let told =
            (answer["error"].as_str().unwrap_or(""), answer["error_description"].as_str().unwrap_or(""));
        assert_eq!((got, told), (status, (error, description)), "{endpoint} {form}");
    }
    let (status, answer) = ask(sandbox.url(), "/auth/realms/nope/protocol/openid-connect/token", "a=b");
    assert_eq!((status, answer["error"].as_str()), (404, Some("Realm does not exist")));
}

#[test]
fn the_realm_and_the_real_keycloak_answer_alike() {
    let Some(keycloak) = requires_variable("Keycloak", "ONEUP_KEYCLOAK_URL") else { return };
    let sandbox = Sandbox::start(&[]);
    for (endpoint, form, ..) in CASES {
        let there = form.replace("&SECRET", &format!("&client_secret={SECRET_THERE}"));
        let real = ask(&keycloak, &path(endpoint), &there);
        let ours = ask(sandbox.url(), &path(endpoint), &here(form));
        assert_eq!(shape(&ours), shape(&real), "{endpoint} {form}");
    }
    for path in ["/auth/realms/nope/.well-known/openid-configuration", &path("certs")] {
        assert_eq!(shape(&ask(sandbox.url(), path, "")), shape(&ask(&keycloak, path, "")), "{path}");
    }
}

#[test]
fn what_discovery_says_keycloak_says_too() {
    let Some(keycloak) = requires_variable("Keycloak", "ONEUP_KEYCLOAK_URL") else { return };
    let sandbox = Sandbox::start(&[]);
    let document = |base: &str| ask(base, &format!("{REALM}/.well-known/openid-configuration"), "").1;
    let (ours, real) = (document(sandbox.url()), document(&keycloak));
    for (name, value) in ours.as_object().expect("members") {
        let Some(url) = value.as_str() else {
            assert!(real.get(name).is_some(), "Keycloak has no {name}");
            continue;
        };
        let below = url.strip_prefix(sandbox.url()).expect("a URL of the sandbox");
        assert_eq!(
            real[name].as_str().and_then(|url| url.strip_prefix(keycloak.as_str())),
            Some(below),
            "{name}"
        );
    }
}
