//! A bulk export server for one test (HL7 Bulk Data Access 2.0): two files, no waiting, and any response can be replaced.

use std::time::Instant;

use serde_json::{Value, json};

use super::RawServer;

/// The files: their path, type and content.
const FILES: [(&str, &str, &str); 2] = [
    (
        "/files/1",
        "Patient",
        "{\"resourceType\":\"Patient\",\"id\":\"1\"}\n{\"resourceType\":\"Patient\",\"id\":\"2\"}\n",
    ),
    ("/files/2", "Coverage", "{\"resourceType\":\"Coverage\",\"id\":\"1\"}\n"),
];

/// A request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct BulkRequest {
    /// When.
    pub(crate) at: Instant,
    text: String,
}

impl BulkRequest {
    /// A request that came now.
    pub(crate) fn new(text: &str) -> Self {
        Self { at: Instant::now(), text: text.to_owned() }
    }

    /// `GET`
    pub(crate) fn method(&self) -> &str {
        self.text.split(' ').next().unwrap_or_default()
    }

    /// Path and query.
    pub(crate) fn target(&self) -> &str {
        self.text.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of a header; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut headers = self.text.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    /// An absolute URL of this server.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.header("host"))
    }

    pub(crate) fn is_kick_off(&self) -> bool {
        self.target().split('?').next().is_some_and(|path| path.ends_with("/$export"))
    }

    pub(crate) fn is_status(&self) -> bool {
        self.target() == "/jobs/1"
    }

    pub(crate) fn is_file(&self) -> bool {
        self.target().starts_with("/files/")
    }

    /// The manifest that the server has for this request.
    pub(crate) fn manifest(&self) -> Value {
        let output: Vec<Value> = FILES
            .iter()
            .map(|(path, kind, content)| {
                json!({"type": kind, "url": self.url(path), "count": content.lines().count()})
            })
            .collect();
        json!({
            "transactionTime": "2026-01-15T09:00:00.000Z", "request": self.url("/r4/$export"),
            "requiresAccessToken": true, "output": output, "error": [],
        })
    }

    /// The response to it.
    pub(crate) fn respond(&self) -> Vec<u8> {
        if self.is_kick_off() {
            return response("202 Accepted", &[("Content-Location", &self.url("/jobs/1"))], "");
        }
        if self.is_status() && self.method() == "DELETE" {
            return response("202 Accepted", &[], "");
        }
        if self.is_status() {
            return response("200 OK", &[("Content-Type", "application/json")], &self.manifest().to_string());
        }
        match FILES.iter().find(|(path, ..)| *path == self.target()) {
            Some((path, _, content)) => self.respond_with_range(&format!("\"{path}\""), content),
            None => response("404 Not Found", &[], ""),
        }
    }

    /// A file whose range can be requested.
    pub(crate) fn respond_with_range(&self, etag: &str, content: &str) -> Vec<u8> {
        let headers = [("Content-Type", "application/fhir+ndjson"), ("ETag", etag)];
        let start = self.header("range").strip_prefix("bytes=").and_then(|range| range.strip_suffix('-'));
        let start = start.filter(|_| self.header("if-range") == etag);
        match start.and_then(|start| start.parse::<usize>().ok()) {
            Some(start) if start >= content.len() => {
                let range = format!("bytes */{}", content.len());
                response("416 Range Not Satisfiable", &[("Content-Range", &range)], "")
            }
            Some(start) => {
                let range = format!("bytes {start}-{}/{}", content.len() - 1, content.len());
                let headers = [headers[0], headers[1], ("Content-Range", &range)];
                response("206 Partial Content", &headers, &content[start..])
            }
            _ => response("200 OK", &headers, content),
        }
    }
}

/// A whole response.
pub(crate) fn response(status: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let whole = RawServer::answer(status, "application/fhir+json", body);
    let text = String::from_utf8(whole).expect("text");
    let (line, rest) = text.split_once("\r\n").expect("a status line");
    let typed = headers.iter().any(|(name, _)| *name == "Content-Type");
    let rest = if typed { rest.split_once("\r\n").expect("its type").1 } else { rest };
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    format!("{line}\r\n{headers}{rest}").into_bytes()
}

/// An OperationOutcome.
pub(crate) fn outcome(code: &str, diagnostics: &str) -> String {
    let issue = json!({"severity": "error", "code": code, "diagnostics": diagnostics});
    json!({"resourceType": "OperationOutcome", "issue": [issue]}).to_string()
}
