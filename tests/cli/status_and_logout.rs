//! `status` and `logout`: what they print, delete and return.

use std::fs;

use crate::support::{CLIENT_SECRET, Home, TokenEndpoint};

#[test]
fn status_reads_no_secret_and_check_sets_the_exit_code() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    fs::remove_dir_all(home.state().join("secrets")).expect("the store is gone");
    home.oneup()
        .arg("status")
        .stdout_has("provider (Provider Access)\n  token   ")
        .stdout_has("left; refreshed automatically\n  client  c\n  scope   bulk-data|user/*.rs\n")
        .run();
    let json = home.oneup().args(["status", "--format", "json"]).run();
    let rows: serde_json::Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!((&rows[0]["profile"], &rows[0]["valid"]), (&"provider".into(), &true.into()));
    home.oneup().args(["status", "--check"]).run();
    Home::new().oneup().args(["status", "--check"]).status(4).run();
    Home::new().oneup().args(["status", "--format", "json"]).stdout("[]\n").run();
}

#[test]
fn logout_deletes_everything_and_a_second_one_is_an_error() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    home.oneup().arg("logout").stderr_has("Logged out of provider (Provider Access).\n").run();
    for place in [home.state().join("secrets"), home.state().join("metadata"), home.config().join("locks")] {
        assert_eq!(fs::read_dir(&place).expect("a directory").count(), 0, "{}", place.display());
    }
    for words in [&["logout"][..], &["logout", "--all"], &["token", "show"]] {
        let error =
            "error: not logged in\nhint: oneup login provider, oneup login p2p or oneup login patient\n";
        home.oneup().args(words).status(4).stderr(error).run();
    }
}

#[test]
fn logout_all_deletes_what_it_can_and_names_the_rest() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    for name in ["broken", "worse"] {
        fs::write(home.profile_file(name), "no profile").expect("a file");
    }
    home.oneup()
        .args(["logout", "--all"])
        .status(1)
        .stderr_has("broken.toml, line 1\n")
        .stderr_has("Logged out of provider (Provider Access).\n")
        .stderr_has("worse.toml, line 1\n")
        .run();
    assert!(!home.profile_file("provider").exists());
}

#[test]
fn several_profiles_need_a_selection() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    home.oneup()
        .args(["login", "p2p", "--profile", "second", "--client-id", "c", "--client-secret-stdin"])
        .args(["--token-url", &server.token_url()])
        .stdin(CLIENT_SECRET)
        .run();
    home.oneup().args(["token", "show"]).status(4).stderr_has("provider, second").run();
    home.oneup().args(["token", "show"]).env("ONEUP_PROFILE", "second").stdout("token-1\n").run();
    home.oneup().args(["token", "show", "--profile", "third"]).status(4).stderr_has("no profile third").run();
    home.oneup().args(["logout", "--all"]).run();
    home.oneup().arg("status").stdout("").run();
}
