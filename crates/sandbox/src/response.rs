//! The shapes that responses share.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A JSON response that must not be cached (RFC 6749 §5.1).
pub(crate) fn json(status: StatusCode, value: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
    ];
    (status, headers, value.to_string()).into_response()
}

/// An error response of the token endpoint (RFC 6749 §5.2).
pub(crate) fn oauth_error(status: StatusCode, error: &str, description: &str) -> Response {
    json(status, &json!({ "error": error, "error_description": description }))
}

/// An error response without a description: Keycloak's for a wrong method, content type or realm.
pub(crate) fn bare_error(status: StatusCode, error: &str) -> Response {
    json(status, &json!({ "error": error }))
}

/// A response without a body.
pub(crate) fn empty(status: StatusCode) -> Response {
    status.into_response()
}

/// A redirect to `to`, with these parameters added to those that the URL has.
pub(crate) fn redirect(to: &str, parameters: &[(&str, &str)]) -> Response {
    let Ok(mut url) = url::Url::parse(to) else { return empty(StatusCode::BAD_REQUEST) };
    url.query_pairs_mut().extend_pairs(parameters);
    let headers = [(header::LOCATION, url.to_string()), (header::CACHE_CONTROL, "no-store".into())];
    (StatusCode::FOUND, headers, Body::empty()).into_response()
}

/// A page that loads nothing, can't be framed, and posts only to the sources in `form_action`.
pub(crate) fn html(status: StatusCode, page: String, form_action: &str) -> Response {
    let policy = format!(
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'; form-action {form_action}"
    );
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
        (header::REFERRER_POLICY, "no-referrer".to_owned()),
        (header::CONTENT_SECURITY_POLICY, policy),
    ];
    (status, headers, page).into_response()
}

/// Sets a header of a response; a value that no header can hold is left out.
pub(crate) fn with_header(mut response: Response, name: HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}
