//! The shapes that the answers share.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// A JSON answer that nobody may keep (RFC 6749 §5.1).
pub(crate) fn json(status: StatusCode, value: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
        (header::PRAGMA, "no-cache"),
    ];
    (status, headers, value.to_string()).into_response()
}

/// An error of the token endpoint (RFC 6749 §5.2).
pub(crate) fn oauth_error(status: StatusCode, error: &str, description: &str) -> Response {
    json(status, &json!({ "error": error, "error_description": description }))
}

/// A refusal that is no OAuth error: Keycloak's for a wrong method, type or realm.
pub(crate) fn plain_error(status: StatusCode, error: &str) -> Response {
    json(status, &json!({ "error": error }))
}

/// An empty answer.
pub(crate) fn empty(status: StatusCode) -> Response {
    status.into_response()
}

/// Sends the browser on, with these parameters added to whatever the address has.
pub(crate) fn redirect(to: &str, parameters: &[(&str, &str)]) -> Response {
    let Ok(mut url) = url::Url::parse(to) else { return empty(StatusCode::BAD_REQUEST) };
    url.query_pairs_mut().extend_pairs(parameters);
    let headers = [(header::LOCATION, url.to_string()), (header::CACHE_CONTROL, "no-store".into())];
    (StatusCode::FOUND, headers, Body::empty()).into_response()
}

/// A page that loads nothing, is framed by nobody, and posts only to where `form_action` says.
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

/// Adds a header to an answer; a value that no header can hold is left out.
pub(crate) fn with(mut response: Response, name: HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}
