//! How long a token is considered valid: `expires_in`, the JWT's `exp`, and clocks that change.

use crate::support::{Home, TokenEndpoint};

#[test]
fn min_ttl_gets_a_new_token_if_less_time_is_left() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    let show = |seconds: &str| home.oneup().args(["token", "show", "--min-ttl", seconds]);
    show("3000").stdout("token-0\n").stderr("").run();
    home.age_tokens(601);
    show("3000").stdout("token-1\n").stderr("").run();
    show("4000")
        .stdout("token-2\n")
        .stderr("warning: the new token expires sooner than --min-ttl requires\n")
        .run();
    assert_eq!(server.count(), 3);
}

/// A home that is logged in with a code at this endpoint, as profile `patient`.
fn logged_in_with_code(endpoint: &TokenEndpoint) -> Home {
    let home = Home::new();
    endpoint.login_with_code(home.oneup(), "c", "file").run();
    home
}

/// `{"exp":4102444800,"iat":4102441200}`: an hour.
const JWT: &str = "e30.eyJleHAiOjQxMDI0NDQ4MDAsImlhdCI6NDEwMjQ0MTIwMH0.c2ln";

#[test]
fn jwt_expiry_replaces_a_missing_expires_in() {
    let server = TokenEndpoint::builder().token(JWT).without_lifetime().start();
    let home = logged_in_with_code(&server);
    home.oneup().args(["token", "show"]).stdout_has("e30.").stderr("").run();
    home.oneup().args(["status", "--check"]).stdout_has("left; can't be refreshed").run();
    home.age_tokens(3600);
    home.oneup().args(["token", "show"]).status(4).stderr_has("has expired").run();
    assert_eq!(server.count(), 1);
}

#[test]
fn unknown_lifetime_is_used_with_a_warning_if_nothing_can_replace_the_token() {
    let server = TokenEndpoint::builder().token("t").without_lifetime().start();
    let home = logged_in_with_code(&server);
    home.oneup().args(["token", "show"]).stdout("t\n").stderr("").run();
    home.age_tokens(3600);
    home.oneup().args(["token", "show"]).stdout("t\n").stderr_has("warning: token lifetime unknown").run();
    home.oneup().args(["status", "--check"]).run();
    home.oneup().args(["token", "show", "--refresh"]).status(4).stderr_has("there is no refresh token").run();
}

#[test]
fn unknown_lifetime_causes_no_request_per_call() {
    let server = TokenEndpoint::builder().without_lifetime().members(r#""refresh_token":"r""#).start();
    let home = logged_in_with_code(&server);
    for _ in 0..3 {
        home.oneup().args(["token", "show"]).stdout("token-0\n").stderr("").run();
    }
    home.age_tokens(300);
    for _ in 0..3 {
        home.oneup().args(["token", "show"]).stdout("token-1\n").stderr("").run();
    }
    assert_eq!(server.count(), 2);
}

#[test]
fn clock_set_back_by_less_than_a_minute_changes_nothing() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    home.age_tokens(-50);
    home.oneup().args(["token", "show"]).stdout("token-0\n").stderr("").run();
    home.age_tokens(-20);
    home.oneup().args(["token", "show"]).stdout("token-1\n").run();
}

#[test]
fn token_that_expired_on_arrival_is_a_protocol_error() {
    let server = TokenEndpoint::builder().lifetime(0).start();
    let home = Home::logged_in(&server);
    home.oneup().args(["token", "show"]).status(3).stdout("").stderr_has("already expired").run();
}
