//! curl's command line, from what a person types to what curl is given.

use std::ffi::{OsStr, OsString};

use url::Url;

use super::{assert_presentable, assert_same_host};
use crate::curl::arguments::{Arguments, Item, parse};
use crate::curl::config;
use crate::curl::hosts::Hosts;
use crate::curl::options::Role;
use crate::curl::policy::{Judged, Policy};
use crate::curl::write::{Word, command_line};
use crate::error::Result;

const BASE: &str = "https://api.plan.example/r4";

/// The first byte holds switches, the second part is `~/.curlrc`, the rest are the arguments: parts end with a NUL.
pub fn curl(bytes: &[u8]) {
    let Some((switches, rest)) = bytes.split_first() else { return };
    let Ok(text) = std::str::from_utf8(rest) else { return };
    let mut parts = text.split('\0');
    let rc = parts.next().unwrap_or_default().to_owned();
    let args: Vec<OsString> = parts.map(Into::into).collect();
    let rc_name = (!rc.is_empty()).then_some(OsStr::new("rc"));
    // A file that is named by an argument holds the rest of its name, so that its text is fuzzed too.
    let read = &mut |name: &OsStr| Ok(if name == "rc" { rc.clone() } else { name.display().to_string() });
    let arguments = match parse(&args, rc_name, read) {
        Ok(arguments) => arguments,
        Err(error) => return assert_presentable(&error),
    };
    let loopback = switches & 1 != 0;
    let base = if loopback { "http://127.0.0.1:8080/r4" } else { BASE };
    let hosts = Hosts::at(&[base], loopback);
    let policy = Policy {
        fhir_base: base,
        hosts: &hosts,
        no_auth_elsewhere: switches & 2 != 0,
        verbose: switches & 4 != 0,
    };
    match policy.judge(&arguments) {
        Ok(judged) => {
            the_token_stays_home(&judged, loopback);
            curl_is_told_the_same(&arguments, &judged, &policy);
        }
        Err(error) => assert_presentable(&error),
    }
}

/// By a parser of URLs that shares no code with the one that judged.
fn the_token_stays_home(judged: &Judged, loopback: bool) {
    for section in &judged.sections {
        // None where curl only prints something.
        if section.urls.is_empty() {
            assert!(!section.auth);
            continue;
        }
        let options = section.items.iter().map(|item| item.option.name);
        assert_eq!(section.urls.len(), options.filter(|name| *name == "url").count());
        for url in &section.urls {
            let Ok(parsed) = Url::parse(&url.text) else {
                // It decodes what is no more than a name to DNS and curl.
                assert!(url.host.contains("xn--") && !section.auth, "{}", url.text);
                continue;
            };
            assert_same_host(&parsed, &url.host);
            let host = parsed.host_str().unwrap_or_default();
            assert!(parsed.scheme() == "https" || url.is_loopback());
            let home = host == "api.plan.example" && !loopback;
            let local = loopback && (host == "localhost" || host == "[::1]" || host.starts_with("127."));
            assert!(!section.auth || home || local, "the token would go to {}", url.text);
        }
    }
}

/// The line that is written, read and judged again as curl would, has the same URLs, and the header only where the
/// token may go.
fn curl_is_told_the_same(arguments: &Arguments, judged: &Judged, policy: &Policy<'_>) {
    let line = command_line(judged, None);
    let headers = line.iter().filter(|word| matches!(word, Word::Header)).count();
    assert_eq!(headers, judged.authorized());
    let words: Vec<OsString> = line
        .into_iter()
        .map(|word| match word {
            Word::Plain(text) => text,
            Word::Config(text) => text.into(),
            Word::Header => "X-Token: y".into(),
        })
        .collect();
    let read = &mut |name: &OsStr| Ok(name.display().to_string());
    let again: Result<Arguments> = parse(&words, None, read);
    let again = again.unwrap_or_else(|error| panic!("{words:?}: {error}"));
    let urls = |items: &[Item]| -> Vec<Option<OsString>> {
        items.iter().filter(|item| item.role() == Role::Url).map(|item| item.value.clone()).collect()
    };
    let written: Vec<Item> = judged.sections.iter().flat_map(|section| section.items.clone()).collect();
    assert_eq!(urls(&again.items), urls(&written));
    if arguments.items.iter().all(|item| item.role() != Role::Info) {
        let judged_again = policy.judge(&again).unwrap_or_else(|error| panic!("{words:?}: {error}"));
        assert_eq!(judged_again.authorized(), judged.authorized());
    }
    for item in &written {
        let value = item.value.as_deref().and_then(OsStr::to_str);
        let line = config::line(&item.spelling, value);
        if !matches!(item.role(), Role::Config | Role::Next) {
            let items = config::parse(&line, 0).unwrap_or_else(|error| panic!("{line:?}: {error}"));
            assert_eq!(
                items.iter().map(|item| item.value.as_deref()).collect::<Vec<_>>(),
                [item.value.as_deref()]
            );
        }
    }
}
