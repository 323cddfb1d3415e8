//! A scope as somebody types or grants it.

use super::{NOW, assert_harmless, assert_presentable, colourless, dev_portal};
use crate::oauth::jwt::decode;
use crate::oauth::scope::{Difference, difference, explain, normalize};
use crate::output::inspect::{Known, Origin, Report, json, text};

/// The first line is what was asked for, the rest what was granted.
pub fn scope(bytes: &[u8]) {
    let Ok(both) = std::str::from_utf8(bytes) else { return };
    let (asked, granted) = both.split_once('\n').unwrap_or((both, ""));
    for scope in [asked, granted] {
        match normalize(scope) {
            Ok(normal) => stays_normal(scope, &normal),
            Err(error) => {
                assert_eq!(error.kind().exit().code(), 2);
                assert_presentable(&error);
            }
        }
        scope.split_ascii_whitespace().for_each(is_explained);
    }
    differs_both_ways(asked, granted);
    page_is_harmless(asked, granted);
}

fn stays_normal(scope: &str, normal: &str) {
    assert_eq!(normalize(normal).expect("stays good"), normal);
    assert!(normal.bytes().all(|byte| matches!(byte, 0x20..=0x7e)));
    assert!(!normal.contains("  ") && normal.trim() == normal);
    assert_eq!(difference(scope, normal), Difference::default());
}

fn is_explained(token: &str) {
    let explained = explain(token);
    assert_eq!(explained.scope, token);
    assert!(!explained.words.is_empty() && !explained.words.ends_with('.'));
    assert!(explained.known || explained.warning.is_none());
    // v1's names are v2's: the same words but for the remark, and no difference.
    for (v1, v2) in [(".read", ".rs"), (".write", ".cud"), (".*", ".cruds")] {
        if let Some(stem) =
            token.strip_suffix(v1).filter(|stem| !stem.contains('?') && !stem.starts_with("member-"))
        {
            let modern = format!("{stem}{v2}");
            if explained.known && explain(&modern).known {
                assert!(explained.words.starts_with(&explain(&modern).words), "{token}");
                assert_eq!(difference(token, &modern), Difference::default());
            }
        }
    }
}

fn differs_both_ways(asked: &str, granted: &str) {
    let there = difference(asked, granted);
    let back = difference(granted, asked);
    assert_eq!((&there.missing, &there.extra), (&back.extra, &back.missing));
    assert_eq!(difference(asked, asked), Difference::default());
    let all = format!("{asked} {granted}");
    assert!(difference(asked, &all).missing.is_empty() && difference(granted, &all).missing.is_empty());
    assert!(there.missing.iter().all(|token| asked.split_ascii_whitespace().any(|one| one == token)));
}

fn page_is_harmless(asked: &str, granted: &str) {
    let mut profile = dev_portal();
    profile.scope = asked.to_owned();
    let report = Report {
        now: NOW,
        origin: Origin::Profile,
        profile: Some(profile),
        form: decode("opaque"),
        known: Known { scope: Some(granted.to_owned()), ..Known::default() },
        verification: None,
        introspection: None,
    };
    assert_harmless(&colourless(&text(&report)));
    let document = json(&report);
    assert_harmless(&document);
    let value: serde_json::Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(value["scope"]["granted"], granted);
}
