//! HTTP as text: requests as they came, and responses to send.

use std::time::Instant;

/// A request as it came, head and body; its text is what it dereferences to.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) received_at: Instant,
    text: String,
}

impl std::ops::Deref for Request {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl std::fmt::Display for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Request {
    /// A request that came now.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { received_at: Instant::now(), text: text.into() }
    }

    /// `GET`
    pub(crate) fn method(&self) -> &str {
        self.split(' ').next().unwrap_or_default()
    }

    /// Path and query.
    pub(crate) fn target(&self) -> &str {
        self.split(' ').nth(1).unwrap_or_default()
    }

    /// The value of a header; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        let mut headers = self.lines().filter_map(|line| line.split_once(": "));
        headers.find(|(key, _)| key.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }

    /// What follows the head.
    pub(crate) fn body(&self) -> &str {
        self.split_once("\r\n\r\n").map_or("", |(_, body)| body)
    }

    /// A field of the form in the body.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let mut fields = url::form_urlencoded::parse(self.body().as_bytes());
        fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// Whether it asks a [`super::TokenEndpoint`] for a token.
    pub(crate) fn is_for_token(&self) -> bool {
        self.method() == "POST" && self.target().ends_with("/token")
    }
}

/// A whole response; `status` is its code and reason phrase.
pub(crate) fn response(status: &str, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Vec<u8> {
    let body = body.as_ref();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head =
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

/// A response of JSON.
pub(crate) fn json_response(status: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    response(status, &[("Content-Type", "application/json")], body)
}

/// A response of plain text.
pub(crate) fn text_response(status: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    response(status, &[("Content-Type", "text/plain")], body)
}

/// A response of HTML.
pub(crate) fn html_response(status: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    response(status, &[("Content-Type", "text/html")], body)
}

/// A redirect without a body.
pub(crate) fn redirect(status: &str, location: &str) -> Vec<u8> {
    response(status, &[("Location", location)], "")
}

/// An error response of OAuth.
pub(crate) fn oauth_error(status: &str, code: &str) -> Vec<u8> {
    json_response(status, format!(r#"{{"error":"{code}"}}"#))
}

/// A gzip stream.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory")
}
