//! A token in any accepted form, decoded and printed.

use serde_json::Value;

use super::{NOW, assert_harmless, assert_presentable, dev_portal, without_styles};
use crate::commands::token::input::parse_token_input;
use crate::oauth::jwt::{Jwt, TokenKind, Validity, decode};
use crate::output::inspect::{self, Inspection, Origin, json};

/// The width that the text output must fit, in columns.
const MAX_WIDTH: usize = 80;

/// Takes the stdin of `token inspect -`.
pub fn jwt(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (token, metadata) = match parse_token_input(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            assert_eq!(error.kind().exit().code(), 2);
            return assert_presentable(&error);
        }
    };
    let token = token.expose();
    assert!(!token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic()));
    match &decode(token) {
        TokenKind::Jwt(jwt) => {
            assert_eq!(format!("{}.{}", jwt.signing_input, jwt.signature.expose()), token, "no byte is lost");
            validity_never_goes_back(jwt);
        }
        TokenKind::Jwe(_) => assert_eq!(token.matches('.').count(), 4),
        TokenKind::Opaque { parse_error } => {
            assert_harmless(parse_error.as_deref().unwrap_or_default());
            assert!(parse_error.is_some() || token.matches('.').count() != 2);
        }
    }
    for profile in [None, Some(dev_portal())] {
        let inspection = Inspection {
            now: NOW,
            origin: Origin::Stdin,
            profile,
            kind: decode(token),
            metadata: metadata.clone(),
            verification: None,
            introspection: None,
            access: None,
        };
        prints_safely(&inspection, token);
    }
}

/// Not yet valid, then valid, then expired.
fn validity_never_goes_back(jwt: &Jwt) {
    let rank = |now| match jwt.validity(now) {
        Validity::NotYetValid => 0,
        Validity::Valid => 1,
        Validity::Expired => 2,
        Validity::NoExpiry | Validity::InvalidDate => 3,
    };
    let times = [i64::MIN, -1, 0, NOW - 61, NOW, NOW + 61, i64::MAX - 61, i64::MAX];
    let ranks = times.map(rank);
    assert!(ranks.is_sorted(), "{ranks:?}");
}

/// The text fits a terminal, the JSON is valid, and neither has the signature, without which the rest is not a
/// credential.
fn prints_safely(inspection: &Inspection, token: &str) {
    let page = without_styles(&inspect::text(inspection));
    assert_harmless(&page);
    for line in page.lines() {
        let width = line.chars().count();
        // Words are not broken, so a long one may exceed it.
        assert!(width <= MAX_WIDTH || line.split_whitespace().count() <= 2, "{width} columns: {line}");
        assert!(width < 500, "{line}");
    }
    let document = json(inspection);
    assert_harmless(&document);
    let value: Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(
        value["claims"].as_object().map(|claims| claims.len()),
        inspection.jwt().map(|jwt| jwt.claims.len())
    );
    let signature = token.rsplit('.').next().unwrap_or_default();
    let debug = format!("{:?}{:?}", inspection.kind, inspection.metadata);
    let elsewhere = debug.contains(signature);
    if signature.len() >= 40 && !elsewhere {
        assert!(!page.contains(signature) && !document.contains(signature));
    }
}
