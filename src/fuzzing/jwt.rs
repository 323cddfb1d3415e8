//! A token in any form in which people have it, taken apart and shown.

use serde_json::Value;

use super::{NOW, assert_harmless, assert_presentable, colourless, dev_portal};
use crate::commands::token::inspect::input::understand;
use crate::oauth::jwt::{Form, Jwt, Validity, decode};
use crate::output::inspect::{Origin, Report, json, text};

/// Columns that a terminal may have.
const COLUMNS: usize = 80;

/// What was pasted into `token inspect -`.
pub fn jwt(bytes: &[u8]) {
    let Ok(pasted) = std::str::from_utf8(bytes) else { return };
    let (token, known) = match understand(pasted) {
        Ok(understood) => understood,
        Err(error) => {
            assert_eq!(error.kind().exit().code(), 2);
            return assert_presentable(&error);
        }
    };
    let token = token.expose();
    assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
    let form = decode(token);
    match &form {
        Form::Jwt(jwt) => {
            assert_eq!(format!("{}.{}", jwt.signing_input, jwt.signature.expose()), token, "nothing is lost");
            time_only_goes_on(jwt);
        }
        Form::Encrypted(_) => assert_eq!(token.matches('.').count(), 4),
        Form::Opaque { flaw } => {
            assert_harmless(flaw.as_deref().unwrap_or_default());
            // Taken for a JWT by nobody, so no sentence of ours may say that it is one.
            assert!(flaw.is_some() || token.matches('.').count() != 2);
        }
    }
    for profile in [None, Some(dev_portal())] {
        let form = decode(token);
        let (verification, introspection) = (None, None);
        let known = known.clone();
        shown(
            &Report { now: NOW, origin: Origin::Stdin, profile, form, known, verification, introspection },
            token,
        );
    }
}

/// Not yet, then good, then expired, and never back.
fn time_only_goes_on(jwt: &Jwt) {
    let rank = |now| match jwt.standing(now) {
        Validity::NotYet => 0,
        Validity::Good => 1,
        Validity::Expired => 2,
        Validity::Unknown | Validity::Malformed => 3,
    };
    let times = [i64::MIN, -1, 0, NOW - 61, NOW, NOW + 61, i64::MAX - 61, i64::MAX];
    let ranks = times.map(rank);
    assert!(ranks.is_sorted(), "{ranks:?}");
}

/// The page can be read on any terminal, the JSON by any program, and neither holds the signature that would make the
/// rest of it a credential.
fn shown(report: &Report, token: &str) {
    let page = colourless(&text(report));
    assert_harmless(&page);
    for line in page.lines() {
        let width = line.chars().count();
        // A word is never torn, so a long one may stand alone.
        assert!(width <= COLUMNS || line.split_whitespace().count() <= 2, "{width} columns: {line}");
        assert!(width < 500, "{line}");
    }
    let document = json(report);
    assert_harmless(&document);
    let value: Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(
        value["claims"].as_object().map(|claims| claims.len()),
        report.jwt().map(|jwt| jwt.claims.len())
    );
    let signature = token.rsplit('.').next().unwrap_or_default();
    let known = format!("{:?}{:?}", report.form, report.known);
    let elsewhere = known.contains(signature);
    if signature.len() >= 40 && !elsewhere {
        assert!(!page.contains(signature) && !document.contains(signature));
    }
}
