//! The JSON output. Every member is always present; unknown values are null. Members are added, never renamed.

use serde_json::{Value, json};

use super::{Inspection, Verification};
use crate::oauth::jwks::SignatureStatus;
use crate::oauth::jwt::{Jwt, TokenKind, Validity};
use crate::oauth::scope::{self, Described};
use crate::output::time::rfc3339;

/// Returns the JSON document with its newline.
pub fn json(inspection: &Inspection) -> String {
    let (kind, header) = match &inspection.kind {
        TokenKind::Jwt(jwt) => ("jwt", Some(&jwt.header)),
        TokenKind::Jwe(header) => ("encrypted", Some(header)),
        TokenKind::Opaque { .. } => ("opaque", None),
    };
    let jwt = inspection.jwt();
    let view = json!({
        "valid": inspection.is_valid(),
        "validity": validity(inspection.validity()),
        "source": inspection.origin,
        "profile": inspection.profile.as_ref().map(|profile| &profile.name),
        "product": inspection.profile.as_ref().map(|profile| profile.product.name()),
        "kind": kind,
        "parse_error": parse_error(inspection),
        "times": times(inspection),
        "client": inspection.client(),
        "subject": inspection.claim(&["sub"]),
        "audience": jwt.map(|jwt| jwt.claim_list("aud")),
        "issuer": inspection.claim(&["iss"]),
        "issuer_trusted": inspection.issuer_is_trusted(),
        "scope": scopes(inspection),
        "launch_context": inspection.metadata.launch_context,
        "verification": inspection.verification.as_ref().map(|verification| verified(verification, jwt)),
        "introspection": inspection.introspection,
        "access": inspection.access,
        "header": header,
        "claims": jwt.map(|jwt| &jwt.claims),
        "repeated_claims": jwt.map(|jwt| &jwt.repeated_claims),
    });
    crate::output::json(&view)
}

fn validity(validity: Validity) -> &'static str {
    match validity {
        Validity::Valid => "valid",
        Validity::Expired => "expired",
        Validity::NotYetValid => "not_yet_valid",
        Validity::NoExpiry | Validity::InvalidDate => "unknown",
    }
}

fn parse_error(inspection: &Inspection) -> Option<&str> {
    match &inspection.kind {
        TokenKind::Opaque { parse_error } => parse_error.as_deref(),
        _ if inspection.validity() == Validity::InvalidDate => Some("exp, nbf or iat is not a number"),
        _ => None,
    }
}

fn times(inspection: &Inspection) -> Value {
    let point = |at: Option<i64>| at.map(|at| json!({ "epoch": at, "rfc3339": rfc3339(at) }));
    json!({
        "now": point(Some(inspection.now)),
        "issued_at": point(inspection.issued_at()),
        "not_before": point(inspection.date("nbf")),
        "expires_at": point(inspection.expires_at()),
        "lifetime": inspection.lifetime(),
        "expires_in": inspection.expires_at().map(|at| at.saturating_sub(inspection.now)),
    })
}

fn scopes(inspection: &Inspection) -> Value {
    let granted = inspection.granted_scope();
    let difference = inspection.scope_difference();
    let tokens = granted.iter().flat_map(|granted| granted.split_ascii_whitespace());
    let explained: Vec<Described> = tokens.map(scope::describe).collect();
    json!({
        "requested": inspection.requested_scope(),
        "granted": granted,
        "missing": difference.missing,
        "additional": difference.additional,
        "explained": explained,
    })
}

fn verified(verification: &Verification, jwt: Option<&Jwt>) -> Value {
    let algorithm = jwt.and_then(|jwt| jwt.header_str("alg"));
    let kid = jwt.and_then(|jwt| jwt.header_str("kid"));
    let (verified, reason, key, jwks_uri) = match verification {
        Verification::Checked { signature: SignatureStatus::Verified { kid, kty, .. }, jwks_uri } => {
            (true, None, json!({ "kid": kid, "kty": kty }), Some(jwks_uri))
        }
        Verification::Checked { signature: SignatureStatus::Invalid(error), jwks_uri } => {
            (false, Some(error.to_string()), json!({ "kid": kid, "kty": null }), Some(jwks_uri))
        }
        Verification::NotChecked(reason) => (false, Some(reason.clone()), Value::Null, None),
    };
    json!({ "verified": verified, "algorithm": algorithm, "key": key, "reason": reason, "jwks_uri": jwks_uri })
}
