//! 1up's products: endpoints, grant, scope. Every value is a default that a flag can replace (source: 1up's developer documentation as of 2026).

use serde::{Deserialize, Serialize};

/// One of 1upHealth's products.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// Provider Access: client credentials.
    #[default]
    Provider,
    /// Payer-to-Payer: client credentials.
    P2p,
    /// Patient Access: an authorization code from the health plan's login page.
    Patient,
}

/// The gateway of the Dev Portal's realm.
pub const GATEWAY: &str = "https://gateway.1up.health";
/// The Dev Portal's realm.
pub const REALM: &str = "dev-portal";
/// The demo health plan, HOST/SYSTEM.
pub const PLAN: &str = "1uphealthdemo.com/test";
/// The domains of 1up's own servers.
pub const DOMAINS: [&str; 5] =
    ["1up.health", "1upcoreuat.com", "1upcoreprod.com", "1uphealthdemo.com", "1updemohealthplan.com"];
/// The redirect URI that the Dev Portal suggests for development.
pub const REDIRECT_URI: &str = "http://localhost:8484/callback";
/// The tenant of the Dev Portal's sandbox.
pub const TENANT: &str = "bison";

/// The endpoints of a profile. URLs have no trailing slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoints {
    /// The token endpoint (RFC 6749 §3.2).
    pub token_url: String,
    /// The authorization endpoint (RFC 6749 §3.1), for Patient Access.
    pub authorize_url: Option<String>,
    /// The Keycloak realm's base URL, which is its issuer; `None` for a health plan.
    pub issuer: Option<String>,
    /// The FHIR base URL, to which `oneup curl /PATH` is relative.
    pub fhir_base: String,
}

impl Product {
    /// The name in commands, files and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::P2p => "p2p",
            Self::Patient => "patient",
        }
    }

    /// 1up's name for it.
    pub fn title(self) -> &'static str {
        match self {
            Self::Provider => "Provider Access",
            Self::P2p => "Payer-to-Payer",
            Self::Patient => "Patient Access",
        }
    }

    /// The scope that is requested unless a flag names another.
    pub fn default_scope(self) -> &'static str {
        match self {
            Self::Provider | Self::P2p => "bulk-data|user/*.rs",
            Self::Patient => "patient/*.read",
        }
    }
}

/// Returns the base URL of a gateway that is given as `HOST` or as a URL, without a slash at its end.
pub fn gateway_url(gateway: &str) -> String {
    let gateway = gateway.trim_end_matches('/');
    if gateway.contains("://") { gateway.to_owned() } else { format!("https://{gateway}") }
}

/// The endpoints of a Keycloak realm behind a gateway.
pub fn realm_endpoints(gateway: &str, realm: &str) -> Endpoints {
    let gateway = gateway.trim_end_matches('/');
    let issuer = format!("{gateway}/auth/realms/{realm}");
    let oidc = format!("{issuer}/protocol/openid-connect");
    Endpoints {
        token_url: format!("{oidc}/token"),
        authorize_url: Some(format!("{oidc}/auth")),
        issuer: Some(issuer),
        fhir_base: tenant_fhir_base(gateway, default_tenant(realm)),
    }
}

/// Returns the tenant of a realm unless a flag names another: partner realms have their tenant's name.
pub fn default_tenant(realm: &str) -> &str {
    if realm == REALM { TENANT } else { realm }
}

/// The FHIR base of a tenant, from which data is exported.
pub fn tenant_fhir_base(gateway: &str, tenant: &str) -> String {
    format!("{gateway}/v1/{tenant}/bulk-export/bulk-data/r4")
}

/// The endpoints of a health plan: `HOST`, `HOST/SYSTEM`, or a base URL with a scheme and the system as its path.
pub fn plan_endpoints(plan: &str) -> Endpoints {
    let (scheme, rest) = plan.split_once("://").map_or((None, plan), |(scheme, rest)| (Some(scheme), rest));
    let (host, system) =
        rest.trim_end_matches('/').split_once('/').unwrap_or((rest.trim_end_matches('/'), "test"));
    let (auth, api) = match scheme {
        Some(scheme) => (format!("{scheme}://{host}"), format!("{scheme}://{host}")),
        None => (format!("https://auth.{host}"), format!("https://api.{host}")),
    };
    Endpoints {
        token_url: format!("{auth}/oauth2/token"),
        authorize_url: Some(format!("{auth}/oauth2/authorize/{system}")),
        issuer: None,
        fhir_base: format!("{api}/r4"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dev_portal_is_a_keycloak_realm() {
        let endpoints = realm_endpoints(GATEWAY, REALM);
        let issuer = "https://gateway.1up.health/auth/realms/dev-portal";
        assert_eq!(endpoints.token_url, format!("{issuer}/protocol/openid-connect/token"));
        assert_eq!(endpoints.authorize_url, Some(format!("{issuer}/protocol/openid-connect/auth")));
        assert_eq!(endpoints.issuer.as_deref(), Some(issuer));
    }

    #[test]
    fn a_gateway_is_a_host_or_a_url() {
        for (gateway, url) in [
            ("gateway.1up.health", GATEWAY),
            ("https://gateway.1up.health/", GATEWAY),
            ("gateway.example:8443/base/", "https://gateway.example:8443/base"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ] {
            assert_eq!(gateway_url(gateway), url);
        }
    }

    #[test]
    fn a_plan_is_a_host_a_host_and_system_or_a_base() {
        for (plan, authorize, token, fhir) in [
            (
                "1uphealthdemo.com/test",
                "https://auth.1uphealthdemo.com/oauth2/authorize/test",
                "https://auth.1uphealthdemo.com/oauth2/token",
                "https://api.1uphealthdemo.com/r4",
            ),
            (
                "plan.example",
                "https://auth.plan.example/oauth2/authorize/test",
                "https://auth.plan.example/oauth2/token",
                "https://api.plan.example/r4",
            ),
            (
                "http://127.0.0.1:8080/demo",
                "http://127.0.0.1:8080/oauth2/authorize/demo",
                "http://127.0.0.1:8080/oauth2/token",
                "http://127.0.0.1:8080/r4",
            ),
        ] {
            let endpoints = plan_endpoints(plan);
            assert_eq!(endpoints.authorize_url.as_deref(), Some(authorize));
            assert_eq!(endpoints.token_url, token);
            assert_eq!(endpoints.fhir_base, fhir);
        }
    }
}
