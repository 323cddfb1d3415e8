//! A real Keycloak with the realms of `.ci/`: `.ci/keycloak` starts one, and `ONEUP_KEYCLOAK_URL` says where it is.

use super::{requires_program, requires_variable};

/// The secret of its clients.
pub(crate) const KEYCLOAK_SECRET: &str = "secret-of-a-test-client";
/// A scope of its clients.
pub(crate) const KEYCLOAK_SCOPE: &str = "bulk-data|user/*.rs";

/// Its URL, if curl is there too, as [`super::requires`] does.
pub(crate) fn keycloak() -> Option<String> {
    requires_variable("Keycloak", "ONEUP_KEYCLOAK_URL").filter(|_| requires_program("curl"))
}
