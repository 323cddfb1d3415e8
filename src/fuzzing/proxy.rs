//! What the proxy reads: the path of a request, and URLs, `Link` headers and documents of a server.

use hyper::StatusCode;
use hyper::header::{HeaderMap, HeaderValue, LINK};
use serde_json::Value;
use url::Url;

use crate::curl::hosts::Hosts;
use crate::proxy::rewrite::{rewrite_headers, rewrite_json, shape};
use crate::proxy::upstream::Upstream;

const PUBLIC: &str = "http://127.0.0.1:4000/k3y";
const HOSTS: [&str; 2] = ["api.plan.example", "auth.plan.example"];

/// A line that is a path, a URL and a header; a document follows.
pub fn proxy(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (line, document) = (String::from_utf8_lossy(&bytes[..end]), bytes.get(end + 1..).unwrap_or_default());
    let hosts = Hosts::for_tests(&HOSTS, false);
    let upstream =
        Upstream::new("https://api.plan.example/r4", hosts, PUBLIC.into()).expect("a valid FHIR base");
    path(&upstream, &line);
    url(&upstream, &line);
    link(&upstream, &line);
    shape(document);
    if let Some(rewritten) = rewrite_json(document, |url| upstream.to_public(url)) {
        let parse = |bytes| serde_json::from_slice::<Value>(bytes).expect("JSON");
        assert_eq!(skeleton(parse(document)), skeleton(parse(&rewritten)));
    }
}

/// Whatever the path is, the request goes to a host of the profile, by https.
fn path(upstream: &Upstream, line: &str) {
    let (path, query) = line.split_once('?').map_or((line, None), |(path, query)| (path, Some(query)));
    if !path.is_empty() && !path.starts_with('/') {
        return;
    }
    let Ok(target) = upstream.target(path, query) else { return };
    assert!(target.scheme() == "https" && HOSTS.contains(&target.host_str().unwrap_or_default()), "{target}");
    assert!(target.username().is_empty() && target.password().is_none(), "{target}");
    if !path.starts_with("/~") && !path.to_ascii_lowercase().starts_with("/%7e") {
        assert!(target.path().starts_with("/r4"), "{target}");
    }
}

/// A rewritten URL leads back to where it came from.
fn url(upstream: &Upstream, line: &str) {
    let Some(public) = upstream.to_public(line) else { return };
    let below = public.strip_prefix(PUBLIC).expect("the proxy's URL");
    let below = below.split('#').next().unwrap_or_default();
    let (path, query) = below.split_once('?').map_or((below, None), |(path, query)| (path, Some(query)));
    let mut original = Url::parse(line).expect("a URL");
    original.set_fragment(None);
    assert_eq!(upstream.target(path, query).expect("allowed"), original);
}

fn link(upstream: &Upstream, line: &str) {
    let Ok(value) = HeaderValue::from_str(line) else { return };
    let mut headers = HeaderMap::from_iter([(LINK, value)]);
    let url = Url::parse("https://api.plan.example/r4/Patient").expect("a URL");
    rewrite_headers(upstream, &url, StatusCode::OK, &mut headers);
    let rewritten = headers[LINK].to_str().unwrap_or(line);
    assert_eq!(rewritten.matches('<').count(), line.matches('<').count());
}

/// A document without the text of its strings.
fn skeleton(value: Value) -> Value {
    match value {
        Value::String(_) => Value::String(String::new()),
        Value::Array(elements) => elements.into_iter().map(skeleton).collect(),
        Value::Object(members) => members.into_iter().map(|(name, value)| (name, skeleton(value))).collect(),
        other => other,
    }
}
