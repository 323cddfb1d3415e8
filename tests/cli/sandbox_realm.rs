//! The sandbox's realms compared with a real Keycloak: the same requests to both, by curl, and the responses compared by
//! status, error, description and the set of JSON members.

use std::process::Command;

use serde_json::Value;

use crate::support::{KEYCLOAK_SECRET, Sandbox, keycloak};

pub(crate) const REALM: &str = "/auth/realms/dev-portal";
const SANDBOX_SECRET: &str = "not-a-secret";

/// The clients of `.ci/dev-portal.json`, and the sandbox's clients of the same kind.
const CLIENTS: [(&str, &str); 5] = [
    ("svc", "oneup-sandbox"),
    ("public", "oneup-sandbox-public"),
    ("disabled", "oneup-sandbox-disabled"),
    ("no-service-account", "oneup-sandbox-login-only"),
    ("assertion", "oneup-sandbox-assertion"),
];

/// Endpoint and form (with the client's name in Keycloak, and `SECRET` for its secret); status, error and description.
type Case = (&'static str, &'static str, u16, &'static str, &'static str);

/// Keycloak's description of all client errors.
pub(crate) const CREDENTIALS: &str = "Invalid client or Invalid client credentials";

#[rustfmt::skip]
const CASES: [Case; 35] = [
    ("token", "grant_type=client_credentials&client_id=svc&SECRET&scope=bulk-data%7Cuser/*.rs", 200, "", ""),
    ("token", "grant_type=client_credentials&client_id=svc&SECRET&scope=openid+bulk-data%7Cuser/*.rs", 200, "", ""),
    ("token", "grant_type=client_credentials&client_id=svc&SECRET", 200, "", ""),
    ("token", "grant_type=client_credentials&client_id=svc&SECRET&scope=member-match-sandbox", 200, "", ""),
    ("token", "grant_type=client_credentials&client_id=svc&SECRET&scope=member-match-sandbox+bulk-data%7Cuser/*.rs", 200, "", ""),
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

/// A response: its status and its JSON.
pub(crate) type JsonResponse = (u16, Value);

pub(crate) fn send(base: &str, path: &str, form: &str) -> JsonResponse {
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

/// What must be equal in the responses of the sandbox and Keycloak.
fn shape((status, body): &JsonResponse) -> (u16, String, String, Vec<String>) {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let mut members: Vec<String> =
        body.as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default();
    members.sort();
    (*status, text("error"), text("error_description"), members)
}

fn path(endpoint: &str) -> String {
    format!("{REALM}/protocol/openid-connect/{endpoint}")
}

/// The form for the sandbox: its clients and secret.
fn for_sandbox(form: &str) -> String {
    let parts = form.split('&').map(|part| {
        let name = part.strip_prefix("client_id=");
        let ours = name.and_then(|name| CLIENTS.iter().find(|(keycloak, _)| *keycloak == name));
        ours.map_or(part.to_owned(), |(_, ours)| format!("client_id={ours}"))
    });
    parts.collect::<Vec<_>>().join("&").replace("&SECRET", &format!("&client_secret={SANDBOX_SECRET}"))
}

#[test]
fn realm_responds_with_keycloaks_errors() {
    let sandbox = Sandbox::start(&[]);
    for (endpoint, form, status, error, description) in CASES {
        let (got, body) = send(sandbox.url(), &path(endpoint), &for_sandbox(form));
        let error_members =
            (body["error"].as_str().unwrap_or(""), body["error_description"].as_str().unwrap_or(""));
        assert_eq!((got, error_members), (status, (error, description)), "{endpoint} {form}");
    }
    let (status, body) = send(sandbox.url(), "/auth/realms/nope/protocol/openid-connect/token", "a=b");
    assert_eq!((status, body["error"].as_str()), (404, Some("Realm does not exist")));
}

#[test]
fn realm_and_real_keycloak_give_equal_responses() {
    let Some(keycloak) = keycloak() else { return };
    let sandbox = Sandbox::start(&[]);
    for (endpoint, form, ..) in CASES {
        let for_keycloak = form.replace("&SECRET", &format!("&client_secret={KEYCLOAK_SECRET}"));
        let real = send(&keycloak, &path(endpoint), &for_keycloak);
        let ours = send(sandbox.url(), &path(endpoint), &for_sandbox(form));
        assert_eq!(shape(&ours), shape(&real), "{endpoint} {form}");
    }
    for path in ["/auth/realms/nope/.well-known/openid-configuration", &path("certs")] {
        assert_eq!(shape(&send(sandbox.url(), path, "")), shape(&send(&keycloak, path, "")), "{path}");
    }
}

#[test]
fn discovery_document_is_a_subset_of_keycloaks() {
    let Some(keycloak) = keycloak() else { return };
    let sandbox = Sandbox::start(&[]);
    let document = |base: &str| send(base, &format!("{REALM}/.well-known/openid-configuration"), "").1;
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

#[test]
fn realm_without_scopes_and_real_keycloak_give_equal_responses() {
    let Some(keycloak) = keycloak() else { return };
    let sandbox = Sandbox::start(&[]);
    let path = "/auth/realms/epa-uat/protocol/openid-connect/token";
    let request = "grant_type=client_credentials&client_id=svc&SECRET";
    let for_keycloak = request.replace("SECRET", &format!("client_secret={KEYCLOAK_SECRET}"));
    let real = send(&keycloak, path, &for_keycloak);
    let ours = send(sandbox.url(), path, &for_sandbox(request));
    assert_eq!(shape(&ours), shape(&real));
    let scope = |response: &JsonResponse| {
        let mut tokens: Vec<String> =
            response.1["scope"].as_str().expect("a scope").split(' ').map(str::to_owned).collect();
        tokens.sort();
        tokens
    };
    assert_eq!(scope(&ours), scope(&real));
}

#[test]
fn realms_other_than_dev_portal_need_no_scope_and_reach_their_tenant() {
    let sandbox = Sandbox::start(&["--realm", "acme"]);
    for (realm, tenant, other) in [("acme", "acme", "bison"), ("epa-uat", "1upcoreuat", "epa-uat")] {
        let token_path = format!("/auth/realms/{realm}/protocol/openid-connect/token");
        let form =
            format!("grant_type=client_credentials&client_id=oneup-sandbox&client_secret={SANDBOX_SECRET}");
        let (status, body) = send(sandbox.url(), &token_path, &form);
        assert_eq!((status, body["scope"].as_str()), (200, Some("email profile")));
        let token = body["access_token"].as_str().expect("a token");
        for (tenant, status) in [(tenant, 202), (other, 403)] {
            let url = format!("{}/v1/{tenant}/bulk-export/bulk-data/r4/$export", sandbox.url());
            let mut curl = Command::new("curl");
            curl.args(["-sS", "--noproxy", "*", "-o", "/dev/null", "-w", "%{http_code}", &url]);
            curl.args(["-H", "Prefer: respond-async", "-H", &format!("Authorization: Bearer {token}")]);
            let output = curl.output().expect("curl");
            assert_eq!(String::from_utf8_lossy(&output.stdout), status.to_string(), "{realm} {tenant}");
        }
    }
}

#[test]
fn introspection_rejects_tokens_of_another_realm() {
    let sandbox = Sandbox::start(&["--realm", "acme"]);
    let client = format!("client_id=oneup-sandbox&client_secret={SANDBOX_SECRET}");
    let oidc =
        |realm: &str, endpoint: &str| format!("/auth/realms/{realm}/protocol/openid-connect/{endpoint}");
    let form = format!("grant_type=client_credentials&{client}");
    let token = send(sandbox.url(), &oidc("acme", "token"), &form).1["access_token"].clone();
    for (realm, active) in [("acme", true), ("dev-portal", false)] {
        let form = format!("{client}&token={}", token.as_str().expect("a token"));
        assert_eq!(
            send(sandbox.url(), &oidc(realm, "token/introspect"), &form).1["active"],
            active,
            "{realm}"
        );
    }
}
