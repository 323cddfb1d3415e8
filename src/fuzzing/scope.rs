//! A scope as a user types it or a server grants it.

use super::{NOW, assert_harmless, assert_presentable, dev_portal, without_styles};
use crate::oauth::jwt::decode;
use crate::oauth::scope::{Difference, describe, difference, normalize};
use crate::output::inspect::{Inspection, Metadata, Origin, json, text};

/// The first line is the requested scope, the rest the granted one.
pub fn scope(bytes: &[u8]) {
    let Ok(both) = std::str::from_utf8(bytes) else { return };
    let (requested, granted) = both.split_once('\n').unwrap_or((both, ""));
    for scope in [requested, granted] {
        match normalize(scope) {
            Ok(normal) => stays_normal(scope, &normal),
            Err(error) => {
                assert_eq!(error.kind().exit().code(), 2);
                assert_presentable(&error);
            }
        }
        scope.split_ascii_whitespace().for_each(has_description);
    }
    differs_both_ways(requested, granted);
    page_is_harmless(requested, granted);
}

fn stays_normal(scope: &str, normal: &str) {
    assert_eq!(normalize(normal).expect("stays valid"), normal);
    assert!(normal.bytes().all(|byte| matches!(byte, 0x20..=0x7e)));
    assert!(!normal.contains("  ") && normal.trim() == normal);
    assert_eq!(difference(scope, normal), Difference::default());
}

fn has_description(token: &str) {
    let described = describe(token);
    assert_eq!(described.scope, token);
    assert!(!described.description.is_empty() && !described.description.ends_with('.'));
    assert!(described.recognized || described.warning.is_none());
    // v1 syntax has the description of its v2 equivalent plus a remark, and is no difference.
    for (v1, v2) in [(".read", ".rs"), (".write", ".cud"), (".*", ".cruds")] {
        if let Some(stem) =
            token.strip_suffix(v1).filter(|stem| !stem.contains('?') && !stem.starts_with("member-"))
        {
            let modern = format!("{stem}{v2}");
            if described.recognized && describe(&modern).recognized {
                assert!(described.description.starts_with(&describe(&modern).description), "{token}");
                assert_eq!(difference(token, &modern), Difference::default());
            }
        }
    }
}

fn differs_both_ways(requested: &str, granted: &str) {
    let forward = difference(requested, granted);
    let backward = difference(granted, requested);
    assert_eq!((&forward.missing, &forward.additional), (&backward.additional, &backward.missing));
    assert_eq!(difference(requested, requested), Difference::default());
    let all = format!("{requested} {granted}");
    assert!(difference(requested, &all).missing.is_empty() && difference(granted, &all).missing.is_empty());
    assert!(forward.missing.iter().all(|token| requested.split_ascii_whitespace().any(|one| one == token)));
}

fn page_is_harmless(requested: &str, granted: &str) {
    let mut profile = dev_portal();
    profile.scope = requested.to_owned();
    let inspection = Inspection {
        now: NOW,
        origin: Origin::Profile,
        profile: Some(profile),
        kind: decode("opaque"),
        metadata: Metadata { scope: Some(granted.to_owned()), ..Metadata::default() },
        verification: None,
        introspection: None,
        access: None,
    };
    assert_harmless(&without_styles(&text(&inspection)));
    let document = json(&inspection);
    assert_harmless(&document);
    let value: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(value["scope"]["granted"], granted);
}
