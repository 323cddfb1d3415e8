use super::*;
use proptest::prelude::*;

#[test]
fn white_space_collapses_and_repetition_goes() {
    for (given, normal) in [
        ("  patient/*.read \t openid\n", "patient/*.read openid"),
        ("bulk-data|user/*.rs", "bulk-data|user/*.rs"),
        ("openid openid", "openid"),
        ("\t ", ""),
    ] {
        assert_eq!(normalize(given).expect("a good scope"), normal);
    }
}

#[test]
fn a_quote_a_backslash_or_a_foreign_character_is_wrong_usage() {
    for given in ["\"openid\"", "a\\b", "patient/*.r\u{e9}ad", "a\0b", "a\u{a0}b"] {
        assert_eq!(normalize(given).expect_err(given).kind().exit().code(), 2);
    }
}

#[test]
fn every_kind_of_scope_has_its_words() {
    for (scope, words) in [
        (
            "user/*.rs",
            "read and search every resource type, present and future, that the acting user or organisation may \
             see; no changes",
        ),
        (
            "patient/*.read",
            "read and search every resource type, present and future, of the one patient who consented; no \
             changes (v1's name for .rs)",
        ),
        (
            "bulk-data|user/*.rs",
            "1up's own: marks the token for bulk export, to read and search every resource type, present and \
             future, that the acting user or organisation may see; no changes",
        ),
        (
            "system/Group.write",
            "create, update and delete Group that the client itself may see, with no user involved; no reading \
             (v1's name for .cud)",
        ),
        (
            "patient/Coverage.cruds",
            "create, read, update, delete and search Coverage of the one patient who consented",
        ),
        (
            "patient/Observation.rs?category=laboratory&status=final",
            "read and search Observation of the one patient who consented, only where category=laboratory and \
             status=final; no changes",
        ),
        (
            "user/*.*",
            "create, read, update, delete and search every resource type, present and future, that the acting \
             user or organisation may see (v1's name for .cruds)",
        ),
        ("offline_access", "a refresh token that works when the person is gone"),
        ("launch/patient", "let the person choose a patient at login; the answer names it"),
        ("member-match-x", "1up's own: call $member-match, for Payer-to-Payer"),
    ] {
        let explained = explain(scope);
        assert_eq!(
            (explained.words.as_str(), explained.known, explained.warning),
            (words, true, None),
            "{scope}"
        );
    }
}

#[test]
fn letters_out_of_order_are_understood_and_warned_of() {
    let explained = explain("user/Patient.dus");
    assert!(explained.words.starts_with("update, delete and search Patient"), "{}", explained.words);
    assert_eq!(
        explained.warning.as_deref(),
        Some("the letters are out of order: SMART wants .uds, and a server may refuse it")
    );
    assert!(explain("user/Patient.rr").warning.is_some());
}

#[test]
fn what_is_no_scope_of_ours_is_called_so() {
    for scope in [
        "",
        "user/*.",
        "user/patient.rs",
        "group/*.rs",
        "user/*.rx",
        "user/*",
        "user/*.rs?x",
        "user/A.rs.x",
        "x",
    ] {
        assert!(!explain(scope).known, "{scope}");
    }
}

#[test]
fn the_difference_is_by_meaning_not_by_order_or_generation() {
    let same = difference("openid patient/*.read", "patient/*.rs openid");
    assert_eq!(same, Difference::default());
    let narrower = difference("patient/*.read openid", "patient/Patient.rs openid email");
    assert_eq!(narrower.missing, ["patient/*.read"]);
    assert_eq!(narrower.extra, ["patient/Patient.rs", "email"]);
    assert_eq!(difference("bulk-data|user/*.rs", "").missing, ["bulk-data|user/*.rs"]);
    assert_eq!(difference("bulk-data|user/*.rs", "user/*.rs").missing, ["bulk-data|user/*.rs"]);
}

proptest! {
    #[test]
    fn nothing_that_is_written_makes_it_panic(scope in "\\PC{0,40}") {
        if let Ok(normal) = normalize(&scope) {
            prop_assert_eq!(normalize(&normal).expect("stays good"), normal.clone());
            prop_assert_eq!(difference(&normal, &normal), Difference::default());
            for token in normal.split(' ') {
                prop_assert_eq!(explain(token).scope, token);
            }
        }
    }

    #[test]
    fn letters_in_order_are_never_warned_of(mask in 1u8..32, context in "patient|user|system") {
        let letters: String =
            LETTERS.iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0).map(|(_, (l, _))| *l).collect();
        let explained = explain(&format!("{context}/*.{letters}"));
        prop_assert!(explained.known && explained.warning.is_none());
    }
}

/// A server can grant a scope of a megabyte.
#[test]
fn a_mark_counts_once_however_often_it_stands_there() {
    let explained = explain(&("bulk-data|".repeat(100_000) + "user/*.rs"));
    assert!(!explained.known, "{}", explained.words);
    assert!(explain("bulk-data|user/*.rs").known);
}

#[test]
fn only_the_mark_of_1up_and_the_query_may_hold_a_bar() {
    assert_eq!(difference("|patient/Patient.rs", "patient/Patient.rs").missing, ["|patient/Patient.rs"]);
    let query = "category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
    let named = |letters: &str| format!("patient/Observation.{letters}?{query}");
    assert_eq!(difference(&named("sr"), &named("rs")), Difference::default());
}
