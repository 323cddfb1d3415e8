//! `oneup sandbox serve` as a server for one test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running sandbox; killed when dropped.
pub(crate) struct Sandbox {
    child: Child,
    url: String,
    /// Kept open: a closed stdout would end it.
    _stdout: BufReader<ChildStdout>,
}

impl Sandbox {
    /// Starts one on a free port with these flags of `serve`.
    pub(crate) fn start(flags: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_oneup"))
            .args(["sandbox", "serve", "--quiet"])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the sandbox starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the sandbox prints its base URL");
        let url = line.trim().trim_end_matches('/').to_owned();
        assert!(url.starts_with("http://"), "the first line of stdout is the base URL, got {line:?}");
        Self { child, url, _stdout: stdout }
    }

    /// The base URL, without a slash at its end.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The variables that configure oneup for it.
    pub(crate) fn env(&self) -> Vec<(String, String)> {
        [
            ("ONEUP_GATEWAY", self.url.clone()),
            ("ONEUP_PLAN", format!("{}/test", self.url)),
            ("ONEUP_FHIR_BASE", format!("{}/r4", self.url)),
            ("ONEUP_CLIENT_ID", "oneup-sandbox".to_owned()),
            ("ONEUP_CLIENT_SECRET", "not-a-secret".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// How many requests came for paths that end so, by any method: `count("/token")`.
    pub(crate) fn count(&self, path: &str) -> u64 {
        let journal = self.journal();
        let rows = journal["requests"].as_array().expect("the journal lists requests");
        let matching =
            rows.iter().filter(|row| row["path"].as_str().is_some_and(|came| came.ends_with(path)));
        matching.filter_map(|row| row["count"].as_u64()).sum()
    }

    /// The journal: `{"total", "requests": [{"method", "path", "grant", "count"}]}`.
    pub(crate) fn journal(&self) -> serde_json::Value {
        let (head, body) = self.get("/sandbox/journal");
        serde_json::from_str(&body)
            .unwrap_or_else(|error| panic!("the journal is JSON: {error}\n{head}\n{body}"))
    }

    /// GET of a path: head and body.
    pub(crate) fn get(&self, path: &str) -> (String, String) {
        let host = self.url.strip_prefix("http://").expect("plain http");
        let mut stream = TcpStream::connect(host).expect("the sandbox listens");
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n")
            .expect("a request");
        let mut response = String::new();
        stream.read_to_string(&mut response).expect("a response");
        let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
        (head.to_owned(), body.to_owned())
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
