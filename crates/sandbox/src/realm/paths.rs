//! Paths below a realm.

/// Where the realms are.
pub(super) const REALMS: &str = "/auth/realms/";
/// The token endpoint.
pub(super) const TOKEN: &str = "protocol/openid-connect/token";
/// Where the consent page posts to.
pub(super) const DECISION: &str = "login-actions/authenticate";
