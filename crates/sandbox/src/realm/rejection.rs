//! Keycloak's error responses.

use axum::http::StatusCode;

/// An error response: status, `error`, `error_description`.
pub(super) type Rejection = (StatusCode, &'static str, String);

/// 400 with an error and its description.
pub(super) fn bad(error: &'static str, description: &str) -> Rejection {
    (StatusCode::BAD_REQUEST, error, description.to_owned())
}

/// 401 for a client that is unknown, disabled or not authenticated.
pub(super) fn invalid_client() -> Rejection {
    unauthorized("invalid_client")
}

/// 401 with Keycloak's one description for all client errors.
pub(super) fn unauthorized(error: &'static str) -> Rejection {
    (StatusCode::UNAUTHORIZED, error, "Invalid client or Invalid client credentials".to_owned())
}
