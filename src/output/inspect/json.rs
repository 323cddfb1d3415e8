//! The same for programs. Every member is always there; what isn't known is null. Members are added, never renamed.

use serde_json::{Value, json};

use super::{Introspection, Origin, Report, Verification};
use crate::oauth::jwks::SignatureStatus;
use crate::oauth::jwt::{Form, Jwt, Validity};
use crate::oauth::scope;
use crate::output::time::rfc3339;

/// The report as JSON, with its newline.
pub fn json(report: &Report) -> String {
    let (kind, flaw) = match &report.form {
        Form::Jwt(_) => ("jwt", None),
        Form::Encrypted(_) => ("encrypted", None),
        Form::Opaque { flaw } => ("opaque", flaw.as_deref()),
    };
    let header = match &report.form {
        Form::Jwt(jwt) => Some(&jwt.header),
        Form::Encrypted(header) => Some(header),
        Form::Opaque { .. } => None,
    };
    let view = json!({
        "holds": report.holds(),
        "standing": standing(report.standing()),
        "source": source(report.origin),
        "profile": report.profile.as_ref().map(|profile| &profile.name),
        "product": report.profile.as_ref().map(|profile| profile.product.name()),
        "kind": kind,
        "flaw": flaw,
        "times": times(report),
        "client": report.client(),
        "subject": report.says(&["sub"]),
        "audience": report.jwt().map(|jwt| jwt.texts("aud")),
        "issuer": report.says(&["iss"]),
        "issuer_trusted": report.issuer_is_trusted(),
        "scope": scopes(report),
        "context": report.known.context,
        "verification": report.verification.as_ref().map(|verification| verified(verification, report.jwt())),
        "introspection": report.introspection.as_ref().map(introspected),
        "header": header,
        "claims": report.jwt().map(|jwt| &jwt.claims),
    });
    crate::output::json(&view)
}

fn standing(standing: Validity) -> &'static str {
    match standing {
        Validity::Good => "good",
        Validity::Expired => "expired",
        Validity::NotYet => "not_yet_valid",
        Validity::Unknown => "unknown",
        Validity::Malformed => "malformed_dates",
    }
}

fn source(origin: Origin) -> &'static str {
    match origin {
        Origin::Profile => "profile",
        Origin::Stdin => "stdin",
        Origin::Environment => "environment",
    }
}

fn times(report: &Report) -> Value {
    let point = |at: Option<i64>| at.map(|at| json!({ "epoch": at, "rfc3339": rfc3339(at) }));
    json!({
        "now": point(Some(report.now)),
        "issued_at": point(report.issued_at()),
        "not_before": point(report.date("nbf")),
        "expires_at": point(report.expires_at()),
        "lifetime": report.lifetime(),
        "seconds_left": report.expires_at().map(|at| at.saturating_sub(report.now)),
    })
}

fn scopes(report: &Report) -> Value {
    let granted = report.granted();
    let difference = report.difference();
    let explained: Vec<Value> = granted
        .iter()
        .flat_map(|granted| granted.split_ascii_whitespace())
        .map(scope::explain)
        .map(|one| json!({ "scope": one.scope, "words": one.words, "warning": one.warning, "known": one.known }))
        .collect();
    json!({
        "asked": report.asked(),
        "granted": granted,
        "missing": difference.missing,
        "extra": difference.extra,
        "explained": explained,
    })
}

fn verified(verification: &Verification, jwt: Option<&Jwt>) -> Value {
    let algorithm = jwt.and_then(|jwt| jwt.header_text("alg"));
    let kid = jwt.and_then(|jwt| jwt.header_text("kid"));
    let (verified, reason, key, jwks_uri) = match verification {
        Verification::Judged { verdict: SignatureStatus::Verified { kid, kty, .. }, jwks_uri } => {
            (true, None, json!({ "kid": kid, "kty": kty }), Some(jwks_uri))
        }
        Verification::Judged { verdict: SignatureStatus::Refused(refusal), jwks_uri } => {
            (false, Some(refusal.to_string()), json!({ "kid": kid, "kty": null }), Some(jwks_uri))
        }
        Verification::NotVerified(reason) => (false, Some(reason.clone()), Value::Null, None),
    };
    json!({ "verified": verified, "algorithm": algorithm, "key": key, "reason": reason, "jwks_uri": jwks_uri })
}

fn introspected(introspection: &Introspection) -> Value {
    match introspection {
        Introspection::Answered { endpoint, active, answer } => {
            json!({ "active": active, "endpoint": endpoint, "reason": null, "answer": answer })
        }
        Introspection::NotAsked(reason) => {
            json!({ "active": null, "endpoint": null, "reason": reason, "answer": null })
        }
    }
}
