//! curl's command line, from what a user types to what curl is given.

use std::ffi::OsString;
use std::path::Path;

use url::Url;

use super::{assert_presentable, assert_same_host};
use crate::curl::arguments::{CurlOption, parse};
use crate::curl::command_line::{Additions, arguments, config};
use crate::curl::hosts::Hosts;
use crate::curl::options::Role;
use crate::curl::policy::{CurlPlan, Policy};
use crate::oauth::secret::Secret;

const BASE: &str = "https://api.plan.example/r4";

/// Checks any command line: the first byte holds switches, the rest are the arguments, separated by NUL.
pub fn curl(bytes: &[u8]) {
    let Some((switches, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let args: Vec<OsString> = text.split('\0').map(Into::into).collect();
    let options = match parse(&args) {
        Ok(options) => options,
        Err(error) => return assert_presentable(&error),
    };
    let loopback = switches & 1 != 0;
    let base = if loopback { "http://127.0.0.1:8080/r4" } else { BASE };
    let hosts = Hosts::for_tests(&[base], loopback);
    let policy = Policy { fhir_base: base, hosts: &hosts, verbose: switches & 4 != 0 };
    match policy.plan(options) {
        Ok(plan) => {
            assert_urls_are_allowed(&plan, loopback);
            assert_curl_parses_the_same(&plan, &policy);
        }
        Err(error) => assert_presentable(&error),
    }
}

/// Checks the URLs with a parser that shares no code with the policy's.
fn assert_urls_are_allowed(plan: &CurlPlan, loopback: bool) {
    for url in &plan.urls {
        let parsed = Url::parse(&url.text).unwrap_or_else(|error| panic!("{}: {error}", url.text));
        assert_same_host(&parsed, &url.host);
        let host = parsed.host_str().unwrap_or_default();
        assert!(parsed.scheme() == "https" || url.is_loopback());
        let is_local = loopback && (host == "localhost" || host == "[::1]" || host.starts_with("127."));
        let is_profile = host == "api.plan.example" && !loopback;
        assert!(is_profile || is_local, "the token would go to {}", url.text);
    }
}

/// Checks that the command line, parsed again as curl would, has the same URLs and is allowed.
fn assert_curl_parses_the_same(plan: &CurlPlan, policy: &Policy<'_>) {
    let header = Secret::new("Authorization: Bearer t");
    let config = config(plan, &header);
    let name = (!plan.urls.is_empty()).then_some(Path::new("config"));
    let words = arguments(plan, &Additions { config: name, ..Additions::default() });
    let mut again = parse(&words).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    if name.is_some() {
        assert_eq!(again.first().map(|option| option.spec.role()), Some(Role::Config));
        again.remove(0);
        let urls = urls(&again);
        assert!(urls.is_empty(), "{urls:?} are outside the config");
        let lines: Vec<&str> = config.expose().lines().collect();
        assert_eq!(lines.iter().filter(|line| line.starts_with("--url \"")).count(), plan.urls.len());
        assert_eq!(lines[0], "--header \"Authorization: Bearer t\"");
        again.extend(plan.options.iter().filter(|option| option.spec.role() == Role::Url).cloned());
    }
    let again = policy.plan(again).unwrap_or_else(|error| panic!("{words:?}: {error}"));
    assert_eq!(urls(&again.options), urls(&plan.options));
}

fn urls(options: &[CurlOption]) -> Vec<Option<OsString>> {
    let urls = options.iter().filter(|option| option.spec.role() == Role::Url);
    urls.map(|option| option.value.clone()).collect()
}
