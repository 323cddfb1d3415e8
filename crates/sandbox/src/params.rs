//! The parameters of a request, and the client's credentials in it.

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use url::form_urlencoded;

/// The parameters of a query or of a form body, in their order.
#[derive(Debug)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Parses `application/x-www-form-urlencoded`.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        Self(form_urlencoded::parse(bytes).into_owned().collect())
    }

    /// The parameters of a POST; a body of another content type has none, as in Keycloak.
    pub(crate) fn from_body(headers: &HeaderMap, body: &[u8]) -> Self {
        let content_type =
            headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        Self::parse(if media_type == "application/x-www-form-urlencoded" { body } else { b"" })
    }

    /// The first value of a parameter, empty ones included.
    pub(crate) fn raw(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Every value of a parameter.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The value of a parameter; an empty one counts as omitted (RFC 6749 §3.2).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// Whether a parameter is repeated (forbidden by RFC 6749 §3.2).
    pub(crate) fn has_duplicates(&self) -> bool {
        self.0.iter().enumerate().any(|(i, (key, _))| self.0[..i].iter().any(|(earlier, _)| earlier == key))
    }
}

/// The client ID and secret that a request presents.
#[derive(Debug, Default)]
pub(crate) struct ClientCredentials {
    pub(crate) id: Option<String>,
    pub(crate) secret: Option<String>,
}

impl ClientCredentials {
    /// From a Basic header (form-encoded, then base64: RFC 6749 §2.3.1), else from the body.
    pub(crate) fn from_request(headers: &HeaderMap, params: &Params) -> Self {
        let own = |name| params.get(name).map(str::to_owned);
        Self::from_basic(headers)
            .unwrap_or_else(|| Self { id: own("client_id"), secret: own("client_secret") })
    }

    fn from_basic(headers: &HeaderMap) -> Option<Self> {
        let header = headers.get("authorization")?.to_str().ok()?;
        let (scheme, value) = header.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let pair = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
        let (id, secret) = pair.split_once(':')?;
        Some(Self { id: Some(decode(id)), secret: Some(decode(secret)).filter(|secret| !secret.is_empty()) })
    }
}

/// Percent-decodes one value, with `+` as a space.
fn decode(value: &str) -> String {
    let protected = value.replace('&', "%26").replace('=', "%3D");
    form_urlencoded::parse(protected.as_bytes()).next().map(|(key, _)| key.into_owned()).unwrap_or_default()
}

/// The token of a Bearer header (RFC 6750 §2.1).
pub(crate) fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get("authorization")?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_form_encoding_inside_basic_header() {
        let mut headers = HeaderMap::new();
        let value = "Basic bXkrY2xpZW50JTNBMTpwJTI2YSUzRHMlMkJzJTI1K3clQzMlQjZyZA==";
        headers.insert("authorization", value.parse().expect("a header value"));
        let credentials = ClientCredentials::from_request(&headers, &Params::parse(b"client_id=other"));
        assert_eq!(credentials.id.as_deref(), Some("my client:1"));
        assert_eq!(credentials.secret.as_deref(), Some("p&a=s+s% wörd"));
    }

    #[test]
    fn detects_duplicates_and_treats_empty_values_as_omitted() {
        assert!(Params::parse(b"a=1&b=2&a=1").has_duplicates());
        let params = Params::parse(b"a=&b=2");
        assert!(!params.has_duplicates());
        assert_eq!((params.get("a"), params.raw("a"), params.get("b")), (None, Some(""), Some("2")));
    }
}
