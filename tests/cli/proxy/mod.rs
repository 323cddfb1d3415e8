//! `oneup proxy`: requests, responses, its URL and its end.

mod attacks;
mod browser;
mod lifecycle;
mod load;
mod requests;
mod rewriting;
mod streaming;
mod tls;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout};
use std::time::Duration;

use reqwest::blocking::{Client, Response};

use crate::support::{Home, Oneup, Sandbox, TokenEndpoint, send_signal};

/// A running proxy; killed when dropped.
pub(super) struct Proxy {
    child: Child,
    /// `http://127.0.0.1:PORT/KEY`
    pub(super) url: String,
    pub(super) client: Client,
    _stdout: BufReader<ChildStdout>,
    /// The home of its profile.
    _home: Home,
}

impl Proxy {
    /// Starts one in this home with these flags.
    pub(super) fn start(home: &Home, flags: &[&str]) -> Self {
        Self::of(home, home.oneup().arg("proxy").args(flags))
    }

    /// Starts one that belongs to a login at this endpoint.
    pub(super) fn at(endpoint: &TokenEndpoint, flags: &[&str]) -> Self {
        Self::start(&Home::logged_in(endpoint), flags)
    }

    /// Waits until the proxy of this run in this home listens.
    fn of(home: &Home, run: Oneup) -> Self {
        let mut child = run.spawn();
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("a line");
        let url = line.trim_end().strip_suffix('/').unwrap_or_default().to_owned();
        if !url.starts_with("http://") {
            let mut error = String::new();
            let _ = child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut error));
            panic!("no base URL but {line:?}, and {error}");
        }
        let client = Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .timeout(Duration::from_secs(30))
            .build();
        Self { child, url, client: client.expect("a client"), _stdout: stdout, _home: home.clone() }
    }

    /// GET of a path below the key.
    pub(super) fn get(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.url)).send().expect("a response")
    }

    /// `127.0.0.1:PORT`
    pub(super) fn address(&self) -> &str {
        self.url.strip_prefix("http://").and_then(|rest| rest.split('/').next()).expect("a URL")
    }

    /// `/KEY`
    pub(super) fn key(&self) -> &str {
        &self.url[self.url.rfind('/').expect("a URL")..]
    }

    /// A connection to it.
    pub(super) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).expect("it listens");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
        stream
    }

    /// Sends bytes, in which `KEY` and `HOST` stand for the proxy's, and returns all that comes until the connection is
    /// closed.
    pub(super) fn raw(&self, request: &str) -> String {
        let mut stream = self.connect();
        let request = request.replace("/KEY", self.key()).replace("HOST", self.address());
        let _ = stream.write_all(request.as_bytes());
        let mut response = Vec::new();
        let _ = stream.read_to_end(&mut response);
        String::from_utf8_lossy(&response).into_owned()
    }

    /// Sends a signal and returns exit code and stderr.
    pub(super) fn end(mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        let status = self.child.wait().expect("it ends");
        let mut stderr = String::new();
        let pipe = self.child.stderr.as_mut().expect("piped");
        pipe.read_to_string(&mut stderr).expect("UTF-8");
        (status.code(), stderr)
    }

    pub(super) fn signal(&self, signal: &str) {
        send_signal(&self.child, signal);
    }

    /// The process ID.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A home that is logged in at a sandbox as `provider` (exports of a tenant) and `r4` (its FHIR server).
pub(super) fn home_at(sandbox: &Sandbox) -> Home {
    let home = Home::new();
    home.oneup().envs(sandbox.env()).args(["login", "provider", "--profile", "r4"]).run();
    home.oneup().envs(sandbox.env()).env_remove("ONEUP_FHIR_BASE").args(["login", "provider"]).run();
    home
}

/// The header lines of a request or a response, in lower case.
pub(super) fn head(message: &str) -> Vec<String> {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    head.lines().skip(1).map(str::to_ascii_lowercase).collect()
}
