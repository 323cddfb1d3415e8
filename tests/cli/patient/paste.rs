//! URLs pasted through a pipe by a script, or through a pseudoterminal by a user, while the listener waits as well.

use std::io::Write;
use std::time::Duration;

use super::browser::{Login, address_after_allowing, command};
use super::{REDIRECT_URI, start};
use crate::support::Home;

const ELSEWHERE: [&str; 2] = ["--redirect-uri", "https://app.example/callback"];

#[test]
fn script_pastes_wrapped_and_quoted_urls_through_a_pipe() {
    let Some((_, sandbox)) = start(&[]) else { return };
    let wrapped = |address: &str| {
        let (head, tail) = address.split_at(50);
        format!("{head}\n  {tail}\n")
    };
    let mangled: [&dyn Fn(&str) -> String; 3] =
        [&|address| format!("'{}'\n", address.replace('&', "&amp;")), &wrapped, &|address| {
            address.to_owned()
        }];
    for mangle in mangled {
        let home = Home::new();
        let mut login = Login::of(&mut command(&home, &sandbox, &ELSEWHERE));
        let address = address_after_allowing(&login.url);
        login.stdin().write_all(mangle(&address).as_bytes()).expect("it reads");
        login.end().assert_success();
        home.oneup().args(["token", "show"]).run();
    }
}

#[cfg(unix)]
#[test]
fn user_pastes_a_wrong_url_and_then_the_right_one() {
    use expectrl::{Expect, Session};
    let Some((home, sandbox)) = start(&[]) else { return };
    let mut command = command(&home, &sandbox, &["--redirect-uri", REDIRECT_URI]);
    command.stdin(std::process::Stdio::inherit());
    command.stdout(std::process::Stdio::inherit()).stderr(std::process::Stdio::inherit());
    command.env("TERM", "xterm-256color");
    let mut user = Session::spawn(command).expect("a pty");
    user.set_expect_timeout(Some(Duration::from_secs(20)));
    let shown = user.expect(expectrl::Regex("http://[^\\s\u{1b}]+")).expect("the URL");
    let url = String::from_utf8_lossy(shown.get(0).expect("matched")).into_owned();
    user.expect("Waiting for the login").expect("a spinner with the time left");
    user.send_line("http://localhost:1/callback?code=c&state=wrong").expect("it reads");
    user.expect("belongs to another login").expect("an error");
    user.send_line("").expect("it reads");
    user.send_line(address_after_allowing(&url)).expect("it reads");
    user.expect("Logged in").expect("the second paste is right");
    user.expect(expectrl::Eof).expect("it ends");
    home.oneup().args(["token", "show"]).run();
}
