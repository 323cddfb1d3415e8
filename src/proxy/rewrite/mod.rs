//! URLs of the profile's hosts in a response become URLs of the proxy, so that the client's next request comes here too.

mod json;

use hyper::StatusCode;
use hyper::header::{CONTENT_LOCATION, HeaderMap, HeaderValue, LINK, LOCATION};
use url::Url;

use super::upstream::Upstream;

pub use json::{Shape, rewrite as rewrite_json, shape};

/// Rewrites the URLs in the headers of the response to `url`.
///
/// A redirect to another host is passed on as it is: the token never goes along a redirect.
pub fn rewrite_headers(upstream: &Upstream, url: &Url, status: StatusCode, headers: &mut HeaderMap) {
    let rewrite = |reference: &str| upstream.reference_to_public(url, reference);
    for name in [LOCATION, CONTENT_LOCATION] {
        let leads_elsewhere = |reference: &str| {
            let target = url.join(reference);
            name == LOCATION
                && status.is_redirection()
                && target.is_ok_and(|target| target.host() != url.host())
        };
        let Some(reference) = headers.get(&name).and_then(|value| value.to_str().ok()) else { continue };
        if leads_elsewhere(reference) {
            continue;
        }
        if let Some(value) = rewrite(reference).and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(name, value);
        }
    }
    for value in links(headers) {
        if let Some(text) = value.to_str().ok().and_then(|text| rewrite_link(text, rewrite))
            && let Ok(text) = HeaderValue::try_from(text)
        {
            *value = text;
        }
    }
}

fn links(headers: &mut HeaderMap) -> impl Iterator<Item = &mut HeaderValue> {
    headers.iter_mut().filter(|(name, _)| **name == LINK).map(|(_, value)| value)
}

/// Rewrites the targets, `<URL>`, of a `Link` header (RFC 8288 §3); not what is in a quoted parameter.
fn rewrite_link(text: &str, rewrite: impl Fn(&str) -> Option<String>) -> Option<String> {
    let mut result = String::new();
    let (mut rest, mut is_changed) = (text, false);
    while let Some(start) = rest.find(['<', '"']) {
        let (before, opened) = rest.split_at(start + 1);
        result.push_str(before);
        let end = if before.ends_with('"') { end_of_quoted(opened) } else { opened.find('>') };
        let (inner, after) = opened.split_at(end?);
        let target = if before.ends_with('<') { rewrite(inner) } else { None };
        is_changed |= target.is_some();
        result.push_str(target.as_deref().unwrap_or(inner));
        result.push_str(&after[..1]);
        rest = &after[1..];
    }
    result.push_str(rest);
    is_changed.then_some(result)
}

/// The position of the quote that ends a quoted string.
fn end_of_quoted(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::curl::hosts::Hosts;

    fn upstream() -> Upstream {
        let hosts = Hosts::for_tests(&["https://api.plan.example", "https://files.plan.example"], false);
        Upstream::new("https://api.plan.example/r4", hosts, "http://127.0.0.1:4/k".into()).expect("a base")
    }

    fn rewritten(status: u16, name: &'static str, value: &str) -> String {
        let url = Url::parse("https://api.plan.example/r4/Patient?_count=1").expect("a URL");
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().expect("a value"));
        rewrite_headers(&upstream(), &url, StatusCode::from_u16(status).expect("a status"), &mut headers);
        headers[name].to_str().expect("ASCII").to_owned()
    }

    #[test]
    fn locations_lead_to_the_proxy_except_redirects_to_other_hosts() {
        for (status, name, value, expected) in [
            (201, "location", "https://api.plan.example/r4/Patient/1", "http://127.0.0.1:4/k/Patient/1"),
            (201, "location", "/r4/Patient/1", "http://127.0.0.1:4/k/Patient/1"),
            (302, "location", "https://api.plan.example/x", "http://127.0.0.1:4/k/~api.plan.example/x"),
            (302, "location", "https://files.plan.example/x?s=1", "https://files.plan.example/x?s=1"),
            (302, "location", "https://evil.example/", "https://evil.example/"),
            (201, "location", "https://files.plan.example/x", "http://127.0.0.1:4/k/~files.plan.example/x"),
            (
                202,
                "content-location",
                "https://api.plan.example/bulk/1",
                "http://127.0.0.1:4/k/~api.plan.example/bulk/1",
            ),
            (200, "etag", "https://api.plan.example/r4", "https://api.plan.example/r4"),
        ] {
            assert_eq!(rewritten(status, name, value), expected, "{status} {value}");
        }
    }

    #[test]
    fn link_targets_are_rewritten_and_parameters_are_not() {
        for (value, expected) in [
            (
                "<https://api.plan.example/r4?p=2>; rel=\"next\", </r4?p=1>;rel=prev",
                "<http://127.0.0.1:4/k?p=2>; rel=\"next\", <http://127.0.0.1:4/k?p=1>;rel=prev",
            ),
            (
                "<https://evil.example/>; title=\"<https://api.plan.example/r4> \\\" <x>\"; rel=next",
                "<https://evil.example/>; title=\"<https://api.plan.example/r4> \\\" <x>\"; rel=next",
            ),
            ("<https://api.plan.example/r4", "<https://api.plan.example/r4"),
            ("x", "x"),
        ] {
            assert_eq!(rewritten(200, "link", value), expected);
        }
    }
}
