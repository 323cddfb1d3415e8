//! A small FHIR R4 server behind the bearer check: four resource types to read and search, and a bulk export.

mod export;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};

pub(crate) use crate::members::MEMBER;
pub(crate) use export::Exports;

use super::params::{Form, bearer};
use super::response;
use super::scope;
use super::server::Shared;
use super::state::{World, now};

/// Where the server is, and where the tenant's is behind 1up's gateway.
const BASES: [&str; 2] = ["/r4", "/v1/bison/bulk-export/bulk-data/r4"];

pub(crate) fn routes() -> Router<Shared> {
    let mut router = export::routes();
    for base in BASES {
        router = router
            .route(&format!("{base}/metadata"), get(metadata))
            .route(&format!("{base}/{{kind}}"), get(search))
            .route(&format!("{base}/{{kind}}/{{id}}"), get(read));
    }
    router.method_not_allowed_fallback(async || {
        outcome(StatusCode::METHOD_NOT_ALLOWED, "not-supported", "The sandbox is read only")
    })
}

/// Whether a path belongs to this server.
pub(crate) fn is_below(path: &str) -> bool {
    BASES.iter().any(|base| path.strip_prefix(base).is_some_and(|rest| rest.starts_with('/')))
        || path.starts_with(export::FILES)
}

/// Who asks: the scope of their token, and the one member whose data they may see, if it is one.
#[derive(Debug)]
struct Caller {
    scope: String,
    member: Option<&'static str>,
}

impl Caller {
    /// The bearer check (RFC 6750 §3).
    fn of(world: &World, headers: &HeaderMap) -> Result<Self, Box<Response>> {
        let Some(token) = bearer(headers) else {
            let refusal = outcome(StatusCode::UNAUTHORIZED, "login", "A bearer token is needed");
            return Err(Box::new(response::with(refusal, header::WWW_AUTHENTICATE, "Bearer realm=\"sandbox\"")));
        };
        let grants = world.grants();
        let issued = grants.find(token, now());
        let issued =
            issued.ok_or_else(|| Box::new(unauthorized("The token is not known, expired or revoked")))?;
        let member = issued.session.is_some().then_some(MEMBER);
        Ok(Self { scope: issued.scope.clone(), member })
    }

    fn may(&self, kind: &str, permission: char) -> Result<(), Box<Response>> {
        if scope::allows(&self.scope, kind, permission) {
            return Ok(());
        }
        let context = if self.member.is_some() { "patient" } else { "user" };
        Err(Box::new(forbidden(&format!("{context}/{kind}.{permission}"), &self.scope)))
    }
}

async fn metadata(State(world): State<Shared>) -> Response {
    fhir_json(StatusCode::OK, &crate::members::capabilities(&world.base))
}

async fn search(
    State(world): State<Shared>,
    Path(kind): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let found = || {
        let caller = Caller::of(&world, &headers)?;
        let resources = crate::members::resources(&kind).ok_or_else(|| Box::new(unknown(&kind)))?;
        caller.may(&kind, 's')?;
        let visible =
            resources.into_iter().filter(|resource| crate::members::belongs_to(resource, caller.member)).collect();
        let query = Form::parse(query.unwrap_or_default().as_bytes());
        let base = format!("{}/r4", world.base);
        let bundle = crate::search::bundle(&base, &kind, visible, &query);
        bundle.map_err(|why| Box::new(outcome(StatusCode::BAD_REQUEST, "invalid", &why)))
    };
    found().map_or_else(|refusal| *refusal, |bundle| fhir_json(StatusCode::OK, &bundle))
}

async fn read(
    State(world): State<Shared>,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let found = || {
        let caller = Caller::of(&world, &headers)?;
        let resources = crate::members::resources(&kind).ok_or_else(|| Box::new(unknown(&kind)))?;
        caller.may(&kind, 'r')?;
        let resource = resources.into_iter().find(|resource| resource["id"] == id.as_str());
        let visible = resource.filter(|resource| crate::members::belongs_to(resource, caller.member));
        let missing =
            || Box::new(outcome(StatusCode::NOT_FOUND, "not-found", &format!("There is no {kind}/{id}")));
        visible.ok_or_else(missing)
    };
    found().map_or_else(|refusal: Box<Response>| *refusal, |resource| fhir_json(StatusCode::OK, &resource))
}

/// 401 for a token that is not, or no longer, good.
pub(crate) fn unauthorized(why: &str) -> Response {
    let challenge = "Bearer realm=\"sandbox\", error=\"invalid_token\"";
    response::with(outcome(StatusCode::UNAUTHORIZED, "login", why), header::WWW_AUTHENTICATE, challenge)
}

fn forbidden(needed: &str, granted: &str) -> Response {
    let why = format!("This needs the scope {needed}; the token has “{granted}”");
    let challenge = format!("Bearer realm=\"sandbox\", error=\"insufficient_scope\", scope=\"{needed}\"");
    response::with(outcome(StatusCode::FORBIDDEN, "forbidden", &why), header::WWW_AUTHENTICATE, &challenge)
}

fn unknown(kind: &str) -> Response {
    let why = format!("The sandbox has no {kind}: it has Patient, Coverage and ExplanationOfBenefit");
    outcome(StatusCode::NOT_FOUND, "not-supported", &why)
}

/// An OperationOutcome with one issue.
fn outcome(status: StatusCode, code: &str, why: &str) -> Response {
    let issue = json!({ "severity": "error", "code": code, "diagnostics": why });
    fhir_json(status, &json!({ "resourceType": "OperationOutcome", "issue": [issue] }))
}

/// A resource as people like to read it.
fn fhir_json(status: StatusCode, resource: &Value) -> Response {
    let text = format!("{resource:#}\n");
    (status, [(header::CONTENT_TYPE, "application/fhir+json; charset=utf-8")], text).into_response()
}
