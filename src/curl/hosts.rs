//! Which hosts may get a profile's token.

use super::url::Url;
use crate::error::{Error, Result};
use crate::oauth::loopback::is_loopback_host;
use crate::profile::Profile;

/// 1up's own domain.
const HOME: &str = "1up.health";

/// The hosts of a profile: some by name, some with all below them, perhaps this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hosts {
    exact: Vec<String>,
    domains: Vec<String>,
    loopback: bool,
}

impl Hosts {
    /// The profile's endpoints, `1up.health`, the plan's domain, and what the person allows besides; loopback when
    /// the token came from loopback.
    ///
    /// # Errors
    /// Usage: an allowed host that is no plain host name.
    pub fn of(profile: &Profile, allowed: &[String]) -> Result<Self> {
        let urls = [Some(&profile.token_url), Some(&profile.fhir_base)];
        let others = [profile.authorize_url.as_ref(), profile.issuer.as_ref(), profile.gateway.as_ref()];
        let mut hosts = Self { domains: vec![HOME.into()], ..Self::default() };
        for url in urls.into_iter().chain(others).flatten() {
            hosts.exact.extend(host_of(url));
        }
        hosts.loopback = host_of(&profile.token_url).is_some_and(|host| is_loopback_host(&host));
        hosts.domains.extend(profile.plan.as_deref().and_then(plan_domain));
        for host in allowed {
            hosts.exact.push(allowed_host(host)?);
        }
        Ok(hosts)
    }

    /// The hosts of these URLs, for tests of what uses them.
    #[cfg(any(test, fuzzing))]
    pub fn at(urls: &[&str], loopback: bool) -> Self {
        Self { exact: urls.iter().filter_map(|url| host_of(url)).collect(), domains: Vec::new(), loopback }
    }

    /// Whether the token may go there.
    pub fn contain(&self, url: &Url) -> bool {
        let below = |domain: &String| {
            url.host.strip_suffix(domain.as_str()).is_some_and(|sub| sub.is_empty() || sub.ends_with('.'))
        };
        self.exact.contains(&url.host)
            || self.domains.iter().any(below)
            || (self.loopback && url.is_loopback())
    }
}

fn host_of(url: &str) -> Option<String> {
    super::url::read(url, "").ok().map(|url| url.host)
}

/// The domain of a plan `HOST/SYSTEM`; a base URL names its host alone, and a name without a dot is no domain.
fn plan_domain(plan: &str) -> Option<String> {
    let host = plan.split('/').next().filter(|_| !plan.contains("://"))?;
    let host = host_of(host)?;
    let numeric = host.bytes().all(|b| b.is_ascii_digit() || b == b'.' || b == b':');
    (host.contains('.') && !numeric).then_some(host)
}

fn allowed_host(host: &str) -> Result<String> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let bracketed = if bare.contains(':') { format!("[{bare}]") } else { bare.to_owned() };
    host_of(&bracketed).filter(|known| bare.eq_ignore_ascii_case(known)).ok_or_else(|| {
        Error::usage(format!("--allow-host takes one host, and {host:?} is none")).with_hint(
            "give the name alone, without scheme, port, path or wildcard: --allow-host fhir.example.org",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::product::{Endpoints, plan_endpoints, realm_endpoints};

    fn profile(endpoints: Endpoints, plan: Option<&str>) -> Profile {
        Profile { plan: plan.map(Into::into), ..Profile::example(endpoints) }
    }

    fn ours(profile: &Profile, allowed: &[&str], url: &str) -> bool {
        let allowed: Vec<String> = allowed.iter().map(|&host| host.into()).collect();
        let url = crate::curl::url::read(url, "").expect(url);
        Hosts::of(profile, &allowed).expect("valid hosts").contain(&url)
    }

    #[test]
    fn a_realm_has_its_gateway_and_1up_health() {
        let profile = profile(realm_endpoints("https://gateway.1upcoreuat.com", "epa-uat"), None);
        for url in ["1up.health", "api.1up.health", "a.b.1up.health:8443", "gateway.1upcoreuat.com/x"] {
            assert!(ours(&profile, &[], url), "{url}");
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
            assert!(!ours(&profile, &[], url), "{url}");
        }
    }

    #[test]
    fn a_plan_has_its_domain_and_what_is_below() {
        let profile = profile(plan_endpoints("plan.example/demo"), Some("plan.example/demo"));
        for url in ["auth.plan.example", "api.plan.example/r4", "plan.example", "x.plan.example"] {
            assert!(ours(&profile, &[], url), "{url}");
        }
        assert!(!ours(&profile, &[], "evilplan.example"));
        assert!(!ours(&profile, &[], "auth.plan.example.evil.example"));
    }

    #[test]
    fn a_plan_on_loopback_has_loopback() {
        let base = "http://127.0.0.1:8080/demo";
        let profile = profile(plan_endpoints(base), Some(base));
        for url in ["http://127.0.0.1:9/", "http://localhost:1/", "http://[::1]:1/"] {
            assert!(ours(&profile, &[], url), "{url}");
        }
        assert!(!ours(&profile, &[], "10.0.0.1"));
    }

    #[test]
    fn a_top_level_plan_opens_no_domain() {
        assert_eq!(plan_domain("com/test"), None);
        assert_eq!(plan_domain("10.0.0.1/test"), None);
        assert_eq!(plan_domain("plan.example"), Some("plan.example".into()));
    }

    #[test]
    fn an_allowed_host_is_that_host_alone() {
        let profile = profile(plan_endpoints("plan.example"), None);
        assert!(ours(&profile, &["Fhir.Example.org"], "fhir.example.org"));
        assert!(ours(&profile, &["[2001:db8::1]"], "[2001:db8::1]:8443"));
        assert!(!ours(&profile, &["fhir.example.org"], "x.fhir.example.org"));
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
            assert!(Hosts::of(&profile, &[bad.into()]).is_err(), "{bad:?}");
        }
    }
}
