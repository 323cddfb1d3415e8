//! Headers that are not passed on.

use hyper::header::{
    ACCEPT_ENCODING, ALT_SVC, AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, EXPECT, HOST, HeaderMap,
    HeaderName, HeaderValue, ORIGIN, REFERER, SET_COOKIE,
};

/// Headers of one connection alone (RFC 9110 §7.6.1), besides those that `Connection` names.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "http2-settings",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "proxy-authenticate",
];

/// Headers that some servers take for the method of the request.
const METHOD_OVERRIDES: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];

/// Removes from a request what is not for the server: headers of the connection; credentials of the caller, as the token
/// takes their place and cookies of other programs on loopback are no concern of the server; the page that sent it, whose
/// URL can have the key. Narrows `Accept-Encoding` to what can be rewritten.
pub fn clean_request(headers: &mut HeaderMap, read_only: bool) {
    remove_hop_by_hop(headers);
    let accepts_gzip = headers.get_all(ACCEPT_ENCODING).iter().any(accepts_gzip);
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(if accepts_gzip { "gzip" } else { "identity" }));
    for name in [HOST, CONTENT_LENGTH, EXPECT, AUTHORIZATION, COOKIE, ORIGIN, REFERER] {
        headers.remove(name);
    }
    remove_if(headers, |name| {
        name.starts_with("proxy-")
            || name == "proxy"
            || name.starts_with("access-control-request-")
            || (read_only && METHOD_OVERRIDES.contains(&name))
    });
}

/// Removes from a response what is not for the client: headers of the connection; cookies, which would not come back;
/// alternative services, and permissions for web pages, which are the server's and not the proxy's.
pub fn clean_response(headers: &mut HeaderMap) {
    remove_hop_by_hop(headers);
    headers.remove(SET_COOKIE);
    headers.remove(ALT_SVC);
    remove_if(headers, |name| name.starts_with("access-control-"));
}

fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

fn remove_if(headers: &mut HeaderMap, is_unwanted: impl Fn(&str) -> bool) {
    let unwanted: Vec<HeaderName> =
        headers.keys().filter(|name| is_unwanted(name.as_str())).cloned().collect();
    for name in unwanted {
        headers.remove(name);
    }
}

/// Whether `Accept-Encoding` lists gzip, not with a weight of 0 (RFC 9110 §12.5.3).
fn accepts_gzip(value: &HeaderValue) -> bool {
    value.to_str().unwrap_or_default().to_ascii_lowercase().split(',').any(|coding| {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.trim().parse::<f32>().ok());
        matches!(name.trim(), "gzip" | "*") && weight.is_none_or(|weight| weight > 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let lines = lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(name, value);
        }
        headers
    }

    fn names(headers: &HeaderMap) -> Vec<&str> {
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn requests_lose_credentials_and_headers_of_the_connection() {
        let mut request = headers(&[
            ("host", "127.0.0.1:1"),
            ("connection", "keep-alive, X-Hop"),
            ("connection", "content-language,, authorization"),
            ("x-hop", "1"),
            ("content-language", "en"),
            ("keep-alive", "timeout=5"),
            ("te", "trailers"),
            ("upgrade", "h2c"),
            ("http2-settings", "x"),
            ("transfer-encoding", "chunked"),
            ("content-length", "3"),
            ("expect", "100-continue"),
            ("authorization", "Bearer x"),
            ("proxy-authorization", "Basic x"),
            ("proxy-connection", "close"),
            ("cookie", "a=b"),
            ("origin", "http://a"),
            ("referer", "http://127.0.0.1:1/key/x"),
            ("prefer", "respond-async"),
            ("if-match", "W/\"1\""),
            ("x-http-method-override", "DELETE"),
        ]);
        let mut read_only = request.clone();
        clean_request(&mut request, false);
        assert_eq!(names(&request), ["accept-encoding", "if-match", "prefer", "x-http-method-override"]);
        clean_request(&mut read_only, true);
        assert_eq!(names(&read_only), ["accept-encoding", "if-match", "prefer"]);
    }

    #[test]
    fn responses_lose_cookies_and_permissions_for_web_pages() {
        let mut response = headers(&[
            ("connection", "close"),
            ("set-cookie", "a=b"),
            ("set-cookie", "c=d"),
            ("access-control-allow-origin", "*"),
            ("alt-svc", "h3=\":443\""),
            ("etag", "W/\"1\""),
            ("content-length", "5"),
        ]);
        clean_response(&mut response);
        assert_eq!(names(&response), ["content-length", "etag"]);
    }

    #[test]
    fn gzip_is_accepted_where_the_client_accepts_it() {
        for (value, expected) in [
            ("gzip, deflate, br", "gzip"),
            ("*", "gzip"),
            ("br, GZIP;q=0.5", "gzip"),
            ("gzip;q=0", "identity"),
            ("br", "identity"),
            ("", "identity"),
        ] {
            let mut request = headers(&[("accept-encoding", value)]);
            clean_request(&mut request, false);
            assert_eq!(request[ACCEPT_ENCODING], expected, "{value}");
        }
        let mut request = HeaderMap::new();
        clean_request(&mut request, false);
        assert_eq!(request[ACCEPT_ENCODING], "identity");
    }
}
