use super::*;
use proptest::prelude::*;

#[test]
fn normalizing_collapses_whitespace_and_drops_repeated_tokens() {
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
fn normalizing_rejects_quotes_backslashes_and_non_ascii() {
    for given in ["\"openid\"", "a\\b", "patient/*.r\u{e9}ad", "a\0b", "a\u{a0}b"] {
        assert_eq!(normalize(given).expect_err(given).kind().exit().code(), 2);
    }
}

#[test]
fn describes_every_kind_of_scope() {
    for (scope, words) in [
        ("user/*.rs", "read and search all resource types the user can access"),
        ("patient/*.read", "read and search all resource types of the patient (SMART v1 syntax for .rs)"),
        ("bulk-data|user/*.rs", "1up bulk export: read and search all resource types the user can access"),
        (
            "system/Group.write",
            "create, update and delete Group resources the client can access (SMART v1 syntax for .cud)",
        ),
        (
            "patient/Coverage.cruds",
            "create, read, update, delete and search Coverage resources of the patient",
        ),
        (
            "patient/Observation.rs?category=laboratory&status=final",
            "read and search Observation resources of the patient, where category=laboratory and status=final",
        ),
        ("offline_access", "a refresh token that outlives the user's session"),
        ("launch/patient", "select a patient at login; the token response names it"),
        ("member-match-x", "1up: call $member-match (Payer-to-Payer)"),
    ] {
        let described = describe(scope);
        assert_eq!(
            (described.description.as_str(), described.recognized, described.warning),
            (words, true, None),
            "{scope}"
        );
    }
}

#[test]
fn warns_about_letters_out_of_order() {
    let described = describe("user/Patient.dus");
    assert!(
        described.description.starts_with("update, delete and search Patient"),
        "{}",
        described.description
    );
    assert_eq!(
        described.warning.as_deref(),
        Some("letters out of order: SMART requires .uds, and a server may reject this")
    );
    assert!(describe("user/Patient.rr").warning.is_some());
}

#[test]
fn unknown_scopes_are_not_recognized() {
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
        assert!(!describe(scope).recognized, "{scope}");
    }
}

#[test]
fn difference_ignores_order_and_syntax_version() {
    let same = difference("openid patient/*.read", "patient/*.rs openid");
    assert_eq!(same, Difference::default());
    let narrower = difference("patient/*.read openid", "patient/Patient.rs openid email");
    assert_eq!(narrower.missing, ["patient/*.read"]);
    assert_eq!(narrower.additional, ["patient/Patient.rs", "email"]);
    assert_eq!(difference("bulk-data|user/*.rs", "").missing, ["bulk-data|user/*.rs"]);
    assert_eq!(difference("bulk-data|user/*.rs", "user/*.rs").missing, ["bulk-data|user/*.rs"]);
}

#[test]
fn commas_and_percent_encoding_are_suspicious() {
    for scope in ["patient/*.read,openid", "openid patient%2F*.read", "bulk-data%7cuser/*.rs"] {
        assert!(lint(scope).is_some_and(|text| text.contains("unusual scope")), "{scope}");
    }
    for scope in ["", "bulk-data|user/*.rs", "patient/Observation.rs?category=a%2Cb,c"] {
        assert_eq!(lint(scope), None);
    }
}

proptest! {
    #[test]
    fn no_input_panics(scope in "\\PC{0,40}") {
        if let Ok(normal) = normalize(&scope) {
            prop_assert_eq!(normalize(&normal).expect("stays good"), normal.clone());
            prop_assert_eq!(difference(&normal, &normal), Difference::default());
            for token in normal.split(' ') {
                prop_assert_eq!(describe(token).scope, token);
            }
        }
    }

    #[test]
    fn letters_in_order_have_no_warning(mask in 1u8..32, context in "patient|user|system") {
        let letters: String =
            LETTERS.iter().enumerate().filter(|(i, _)| mask & (1 << i) != 0).map(|(_, (l, _))| *l).collect();
        let described = describe(&format!("{context}/*.{letters}"));
        prop_assert!(described.recognized && described.warning.is_none());
    }
}

/// A server can grant a scope of a megabyte.
#[test]
fn bulk_prefix_counts_once() {
    let described = describe(&("bulk-data|".repeat(100_000) + "user/*.rs"));
    assert!(!described.recognized, "{}", described.description);
    assert!(describe("bulk-data|user/*.rs").recognized);
}

#[test]
fn only_the_bulk_prefix_and_the_query_may_contain_a_bar() {
    assert_eq!(difference("|patient/Patient.rs", "patient/Patient.rs").missing, ["|patient/Patient.rs"]);
    let query = "category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory";
    let named = |letters: &str| format!("patient/Observation.{letters}?{query}");
    assert_eq!(difference(&named("sr"), &named("rs")), Difference::default());
}
