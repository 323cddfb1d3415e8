//! Files of a newer oneup: this one reports them, and leaves them unchanged.

use super::scenario::checking_clients;
use crate::support::{FaultReport, Home, Kind, TokenEndpoint};

fn login(endpoint: &TokenEndpoint) -> Home {
    let home = Home::new();
    endpoint.login_as(home.oneup(), "old", "file").run();
    home
}

#[test]
fn profile_of_a_newer_version_is_reported_and_kept() {
    let mut report = FaultReport::new(Kind::Fault, "profiles and items of a newer version");
    let endpoint = checking_clients().start();
    let home = login(&endpoint);
    let file = home.profile_file("provider");
    let text = std::fs::read_to_string(&file).expect("a profile").replace("schema = 1", "schema = 2");
    std::fs::write(&file, text.clone() + "news = true\n").expect("it is ours");
    let kept = || (std::fs::read_to_string(&file).ok(), std::fs::read(home.stored_file()).ok());
    let before = kept();
    let count = endpoint.count();
    let commands: [&[&str]; 6] = [
        &["token", "show"],
        &["token", "show", "--refresh"],
        &["curl", "/x"],
        &["exec", "--", "true"],
        &["logout"],
        &["logout", "--all"],
    ];
    for words in commands {
        let code = if matches!(words[0], "curl" | "exec") { 125 } else { 1 };
        home.oneup()
            .args(words)
            .status(code)
            .stderr_has("was written by a newer oneup\nhint: update oneup")
            .run();
        report.tried(1);
    }
    endpoint.login_as(home.oneup(), "new", "file").status(1).stderr_has("newer oneup").run();
    home.oneup().arg("status").outcome();
    report.tried(2);
    assert_eq!((kept(), endpoint.count()), (before, count), "nothing was changed, and nothing sent");
    report.finish();
}

#[test]
fn credentials_of_a_newer_version_are_reported_and_kept() {
    let mut report = FaultReport::new(Kind::Fault, "profiles and items of a newer version");
    let endpoint = checking_clients().start();
    let home = login(&endpoint);
    let path = home.stored_file();
    let text =
        std::fs::read_to_string(&path).expect("an item").replace(r#""schema":1"#, r#""schema":2,"news":[]"#);
    std::fs::write(&path, &text).expect("it is ours");
    let count = endpoint.count();
    for words in [&["token", "show"][..], &["token", "show", "--refresh"], &["logout"]] {
        home.oneup().args(words).status(6).stderr_has("another version").run();
        report.tried(1);
    }
    assert_eq!((std::fs::read_to_string(&path).ok(), endpoint.count()), (Some(text), count));
    // A login under the same name replaces them.
    endpoint.login_as(home.oneup(), "new", "file").run();
    home.oneup().args(["token", "show", "--refresh"]).run();
    report.finish();
}
