//! A bulk export after HL7's Bulk Data Access guide: kick-off, status, manifest, NDJSON files, deletion.

use std::collections::HashMap;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

use super::{BASES, Caller, outcome};
use crate::params::Form;
use crate::keys;
use crate::response;
use crate::scope;
use crate::server::Shared;
use crate::state::World;

/// Where exports live once they are begun.
pub(crate) const FILES: &str = "/bulk/";

/// How often an export says that it isn't ready.
const POLLS: u32 = 2;

/// The exports by their id.
pub(crate) type Exports = HashMap<String, Export>;

/// One export: of which types, since when, asked for with which URL.
#[derive(Clone, Debug)]
pub(crate) struct Export {
    kinds: Vec<&'static str>,
    since: Option<String>,
    request: String,
    polls: u32,
}

type Answer = Result<Response, Box<Response>>;

pub(crate) fn routes() -> Router<Shared> {
    let mut router =
        Router::new().route("/bulk/{id}", get(status).delete(forget)).route("/bulk/{id}/{file}", get(file));
    for base in BASES {
        router = router
            .route(&format!("{base}/$export"), get(kick_off))
            .route(&format!("{base}/Patient/$export"), get(kick_off))
            .route(&format!("{base}/Group/{{id}}/$export"), get(kick_off));
    }
    router
}

async fn kick_off(
    State(world): State<Shared>,
    uri: axum::http::Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let request = format!("{}{uri}", world.base);
    let query = Form::parse(query.unwrap_or_default().as_bytes());
    begin(&world, &headers, request, &query).unwrap_or_else(|refusal| *refusal)
}

fn begin(world: &World, headers: &HeaderMap, request: String, query: &Form) -> Answer {
    authorize(world, headers)?;
    let prefers = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
    if !prefers.into_iter().any(|value| value.contains("respond-async")) {
        return Err(refused("An export is asked for with “Prefer: respond-async”"));
    }
    const NDJSON: [&str; 3] = ["application/fhir+ndjson", "application/ndjson", "ndjson"];
    if query.get("_outputFormat").is_some_and(|format| !NDJSON.contains(&format)) {
        return Err(refused("_outputFormat can only be application/fhir+ndjson"));
    }
    let wanted: Option<Vec<&str>> = query.get("_type").map(|types| types.split(',').collect());
    if let Some(unknown) = wanted.iter().flatten().find(|kind| !crate::members::KINDS.contains(kind)) {
        return Err(refused(&format!("The sandbox has no {unknown} to export")));
    }
    let mut kinds = crate::members::KINDS.to_vec();
    kinds.retain(|kind| wanted.as_ref().is_none_or(|wanted| wanted.contains(kind)));
    let id = keys::random_hex(8);
    let location = format!("{}{FILES}{id}", world.base);
    let export = Export { kinds, since: query.get("_since").map(str::to_owned), request, polls: 0 };
    world.exports().insert(id, export);
    Ok(response::with(response::empty(StatusCode::ACCEPTED), header::CONTENT_LOCATION, &location))
}

async fn status(State(world): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    progress(&world, &id, &headers).unwrap_or_else(|refusal| *refusal)
}

fn progress(world: &World, id: &str, headers: &HeaderMap) -> Answer {
    authorize(world, headers)?;
    let mut exports = world.exports();
    let export = exports.get_mut(id).ok_or_else(missing)?;
    if export.polls < POLLS {
        export.polls += 1;
        let answer = response::with(response::empty(StatusCode::ACCEPTED), header::RETRY_AFTER, "1");
        let done = format!("{}% done", (export.polls - 1) * 100 / POLLS);
        return Ok(response::with(answer, header::HeaderName::from_static("x-progress"), &done));
    }
    let place = format!("{}{FILES}{id}", world.base);
    let files =
        export.kinds.iter().map(|kind| (kind, export.resources(kind).len())).filter(|(_, count)| *count > 0);
    let output = files.map(
        |(kind, count)| json!({ "type": kind, "url": format!("{place}/{kind}.ndjson"), "count": count }),
    );
    let manifest = json!({
        "transactionTime": "2026-01-15T09:00:00Z", "request": export.request, "requiresAccessToken": true,
        "output": output.collect::<Vec<Value>>(), "error": [],
    });
    Ok(response::json(StatusCode::OK, &manifest))
}

async fn file(
    State(world): State<Shared>,
    Path((id, file)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let lines = || -> Answer {
        authorize(&world, &headers)?;
        let export = world.exports().get(&id).cloned().ok_or_else(missing)?;
        let kind = export.kinds.iter().find(|kind| format!("{kind}.ndjson") == file).ok_or_else(missing)?;
        let lines: String = export.resources(kind).iter().map(|resource| format!("{resource}\n")).collect();
        Ok(([(header::CONTENT_TYPE, "application/fhir+ndjson")], lines).into_response())
    };
    lines().unwrap_or_else(|refusal| *refusal)
}

async fn forget(State(world): State<Shared>, Path(id): Path<String>, headers: HeaderMap) -> Response {
    let removed = || -> Answer {
        authorize(&world, &headers)?;
        world.exports().remove(&id).ok_or_else(missing)?;
        Ok(response::empty(StatusCode::ACCEPTED))
    };
    removed().unwrap_or_else(|refusal| *refusal)
}

impl Export {
    /// What goes into the file of a type. Timestamps are all in UTC, and so compare as text.
    fn resources(&self, kind: &str) -> Vec<Value> {
        let newer = |resource: &Value| {
            let updated = resource["meta"]["lastUpdated"].as_str().unwrap_or_default();
            self.since.as_deref().is_none_or(|since| updated > since)
        };
        crate::members::resources(kind).unwrap_or_default().into_iter().filter(newer).collect()
    }
}

fn authorize(world: &World, headers: &HeaderMap) -> Result<(), Box<Response>> {
    let caller = Caller::of(world, headers)?;
    if caller.member.is_none() && scope::allows_export(&caller.scope) {
        return Ok(());
    }
    Err(Box::new(super::forbidden("bulk-data|user/*.rs", &caller.scope)))
}

fn refused(why: &str) -> Box<Response> {
    Box::new(outcome(StatusCode::BAD_REQUEST, "invalid", why))
}

fn missing() -> Box<Response> {
    Box::new(outcome(StatusCode::NOT_FOUND, "not-found", "There is no such export"))
}
