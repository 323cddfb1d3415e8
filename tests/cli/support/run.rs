//! A home directory for one test, and a builder that runs oneup in it and checks stdout, stderr and the exit code.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::rc::Rc;
use std::time::Duration;

use assert_cmd::Command;
use oneup::profile;
use oneup::store::{self, StoreKind};
use tempfile::TempDir;

use super::{TokenEndpoint, set_mode};

/// The client secret of [`Oneup::login_provider`].
pub(crate) const CLIENT_SECRET: &str = "s3cr3t-of-the-client";

/// A temporary home directory with config and state directories; deleted with its last clone.
#[derive(Clone)]
pub(crate) struct Home(Rc<TempDir>);

impl Home {
    /// An empty home.
    pub(crate) fn new() -> Self {
        Self(Rc::new(
            tempfile::Builder::new().prefix("oneup-test-").tempdir().expect("a temporary directory"),
        ))
    }

    /// One with the profile `provider`, logged in at this endpoint as client `c`; the credentials are in the file store.
    pub(crate) fn logged_in(endpoint: &TokenEndpoint) -> Self {
        let home = Self::new();
        endpoint.login(&home).run();
        home
    }

    /// A path in it.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Its config directory; profiles are below it.
    pub(crate) fn config(&self) -> PathBuf {
        self.path("config")
    }

    /// Its state directory.
    pub(crate) fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// The files of the file store: one for each login.
    pub(crate) fn stored_files(&self) -> Vec<PathBuf> {
        let dir = std::fs::read_dir(self.state().join("secrets")).into_iter().flatten();
        dir.map(|entry| entry.expect("an entry").path()).collect()
    }

    /// The file store's only file.
    pub(crate) fn stored_file(&self) -> PathBuf {
        let mut files = self.stored_files();
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }

    /// Makes each token in the file store this many seconds older, as if time had passed.
    pub(crate) fn age_tokens(&self, seconds: i64) {
        let store = store::open(StoreKind::File, &self.state(), Duration::from_secs(5), false)
            .expect("a store on this machine");
        for name in profile::names(&self.config()).expect("a readable directory") {
            let profile = profile::load(&self.config(), &name).expect("a valid profile").expect("it exists");
            let key = profile.credential_key();
            let mut stored = store.read(&key).expect("a readable store").expect("a login");
            stored.token.as_mut().expect("a token").lifetime.issued_at -= seconds;
            store.write(&key, &stored).expect("a writable store");
        }
    }

    /// Gives the profile `provider` another token endpoint, as if its token were from there.
    pub(crate) fn move_token_endpoint(&self, token_url: &str) {
        let store = store::open(StoreKind::File, &self.state(), Duration::from_secs(5), false)
            .expect("a store on this machine");
        let mut profile =
            profile::load(&self.config(), "provider").expect("a valid profile").expect("it exists");
        let stored = store.read(&profile.credential_key()).expect("a readable store").expect("a login");
        token_url.clone_into(&mut profile.token_url);
        profile.save(&self.config()).expect("a writable profile");
        store.write(&profile.credential_key(), &stored).expect("a writable store");
    }

    /// Writes a file into it, and returns its path.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("below the home")).expect("a directory in the home");
        std::fs::write(&path, bytes).expect("a file in the home");
        path
    }

    /// Writes an executable script of sh into it, and returns its path.
    pub(crate) fn write_script(&self, name: &str, script: &str) -> PathBuf {
        let path = self.write(name, format!("#!/bin/sh\n{script}\n"));
        set_mode(&path, 0o755);
        path
    }

    /// Writes a file that only its owner can read, and returns its path.
    pub(crate) fn write_private(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.write(name, bytes);
        set_mode(&path, 0o600);
        path
    }

    /// Writes the profile `p` of client `c` with this token endpoint and FHIR base, without a login; `more` is TOML.
    pub(crate) fn write_profile(&self, token_url: &str, fhir_base: &str, more: &str) {
        let id = "0123456789abcdef".repeat(2);
        self.write(
            "config/profiles/p.toml",
            format!(
                "schema = 1\nid = \"{id}\"\nproduct = \"provider\"\nclient_id = \"c\"\nscope = \"\"\n\
                 token_url = \"{token_url}\"\nfhir_base = \"{fhir_base}\"\nauth_method = \"post\"\n\
                 store = \"file\"\n{more}"
            ),
        );
    }

    /// The file of a profile.
    pub(crate) fn profile_file(&self, name: &str) -> PathBuf {
        profile::path(&self.config(), name)
    }

    /// A profile as `status --format json` shows it.
    pub(crate) fn status(&self, profile: &str) -> serde_json::Value {
        let run = self.oneup().args(["status", "--format", "json", "--profile", profile]).run();
        serde_json::from_str::<serde_json::Value>(&run.stdout).expect("JSON")[0].clone()
    }

    /// A run of oneup in this home.
    pub(crate) fn oneup(&self) -> Oneup {
        self.oneup_under(&[])
    }

    /// A run of oneup in this home that no inherited setting keeps from signals: a script's background job, as a CI job may
    /// be, ignores SIGINT and SIGQUIT, and so do its children.
    pub(crate) fn oneup_with_default_signals(&self) -> Oneup {
        // Other systems' env(1) can't do that.
        if cfg!(target_os = "linux") { self.oneup_under(&["env", "--default-signal"]) } else { self.oneup() }
    }

    /// A run of oneup in this home by another program, such as strace, with its own arguments first.
    pub(crate) fn oneup_under(&self, program: &[&str]) -> Oneup {
        Oneup::at(self.clone(), program)
    }
}

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

    fn at(home: Home, program: &[&str]) -> Self {
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

    /// The command alone, for streams that are not pipes.
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
