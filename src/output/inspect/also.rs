//! What else a token says: what is no claim of the sections above, or why it can't be read, and who could say more.

use serde_json::Value;

use super::text::{section, shown};
use super::{Origin, Report};
use crate::oauth::jwks::IGNORED;
use crate::oauth::jwt::{Form, Jwt, Validity};
use crate::output::report::Page;
use crate::text::sanitize;

/// What Keycloak puts into every access token and an API hardly asks for: named, not shown.
const KEYCLOAK: [&str; 14] = [
    "acr",
    "allowed-origins",
    "auth_time",
    "authorization",
    "clientAddress",
    "clientHost",
    "email_verified",
    "nonce",
    "not-before-policy",
    "realm_access",
    "resource_access",
    "session_state",
    "sid",
    "trusted-certs",
];

/// Claims that the other sections have shown.
const SHOWN: [&str; 18] = [
    "aud",
    "azp",
    "cid",
    "client_id",
    "exp",
    "fhirUser",
    "iat",
    "iss",
    "name",
    "nbf",
    "patient",
    "preferred_username",
    "encounter",
    "scope",
    "scp",
    "sub",
    "typ",
    "jti",
];

/// Why a token can't be read; none for a JWT.
pub(super) fn kind(form: &Form) -> Option<String> {
    match form {
        Form::Jwt(_) => None,
        Form::Encrypted(header) => {
            let member = |name: &str| header.get(name).and_then(Value::as_str).map_or("?".to_owned(), shown);
            let how = format!("{}, {}", member("alg"), member("enc"));
            Some(format!("it is encrypted ({how}), and only its audience can read it"))
        }
        Form::Opaque { flaw: None } => {
            Some("it is opaque, not a JWT: only its issuer knows what it means".to_owned())
        }
        Form::Opaque { flaw: Some(flaw) } => {
            Some(format!("it looks like a JWT and is none: {}", shown(flaw)))
        }
    }
}

/// The last section.
pub(super) fn also(report: &Report, page: &mut Page) {
    let told = report.standing() == Validity::Unknown;
    let kind = kind(&report.form).filter(|_| !told);
    let lines = match &report.form {
        Form::Jwt(jwt) => jwt_says(jwt),
        Form::Opaque { flaw: Some(_) } => {
            kind.into_iter().chain(["was it cut while copying?".into()]).collect()
        }
        Form::Encrypted(_) | Form::Opaque { flaw: None } => {
            kind.into_iter().chain([learn_more(report).to_owned()]).collect()
        }
    };
    section(page, "Also", lines, "");
}

/// Who could say more of a token that can't be read.
fn learn_more(report: &Report) -> &'static str {
    match (&report.profile, report.origin) {
        _ if report.realm_said("active").is_some() => "--format json shows the realm's whole answer",
        (Some(profile), _) if profile.issuer.is_some() => "--introspect asks the realm what it means",
        (Some(_), Origin::Profile) => {
            "only its issuer could explain it; to see what it opens: oneup curl /Patient"
        }
        _ => "a profile of the realm that issued it can ask: --introspect",
    }
}

fn jwt_says(jwt: &Jwt) -> Vec<String> {
    let algorithm = match jwt.header_text("alg") {
        Some("none") => "unsigned (alg none)".to_owned(),
        Some(name) => shown(name),
        None => "no algorithm".to_owned(),
    };
    let key = jwt.header_text("kid").map_or(String::new(), |kid| format!(", key {}", shown(kid)));
    let mut lines = vec![format!("a JWT, {algorithm}{key}")];
    lines.extend(jwt.text("jti").map(|id| format!("id {}", shown(id))));
    let brought: Vec<&str> = IGNORED.into_iter().filter(|name| jwt.header.contains_key(*name)).collect();
    if !brought.is_empty() {
        lines.push(format!("the header brings a key along, which is ignored: {}", brought.join(", ")));
    }
    let names = jwt.claims.keys().map(String::as_str);
    let (keycloak, rest): (Vec<&str>, Vec<&str>) =
        names.filter(|name| !SHOWN.contains(name)).partition(|name| KEYCLOAK.contains(name));
    if !keycloak.is_empty() {
        lines.push(format!("Keycloak adds {}", keycloak.join(", ")));
    }
    if !rest.is_empty() {
        lines.push(format!("other claims: {}", sanitize(&rest.join(", "), 400)));
    }
    if !keycloak.is_empty() || !rest.is_empty() {
        lines.push("--format json shows every claim".to_owned());
    }
    lines
}
