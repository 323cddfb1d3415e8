//! Which hosts may get a profile's token.

use super::url::Url;
use crate::error::{Error, Result};
use crate::oauth::loopback::is_loopback_host;
use crate::profile::Profile;

/// 1up's own domain, whose subdomains may get the token of any profile.
const OWN_DOMAIN: &str = "1up.health";

/// The hosts of a profile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    exact: Vec<String>,
    own_domain: bool,
    loopback: bool,
}

impl Hosts {
    /// Returns the hosts of the profile's endpoints and plan, `1up.health`, and the additional `allowed` hosts; all of
    /// loopback if the token came from loopback.
    ///
    /// # Errors
    /// Usage: an allowed host that is not a plain host name.
    pub fn for_profile(profile: &Profile, allowed: &[String]) -> Result<Self> {
        let urls = [Some(&profile.token_url), Some(&profile.fhir_base)];
        let others = [profile.authorize_url.as_ref(), profile.issuer.as_ref(), profile.gateway.as_ref()];
        let mut hosts = Self { own_domain: true, ..Self::default() };
        for url in urls.into_iter().chain(others).flatten() {
            hosts.exact.extend(host_of(url));
        }
        hosts.loopback = host_of(&profile.token_url).is_some_and(|host| is_loopback_host(&host));
        hosts.exact.extend(profile.plan.as_deref().and_then(plan_hosts).into_iter().flatten());
        for host in allowed {
            hosts.exact.push(allowed_host(host)?);
        }
        Ok(hosts)
    }

    /// Returns the hosts of these URLs alone.
    #[cfg(any(test, fuzzing))]
    pub fn for_tests(urls: &[&str], loopback: bool) -> Self {
        Self { exact: urls.iter().filter_map(|url| host_of(url)).collect(), own_domain: false, loopback }
    }

    /// Returns whether the token may go to this URL.
    pub fn allow(&self, url: &Url) -> bool {
        let subdomain = url.host.strip_suffix(OWN_DOMAIN);
        self.exact.contains(&url.host)
            || (self.own_domain && subdomain.is_some_and(|sub| sub.is_empty() || sub.ends_with('.')))
            || (self.loopback && url.is_loopback())
    }
}

fn host_of(url: &str) -> Option<String> {
    super::url::parse(url, "").ok().map(|url| url.host)
}

/// Returns the hosts of a plan `HOST[/SYSTEM]`; those of a base URL are in its endpoints. The registrable domain is not
/// one of them: it could be a public suffix, or have subdomains of others.
fn plan_hosts(plan: &str) -> Option<[String; 2]> {
    let host = plan.split('/').next().filter(|_| !plan.contains("://"))?;
    Some([host_of(&format!("auth.{host}"))?, host_of(&format!("api.{host}"))?])
}

fn allowed_host(host: &str) -> Result<String> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let bracketed = if bare.contains(':') { format!("[{bare}]") } else { bare.to_owned() };
    host_of(&bracketed).filter(|known| bare.eq_ignore_ascii_case(known)).ok_or_else(|| {
        Error::usage(format!("invalid host for --allow-host: {host:?}"))
            .with_hint("give a name without scheme, port, path or wildcard: --allow-host fhir.example.org")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::product::{Endpoints, plan_endpoints, realm_endpoints};

    fn profile(endpoints: Endpoints, plan: Option<&str>) -> Profile {
        Profile { plan: plan.map(Into::into), ..Profile::example(endpoints) }
    }

    fn allows(profile: &Profile, allowed: &[&str], url: &str) -> bool {
        let allowed: Vec<String> = allowed.iter().map(|&host| host.into()).collect();
        let url = crate::curl::url::parse(url, "").expect(url);
        Hosts::for_profile(profile, &allowed).expect("valid hosts").allow(&url)
    }

    #[test]
    fn realm_profile_allows_its_gateway_and_1up_health() {
        let profile = profile(realm_endpoints("https://gateway.1upcoreuat.com", "epa-uat"), None);
        for url in ["1up.health", "api.1up.health", "a.b.1up.health:8443", "gateway.1upcoreuat.com/x"] {
            assert!(allows(&profile, &[], url), "{url}");
        }
        for url in [
            "evil.example",
            "evil1up.health",
            "1up.health.evil.example",
            "x.gateway.1upcoreuat.com",
            "1upcoreuat.com",
            "1up-health.example",
            "http://127.0.0.1/",
            "localhost",
            "[::1]",
            "xn--1up-.health",
        ] {
            assert!(!allows(&profile, &[], url), "{url}");
        }
    }

    #[test]
    fn plan_profile_allows_its_auth_and_api_hosts_only() {
        let profile = profile(plan_endpoints("plan.example/demo"), Some("plan.example/demo"));
        for url in ["auth.plan.example", "api.plan.example/r4"] {
            assert!(allows(&profile, &[], url), "{url}");
        }
        for url in [
            "plan.example",
            "x.plan.example",
            "evilplan.example",
            "x.api.plan.example",
            "auth.plan.example.evil.example",
        ] {
            assert!(!allows(&profile, &[], url), "{url}");
        }
    }

    #[test]
    fn plan_on_loopback_allows_loopback() {
        let base = "http://127.0.0.1:8080/demo";
        let profile = profile(plan_endpoints(base), Some(base));
        for url in ["http://127.0.0.1:9/", "http://localhost:1/", "http://[::1]:1/"] {
            assert!(allows(&profile, &[], url), "{url}");
        }
        assert!(!allows(&profile, &[], "10.0.0.1"));
    }

    #[test]
    fn allow_host_excludes_subdomains() {
        let profile = profile(plan_endpoints("plan.example"), None);
        assert!(allows(&profile, &["Fhir.Example.org"], "fhir.example.org"));
        assert!(allows(&profile, &["[2001:db8::1]"], "[2001:db8::1]:8443"));
        assert!(!allows(&profile, &["fhir.example.org"], "x.fhir.example.org"));
        for bad in [
            "*.example.org",
            "https://a.example",
            "a.example:443",
            "a.example/x",
            "",
            "a b",
            "u@a.example",
            "127.1",
        ] {
            assert!(Hosts::for_profile(&profile, &[bad.into()]).is_err(), "{bad:?}");
        }
    }
}
