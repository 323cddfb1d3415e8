//! The last section of the text output: the token's kind, its header, and claims that no other section shows.

use serde_json::Value;

use super::{Inspection, Origin, shorten};
use crate::oauth::jwks::EMBEDDED_KEY_MEMBERS;
use crate::oauth::jwt::{Jwt, TokenKind, Validity};
use crate::text::sanitize;

/// The longest list of claim names, in characters.
const MAX_NAMES_LEN: usize = 400;

/// Claims that Keycloak puts into every access token and servers rarely use: only their names are shown.
const KEYCLOAK_CLAIMS: &str = "acr allowed-origins auth_time authorization clientAddress clientHost email_verified \
    nonce not-before-policy realm_access resource_access session_state sid trusted-certs";

/// Claims that other sections show.
const SHOWN_CLAIMS: &str = "aud azp cid client_id exp fhirUser iat iss name nbf patient preferred_username encounter \
    scope scp sub typ jti";

/// Describes why a token can't be decoded; `None` for a JWT.
pub(super) fn describe_kind(kind: &TokenKind) -> Option<String> {
    match kind {
        TokenKind::Jwt(_) => None,
        TokenKind::Jwe(header) => {
            let member = |name: &str| header.get(name).and_then(Value::as_str).map_or("?".into(), shorten);
            let algorithms = format!("{}, {}", member("alg"), member("enc"));
            Some(format!("encrypted JWT ({algorithms}); only its audience can decrypt it"))
        }
        TokenKind::Opaque { parse_error: None } => Some("opaque token (not a JWT)".to_owned()),
        TokenKind::Opaque { parse_error: Some(error) } => Some(format!("malformed JWT: {}", shorten(error))),
    }
}

/// The lines of the section.
pub(super) fn details(inspection: &Inspection) -> Vec<String> {
    let more = match &inspection.kind {
        TokenKind::Jwt(jwt) => return jwt_details(jwt),
        TokenKind::Opaque { parse_error: Some(_) } => {
            Some("check that it was copied completely, and nothing else with it")
        }
        TokenKind::Jwe(_) | TokenKind::Opaque { parse_error: None } => who_knows_more(inspection),
    };
    // The first section has it already.
    let kind = describe_kind(&inspection.kind).filter(|_| inspection.validity() != Validity::NoExpiry);
    kind.into_iter().chain(more.map(str::to_owned)).collect()
}

/// Names what can tell more about a token that can't be decoded.
fn who_knows_more(inspection: &Inspection) -> Option<&'static str> {
    match (&inspection.profile, inspection.origin) {
        _ if inspection.introspection.is_some() => {
            inspection.introspected("active").map(|_| "--format json shows the whole introspection response")
        }
        (Some(profile), _) if profile.issuer.is_some() => {
            Some("--introspect asks the realm of the profile about it")
        }
        (Some(_), Origin::Profile) => Some("to see what it grants access to: oneup curl /Patient"),
        _ => Some("a profile of the realm that issued it can use --introspect"),
    }
}

fn jwt_details(jwt: &Jwt) -> Vec<String> {
    let algorithm = match jwt.header_str("alg") {
        Some("none") => "unsigned (alg: none)".to_owned(),
        Some(name) => shorten(name),
        None => "no algorithm".to_owned(),
    };
    let key = jwt.header_str("kid").map_or(String::new(), |kid| format!(", key {}", shorten(kid)));
    let mut lines = vec![format!("JWT, {algorithm}{key}")];
    lines.extend(jwt.claim("jti").map(|id| format!("ID {}", shorten(id))));
    if !jwt.repeated_claims.is_empty() {
        let names = sanitize(&jwt.repeated_claims.join(", "), MAX_NAMES_LEN);
        lines.push(format!("warning: repeated claims, of which servers may use either one: {names}"));
    }
    let embedded: Vec<&str> =
        EMBEDDED_KEY_MEMBERS.into_iter().filter(|name| jwt.header.contains_key(*name)).collect();
    if !embedded.is_empty() {
        lines.push(format!("the header embeds a key, which is ignored: {}", embedded.join(", ")));
    }
    let is_in = |list: &str, name: &str| list.split(' ').any(|listed| listed == name);
    let names = jwt.claims.keys().map(String::as_str).filter(|name| !is_in(SHOWN_CLAIMS, name));
    let (keycloak, other): (Vec<&str>, Vec<&str>) = names.partition(|name| is_in(KEYCLOAK_CLAIMS, name));
    if !keycloak.is_empty() {
        lines.push(format!("Keycloak claims: {}", keycloak.join(", ")));
    }
    if !other.is_empty() {
        lines.push(format!("other claims: {}", sanitize(&other.join(", "), MAX_NAMES_LEN)));
    }
    if !keycloak.is_empty() || !other.is_empty() {
        lines.push("--format json shows all claims".to_owned());
    }
    lines
}
