//! A small FHIR R4 server that requires a bearer token: three resource types to read and search, `$member-match`, and bulk
//! exports.

mod access;
mod capabilities;
mod export;
mod files;
mod member_match;
mod outcome;
mod resources;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{any, get, post};

pub(crate) use outcome::unauthorized;

use super::state::Shared;

/// The FHIR base of the demo plan, and of tests that need searches with client credentials.
const PLAN_BASE: &str = "/r4";
/// The base of a tenant's exports behind 1up's gateway.
const EXPORT_BASE: &str = "/v1/{tenant}/bulk-export/bulk-data/r4";
/// The base of a tenant's other operations; 1up's own path is not public.
const TENANT_BASE: &str = "/v1/{tenant}/r4";

pub(crate) fn routes() -> Router<Shared> {
    let mut router = Router::new()
        .route("/bulk/{id}", any(export::job))
        .route("/bulk/{id}/{file}", get(files::file))
        .route("/store/{id}/{file}", get(files::stored_file))
        .route(&format!("{PLAN_BASE}/{{kind}}"), get(resources::search))
        .route(&format!("{PLAN_BASE}/{{kind}}/{{id}}"), get(resources::read))
        .route(&format!("{EXPORT_BASE}/{{kind}}"), any(export::kick_off_type));
    for base in [PLAN_BASE, TENANT_BASE] {
        router = router.route(&format!("{base}/Patient/$member-match"), post(member_match::handle));
    }
    for base in [PLAN_BASE, EXPORT_BASE] {
        router = router
            .route(&format!("{base}/metadata"), get(metadata))
            .route(&format!("{base}/$export"), any(export::kick_off))
            .route(&format!("{base}/Patient/$export"), any(export::kick_off))
            .route(&format!("{base}/Group/{{id}}/$export"), any(export::kick_off));
    }
    router.method_not_allowed_fallback(async || {
        outcome::outcome(StatusCode::METHOD_NOT_ALLOWED, "not-supported", "The sandbox is read-only")
    })
}

/// Whether a path belongs to this server.
pub(crate) fn is_below(path: &str) -> bool {
    ["/r4/", "/v1/", files::JOBS].iter().any(|base| path.starts_with(base))
}

async fn metadata(State(state): State<Shared>) -> Response {
    outcome::fhir_json(StatusCode::OK, &capabilities::statement(&state.base))
}
