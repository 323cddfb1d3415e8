//! A bulk export server for one test (HL7 Bulk Data Access 2.0): two files, no waiting, and any response can be replaced.

use serde_json::{Value, json};

use super::{Request, response};

/// The files: their path, type and content.
const FILES: [(&str, &str, &str); 2] = [
    (
        "/files/1",
        "Patient",
        "{\"resourceType\":\"Patient\",\"id\":\"1\"}\n{\"resourceType\":\"Patient\",\"id\":\"2\"}\n",
    ),
    ("/files/2", "Coverage", "{\"resourceType\":\"Coverage\",\"id\":\"1\"}\n"),
];

impl Request {
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

    /// The response of the server.
    pub(crate) fn export_response(&self) -> Vec<u8> {
        if self.is_kick_off() {
            return response("202 Accepted", &[("Content-Location", &self.url("/jobs/1"))], "");
        }
        if self.is_status() && self.method() == "DELETE" {
            return response("202 Accepted", &[], "");
        }
        if self.is_status() {
            return response("200 OK", &[("Content-Type", "application/json")], self.manifest().to_string());
        }
        match FILES.iter().find(|(path, ..)| *path == self.target()) {
            Some((path, _, content)) => self.file_response(&format!("\"{path}\""), content),
            None => response("404 Not Found", &[], ""),
        }
    }

    /// A file whose range can be requested.
    pub(crate) fn file_response(&self, etag: &str, content: &str) -> Vec<u8> {
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

/// An OperationOutcome.
pub(crate) fn outcome(code: &str, diagnostics: &str) -> String {
    let issue = json!({"severity": "error", "code": code, "diagnostics": diagnostics});
    json!({"resourceType": "OperationOutcome", "issue": [issue]}).to_string()
}
