//! Access control of the FHIR server: the bearer check, scopes and tenants.

use axum::http::{HeaderMap, StatusCode, header};

use super::outcome::{self, Rejected, insufficient_scope, reject, unauthorized};
use crate::grants::AuthServer;
use crate::members::MEMBER;
use crate::options::DEV_PORTAL;
use crate::params::bearer_token;
use crate::response::with_header;
use crate::scope;
use crate::state::{AppState, now};

/// The client behind a request.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) client: String,
    scope: String,
    /// The one member whose data the token gives access to; `None`: all members.
    pub(super) member: Option<&'static str>,
    /// The realm of a partner, whose tokens give access to its own tenant, whatever their scope.
    partner: Option<String>,
}

impl Caller {
    /// Checks the bearer token (RFC 6750 §3).
    pub(super) fn authenticate(state: &AppState, headers: &HeaderMap) -> Result<Self, Rejected> {
        let Some(token) = bearer_token(headers) else {
            let rejection = outcome::outcome(StatusCode::UNAUTHORIZED, "login", "A bearer token is required");
            let challenge = "Bearer realm=\"sandbox\"";
            return Err(Box::new(with_header(rejection, header::WWW_AUTHENTICATE, challenge)));
        };
        let issued = state.grants().use_token(token, state.faults.max_token_uses(), now());
        let issued =
            issued.ok_or_else(|| Box::new(unauthorized("The token is unknown, expired or revoked")))?;
        let member = issued.session.is_some().then_some(MEMBER);
        let partner = match issued.server {
            AuthServer::Realm(realm) if realm != DEV_PORTAL && member.is_none() => Some(realm),
            _ => None,
        };
        Ok(Self { client: issued.client, scope: issued.scope, member, partner })
    }

    /// Requires a SMART permission (`r` or `s`) on a resource type.
    pub(super) fn require(&self, kind: &str, permission: char) -> Result<(), Rejected> {
        if self.partner.is_some() || scope::allows(&self.scope, kind, permission) {
            return Ok(());
        }
        let level = if self.member.is_some() { "patient" } else { "user" };
        Err(Box::new(insufficient_scope(&format!("{level}/{kind}.{permission}"), &self.scope)))
    }

    /// Requires that the token reaches a tenant: one of `--tenant-only`, and a partner's own.
    pub(super) fn require_tenant(&self, state: &AppState, tenant: Option<&str>) -> Result<(), Rejected> {
        let Some(tenant) = tenant else { return Ok(()) };
        let allowed = &state.options.tenants;
        let enabled = allowed.is_empty() || allowed.iter().any(|name| name == tenant);
        let own = self.partner.as_deref().is_none_or(|realm| tenant_of_realm(realm) == tenant);
        if enabled && own {
            return Ok(());
        }
        let why = format!("This client has no access to the tenant {tenant}");
        Err(reject(StatusCode::FORBIDDEN, "forbidden", &why))
    }

    /// Requires the scope of a bulk export.
    pub(super) fn require_export(&self) -> Result<(), Rejected> {
        if self.member.is_none() && (self.partner.is_some() || scope::allows_export(&self.scope)) {
            return Ok(());
        }
        Err(Box::new(insufficient_scope("bulk-data|user/*.rs", &self.scope)))
    }

    /// Requires the scope of `$member-match`.
    pub(super) fn require_member_match(&self) -> Result<(), Rejected> {
        if self.partner.is_some() || scope::allows_member_match(&self.scope) {
            return Ok(());
        }
        Err(Box::new(insufficient_scope(scope::MEMBER_MATCH, &self.scope)))
    }
}

/// A realm's tenant has the realm's name, but for 1up's own realm for prior authorization.
fn tenant_of_realm(realm: &str) -> &str {
    if realm == "epa-uat" { "1upcoreuat" } else { realm }
}

/// The tenant in a path below `/v1/`.
pub(super) fn tenant(path: &str) -> Option<&str> {
    path.strip_prefix("/v1/")?.split('/').next()
}
