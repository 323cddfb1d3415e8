//! The files of an export, served whole or in ranges (RFC 9110 §14), by the gateway or by a file store.
//!
//! The file store stands for storage of another origin: `localhost` instead of `127.0.0.1`. Its URLs carry a signature,
//! and a request with an Authorization header is rejected, as by cloud storage.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};

use super::access::Caller;
use super::outcome::{Rejected, reject};
use crate::export_jobs::{ExportFile, ExportJob};
use crate::faults::{Fault, Target};
use crate::params::Params;
use crate::response;
use crate::state::{AppState, Shared};

/// Where jobs and their files are.
pub(super) const JOBS: &str = "/bulk/";
const STORE: &str = "/store/";
/// How much of a file is written at a time, in bytes.
const CHUNK_LEN: u64 = 256 * 1024;

/// A file's URL at the gateway.
pub(super) fn url(state: &AppState, id: &str, file: &ExportFile) -> String {
    format!("{}{JOBS}{id}/{}", state.base, file.name)
}

/// A file's URL at the file store.
pub(super) fn store_url(state: &AppState, id: &str, job: &ExportJob, file: &ExportFile) -> String {
    let store = state.base.replacen("127.0.0.1", "localhost", 1);
    format!("{store}{STORE}{id}/{}?signature={}", file.name, job.signature)
}

pub(super) fn no_job() -> Rejected {
    reject(StatusCode::NOT_FOUND, "not-found", "There is no such export")
}

/// A file at the gateway, which needs the token.
pub(super) async fn file(
    State(state): State<Shared>,
    Path((id, name)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let serve = || -> Result<Response, Rejected> {
        let caller = Caller::authenticate(&state, &headers)?;
        caller.require_export()?;
        let exports = state.exports();
        let job = exports.get(&id).filter(|job| job.client == caller.client).ok_or_else(no_job)?;
        let file = job.file(&name).ok_or_else(no_job)?;
        if state.faults.next(Target::FileRedirect).is_some() {
            return Ok(response::redirect(&store_url(&state, &id, job, &file), &[]));
        }
        Ok(respond(&state, &id, file, &headers))
    };
    serve().unwrap_or_else(|rejected| *rejected)
}

/// A file at the file store, which needs the signature and rejects tokens.
pub(super) async fn stored_file(
    State(state): State<Shared>,
    Path((id, name)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if headers.contains_key(header::AUTHORIZATION) {
        let why = "Only one authentication method is allowed: the signature in the URL";
        return response::bare_error(StatusCode::BAD_REQUEST, why);
    }
    let query = Params::parse(query.unwrap_or_default().as_bytes());
    let file = {
        let exports = state.exports();
        let job = exports.get(&id).filter(|job| query.get("signature") == Some(job.signature.as_str()));
        job.and_then(|job| job.file(&name))
    };
    file.map_or_else(
        || response::bare_error(StatusCode::FORBIDDEN, "The signature is not valid"),
        |file| respond(&state, &id, file, &headers),
    )
}

fn respond(state: &AppState, id: &str, file: Arc<ExportFile>, headers: &HeaderMap) -> Response {
    let fault = state.faults.next(Target::File);
    let size = if fault == Some(Fault::ShortFile) { file.len() / 2 } else { file.len() };
    let etag = format!("\"{id}-{}\"", file.name);
    let mut base = vec![(header::CONTENT_TYPE, "application/fhir+ndjson".to_owned())];
    let mut range = Ok(None);
    if fault != Some(Fault::NoRange) {
        range = requested_range(headers, size, &etag);
        base.extend([(header::ACCEPT_RANGES, "bytes".to_owned()), (header::ETAG, etag)]);
    }
    let (status, start, end) = match range {
        Ok(None) => (StatusCode::OK, 0, size),
        Ok(Some((start, end))) => {
            base.push((header::CONTENT_RANGE, format!("bytes {start}-{}/{size}", end - 1)));
            (StatusCode::PARTIAL_CONTENT, start, end)
        }
        Err(Unsatisfiable) => {
            let unsatisfiable = response::empty(StatusCode::RANGE_NOT_SATISFIABLE);
            return response::with_header(unsatisfiable, header::CONTENT_RANGE, &format!("bytes */{size}"));
        }
    };
    let cut_at = (fault == Some(Fault::CutFile)).then_some(start + (end - start) / 2);
    let body = Body::new(FileBody { file, position: start, end, cut_at });
    let mut response = (status, body).into_response();
    for (name, value) in base {
        response = response::with_header(response, name, &value);
    }
    response
}

/// A range that begins after the end of the file.
#[derive(Debug, PartialEq)]
struct Unsatisfiable;

/// The requested bytes, from the first to before the last; `None` for the whole file, also if `If-Range` does not match
/// or the range is malformed.
fn requested_range(headers: &HeaderMap, size: u64, etag: &str) -> Result<Option<(u64, u64)>, Unsatisfiable> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if text(header::IF_RANGE).is_some_and(|condition| condition != etag) {
        return Ok(None);
    }
    let range = text(header::RANGE).and_then(|value| value.strip_prefix("bytes=")).unwrap_or_default();
    let Some((first, last)) = range.split_once('-') else { return Ok(None) };
    let (start, end) = match (first.parse::<u64>(), last.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last => (first, last.saturating_add(1).min(size)),
        (Ok(first), Err(_)) if last.is_empty() => (first, size),
        (Err(_), Ok(suffix)) if first.is_empty() => (size.saturating_sub(suffix), size),
        _ => return Ok(None),
    };
    if start < end { Ok(Some((start, end))) } else { Err(Unsatisfiable) }
}

/// A part of a file, read as it is sent.
struct FileBody {
    file: Arc<ExportFile>,
    position: u64,
    end: u64,
    /// Where the connection closes, for a fault.
    cut_at: Option<u64>,
}

impl HttpBody for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let end = self.cut_at.unwrap_or(self.end);
        if self.position >= end {
            let cut = self.cut_at.map(|_| Err(io::ErrorKind::ConnectionAborted.into()));
            return Poll::Ready(cut);
        }
        let chunk = self.file.read(self.position, CHUNK_LEN.min(end - self.position));
        self.position += chunk.len() as u64;
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.end - self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(value: &str, condition: Option<&str>) -> Result<Option<(u64, u64)>, Unsatisfiable> {
        let mut headers = HeaderMap::new();
        headers.insert(header::RANGE, value.parse().expect("a header value"));
        if let Some(condition) = condition {
            headers.insert(header::IF_RANGE, condition.parse().expect("a header value"));
        }
        requested_range(&headers, 100, "\"e\"")
    }

    #[test]
    fn parses_ranges() {
        for (value, expected) in [
            ("bytes=0-", Ok(Some((0, 100)))),
            ("bytes=10-19", Ok(Some((10, 20)))),
            ("bytes=90-500", Ok(Some((90, 100)))),
            ("bytes=-5", Ok(Some((95, 100)))),
            ("bytes=100-", Err(Unsatisfiable)),
            ("bytes=-0", Err(Unsatisfiable)),
            ("bytes=5-1", Ok(None)),
            ("bytes=0-1,5-6", Ok(None)),
            ("lines=1-2", Ok(None)),
        ] {
            assert_eq!(range(value, None), expected, "{value}");
        }
    }

    #[test]
    fn if_range_with_another_etag_gets_the_whole_file() {
        assert_eq!(range("bytes=10-", Some("\"e\"")), Ok(Some((10, 100))));
        assert_eq!(range("bytes=10-", Some("\"old\"")), Ok(None));
    }
}
