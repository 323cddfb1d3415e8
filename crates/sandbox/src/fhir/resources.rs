//! Reading and searching resources.

use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::access::Caller;
use super::outcome::{Rejected, fhir_json, reject};
use crate::members;
use crate::params::Params;
use crate::search;
use crate::state::Shared;

pub(super) async fn search(
    State(state): State<Shared>,
    Path(kind): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let bundle = || -> Result<_, Rejected> {
        let caller = Caller::authenticate(&state, &headers)?;
        let resources = members::resources(&kind).ok_or_else(|| unknown_type(&kind))?;
        caller.require(&kind, 's')?;
        let visible =
            resources.into_iter().filter(|resource| members::belongs_to(resource, caller.member)).collect();
        let query = Params::parse(query.unwrap_or_default().as_bytes());
        let bundle = search::bundle(&format!("{}/r4", state.base), &kind, visible, &query);
        bundle.map_err(|why| reject(StatusCode::BAD_REQUEST, "invalid", &why))
    };
    bundle().map_or_else(|rejected| *rejected, |bundle| fhir_json(StatusCode::OK, &bundle))
}

pub(super) async fn read(
    State(state): State<Shared>,
    Path((kind, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let resource = || -> Result<_, Rejected> {
        let caller = Caller::authenticate(&state, &headers)?;
        let resources = members::resources(&kind).ok_or_else(|| unknown_type(&kind))?;
        caller.require(&kind, 'r')?;
        let resource = resources.into_iter().find(|resource| resource["id"] == id.as_str());
        let visible = resource.filter(|resource| members::belongs_to(resource, caller.member));
        let missing = || reject(StatusCode::NOT_FOUND, "not-found", &format!("There is no {kind}/{id}"));
        visible.ok_or_else(missing)
    };
    resource().map_or_else(|rejected| *rejected, |resource| fhir_json(StatusCode::OK, &resource))
}

fn unknown_type(kind: &str) -> Rejected {
    let why = format!("The sandbox has no {kind}; it has {}", members::TYPES.join(", "));
    reject(StatusCode::NOT_FOUND, "not-supported", &why)
}
