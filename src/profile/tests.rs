use super::*;
use crate::error::ErrorKind;
use crate::oauth::product::{GATEWAY, PLAN, REALM};

#[test]
fn names_that_could_leave_the_directory_are_rejected() {
    for name in ["a", "provider", "A.b_c-9", &"x".repeat(64)] {
        assert!(check_name(name).is_ok(), "{name}");
    }
    for name in ["", ".", "..", "../x", "-x", "_x", "a/b", "a b", "ä", "a\n", &"x".repeat(65)] {
        assert_eq!(check_name(name).expect_err(name).kind(), ErrorKind::Usage);
    }
}

#[test]
fn invalid_file_is_reported_with_its_line_and_a_newer_one_as_such() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::create_dir(dir.path().join("profiles")).expect("a directory");
    let message = |text: &str| {
        std::fs::write(path(dir.path(), "p"), text).expect("a file");
        load(dir.path(), "p").expect_err(text).to_string()
    };
    assert!(message("schema = 1\nid = 7\n").contains("p.toml, line 2\n"));
    assert!(message("schema = 9\nwhat = 'ever'\n").contains("newer oneup"));
    let whole = include_str!("../../tests/corpus/profile/newer");
    assert!(message(whole).contains("newer oneup"));
    assert!(message("schema = 1\nproduct").contains("line 2"));
}

#[test]
fn origin_names_realm_or_plan_only_with_its_own_token_endpoint() {
    let (gateway, realm) = (Some(GATEWAY.to_owned()), Some(REALM.to_owned()));
    let of_realm = Profile { gateway, realm, ..Profile::example(realm_endpoints(GATEWAY, REALM)) };
    assert_eq!(of_realm.origin(), "realm dev-portal at https://gateway.1up.health");
    let of_plan = Profile { plan: Some(PLAN.to_owned()), ..Profile::example(plan_endpoints(PLAN)) };
    assert_eq!(of_plan.origin(), "health plan 1uphealthdemo.com/test");
    for profile in [of_realm, of_plan] {
        let elsewhere = Profile { token_url: "https://other.example/token".into(), ..profile };
        assert_eq!(elsewhere.origin(), "https://other.example/token");
    }
}
