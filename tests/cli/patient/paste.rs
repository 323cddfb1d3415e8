//! The person's hand: an address pasted through a pipe by a script, or through a pty by a person, while the
//! listener waits as well.

use std::io::Write;
use std::time::Duration;

use super::browser::{Login, address_after_allowing, command};
use crate::support::{Home, Sandbox, requires_program};

const ELSEWHERE: [&str; 2] = ["--redirect-uri", "https://app.example/callback"];

#[test]
fn script_pastes_wrapped_and_quoted_urls_through_a_pipe() {
    if !requires_program("curl") {
        return;
    }
    let sandbox = Sandbox::start(&[]);
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
        let ended = login.end();
        assert_eq!(ended.status, Some(0), "{}", ended.stderr);
        home.oneup().args(["token", "show"]).run();
    }
}

#[cfg(unix)]
#[test]
fn user_pastes_a_wrong_url_and_then_the_right_one() {
    use expectrl::{Expect, Session};
    if !requires_program("curl") {
        return;
    }
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    let mut command = command(&home, &sandbox, &["--redirect-uri", "http://localhost:0/callback"]);
    command.stdin(std::process::Stdio::inherit());
    command.stdout(std::process::Stdio::inherit()).stderr(std::process::Stdio::inherit());
    command.env("TERM", "xterm-256color");
    let mut person = Session::spawn(command).expect("a pty");
    person.set_expect_timeout(Some(Duration::from_secs(20)));
    let shown = person.expect(expectrl::Regex("http://[^\\s\u{1b}]+")).expect("the URL");
    let url = String::from_utf8_lossy(shown.get(0).expect("matched")).into_owned();
    person.expect("Waiting for the login").expect("a spinner with the time left");
    person.send_line("http://localhost:1/callback?code=c&state=wrong").expect("it reads");
    person.expect("belongs to another login").expect("a clear refusal");
    person.send_line("").expect("it reads");
    person.send_line(address_after_allowing(&url)).expect("it reads");
    person.expect("Logged in").expect("the second paste is right");
    person.expect(expectrl::Eof).expect("it ends");
    home.oneup().args(["token", "show"]).run();
}
