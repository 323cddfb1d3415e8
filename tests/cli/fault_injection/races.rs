//! Concurrent commands: the result is that of one of them, and each success that was reported is true.

use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

use super::scenario::{checking_clients, remaining_files, shown};
use crate::support::{
    FaultReport, Home, Kind, Request, TokenEndpoint, html_response, size, text_response, wait_until,
};

/// Returns the exit code and stderr of a process.
fn end(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().expect("it ends");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn login(home: &Home, endpoint: &TokenEndpoint, client: &str) -> Child {
    endpoint.login_as(home.oneup(), client, "file").spawn()
}

fn refresh(home: &Home) -> Child {
    home.oneup().args(["token", "show", "--refresh"]).spawn()
}

/// A realm whose discovery document is slow.
fn slow_realm() -> TokenEndpoint {
    let resources = |request: &Request| {
        if request.method() == "GET" {
            sleep(Duration::from_millis(800));
            return html_response("404 Not Found", "");
        }
        text_response("200 OK", "")
    };
    TokenEndpoint::builder().resources(resources).start()
}

#[test]
fn login_during_a_logout_is_kept() {
    let (home, server) = (Home::new(), slow_realm());
    let login = || home.oneup().login_provider(&server.realm_token_url()).run();
    login();
    let logout = home.oneup().arg("logout").spawn();
    wait_until("a GET", || server.requests().iter().any(|request| request.method() == "GET"));
    login();
    assert_eq!(end(logout).0, Some(0));
    assert!(shown(&home).expect("no loss").is_some(), "the last login was deleted");
    // The second one waited for the first and finds another login: it is deleted, as requested.
    let logouts = [home.oneup().arg("logout").spawn(), home.oneup().arg("logout").spawn()];
    for (code, stderr) in logouts.map(end) {
        assert!(matches!(code, Some(0 | 4)), "{stderr}");
    }
    assert_eq!((shown(&home), remaining_files(&home)), (Ok(None), Vec::new()));
}

#[test]
fn logout_during_refreshes_leaves_nothing() {
    let mut report = FaultReport::new(Kind::Load, "refreshes during a logout");
    for _ in 0..size(2, 10) {
        let (home, endpoint) = (Home::new(), checking_clients().delay(Duration::from_millis(150)).start());
        endpoint.login_as(home.oneup(), "old", "file").run();
        let refreshes: Vec<Child> = (0..10).map(|_| refresh(&home)).collect();
        sleep(Duration::from_millis(100));
        home.oneup().arg("logout").run();
        for (code, stderr) in refreshes.into_iter().map(end) {
            report.tried(1);
            if !matches!(code, Some(0 | 4)) {
                report.failed(format!("a refresh ended as {code:?}: {stderr}"));
            }
        }
        remaining_files(&home).into_iter().for_each(|left| report.failed(left));
    }
    report.finish();
}

#[test]
fn concurrent_logins_end_as_one_of_them() {
    let mut report = FaultReport::new(Kind::Load, "concurrent logins of one profile");
    for _ in 0..size(1, 6) {
        let (home, endpoint) = (Home::new(), checking_clients().start());
        let logins: Vec<Child> =
            (0..12).map(|number| login(&home, &endpoint, ["old", "new", "other"][number % 3])).collect();
        for (code, stderr) in logins.into_iter().map(end) {
            report.tried(1);
            if code != Some(0) {
                report.failed(format!("a login ended as {code:?}: {stderr}"));
            }
        }
        // Client ID, secret and token belong together: the endpoint rejects a mixture.
        home.oneup().args(["token", "show", "--refresh"]).run();
        let items = std::fs::read_dir(home.state().join("secrets")).expect("the store").count();
        assert_eq!(items, 1, "the secrets of the other logins are deleted");
        home.oneup().arg("logout").run();
        remaining_files(&home).into_iter().for_each(|left| report.failed(left));
    }
    report.finish();
}

#[test]
fn login_during_a_refresh_is_kept() {
    let (home, endpoint) = (Home::new(), checking_clients().delay(Duration::from_millis(400)).start());
    endpoint.login_as(home.oneup(), "old", "file").run();
    let running = refresh(&home);
    sleep(Duration::from_millis(200));
    let login = login(&home, &endpoint, "new");
    assert_eq!((end(running).0, end(login).0), (Some(0), Some(0)));
    assert!(shown(&home).expect("no loss").is_some_and(|token| token.starts_with("new-token-")));
}

/// The refresh writes the old secret back under an ID that no profile has.
#[test]
fn login_that_times_out_waiting_for_a_refresh_leaves_no_secret() {
    let (home, endpoint) = (Home::new(), checking_clients().delay(Duration::from_secs(6)).start());
    endpoint.login_as(home.oneup(), "old", "file").run();
    let running = refresh(&home);
    wait_until("a refresh", || endpoint.count() == 2);
    let quick = checking_clients().start();
    quick.login_as(home.oneup().args(["--timeout", "1"]), "new", "file").status(1).run();
    assert_eq!(end(running).0, Some(0));
    home.oneup().args(["logout", "--no-revoke"]).run();
    assert_eq!(remaining_files(&home), Vec::<String>::new());
}

/// All commands concurrently.
#[test]
fn many_concurrent_commands_leave_a_working_home() {
    let mut report = FaultReport::new(Kind::Load, "concurrent login, logout, show and refresh");
    for round in 0..size(1, 8) {
        let (home, endpoint) = (Home::new(), checking_clients().start());
        let children: Vec<Child> = (0..40)
            .map(|number| match (number * 7 + round) % 5 {
                0 => login(&home, &endpoint, "old"),
                1 => login(&home, &endpoint, "new"),
                2 => home.oneup().arg("logout").spawn(),
                3 => home.oneup().args(["token", "show"]).spawn(),
                _ => refresh(&home),
            })
            .collect();
        for (code, stderr) in children.into_iter().map(end) {
            report.tried(1);
            // 4: not logged in at that moment.
            if !matches!(code, Some(0 | 4)) {
                report.failed(format!("ended as {code:?}: {stderr}"));
            }
        }
        endpoint.login_as(home.oneup(), "new", "file").run();
        home.oneup().args(["token", "show", "--refresh"]).run();
        home.oneup().arg("logout").run();
        remaining_files(&home).into_iter().for_each(|left| report.failed(left));
    }
    report.finish();
}
