//! One page for people: is it good now, for whom, from whom, what may it do, what else does it say.

use serde_json::Value;

use super::{Introspection, Origin, Report, Verification, also};
use crate::oauth::jwks::SignatureStatus;
use crate::oauth::jwt::{Jwt, Validity};
use crate::oauth::scope;
use crate::output::duration;
use crate::output::report::{Mood, Page};
use crate::output::time::local;
use crate::text::sanitize;

/// The longest value of a token that is shown, in characters.
const LONGEST: usize = 160;

/// The report as text, with ANSI colours.
pub fn text(report: &Report) -> String {
    let mut page = Page::default();
    now(report, &mut page);
    whom(report, &mut page);
    from(report, &mut page);
    may(report, &mut page);
    also::also(report, &mut page);
    page.into_text()
}

pub(super) fn shown(text: &str) -> String {
    sanitize(text, LONGEST)
}

fn now(report: &Report, page: &mut Page) {
    match time(report) {
        // In time and yet no good: the reason stands in the lines below.
        (Mood::Good, words) if report.fails() => {
            let unproven = matches!(report.verification, Some(Verification::NotVerified(_)));
            let verdict = if unproven { "not proven good" } else { "no good" };
            let words = words.trim_start_matches("good ");
            page.add(Mood::Bad, "Now", &format!("{verdict}, though its time runs {words}"));
        }
        (mood, words) => page.add(mood, "Now", &words),
    }
    if let Some(wrong) = report.jwt().and_then(misused) {
        page.more(wrong);
    }
    if report.standing() == Validity::Expired && report.origin == Origin::Profile {
        page.more("oneup token show renews it, or says how to log in again");
    }
    match (&report.verification, report.jwt()) {
        (Some(verification), _) => signature(verification, page),
        (None, Some(_)) if report.issuer_is_trusted() => {
            page.add(Mood::Plain, "Signature", "not checked; --verify checks it");
        }
        (None, Some(jwt)) if jwt.header_text("alg") == Some("none") => {
            page.add(Mood::Bad, "Signature", "none (alg none): anyone can have written it");
        }
        (None, Some(jwt)) if jwt.text("iss").is_none() => {
            page.add(Mood::Plain, "Signature", "not checked: it names no issuer");
        }
        (None, Some(_)) => {
            page.add(Mood::Plain, "Signature", "not checked: no profile trusts the realm that issued it");
        }
        (None, None) => {}
    }
    if let Some(introspection) = &report.introspection {
        realm_says(report, introspection, page);
    }
}

fn time(report: &Report) -> (Mood, String) {
    let until = report.expires_at();
    let distance = |at: i64| duration(at.abs_diff(report.now));
    match (report.standing(), until) {
        (Validity::Good, Some(at)) => (Mood::Good, format!("good for {}, until {}", distance(at), local(at))),
        (Validity::Expired, Some(at)) => {
            (Mood::Bad, format!("expired {} ago, at {}", distance(at), local(at)))
        }
        (Validity::NotYet, _) => {
            let start =
                [report.date("nbf"), report.date("iat")].into_iter().flatten().max().unwrap_or(report.now);
            let words = format!("not valid yet: it begins in {}, at {}", distance(start), local(start));
            (Mood::Bad, format!("{words}. If that is wrong, this machine's clock is: oneup doctor"))
        }
        (Validity::Malformed, _) => {
            (Mood::Bad, "not valid: a date in it (exp, nbf or iat) is not a number".to_owned())
        }
        _ => (
            Mood::Odd,
            format!(
                "unknown: {}",
                also::kind(&report.form).unwrap_or("it doesn't say when it expires".into())
            ),
        ),
    }
}

/// A token of the wrong kind is the first reason for a 401.
fn misused(jwt: &Jwt) -> Option<&'static str> {
    match jwt.text("typ")? {
        "ID" => Some("it is an ID token: it says who logged in, and no API takes it"),
        "Refresh" | "Offline" => Some("it is a refresh token: only the token endpoint takes it"),
        _ => None,
    }
}

fn signature(verification: &Verification, page: &mut Page) {
    let (mood, words) = match verification {
        Verification::Judged { verdict: SignatureStatus::Verified { kid, kty, algorithm }, .. } => {
            let key = kid.as_deref().map_or("without a kid".to_owned(), shown);
            (Mood::Good, format!("verified: {algorithm}, {} key {key}", shown(kty)))
        }
        Verification::Judged { verdict: SignatureStatus::Refused(refusal), .. } => {
            (Mood::Bad, format!("does not verify: {refusal}"))
        }
        Verification::NotVerified(reason) => (Mood::Bad, format!("not verified: {}", shown(reason))),
    };
    page.add(mood, "Signature", &words);
}

fn realm_says(report: &Report, introspection: &Introspection, page: &mut Page) {
    match introspection {
        Introspection::Answered { active: true, .. } => {
            page.add(Mood::Good, "Realm", "says that it is active")
        }
        Introspection::Answered { active: false, .. } if report.may_hide_activity() => {
            let client = report.profile.as_ref().map_or("the client", |profile| profile.client_id.as_str());
            page.add(Mood::Odd, "Realm", "says active: false, which may mean nothing");
            page.detail(&format!(
                "Keycloak says so of a good token too, when its audience lacks the client that asks ({})",
                shown(client)
            ));
        }
        Introspection::Answered { active: false, .. } => {
            page.add(Mood::Bad, "Realm", "says that it is not active: expired, revoked, or not its own");
        }
        Introspection::NotAsked(reason) => {
            page.add(Mood::Odd, "Realm", &format!("not asked: {}", shown(reason)))
        }
    }
}

fn whom(report: &Report, page: &mut Page) {
    let mut lines = Vec::new();
    let claim = |names: &[&str]| report.says(names).map(shown);
    lines.extend(report.client().map(|client| format!("client {}", shown(client))));
    lines
        .extend(claim(&["preferred_username", "username", "name", "sub"]).map(|user| format!("user {user}")));
    for name in ["patient", "encounter", "fhirUser"] {
        let known = report.known.context.get(name).and_then(Value::as_str).map(shown);
        lines.extend(claim(&[name]).or(known).map(|value| format!("{name} {value}")));
    }
    let audience = report.jwt().map(|jwt| jwt.texts("aud")).unwrap_or_default();
    if !audience.is_empty() {
        lines.push(format!("audience {}", shown(&audience.join(", "))));
    }
    section(page, "For", lines, silence(report));
}

fn from(report: &Report, page: &mut Page) {
    let mut lines = Vec::new();
    let profile = report.profile.as_ref();
    match (report.jwt().and_then(|jwt| jwt.text("iss")), profile) {
        (Some(issuer), Some(profile)) if report.issuer_is_trusted() => {
            lines.push(format!("{}, the realm of profile {}", shown(issuer), profile.name));
        }
        (Some(issuer), Some(profile)) => {
            lines.push(format!("{}, which is not the realm of profile {}", shown(issuer), profile.name));
        }
        (Some(issuer), None) => lines.push(shown(issuer)),
        (None, Some(profile)) if report.origin == Origin::Profile => lines.push(profile.origin()),
        (None, _) => {}
    }
    let life = report.lifetime().map(|life| format!("for {}", duration(life)));
    if let Some(at) = report.issued_at() {
        let distance = duration(at.abs_diff(report.now));
        let when = if at > report.now { format!("in {distance}") } else { format!("{distance} ago") };
        let life = life.map_or(String::new(), |life| format!(", {life}"));
        lines.push(format!("issued {when}, at {}{life}", local(at)));
    } else {
        lines.extend(life.map(|life| format!("issued {life}")));
    }
    section(page, "From", lines, silence(report));
}

fn may(report: &Report, page: &mut Page) {
    let granted = report.granted();
    let tokens: Vec<&str> = granted.iter().flat_map(|granted| granted.split_ascii_whitespace()).collect();
    match granted {
        Some(_) if tokens.is_empty() => page.add(Mood::Odd, "May", "nothing: the scope is empty"),
        Some(_) => {}
        None => section(page, "May", Vec::new(), silence(report)),
    }
    for (count, token) in tokens.iter().enumerate() {
        let one = scope::explain(token);
        page.add(Mood::Plain, if count == 0 { "May" } else { "" }, &shown(token));
        // A query part is the server's text.
        page.detail(&sanitize(&one.words, 2 * LONGEST));
        if let Some(warning) = one.warning {
            page.detail(&format!("warning: {warning}"));
        }
    }
    let difference = report.difference();
    if !difference.missing.is_empty() {
        page.add(
            Mood::Odd,
            "Missing",
            &format!("asked for, not granted: {}", shown(&difference.missing.join(" "))),
        );
    }
    if !difference.extra.is_empty() {
        page.add(Mood::Plain, "Extra", &format!("granted unasked: {}", shown(&difference.extra.join(" "))));
    }
}

/// What stands in a section about which the token is silent. Of one that can't be read the first line says so, once.
fn silence(report: &Report) -> &'static str {
    if report.jwt().is_some() { "it doesn't say" } else { "" }
}

pub(super) fn section(page: &mut Page, label: &str, lines: Vec<String>, none: &str) {
    if lines.is_empty() && !none.is_empty() {
        page.add(Mood::Plain, label, none);
    }
    for (count, line) in lines.iter().enumerate() {
        page.add(Mood::Plain, if count == 0 { label } else { "" }, line);
    }
}
