//! The text output: status, signature, subject, issuer, scopes, details.

use serde_json::Value;

use super::{Access, Inspection, Introspection, MAX_VALUE_LEN, Origin, Verification, details, shorten};
use crate::oauth::jwks::SignatureStatus;
use crate::oauth::jwt::{Jwt, Validity};
use crate::oauth::scope;
use crate::output::report::{Outcome, Report};
use crate::output::time::local;
use crate::output::{duration, width};
use crate::text::sanitize;

/// Returns the text, with ANSI styles.
pub fn text(inspection: &Inspection) -> String {
    let mut report = Report::new(width());
    status(inspection, &mut report);
    signature(inspection, &mut report);
    if let Some(introspection) = &inspection.introspection {
        realm(inspection, introspection, &mut report);
    }
    report.section("Subject", &or_unknown(inspection, subject(inspection)));
    report.section("Issuer", &or_unknown(inspection, issuer(inspection)));
    scopes(inspection, &mut report);
    if let Some(access) = &inspection.access {
        describe_access(access, &mut report);
    }
    report.section("Details", &details::details(inspection));
    report.text
}

fn status(inspection: &Inspection, report: &mut Report) {
    let (mut outcome, mut words) = describe_validity(inspection);
    if outcome == Outcome::Success && inspection.is_invalid() {
        let problem = match &inspection.verification {
            Some(Verification::NotChecked(_)) => "signature not verified",
            Some(Verification::Checked { signature: SignatureStatus::Invalid(_), .. }) => "invalid signature",
            _ => "not active",
        };
        (outcome, words) = (Outcome::Error, format!("{problem}; {words}"));
    }
    report.add(outcome, "Status", &words);
    match (inspection.origin, &inspection.profile) {
        (Origin::Profile, Some(profile)) => {
            report.add(Outcome::Neutral, "", &format!("the stored token of profile {}", profile.name));
        }
        (Origin::Environment, _) => report.add(Outcome::Neutral, "", "the token in ONEUP_TOKEN"),
        _ => {}
    }
    if let Some(misuse) = inspection.jwt().and_then(describe_misuse) {
        report.add(Outcome::Neutral, "", misuse);
    }
    if inspection.validity() == Validity::Expired
        && inspection.origin == Origin::Profile
        && let Some(profile) = &inspection.profile
    {
        report.add(Outcome::Neutral, "", &format!("get a new one: {}", profile.show_command()));
    }
}

fn describe_validity(inspection: &Inspection) -> (Outcome, String) {
    let expires_at = inspection.expires_at();
    let distance = |at: i64| duration(at.abs_diff(inspection.now));
    match (inspection.validity(), expires_at) {
        (Validity::Valid, Some(at)) => {
            (Outcome::Success, format!("valid for {}, until {}", distance(at), local(at)))
        }
        (Validity::Expired, Some(at)) => {
            (Outcome::Error, format!("expired {} ago, at {}", distance(at), local(at)))
        }
        (Validity::NotYetValid, _) => {
            let start = [inspection.date("nbf"), inspection.date("iat")].into_iter().flatten().max();
            let start = start.unwrap_or(inspection.now);
            let words = format!("not yet valid: starts in {}, at {}", distance(start), local(start));
            (Outcome::Error, format!("{words}. To check this machine's clock: oneup doctor"))
        }
        (Validity::InvalidDate, _) => (Outcome::Error, "invalid: exp, nbf or iat is not a number".to_owned()),
        _ => {
            let reason = details::describe_kind(&inspection.kind);
            (Outcome::Warning, format!("unknown: {}", reason.unwrap_or("it has no expiry (exp)".into())))
        }
    }
}

/// Describes a token that is not an access token: a common reason for a 401.
fn describe_misuse(jwt: &Jwt) -> Option<&'static str> {
    match jwt.claim("typ")? {
        "ID" => Some("this is an ID token; APIs need an access token"),
        "Refresh" | "Offline" => Some("this is a refresh token; APIs need an access token"),
        _ => None,
    }
}

fn signature(inspection: &Inspection, report: &mut Report) {
    let (outcome, words) = match (&inspection.verification, inspection.jwt()) {
        (Some(Verification::Checked { signature, .. }), _) => match signature {
            SignatureStatus::Verified { kid, kty, algorithm } => {
                let key = kid.as_deref().map_or("without a kid".to_owned(), shorten);
                (Outcome::Success, format!("verified: {algorithm}, {} key {key}", shorten(kty)))
            }
            SignatureStatus::Invalid(error) => (Outcome::Error, format!("invalid: {error}")),
        },
        (Some(Verification::NotChecked(reason)), _) => {
            (Outcome::Error, format!("not verified: {}", shorten(reason)))
        }
        (None, None) => return,
        (None, Some(_)) if inspection.issuer_is_trusted() => {
            (Outcome::Neutral, "not checked; check it with --verify".to_owned())
        }
        (None, Some(jwt)) if jwt.header_str("alg") == Some("none") => {
            (Outcome::Error, "unsigned (alg: none)".to_owned())
        }
        (None, Some(jwt)) if jwt.claim("iss").is_none() => {
            (Outcome::Neutral, "not checked: the token names no issuer".to_owned())
        }
        _ => (Outcome::Neutral, "not checked: no profile trusts its issuer".to_owned()),
    };
    report.add(outcome, "Signature", &words);
}

fn realm(inspection: &Inspection, introspection: &Introspection, report: &mut Report) {
    match introspection.active {
        Some(true) => report.add(Outcome::Success, "Realm", "active"),
        Some(false) if inspection.inactive_is_uncertain() => {
            let client =
                inspection.profile.as_ref().map_or("the client", |profile| profile.client_id.as_str());
            report.add(Outcome::Warning, "Realm", "active: false, which may be wrong");
            report.detail(&format!(
                "Keycloak responds so for valid tokens too if their audience lacks the requesting client ({})",
                shorten(client)
            ));
        }
        Some(false) => {
            report.add(Outcome::Error, "Realm", "not active: expired, revoked, or not issued by this realm");
        }
        None => {
            let reason = introspection.reason.as_deref().unwrap_or_default();
            report.add(Outcome::Warning, "Realm", &format!("not sent: {}", shorten(reason)));
        }
    }
}

fn subject(inspection: &Inspection) -> Vec<String> {
    let mut lines = Vec::new();
    let claim = |names: &[&str]| inspection.claim(names).map(shorten);
    lines.extend(inspection.client().map(|client| format!("client {}", shorten(client))));
    lines
        .extend(claim(&["preferred_username", "username", "name", "sub"]).map(|user| format!("user {user}")));
    for name in ["patient", "encounter", "fhirUser"] {
        let context = inspection.metadata.launch_context.get(name).and_then(Value::as_str).map(shorten);
        lines.extend(claim(&[name]).or(context).map(|value| format!("{name} {value}")));
    }
    let audience = inspection.jwt().map(|jwt| jwt.claim_list("aud")).unwrap_or_default();
    if !audience.is_empty() {
        lines.push(format!("audience {}", shorten(&audience.join(", "))));
    }
    lines
}

fn issuer(inspection: &Inspection) -> Vec<String> {
    let mut lines = Vec::new();
    match (inspection.jwt().and_then(|jwt| jwt.claim("iss")), inspection.profile.as_ref()) {
        (Some(issuer), Some(profile)) if inspection.issuer_is_trusted() => {
            lines.push(format!("{}, the realm of profile {}", shorten(issuer), profile.name));
        }
        (Some(issuer), Some(profile)) => {
            lines.push(format!("{}, not the realm of profile {}", shorten(issuer), profile.name));
        }
        (Some(issuer), None) => lines.push(shorten(issuer)),
        (None, Some(profile)) if inspection.origin == Origin::Profile => lines.push(profile.origin()),
        (None, _) => {}
    }
    let lifetime = inspection.lifetime().map(|seconds| format!("for {}", duration(seconds)));
    if let Some(at) = inspection.issued_at() {
        let distance = duration(at.abs_diff(inspection.now));
        let when = if at > inspection.now { format!("in {distance}") } else { format!("{distance} ago") };
        let lifetime = lifetime.map_or(String::new(), |lifetime| format!(", {lifetime}"));
        lines.push(format!("issued {when}, at {}{lifetime}", local(at)));
    } else {
        lines.extend(lifetime.map(|lifetime| format!("issued {lifetime}")));
    }
    lines
}

fn scopes(inspection: &Inspection, report: &mut Report) {
    let granted = inspection.granted_scope();
    let tokens: Vec<&str> = granted.iter().flat_map(|granted| granted.split_ascii_whitespace()).collect();
    match granted {
        Some(_) if tokens.is_empty() => report.add(Outcome::Warning, "Scopes", "none granted"),
        Some(_) => {}
        None => report.section("Scopes", &or_unknown(inspection, Vec::new())),
    }
    for (index, token) in tokens.iter().enumerate() {
        let described = scope::describe(token);
        report.add(Outcome::Neutral, if index == 0 { "Scopes" } else { "" }, &shorten(token));
        // The query of a scope is untrusted.
        report.detail(&sanitize(&described.description, 2 * MAX_VALUE_LEN));
        if let Some(warning) = described.warning {
            report.detail(&format!("warning: {warning}"));
        }
    }
    let difference = inspection.scope_difference();
    let line = |words: &str, scopes: &[String]| format!("{words}: {}", shorten(&scopes.join(" ")));
    if !difference.missing.is_empty() {
        let text = line("requested but not granted", &difference.missing);
        report.add(Outcome::Warning, "Missing", &text);
    }
    if !difference.additional.is_empty() {
        report.add(Outcome::Neutral, "Additional", &line("additionally granted", &difference.additional));
    }
}

fn describe_access(access: &Access, report: &mut Report) {
    let decision = &access.decision;
    let (outcome, words) = match decision.allowed {
        Some(true) => (Outcome::Success, "allowed"),
        Some(false) => (Outcome::Error, "not allowed"),
        None => (Outcome::Warning, "unknown"),
    };
    report.add(outcome, "Access", &format!("{words}: {}", shorten(&access.request)));
    if let Some(interaction) = &access.interaction {
        report.detail(&shorten(interaction));
    }
    if !decision.granted_by.is_empty() {
        report.detail(&format!("granted by {}", shorten(&decision.granted_by.join(" "))));
    }
    if !decision.missing.is_empty() {
        report.detail(&format!("missing scope: {}", shorten(&decision.missing.join(" "))));
    }
    if let Some(reason) = &decision.reason {
        report.detail(&shorten(reason));
    }
}

/// Returns the lines, or that a JWT has none. For other tokens, the status says already that nothing is known.
fn or_unknown(inspection: &Inspection, lines: Vec<String>) -> Vec<String> {
    if lines.is_empty() && inspection.jwt().is_some() { vec!["not in the token".to_owned()] } else { lines }
}
