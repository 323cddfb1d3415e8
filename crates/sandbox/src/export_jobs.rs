//! Bulk export jobs and their files (HL7 Bulk Data Access 2.0).

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::members;
use super::params::Params;
use super::search;

/// The jobs by their ID.
pub(crate) type ExportJobs = HashMap<String, ExportJob>;

/// The length of a generated line, its newline included, in bytes.
const LINE_LEN: u64 = 2048;
/// The ID of the template of generated lines; its digits are replaced.
const TEMPLATE_ID: &str = "eob-000000000000";
/// When the synthetic members' last deleted resource was deleted.
const DELETED_AT: &str = "2026-01-15T09:00:00Z";

/// What a kick-off asks for.
pub(crate) struct ExportRequest {
    pub(crate) client: String,
    /// The kick-off URL.
    pub(crate) url: String,
    pub(crate) types: Vec<&'static str>,
    /// Requested types that the sandbox doesn't have (only with `handling=lenient`).
    pub(crate) unknown_types: Vec<String>,
    pub(crate) since: Option<Timestamp>,
    /// Resource types and the searches that their resources must match (`_typeFilter`).
    pub(crate) filters: Vec<(String, Params)>,
    /// Size of the ExplanationOfBenefit files together in bytes, and their number.
    pub(crate) generated: Option<(u64, u32)>,
}

/// One export job.
#[derive(Clone, Debug)]
pub(crate) struct ExportJob {
    /// Only this client may see the job.
    pub(crate) client: String,
    pub(crate) request: String,
    /// FHIR instant with milliseconds.
    pub(crate) transaction_time: String,
    /// What a URL at the file store must carry.
    pub(crate) signature: String,
    /// How often its status was polled.
    pub(crate) polls: u32,
    pub(crate) output: Vec<Arc<ExportFile>>,
    pub(crate) error: Vec<Arc<ExportFile>>,
    pub(crate) deleted: Vec<Arc<ExportFile>>,
}

/// An NDJSON file of a job.
#[derive(Debug)]
pub(crate) struct ExportFile {
    pub(crate) name: String,
    /// Resource type of its lines.
    pub(crate) kind: &'static str,
    /// Number of its lines.
    pub(crate) count: u64,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Stored(Bytes),
    /// Lines that are computed when they are read, from this number on.
    Generated {
        first: u64,
    },
}

impl ExportJob {
    pub(crate) fn new(request: ExportRequest, signature: String) -> Self {
        let deleted_since = request.since.filter(|since| *since < instant(DELETED_AT));
        Self {
            transaction_time: format!("{:.3}", Timestamp::now()),
            signature,
            polls: 0,
            output: output(&request),
            error: errors(&request.unknown_types).into_iter().collect(),
            deleted: deleted_since.map(|_| deleted()).into_iter().collect(),
            client: request.client,
            request: request.url,
        }
    }

    pub(crate) fn file(&self, name: &str) -> Option<Arc<ExportFile>> {
        let mut files = self.output.iter().chain(&self.error).chain(&self.deleted);
        files.find(|file| file.name == name).cloned()
    }
}

fn output(request: &ExportRequest) -> Vec<Arc<ExportFile>> {
    let mut files = Vec::new();
    for &kind in &request.types {
        match request.generated {
            Some((size, number)) if kind == "ExplanationOfBenefit" => {
                if request.includes(kind, &members::benefit_with_id(TEMPLATE_ID)) {
                    files.extend(generated(kind, size, number));
                }
            }
            _ => {
                let resources = members::resources(kind).unwrap_or_default();
                let lines: Vec<Value> =
                    resources.into_iter().filter(|resource| request.includes(kind, resource)).collect();
                files.extend(ExportFile::stored(format!("{kind}.ndjson"), kind, &lines));
            }
        }
    }
    files
}

impl ExportRequest {
    fn includes(&self, kind: &str, resource: &Value) -> bool {
        let updated = resource["meta"]["lastUpdated"].as_str().unwrap_or_default();
        let mut filters = self.filters.iter().filter(|(filtered, _)| filtered == kind).peekable();
        let filtered_out =
            filters.peek().is_some() && !filters.any(|(_, query)| search::matches(resource, query));
        !filtered_out && self.since.is_none_or(|since| instant(updated) > since)
    }
}

/// A timestamp of the synthetic data; never fails for them.
fn instant(text: &str) -> Timestamp {
    text.parse().unwrap_or(Timestamp::MIN)
}

fn errors(unknown_types: &[String]) -> Option<Arc<ExportFile>> {
    let outcome = |kind: &String| {
        let issue = json!({
            "severity": "warning", "code": "not-supported", "diagnostics": format!("The sandbox has no {kind}"),
        });
        json!({ "resourceType": "OperationOutcome", "issue": [issue] })
    };
    let lines: Vec<Value> = unknown_types.iter().map(outcome).collect();
    ExportFile::stored("errors.ndjson".to_owned(), "OperationOutcome", &lines)
}

fn deleted() -> Arc<ExportFile> {
    let entry = json!({ "request": { "method": "DELETE", "url": "Coverage/cov-100000000013" } });
    let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [entry] });
    let text = format!("{bundle}\n");
    Arc::new(ExportFile {
        name: "deleted.ndjson".to_owned(),
        kind: "Bundle",
        count: 1,
        content: Content::Stored(text.into()),
    })
}

/// Files with at least `size` bytes together.
fn generated(kind: &'static str, size: u64, number: u32) -> Vec<Arc<ExportFile>> {
    let number = u64::from(number.max(1));
    let lines = size.div_ceil(LINE_LEN);
    let file = |index: u64| {
        let (first, end) = (lines * index / number, lines * (index + 1) / number);
        let name =
            if number == 1 { format!("{kind}.ndjson") } else { format!("{kind}-{:04}.ndjson", index + 1) };
        Arc::new(ExportFile { name, kind, count: end - first, content: Content::Generated { first } })
    };
    (0..number).map(file).filter(|file| file.count > 0).collect()
}

impl ExportFile {
    fn stored(name: String, kind: &'static str, lines: &[Value]) -> Option<Arc<Self>> {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let (count, content) = (lines.len() as u64, Content::Stored(text.into()));
        (count > 0).then(|| Arc::new(Self { name, kind, count, content }))
    }

    /// Length in bytes.
    pub(crate) fn len(&self) -> u64 {
        match &self.content {
            Content::Stored(bytes) => bytes.len() as u64,
            Content::Generated { .. } => self.count * LINE_LEN,
        }
    }

    /// At most `max` bytes from `offset` on.
    pub(crate) fn read(&self, offset: u64, max: u64) -> Bytes {
        let end = offset.saturating_add(max).min(self.len());
        let index = |position: u64| usize::try_from(position).unwrap_or(usize::MAX);
        match &self.content {
            Content::Stored(bytes) => bytes.slice(index(offset)..index(end)),
            Content::Generated { first } => {
                let first_line = offset / LINE_LEN;
                let lines = generated_lines(first + first_line, end.div_ceil(LINE_LEN) - first_line);
                let start = first_line * LINE_LEN;
                Bytes::from(lines).slice(index(offset - start)..index(end - start))
            }
        }
    }
}

fn generated_lines(first: u64, count: u64) -> Vec<u8> {
    static TEMPLATE: OnceLock<(Vec<u8>, usize)> = OnceLock::new();
    let (template, digits) = TEMPLATE.get_or_init(template);
    let mut lines = template.repeat(usize::try_from(count).unwrap_or_default());
    for (line, number) in lines.chunks_exact_mut(template.len()).zip(first..) {
        let mut rest = number;
        for digit in line[*digits..*digits + 12].iter_mut().rev() {
            // The remainder is one digit, so the cast can't truncate.
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }
    lines
}

/// A line of [`LINE_LEN`] bytes, and where the digits of its ID begin.
fn template() -> (Vec<u8>, usize) {
    let line = |note: &str| {
        let mut benefit = members::benefit_with_id(TEMPLATE_ID);
        benefit["processNote"] = json!([{ "number": 1, "text": note }]);
        format!("{benefit}\n")
    };
    let missing = usize::try_from(LINE_LEN).unwrap_or_default().saturating_sub(line("").len());
    let text = line(&"x".repeat(missing));
    let digits = text.find(TEMPLATE_ID).unwrap_or_default() + "eob-".len();
    (text.into_bytes(), digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> ExportRequest {
        ExportRequest {
            client: "me".into(),
            url: "http://b/$export".into(),
            types: members::TYPES.to_vec(),
            unknown_types: Vec::new(),
            since: None,
            filters: Vec::new(),
            generated: None,
        }
    }

    fn whole(file: &ExportFile) -> Vec<u8> {
        file.read(0, u64::MAX).to_vec()
    }

    #[test]
    fn generated_files_have_the_requested_size_and_distinct_ids() {
        assert_eq!(template().0.len() as u64, LINE_LEN);
        let files = generated("ExplanationOfBenefit", 20_000, 3);
        assert_eq!(files.iter().map(|file| file.len()).sum::<u64>(), 10 * LINE_LEN);
        let mut ids = Vec::new();
        for file in &files {
            let text = String::from_utf8(whole(file)).expect("UTF-8");
            assert_eq!(text.lines().count() as u64, file.count);
            for line in text.lines() {
                let resource: Value = serde_json::from_str(line).expect("JSON");
                ids.push(resource["id"].to_string());
            }
        }
        ids.dedup();
        assert_eq!(ids.len(), 10);
    }

    #[test]
    fn reading_in_parts_yields_the_whole() {
        let file = &generated("ExplanationOfBenefit", 5000, 1)[0];
        let mut parts = Vec::new();
        while (parts.len() as u64) < file.len() {
            parts.extend(file.read(parts.len() as u64, 700));
        }
        assert!(parts == whole(file));
    }

    #[test]
    fn since_excludes_older_resources_and_adds_deletions() {
        let since = |text: &str| {
            ExportJob::new(ExportRequest { since: Some(instant(text)), ..request() }, String::new())
        };
        let job = since("2026-01-01T00:00:00Z");
        let kinds: Vec<_> = job.output.iter().map(|file| file.kind).collect();
        assert_eq!((kinds, job.deleted.len()), (vec!["Patient", "Coverage"], 1));
        let job = since("2026-02-01T00:00:00+02:00");
        assert_eq!((job.output.len(), job.deleted.len()), (0, 0));
        assert!(job.transaction_time.contains('.'), "milliseconds: {}", job.transaction_time);
    }

    #[test]
    fn type_filter_selects_resources_of_its_type() {
        let filters = vec![("Patient".to_owned(), Params::parse(b"_id=123456789123"))];
        let job = ExportJob::new(ExportRequest { filters, ..request() }, String::new());
        let count = |kind: &str| job.output.iter().find(|file| file.kind == kind).map(|file| file.count);
        assert_eq!((count("Patient"), count("Coverage")), (Some(1), Some(12)));
    }
}
