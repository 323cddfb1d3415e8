//! A token per scope, tenants, the default profile, and when a token can be refreshed.

use crate::support::{CLIENT_SECRET, Fault, Home, TokenEndpoint, oauth_error};

#[test]
fn each_set_of_scopes_has_its_own_token() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    let show = |scope: &str| home.oneup().args(["token", "show", "--scope", scope]).run().stdout;
    let first = show("b a");
    assert!(server.requests()[1].body().contains("scope=a+b&"), "{:?}", server.requests());
    assert_eq!(show("a  b"), first, "order does not matter");
    assert_ne!(show("c"), first);
    let own = home.oneup().args(["token", "show"]).run().stdout;
    assert_eq!(show("bulk-data|user/*.rs"), own, "the profile's own scope");
    assert_eq!(server.count(), 3);
    home.oneup().arg("status").stdout_has(" left, for scope a b\n").stdout_has(" left, for scope c\n").run();
    let tokens = &home.status("provider")["other_tokens"];
    assert_eq!((&tokens[0]["scope"], &tokens[0]["valid"]), (&"a b".into(), &true.into()));
    home.oneup().args(["token", "show", "--scope", "a\"b"]).status(2).run();
}

#[test]
fn rejected_scope_of_one_call_leaves_the_login_alone() {
    let server = TokenEndpoint::builder()
        .fault(1, Fault::Response(oauth_error("400 Bad Request", "invalid_scope")))
        .start();
    let home = Home::logged_in(&server);
    home.oneup()
        .args(["token", "show", "--scope", "a"])
        .status(4)
        .stderr_has("the server rejected the scope a for client c\n")
        .stderr_has("hint: leave out --scope for the scope of the login, or pass one that the client has\n")
        .run();
}

#[test]
fn a_token_of_another_scope_is_not_the_profiles() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    for number in 0..10 {
        home.oneup().args(["token", "show", "--scope", &format!("s{number}")]).run();
    }
    assert!(home.status("provider")["other_tokens"].as_array().expect("a list").len() < 8);
    home.oneup().args(["token", "show"]).run();
    assert_eq!(server.count(), 11, "the profile's own token is kept");
}

#[test]
fn tenant_determines_the_fhir_base() {
    let (home, server) = (Home::new(), TokenEndpoint::start());
    let login = |args: &[&str]| {
        home.oneup()
            .args(["login", "provider", "--client-id", "c", "--gateway", &server.url()])
            .args(args)
            .env("ONEUP_CLIENT_SECRET", CLIENT_SECRET)
            .run();
        home.status("provider")
    };
    let base = |tenant: &str| format!("{}/v1/{tenant}/bulk-export/bulk-data/r4", server.url());
    let sandbox = login(&[]);
    assert_eq!((&sandbox["tenant"], &sandbox["fhir_base"]), (&"bison".into(), &base("bison").into()));
    assert_eq!(login(&["--tenant", "acme"])["fhir_base"], base("acme"));
    assert_eq!(login(&[])["fhir_base"], base("acme"), "the tenant is recalled");
    let partner = login(&["--realm", "epa-uat"]);
    assert_eq!((&partner["tenant"], &partner["fhir_base"]), (&"epa-uat".into(), &base("epa-uat").into()));
    let requests = server.requests();
    assert!(!requests[3].body().contains("scope="), "no scope by default: {}", requests[3]);
    for invalid in ["a/b", "..", "a b"] {
        home.oneup().args(["login", "provider", "--tenant", invalid]).status(2).run();
    }
    home.oneup()
        .args(["login", "patient", "--tenant", "acme", "--client-id", "c"])
        .status(2)
        .stderr_has("--tenant can't be used with a health plan")
        .run();
}

#[test]
fn use_sets_the_default_profile() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    server.login(&home).args(["--profile", "second"]).run();
    home.oneup().args(["token", "show"]).status(4).stderr_has("oneup use NAME").run();
    home.oneup().args(["use", "third"]).status(4).stderr_has("no profile third").run();
    home.oneup().args(["use", "second"]).stderr("The default profile is second.\n").run();
    home.oneup().args(["token", "show"]).stdout("token-1\n").run();
    home.oneup().args(["token", "show", "--profile", "provider"]).stdout("token-0\n").run();
    home.oneup().args(["token", "show"]).env("ONEUP_PROFILE", "provider").stdout("token-0\n").run();
    assert_eq!(home.status("second")["default"], true);
    home.oneup().args(["use", "--unset"]).run();
    home.oneup().args(["token", "show"]).status(4).run();
    home.oneup().args(["use", "second"]).run();
    home.oneup().args(["logout", "--no-revoke"]).stderr_has("Logged out of second").run();
    home.oneup().args(["token", "show"]).stdout("token-0\n").run();
}

#[test]
fn status_check_fails_after_the_client_was_rejected() {
    let rejection = oauth_error("401 Unauthorized", "invalid_client");
    let server = TokenEndpoint::builder().fault(1, Fault::Response(rejection)).start();
    let home = Home::logged_in(&server);
    home.oneup().args(["status", "--check"]).run();
    home.oneup().args(["token", "show", "--refresh"]).status(4).run();
    home.age_tokens(7200);
    assert_eq!(home.status("provider")["refreshable"], false);
    home.oneup().arg("status").stdout_has("the server rejected the client").run();
    home.oneup().args(["token", "show"]).run();
    home.oneup().args(["status", "--check"]).run();
}

#[test]
fn status_shows_until_when_a_token_can_be_refreshed() {
    for (member, json, text) in [
        (r#""refresh_expires_in":0"#, "\"never\"", "refreshed automatically\n"),
        (r#""refresh_expires_in":1800"#, "T", "refreshed automatically (for "),
        (r#""x":1"#, "\"unknown\"", "refreshed automatically (unknown until when)\n"),
    ] {
        let server = TokenEndpoint::builder().members(&format!(r#""refresh_token":"r",{member}"#)).start();
        let home = Home::new();
        server.login_with_code(home.oneup(), "c", "file").run();
        assert!(home.status("patient")["refresh_expires_at"].to_string().contains(json), "{member}");
        home.oneup().arg("status").stdout_has(text).run();
    }
    let server =
        TokenEndpoint::builder().lifetime(1).members(r#""refresh_token":"r","refresh_expires_in":1"#).start();
    let home = Home::new();
    server.login_with_code(home.oneup(), "c", "file").run();
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    home.oneup().args(["status", "--check"]).status(4).stderr_has("have expired").run();
    home.oneup().arg("status").stdout_has("refresh token expired; log in again").run();
}

#[test]
fn concurrent_show_makes_one_request_per_scope() {
    let server = TokenEndpoint::builder().delay(std::time::Duration::from_millis(200)).start();
    let home = Home::logged_in(&server);
    let processes: Vec<_> = (0..16)
        .map(|number| {
            let scope = if number % 2 == 0 { "a b" } else { "c" };
            home.oneup().args(["token", "show", "--scope", scope]).spawn()
        })
        .collect();
    for mut process in processes {
        assert!(process.wait().expect("it ends").success());
    }
    assert_eq!(server.count(), 3, "the login, and one for each scope");
}
