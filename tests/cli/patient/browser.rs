//! A login that waits for its browser, and curl as that browser.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

use url::Url;

use crate::support::{Home, Sandbox};

/// A run of `oneup login patient` that has printed its URL.
pub(super) struct Login {
    pub(super) child: Child,
    stderr: BufReader<ChildStderr>,
    seen: String,
    /// The authorization request.
    pub(super) url: String,
}

/// How a login ended.
pub(super) struct Ended {
    pub(super) exit: ExitStatus,
    pub(super) status: Option<i32>,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

impl Ended {
    /// Panics unless the login succeeded.
    #[track_caller]
    pub(super) fn assert_success(self) -> Self {
        assert_eq!(self.status, Some(0), "{}", self.stderr);
        self
    }
}

/// `oneup login patient` in this home, at this sandbox, without a browser of its own; all streams piped.
pub(super) fn command(home: &Home, sandbox: &Sandbox, flags: &[&str]) -> Command {
    let run =
        home.oneup_with_default_signals().envs(sandbox.env()).args(["login", "patient", "--no-browser"]);
    let mut command = run.args(flags).into_command();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

impl Login {
    /// Starts it without a terminal, and reads its output up to the URL.
    pub(super) fn begin(home: &Home, sandbox: &Sandbox, flags: &[&str]) -> Self {
        Self::of(command(home, sandbox, flags).stdin(Stdio::null()))
    }

    /// Starts a command, and reads its output up to the URL.
    pub(super) fn of(command: &mut Command) -> Self {
        let mut child = command.spawn().expect("oneup starts");
        let mut stderr = BufReader::new(child.stderr.take().expect("piped"));
        let mut seen = String::new();
        let mut url = None;
        while url.is_none() {
            let from = seen.len();
            if stderr.read_line(&mut seen).expect("stderr is text") == 0 {
                let _ = child.wait();
            }
            assert!(seen.len() > from, "no URL on stderr: {seen}");
            url = Some(seen[from..].trim().to_owned()).filter(|line| line.starts_with("http"));
        }
        Self { child, stderr, seen, url: url.expect("the loop found it") }
    }

    /// Where a URL is pasted.
    pub(super) fn stdin(&mut self) -> std::process::ChildStdin {
        self.child.stdin.take().expect("piped, and taken once")
    }

    /// Waits for its end.
    pub(super) fn end(mut self) -> Ended {
        let mut stdout = String::new();
        self.stderr.read_to_string(&mut self.seen).expect("stderr is text");
        self.child.stdout.take().expect("piped").read_to_string(&mut stdout).expect("stdout is text");
        let exit = self.child.wait().expect("it ends");
        Ended { exit, status: exit.code(), stdout, stderr: std::mem::take(&mut self.seen) }
    }
}

/// The value of a parameter of a URL.
pub(super) fn parameter(url: &str, name: &str) -> String {
    let url = Url::parse(url).expect("a URL");
    let value = url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned());
    value.unwrap_or_else(|| panic!("{url} has no {name}"))
}

/// What curl prints.
pub(super) fn curl(arguments: &[&str]) -> String {
    let output =
        Command::new("curl").args(["-gsS", "--max-time", "20", "--noproxy", "*"]).args(arguments).output();
    let output = output.expect("curl runs");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Opens the consent page and allows the access; returns the last page.
pub(super) fn allow(url: &str) -> String {
    decide(url, "allow", &["-L"])
}

/// The same, and denies it.
pub(super) fn deny(url: &str) -> String {
    decide(url, "deny", &["-L"])
}

/// The URL of the redirect after allowing, which is not followed.
pub(super) fn address_after_allowing(url: &str) -> String {
    decide(url, "allow", &["-o", if cfg!(windows) { "NUL" } else { "/dev/null" }, "-w", "%{redirect_url}"])
}

fn decide(url: &str, decision: &str, more: &[&str]) -> String {
    let page = curl(&[url]);
    let ticket = page.split("name=\"ticket\" value=\"").nth(1).and_then(|rest| rest.split('"').next());
    let ticket = format!("ticket={}", ticket.unwrap_or_else(|| panic!("a page with a ticket: {page}")));
    let base = Url::parse(url).expect("a URL");
    let action = page.split("action=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a form");
    let target = base.join(action).expect("a URL");
    let decision = format!("decision={decision}");
    let form = ["--data-urlencode", &ticket, "--data-urlencode", &decision, target.as_str()];
    curl(&[more, &form].concat())
}
