//! A builder that runs oneup in a home and checks stdout, stderr and the exit code.

use std::ffi::OsStr;
use std::process::Stdio;
use std::time::Duration;

use assert_cmd::Command;

use super::Home;

/// The client secret of [`Oneup::login_provider`].
pub(crate) const CLIENT_SECRET: &str = "s3cr3t-of-the-client";

/// One run of oneup, and what is expected of it. Exit code 0 unless [`Oneup::status`] says otherwise.
pub(crate) struct Oneup {
    home: Home,
    command: Command,
    shown: Vec<String>,
    status: i32,
    stdout: Option<String>,
    stderr: Option<String>,
    stdout_has: Vec<String>,
    stderr_has: Vec<String>,
    never: Vec<String>,
}

impl Oneup {
    /// A run in a fresh [`Home`].
    pub(crate) fn new() -> Self {
        Home::new().oneup()
    }

    pub(super) fn at(home: Home, program: &[&str]) -> Self {
        let words = [program, &[env!("CARGO_BIN_EXE_oneup")]].concat();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]);
        command.timeout(Duration::from_secs(90)).current_dir(home.path(""));
        for (name, _) in std::env::vars_os().filter(|(name, _)| is_inherited(name)) {
            command.env_remove(name);
        }
        command
            .env("HOME", home.path(""))
            .env("ONEUP_CONFIG_DIR", home.config())
            .env("ONEUP_STATE_DIR", home.state())
            .env("ONEUP_STORE", "file")
            .env("ONEUP_NO_CACHE", "1");
        Self {
            home,
            command,
            shown: vec!["oneup".to_owned()],
            status: 0,
            stdout: None,
            stderr: None,
            stdout_has: Vec::new(),
            stderr_has: Vec::new(),
            never: Vec::new(),
        }
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.shown.push(arg.as_ref().to_string_lossy().into_owned());
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub(crate) fn args<S: AsRef<OsStr>>(self, args: impl IntoIterator<Item = S>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets variables, such as [`super::Sandbox::env`].
    pub(crate) fn envs(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.command.envs(variables);
        self
    }

    /// Removes a variable.
    pub(crate) fn env_remove(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// `login provider` as client `c` at this token endpoint.
    pub(crate) fn login_provider(self, token_url: &str) -> Self {
        self.args(["login", "provider", "--client-id", "c", "--token-url", token_url])
            .env("ONEUP_CLIENT_SECRET", CLIENT_SECRET)
            .never(CLIENT_SECRET)
    }

    /// Uses the kernel cache of access tokens.
    pub(crate) fn with_cache(self) -> Self {
        self.env_remove("ONEUP_NO_CACHE")
    }

    /// Kills the run, and fails, after this long instead of 90 s.
    pub(crate) fn timeout(mut self, limit: Duration) -> Self {
        self.command.timeout(limit);
        self
    }

    /// Its standard input; empty unless given.
    pub(crate) fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.command.write_stdin(bytes);
        self
    }

    /// Expects exactly this on stdout.
    pub(crate) fn stdout(mut self, text: impl Into<String>) -> Self {
        self.stdout = Some(text.into());
        self
    }

    /// Expects exactly this on stderr.
    pub(crate) fn stderr(mut self, text: impl Into<String>) -> Self {
        self.stderr = Some(text.into());
        self
    }

    /// Expects this somewhere in stdout.
    pub(crate) fn stdout_has(mut self, text: impl Into<String>) -> Self {
        self.stdout_has.push(text.into());
        self
    }

    /// Expects this somewhere in stderr.
    pub(crate) fn stderr_has(mut self, text: impl Into<String>) -> Self {
        self.stderr_has.push(text.into());
        self
    }

    /// Expects this nowhere on either stream: a secret.
    pub(crate) fn never(mut self, secret: impl Into<String>) -> Self {
        self.never.push(secret.into());
        self
    }

    /// Expects this exit code. A failing command also has to leave stdout empty, unless an expectation of
    /// stdout says otherwise.
    pub(crate) fn status(mut self, code: i32) -> Self {
        self.status = code;
        self
    }

    /// Starts it as a child process of the test; nothing is checked.
    pub(crate) fn spawn(self) -> std::process::Child {
        let mut command = self.into_command();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Its children can be told from those of other tests by their process group.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn().expect("oneup starts")
    }

    /// The command alone, for streams that are not pipes; the home must outlive it.
    pub(crate) fn into_command(self) -> std::process::Command {
        let mut command = std::process::Command::new(self.command.get_program());
        command.args(self.command.get_args()).current_dir(self.home.path(""));
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
    }

    /// Runs it; nothing is checked.
    pub(crate) fn outcome(mut self) -> Outcome {
        self.end()
    }

    fn end(&mut self) -> Outcome {
        let output = self.command.output().expect("oneup runs");
        Outcome {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            home: self.home.clone(),
        }
    }

    /// Runs it, and panics with the command line and all output when an expectation isn't met.
    #[track_caller]
    pub(crate) fn run(mut self) -> Outcome {
        let outcome = self.end();
        let failures = self.failures(&outcome);
        assert!(
            failures.is_empty(),
            "$ {}\n{}\n--- exit code: {:?}\n--- stdout\n{}\n--- stderr\n{}",
            self.shown.join(" "),
            failures.join("\n"),
            outcome.status,
            outcome.stdout,
            outcome.stderr
        );
        outcome
    }

    fn failures(&self, outcome: &Outcome) -> Vec<String> {
        let mut failures = Vec::new();
        if outcome.status != Some(self.status) {
            failures.push(format!("exit code: expected {}, got {:?}", self.status, outcome.status));
        }
        let is_empty = self.status != 0 && self.stdout.is_none() && self.stdout_has.is_empty();
        let stdout = if is_empty { Some("") } else { self.stdout.as_deref() };
        failures.extend(difference("stdout", stdout, &outcome.stdout));
        failures.extend(difference("stderr", self.stderr.as_deref(), &outcome.stderr));
        for (stream, wanted, text) in
            [("stdout", &self.stdout_has, &outcome.stdout), ("stderr", &self.stderr_has, &outcome.stderr)]
        {
            let missing = wanted.iter().filter(|part| !text.contains(part.as_str()));
            failures.extend(missing.map(|part| format!("{stream} lacks {part:?}")));
        }
        for secret in &self.never {
            if outcome.stdout.contains(secret) || outcome.stderr.contains(secret) {
                failures.push(format!("a secret leaked: {secret:?}"));
            }
        }
        failures
    }
}

/// The result of a run.
pub(crate) struct Outcome {
    /// The exit code; `None` when a signal ended it.
    pub(crate) status: Option<i32>,
    /// All of stdout.
    pub(crate) stdout: String,
    /// All of stderr.
    pub(crate) stderr: String,
    /// The home that it ran in, for the next run.
    pub(crate) home: Home,
}

impl Outcome {
    /// What a child process did in this home.
    pub(crate) fn of(child: std::process::Child, home: &Home) -> Self {
        let output = child.wait_with_output().expect("it ends");
        Self {
            status: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            home: home.clone(),
        }
    }

    /// Whether one of the streams contains this.
    pub(crate) fn shows(&self, text: &str) -> bool {
        self.stdout.contains(text) || self.stderr.contains(text)
    }
}

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let cut = |text: &str| text.chars().take(2_000).collect::<String>();
        write!(f, "exit {:?}, stdout {:?}, stderr {:?}", self.status, cut(&self.stdout), cut(&self.stderr))
    }
}

/// Variables of the developer's environment that would change what oneup does.
fn is_inherited(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    name.starts_with("ONEUP_")
        || name.starts_with("XDG_")
        || name.ends_with("_PROXY")
        || name.starts_with("GITHUB_")
        || matches!(
            name.as_str(),
            "CI" | "NO_COLOR"
                | "CLICOLOR"
                | "CLICOLOR_FORCE"
                | "SSL_CERT_FILE"
                | "SSL_CERT_DIR"
                | "BROWSER"
                | "DISPLAY"
                | "WAYLAND_DISPLAY"
                | "DBUS_SESSION_BUS_ADDRESS"
                | "CURL_HOME"
        )
}

/// The first line that differs, expected and actual.
fn difference(stream: &str, expected: Option<&str>, actual: &str) -> Option<String> {
    let expected = expected.filter(|expected| *expected != actual)?;
    let (mut left, mut right) = (expected.split('\n'), actual.split('\n'));
    for number in 1.. {
        let (want, got) = (left.next(), right.next());
        if want != got {
            return Some(format!(
                "{stream} differs at line {number}:\n  expected {want:?}\n  got      {got:?}"
            ));
        }
        if want.is_none() {
            break;
        }
    }
    None
}
