//! FHIR responses: resources, and errors as OperationOutcome.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::response::with_header;

/// An error response, boxed because it is larger than what it accompanies.
pub(super) type Rejected = Box<Response>;

/// A rejection with an OperationOutcome of one issue.
pub(super) fn reject(status: StatusCode, code: &str, why: &str) -> Rejected {
    Box::new(outcome(status, code, why))
}

/// An OperationOutcome with one issue.
pub(super) fn outcome(status: StatusCode, code: &str, why: &str) -> Response {
    let issue = json!({ "severity": "error", "code": code, "diagnostics": why });
    fhir_json(status, &json!({ "resourceType": "OperationOutcome", "issue": [issue] }))
}

/// 401 for a token that is unknown, expired or revoked.
pub(crate) fn unauthorized(why: &str) -> Response {
    let challenge = "Bearer realm=\"sandbox\", error=\"invalid_token\"";
    with_header(outcome(StatusCode::UNAUTHORIZED, "login", why), header::WWW_AUTHENTICATE, challenge)
}

/// 403 for a token whose scope is insufficient (RFC 6750 §3.1).
pub(super) fn insufficient_scope(needed: &str, granted: &str) -> Response {
    let why = format!("This needs the scope {needed}; the token has “{granted}”");
    let challenge = format!("Bearer realm=\"sandbox\", error=\"insufficient_scope\", scope=\"{needed}\"");
    with_header(outcome(StatusCode::FORBIDDEN, "forbidden", &why), header::WWW_AUTHENTICATE, &challenge)
}

/// A resource, indented.
pub(super) fn fhir_json(status: StatusCode, resource: &Value) -> Response {
    let text = format!("{resource:#}\n");
    (status, [(header::CONTENT_TYPE, "application/fhir+json; charset=utf-8")], text).into_response()
}
