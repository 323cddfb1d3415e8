//! Which requests are forwarded: those for this host, with the key, not from a web page, by an allowed method; checked
//! in this order, so that responses reveal nothing about the server to a client without the key.

use hyper::header::{ACCESS_CONTROL_REQUEST_METHOD, HOST, HeaderValue, ORIGIN};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};

use super::key;
use super::outcome::Refusal;
use crate::error::{Error, Result};
use crate::oauth::secret::Secret;

/// The methods of FHIR's RESTful API, and OPTIONS.
const METHODS: [Method; 7] =
    [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE, Method::OPTIONS];

/// The rules for requests.
pub struct Gate {
    /// `HOST:PORT` by which clients name the proxy, in lower case; empty where the socket itself keeps others out.
    pub own_hosts: Vec<String>,
    /// The key; `None` where the socket itself keeps others out.
    pub key: Option<Secret>,
    /// Origins of web pages that may use the proxy.
    pub origins: Vec<String>,
    /// Whether only reading is allowed.
    pub read_only: bool,
}

/// A request that passed.
#[derive(Debug)]
pub struct Admitted<'a> {
    /// The path behind the key: empty, or with a slash at its beginning.
    pub path: &'a str,
    /// The origin of the web page that sent it.
    pub origin: Option<&'a HeaderValue>,
    /// Whether it is a browser's question about such a page (CORS preflight).
    pub is_preflight: bool,
}

impl Gate {
    /// Checks the head of a request.
    ///
    /// # Errors
    /// The response to a request that is not forwarded.
    pub fn admit<'a>(&self, head: &'a Parts) -> Result<Admitted<'a>, Refusal> {
        self.check_host(head)?;
        let path = self.strip_key(head.uri.path())?;
        let origin = self.check_origin(head)?;
        let is_preflight = head.method == Method::OPTIONS
            && origin.is_some()
            && head.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
        if !is_preflight {
            self.check_method(&head.method, path)?;
        }
        Ok(Admitted { path, origin, is_preflight })
    }

    /// A page that has rebound its own name to loopback (DNS rebinding) sends that name.
    fn check_host(&self, head: &Parts) -> Result<(), Refusal> {
        if self.own_hosts.is_empty() {
            return Ok(());
        }
        let is_own = |host: &str| self.own_hosts.iter().any(|own| own.eq_ignore_ascii_case(host));
        let mut hosts = head.headers.get_all(HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok());
        let is_single = hosts.next().is_none();
        // An absolute URL in the request line wins over Host (RFC 9112 §3.2.2).
        let authority = head.uri.authority().map(hyper::http::uri::Authority::as_str);
        if is_single && host.is_some_and(is_own) && authority.is_none_or(is_own) {
            return Ok(());
        }
        Err(Refusal::forbidden("the Host header is not the proxy's"))
    }

    fn strip_key<'a>(&self, path: &'a str) -> Result<&'a str, Refusal> {
        let rest = path.strip_prefix('/').ok_or_else(Refusal::not_found)?;
        let Some(key) = &self.key else { return Ok(path) };
        let (first, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if key::matches(key, first) { Ok(path) } else { Err(Refusal::not_found()) }
    }

    /// Browsers name the page's origin, or at least whether the request is to the page's own site (Fetch Metadata).
    fn check_origin<'a>(&self, head: &'a Parts) -> Result<Option<&'a HeaderValue>, Refusal> {
        let allowed =
            |origin: &HeaderValue| self.origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes());
        let mut origins = head.headers.get_all(ORIGIN).iter();
        let is_from_page = || {
            head.headers
                .get("sec-fetch-site")
                .is_some_and(|site| !matches!(site.as_bytes(), b"none" | b"same-origin"))
        };
        match (origins.next(), origins.next()) {
            (None, _) if !is_from_page() => Ok(None),
            (Some(origin), None) if allowed(origin) => Ok(Some(origin)),
            _ => Err(Refusal::forbidden(
                "requests of web pages are not forwarded; to allow a page: oneup proxy --allow-origin ORIGIN",
            )),
        }
    }

    fn check_method(&self, method: &Method, path: &str) -> Result<(), Refusal> {
        let is_reading = matches!(*method, Method::GET | Method::HEAD)
            || (*method == Method::POST && path.ends_with("/_search"));
        if METHODS.contains(method) && (is_reading || !self.read_only) {
            return Ok(());
        }
        let text = if self.read_only {
            "only GET, HEAD and POST to …/_search are forwarded (--read-only)"
        } else {
            "this method is not forwarded"
        };
        Err(Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "not-supported", text))
    }
}

/// Checks an origin of `--allow-origin`, and returns it as browsers write it.
///
/// # Errors
/// Usage: not `SCHEME://HOST[:PORT]`.
pub fn parse_origin(text: &str) -> Result<String> {
    let origin = text.to_ascii_lowercase();
    let is_valid = origin.split_once("://").is_some_and(|(scheme, host)| {
        let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte);
        !scheme.is_empty()
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
            && !host.is_empty()
            && host.bytes().all(is_host)
    });
    if is_valid {
        return Ok(origin);
    }
    Err(Error::usage(format!("invalid origin for --allow-origin: {text:?}"))
        .with_hint("give scheme, host and port, and no path: --allow-origin http://localhost:3000"))
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn gate(read_only: bool) -> Gate {
        Gate {
            own_hosts: vec!["127.0.0.1:4000".into(), "localhost:4000".into()],
            key: Some(Secret::new(KEY)),
            origins: vec!["http://localhost:3000".into()],
            read_only,
        }
    }

    fn admit(gate: &Gate, method: &str, target: &str, headers: &[(&str, &str)]) -> Result<String, u16> {
        let mut request = Request::builder().method(method).uri(target.replace("KEY", KEY));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).expect("a request").into_parts();
        let admitted = gate.admit(&head).map_err(|refusal| refusal.status.as_u16())?;
        Ok(format!("{}{}", admitted.path, if admitted.is_preflight { " preflight" } else { "" }))
    }

    #[test]
    fn host_key_origin_and_method_are_checked_in_this_order() {
        let own = ("host", "127.0.0.1:4000");
        let (page, evil) = (("origin", "http://localhost:3000"), ("origin", "https://evil.example"));
        let asks = ("access-control-request-method", "GET");
        for (method, target, headers, expected) in [
            ("GET", "/KEY/Patient", &[own][..], Ok("/Patient")),
            ("GET", "/KEY", &[("host", "LOCALHOST:4000")], Ok("")),
            ("GET", "http://127.0.0.1:4000/KEY/x", &[own], Ok("/x")),
            ("GET", "http://evil.example/KEY/x", &[own], Err(403)),
            ("GET", "/KEY/x", &[("host", "evil.example:4000"), evil], Err(403)),
            ("GET", "/KEY/x", &[("host", "127.0.0.1")], Err(403)),
            ("GET", "/KEY/x", &[own, own], Err(403)),
            ("GET", "/KEY/x", &[], Err(403)),
            ("GET", "/Patient", &[own, evil], Err(404)),
            ("GET", "/", &[own], Err(404)),
            ("OPTIONS", "*", &[own], Err(404)),
            ("GET", "/KEYx/Patient", &[own], Err(404)),
            ("GET", "//KEY/Patient", &[own], Err(404)),
            ("TRACE", "/x", &[own], Err(404)),
            ("GET", "/KEY/x", &[own, evil], Err(403)),
            ("GET", "/KEY/x", &[own, ("origin", "null")], Err(403)),
            ("GET", "/KEY/x", &[own, page, evil], Err(403)),
            ("GET", "/KEY/x", &[own, ("sec-fetch-site", "cross-site")], Err(403)),
            ("GET", "/KEY/x", &[own, ("sec-fetch-site", "same-site")], Err(403)),
            ("GET", "/KEY/x", &[own, ("sec-fetch-site", "none")], Ok("/x")),
            ("GET", "/KEY/x", &[own, page, ("sec-fetch-site", "same-site")], Ok("/x")),
            ("OPTIONS", "/KEY/x", &[own, page, asks], Ok("/x preflight")),
            ("OPTIONS", "/KEY/x", &[own, evil, asks], Err(403)),
            ("OPTIONS", "/KEY/x", &[own], Ok("/x")),
            ("TRACE", "/KEY/x", &[own], Err(405)),
            ("CONNECT", "127.0.0.1:4000", &[own], Err(404)),
            ("PROPFIND", "/KEY/x", &[own], Err(405)),
        ] {
            let result = admit(&gate(false), method, target, headers);
            assert_eq!(
                result.as_deref().map_err(|status| *status),
                expected,
                "{method} {target} {headers:?}"
            );
        }
    }

    #[test]
    fn read_only_allows_reading_and_searching() {
        for (method, target, is_allowed) in [
            ("GET", "/KEY/Patient", true),
            ("HEAD", "/KEY/Patient", true),
            ("POST", "/KEY/Patient/_search", true),
            ("POST", "/KEY/_search", true),
            ("POST", "/KEY/Patient", false),
            ("POST", "/KEY/Patient/x_search", false),
            ("POST", "/KEY/Patient/_search/", false),
            ("POST", "/KEY/Patient/%5fsearch", false),
            ("PUT", "/KEY/Patient/_search", false),
            ("DELETE", "/KEY/Patient/1", false),
            ("OPTIONS", "/KEY/Patient", false),
        ] {
            let result = admit(&gate(true), method, target, &[("host", "127.0.0.1:4000")]);
            assert_eq!(result.is_ok(), is_allowed, "{method} {target}: {result:?}");
        }
    }

    #[test]
    fn origins_have_no_path() {
        assert_eq!(parse_origin("HTTP://localhost:3000").as_deref().ok(), Some("http://localhost:3000"));
        assert!(parse_origin("chrome-extension://abcdef").is_ok());
        for text in [
            "",
            "*",
            "null",
            "localhost:3000",
            "http://",
            "http://a/",
            "http://a/x",
            "http://*.a",
            "http://u@a",
        ] {
            assert!(parse_origin(text).is_err(), "{text}");
        }
    }
}
