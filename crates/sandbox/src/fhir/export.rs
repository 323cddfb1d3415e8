//! Bulk exports as in HL7 Bulk Data Access 2.0: kick-off, status and manifest. POST and DELETE are rejected as by 1up.

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::access::{Caller, tenant};
use super::files;
use super::outcome::{Rejected, outcome, reject};
use crate::export_jobs::{ExportFile, ExportJob, ExportRequest};
use crate::faults::{Fault, Target};
use crate::keys;
use crate::members;
use crate::params::Params;
use crate::response;
use crate::state::{AppState, Shared};

/// How often a job's status is "in progress".
const POLLS: u32 = 2;

type Handled = Result<Response, Rejected>;

/// Starts an export of all types, or of those in `_type`.
pub(super) async fn kick_off(
    State(state): State<Shared>,
    method: Method,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    start(&state, &method, &uri, query, &headers, None).unwrap_or_else(|rejected| *rejected)
}

/// Starts an export of one type. This path of 1up's is not a FHIR search.
pub(super) async fn kick_off_type(
    State(state): State<Shared>,
    Path((_, kind)): Path<(String, String)>,
    method: Method,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    start(&state, &method, &uri, query, &headers, Some(&kind)).unwrap_or_else(|rejected| *rejected)
}

fn start(
    state: &AppState,
    method: &Method,
    uri: &Uri,
    query: Option<String>,
    headers: &HeaderMap,
    kind: Option<&str>,
) -> Handled {
    let caller = Caller::authenticate(state, headers)?;
    caller.require_tenant(state, tenant(uri.path()))?;
    check_method(method)?;
    caller.require_export()?;
    check_accept(headers)?;
    let prefer = preferences(headers);
    if !prefer.iter().any(|preference| preference == "respond-async") {
        return Err(invalid("An export needs the header “Prefer: respond-async”"));
    }
    let lenient = prefer.iter().any(|preference| preference == "handling=lenient");
    let query = Params::parse(query.unwrap_or_default().as_bytes());
    let mut request = parse(&query, kind, lenient)?;
    request.client = caller.client;
    request.url = format!("{}{uri}", state.base);
    request.generated = state.options.export_size.map(|size| (size, state.options.export_files));
    let id = keys::random_hex(8);
    let job = ExportJob::new(request, keys::random_hex(16));
    let manifest_now = state.faults.next(Target::KickOff) == Some(Fault::Manifest200);
    let accepted = if manifest_now {
        manifest(state, &id, &job)
    } else {
        let location = format!("{}{}{id}", state.base, files::JOBS);
        response::with_header(response::empty(StatusCode::ACCEPTED), header::CONTENT_LOCATION, &location)
    };
    state.exports().insert(id, job);
    Ok(accepted)
}

/// 1up takes GET and EXPORT.
fn check_method(method: &Method) -> Result<(), Rejected> {
    match method.as_str() {
        "GET" | "HEAD" | "EXPORT" => Ok(()),
        "POST" | "DELETE" => {
            Err(reject(StatusCode::FORBIDDEN, "forbidden", "POST and DELETE are forbidden here; use GET"))
        }
        _ => Err(reject(StatusCode::METHOD_NOT_ALLOWED, "not-supported", "Only GET is supported here")),
    }
}

fn check_accept(headers: &HeaderMap) -> Result<(), Rejected> {
    const ACCEPTABLE: [&str; 4] = ["application/fhir+json", "application/json", "application/*", "*/*"];
    let accepted = header_list(headers, header::ACCEPT);
    if accepted.is_empty() {
        return Err(invalid("An export needs the header “Accept: application/fhir+json”"));
    }
    let media_type = |value: &String| value.split(';').next().unwrap_or_default().trim().to_owned();
    if accepted.iter().map(media_type).any(|value| ACCEPTABLE.contains(&value.as_str())) {
        return Ok(());
    }
    Err(reject(StatusCode::NOT_ACCEPTABLE, "not-supported", "Accept must allow application/fhir+json"))
}

fn preferences(headers: &HeaderMap) -> Vec<String> {
    header_list(headers, header::HeaderName::from_static("prefer"))
}

/// The comma-separated values of a header, in lower case.
fn header_list(headers: &HeaderMap, name: header::HeaderName) -> Vec<String> {
    let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(|value| value.trim().to_ascii_lowercase()).collect()
}

/// Parses the parameters of a kick-off; client and URL are set by the caller.
fn parse(query: &Params, kind: Option<&str>, lenient: bool) -> Result<ExportRequest, Rejected> {
    const NDJSON: [&str; 3] = ["application/fhir+ndjson", "application/ndjson", "ndjson"];
    if query.get("_outputFormat").is_some_and(|format| !NDJSON.contains(&format)) {
        return Err(invalid("_outputFormat must be application/fhir+ndjson"));
    }
    let since = query.get("_since").map(parse_instant).transpose()?;
    let requested = kind.map(|kind| vec![kind]);
    let in_query = query.get("_type").map(|_| query.all("_type").flat_map(|list| list.split(',')).collect());
    let requested: Option<Vec<&str>> = requested.or(in_query);
    let unknown = requested.iter().flatten().filter(|kind| !members::TYPES.contains(kind));
    let unknown_types: Vec<String> = unknown.map(|kind| (*kind).to_owned()).collect();
    if let (Some(kind), false) = (unknown_types.first(), lenient) {
        return Err(invalid(&format!("The sandbox has no {kind} to export")));
    }
    let mut types = members::TYPES.to_vec();
    types.retain(|kind| requested.as_ref().is_none_or(|requested| requested.contains(kind)));
    let filters = query.all("_typeFilter").flat_map(|list| list.split(',')).map(parse_type_filter);
    let filters = filters.collect::<Result<_, _>>()?;
    Ok(ExportRequest {
        client: String::new(),
        url: String::new(),
        types,
        unknown_types,
        since,
        filters,
        generated: None,
    })
}

/// A FHIR instant: date, time and offset.
fn parse_instant(text: &str) -> Result<Timestamp, Rejected> {
    let shaped = text.get(10..11) == Some("T") && !text.contains('[');
    let parsed = text.parse().ok().filter(|_| shaped);
    parsed.ok_or_else(|| invalid("_since must be a FHIR instant such as 2026-01-15T09:00:00.000Z"))
}

/// `TYPE?QUERY`
fn parse_type_filter(text: &str) -> Result<(String, Params), Rejected> {
    let (kind, query) = text.split_once('?').ok_or_else(|| invalid("_typeFilter must be TYPE?QUERY"))?;
    Ok((kind.to_owned(), Params::parse(query.as_bytes())))
}

/// Reports the progress of a job, then its manifest; DELETE cancels it where that is allowed.
pub(super) async fn job(
    State(state): State<Shared>,
    Path(id): Path<String>,
    method: Method,
    headers: HeaderMap,
) -> Response {
    let handle = || -> Handled {
        let caller = Caller::authenticate(&state, &headers)?;
        caller.require_export()?;
        if method == Method::DELETE && state.options.allow_cancel {
            return cancel(&state, &id, &caller);
        }
        check_method(&method)?;
        status(&state, &id, &caller)
    };
    handle().unwrap_or_else(|rejected| *rejected)
}

fn status(state: &AppState, id: &str, caller: &Caller) -> Handled {
    let mut exports = state.exports();
    let job = exports.get_mut(id).filter(|job| job.client == caller.client).ok_or_else(files::no_job)?;
    match state.faults.next(Target::Job) {
        Some(Fault::JobFailed) => {
            return Err(reject(StatusCode::INTERNAL_SERVER_ERROR, "exception", "The export failed"));
        }
        Some(Fault::JobGone) => {
            exports.remove(id);
            return Err(files::no_job());
        }
        _ => {}
    }
    if job.polls < POLLS {
        job.polls += 1;
        let done = format!("{}% done", (job.polls - 1) * 100 / POLLS);
        let pending = response::with_header(response::empty(StatusCode::ACCEPTED), header::RETRY_AFTER, "1");
        return Ok(response::with_header(pending, header::HeaderName::from_static("x-progress"), &done));
    }
    Ok(manifest(state, id, job))
}

fn cancel(state: &AppState, id: &str, caller: &Caller) -> Handled {
    let mut exports = state.exports();
    exports.get(id).filter(|job| job.client == caller.client).ok_or_else(files::no_job)?;
    exports.remove(id);
    Ok(outcome(StatusCode::ACCEPTED, "informational", "The export was canceled"))
}

fn manifest(state: &AppState, id: &str, job: &ExportJob) -> Response {
    let at_store = state.faults.next(Target::Manifest) == Some(Fault::FileStore);
    let url = |file: &ExportFile| {
        if at_store { files::store_url(state, id, job, file) } else { files::url(state, id, file) }
    };
    let surplus = u64::from(state.faults.next(Target::Count).is_some());
    let list = |files: &[std::sync::Arc<ExportFile>]| -> Vec<Value> {
        let entry =
            |file: &ExportFile| json!({ "type": file.kind, "url": url(file), "count": file.count + surplus });
        files.iter().map(|file| entry(file)).collect()
    };
    let manifest = json!({
        "transactionTime": job.transaction_time, "request": job.request, "requiresAccessToken": !at_store,
        "output": list(&job.output), "error": list(&job.error), "deleted": list(&job.deleted),
    });
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (StatusCode::OK, headers, manifest.to_string()).into_response()
}

fn invalid(why: &str) -> Rejected {
    reject(StatusCode::BAD_REQUEST, "invalid", why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn since_is_a_fhir_instant() {
        for valid in ["2026-01-15T09:00:00Z", "2026-01-15T09:00:00.123Z", "2026-01-15T09:00:00-05:00"] {
            assert!(parse_instant(valid).is_ok(), "{valid}");
        }
        for invalid in ["", "2026", "2026-01-15", "2026-01-15T09:00:00", "2026-01-15 09:00:00Z", "yesterday"]
        {
            assert!(parse_instant(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn lenient_handling_collects_unknown_types() {
        let query = Params::parse(b"_type=Patient,Spaceship");
        assert!(parse(&query, None, false).is_err());
        let request = parse(&query, None, true).expect("a request");
        assert_eq!((request.types, request.unknown_types), (vec!["Patient"], vec!["Spaceship".to_owned()]));
    }
}
