//! The manifest of a finished export (HL7 Bulk Data Access 2.0, "Response - Complete Status"): which files there are,
//! and where. Members that are not named there are kept.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// The sections of a manifest that list files.
pub const SECTIONS: [&str; 3] = ["output", "error", "deleted"];

/// The largest number of files that is accepted.
const MAX_FILES: usize = 100_000;

/// A file of an export, without its URL: that can be a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExportFile {
    /// `output`, `error` or `deleted`.
    pub section: String,
    /// The local name, such as `Patient.1.ndjson`.
    pub name: String,
    /// The members of the manifest's entry, apart from `url`.
    pub members: Map<String, Value>,
    /// The strong `ETag` of what the partial file holds (RFC 9110 §8.8.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// What was fetched and checked; absent until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checked: Option<Checked>,
}

/// What a complete file holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checked {
    /// Bytes.
    pub bytes: u64,
    /// Lines that are not empty.
    pub lines: u64,
    /// SHA-256 in lowercase hex.
    pub sha256: String,
}

impl ExportFile {
    /// `count`: how many lines the server announced.
    pub fn count(&self) -> Option<u64> {
        self.members.get("count").and_then(Value::as_u64)
    }
}

/// A parsed manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// `transactionTime`, as the server wrote it.
    pub transaction_time: String,
    /// `requiresAccessToken`; absent means false.
    pub requires_access_token: bool,
    /// Every member but the three lists of files.
    pub members: Map<String, Value>,
    /// The files, each with its URL.
    pub files: Vec<(ExportFile, String)>,
}

/// Parses a manifest.
///
/// # Errors
/// What is wrong with it, as one line.
pub fn parse(body: &[u8]) -> Result<Manifest, String> {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(body) else {
        return Err("the manifest is not a JSON object".into());
    };
    let transaction_time = match members.get("transactionTime") {
        Some(Value::String(time)) if time.parse::<jiff::Timestamp>().is_ok() => time.clone(),
        Some(_) => return Err("transactionTime is not a FHIR instant".into()),
        None => return Err("transactionTime is missing".into()),
    };
    let requires_access_token = match members.get("requiresAccessToken") {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(_) => return Err("requiresAccessToken is not true or false".into()),
    };
    let (mut files, mut counts) = (Vec::new(), HashMap::new());
    for section in SECTIONS {
        let entries = match members.remove(section) {
            Some(Value::Array(entries)) => entries,
            None | Some(Value::Null) if section != "output" => continue,
            _ => return Err(format!("{section} is not a list")),
        };
        for entry in entries {
            files.push(file(section, entry, &mut counts)?);
        }
    }
    if files.len() > MAX_FILES {
        return Err(format!("it lists {} files; the limit is {MAX_FILES}", files.len()));
    }
    Ok(Manifest { transaction_time, requires_access_token, members, files })
}

fn file(
    section: &str,
    entry: Value,
    counts: &mut HashMap<String, usize>,
) -> Result<(ExportFile, String), String> {
    let Value::Object(mut members) = entry else {
        return Err(format!("an entry of {section} is not a JSON object"));
    };
    let url = match members.remove("url") {
        Some(Value::String(url)) if !url.is_empty() => url,
        _ => return Err(format!("an entry of {section} has no url")),
    };
    let kind = members.get("type").and_then(Value::as_str).unwrap_or("Resource");
    let stem = stem(section, kind);
    let name = format!("{stem}.{}.ndjson", next_number(counts, stem.clone()));
    Ok((ExportFile { section: section.into(), name, members, etag: None, checked: None }, url))
}

/// The beginning of a local name: nothing of a server's text but letters and digits gets into it.
fn stem(section: &str, kind: &str) -> String {
    let kind: String = kind.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
    let kind = if kind.is_empty() { "Resource".to_owned() } else { kind };
    if section == "output" { kind } else { format!("{section}.{kind}") }
}

/// Whether this is the local name of a file of some export.
pub fn is_local_name(name: &str) -> bool {
    let parts: Vec<&str> = name.split('.').collect();
    let ([kind, number, "ndjson"] | ["error" | "deleted", kind, number, "ndjson"]) = parts[..] else {
        return false;
    };
    let is = |text: &str, of: fn(&u8) -> bool| !text.is_empty() && text.as_bytes().iter().all(of);
    is(kind, u8::is_ascii_alphanumeric) && is(number, u8::is_ascii_digit)
}

fn next_number(counts: &mut HashMap<String, usize>, stem: String) -> usize {
    let count = counts.entry(stem).or_default();
    *count += 1;
    *count
}

/// Returns the manifest as it is written and printed: the server's members, and in the place of each URL the local
/// name, beside the bytes and SHA-256 of what was fetched.
pub fn local(members: &Map<String, Value>, files: &[ExportFile]) -> Value {
    let mut manifest = members.clone();
    for section in SECTIONS {
        let entries: Vec<Value> = files.iter().filter(|file| file.section == section).map(entry).collect();
        if section != "deleted" || !entries.is_empty() {
            manifest.insert(section.into(), entries.into());
        }
    }
    Value::Object(manifest)
}

fn entry(file: &ExportFile) -> Value {
    let mut members = file.members.clone();
    members.insert("url".into(), file.name.clone().into());
    if let Some(checked) = &file.checked {
        members.insert("bytes".into(), json!(checked.bytes));
        members.insert("lines".into(), json!(checked.lines));
        members.insert("sha256".into(), json!(checked.sha256));
    }
    Value::Object(members)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(manifest: &Manifest) -> Vec<&str> {
        manifest.files.iter().map(|(file, _)| file.name.as_str()).collect()
    }

    #[test]
    fn keeps_unknown_members_and_numbers_files_by_type() {
        let manifest = parse(
            br#"{"transactionTime":"2026-01-15T09:00:00.000Z","requiresAccessToken":true,"extension":{"x":1},
                "output":[{"type":"Patient","url":"https://h/a","count":2},{"type":"Patient","url":"https://h/b"},
                          {"type":"../../etc","url":"https://h/c","note":"n"}],
                "error":[{"type":"OperationOutcome","url":"https://h/e"}],
                "deleted":[{"type":"Bundle","url":"https://h/d"}]}"#,
        )
        .expect("a manifest");
        assert!(manifest.requires_access_token);
        assert_eq!(
            names(&manifest),
            [
                "Patient.1.ndjson",
                "Patient.2.ndjson",
                "etc.1.ndjson",
                "error.OperationOutcome.1.ndjson",
                "deleted.Bundle.1.ndjson"
            ]
        );
        assert_eq!(manifest.files[0].0.count(), Some(2));
        let files: Vec<ExportFile> = manifest.files.iter().map(|(file, _)| file.clone()).collect();
        let local = local(&manifest.members, &files);
        assert_eq!(local["extension"]["x"], 1);
        assert_eq!(local["output"][2]["note"], "n");
        assert_eq!(local["output"][2]["url"], "etc.1.ndjson");
        assert!(!local.to_string().contains("https://h/"));
    }

    #[test]
    fn rejects_what_is_not_a_manifest() {
        for (body, what) in [
            ("", "object"),
            ("[]", "object"),
            (r#"{"output":[]}"#, "transactionTime"),
            (r#"{"transactionTime":"yesterday","output":[]}"#, "instant"),
            (r#"{"transactionTime":"2026-01-15T09:00:00Z"}"#, "output"),
            (r#"{"transactionTime":"2026-01-15T09:00:00Z","output":{}}"#, "output"),
            (r#"{"transactionTime":"2026-01-15T09:00:00Z","output":[{}]}"#, "url"),
            (r#"{"transactionTime":"2026-01-15T09:00:00Z","output":[{"url":""}]}"#, "url"),
            (
                r#"{"transactionTime":"2026-01-15T09:00:00Z","output":[],"requiresAccessToken":"yes"}"#,
                "requires",
            ),
        ] {
            let error = parse(body.as_bytes()).expect_err(body);
            assert!(error.contains(what), "{body}: {error}");
        }
        assert!(parse(br#"{"transactionTime":"2026-01-15T09:00:00Z","output":[],"error":null}"#).is_ok());
    }
}
