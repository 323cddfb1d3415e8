//! A request at the loopback listener, up to the page in response.

use url::form_urlencoded;

use super::assert_harmless;
use crate::callback::browser_page::BrowserResponse;
use crate::callback::request_head::{HeadError, RequestHead, poll_head};
use crate::oauth::authorize::{AuthorizationRequest, AuthorizationResponse};
use crate::oauth::secret::Secret;

/// The elements of the pages.
const TAGS: [&str; 18] = [
    "!doctype", "html", "head", "meta", "title", "style", "body", "main", "svg", "path", "h1", "p", "strong",
    "footer", "b", "dl", "dt", "dd",
];

/// The state of the authorization request.
pub(super) const STATE: &str = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyMTI";

/// The authorization request.
pub(super) fn waiting() -> AuthorizationRequest {
    AuthorizationRequest {
        authorize_url: "https://auth.example/oauth2/authorize/test".into(),
        client_id: "svc".into(),
        redirect_uri: "http://localhost:8484/callback".into(),
        scope: "patient/*.read".into(),
        state: STATE.into(),
        verifier: Some(Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")),
        aud: None,
        issuer: Some("https://auth.example".into()),
    }
}

/// Takes what a browser, or another program, sends.
pub fn callback(bytes: &[u8]) {
    let whole = arriving(bytes, bytes.len());
    assert_eq!(arriving(bytes, 1), whole, "byte by byte or at once");
    assert_eq!(arriving(bytes, 7), whole);
    let Some(Ok(head)) = whole else { return };
    is_unambiguous(&head);
    let page = match waiting().parse_response(&head.query) {
        AuthorizationResponse::Code(code) => {
            let state = form_urlencoded::parse(head.query.as_bytes()).find(|(name, _)| name == "state");
            assert_eq!(state.map(|(_, value)| value.into_owned()).as_deref(), Some(STATE));
            assert!(code.expose().bytes().all(|byte| matches!(byte, 0x20..=0x7e)));
            BrowserResponse::Received
        }
        AuthorizationResponse::Error { error, description } => BrowserResponse::Denied { error, description },
        AuthorizationResponse::IssuerMismatch(_) => BrowserResponse::IssuerMismatch,
        AuthorizationResponse::StateMismatch => BrowserResponse::StateMismatch,
        AuthorizationResponse::Invalid(reason) => BrowserResponse::Invalid(reason),
    };
    is_locked_down(&page);
}

/// The outcome when the bytes come in pieces of this size.
fn arriving(bytes: &[u8], size: usize) -> Option<Result<RequestHead, HeadError>> {
    for end in (size.max(1)..bytes.len()).step_by(size.max(1)).chain([bytes.len()]) {
        if let Some(result) = poll_head(&bytes[..end]) {
            return Some(result);
        }
    }
    None
}

/// A parsed head, written out again, parses to the same.
fn is_unambiguous(head: &RequestHead) {
    assert!(head.path.starts_with('/') && !head.path.contains(['?', ' ']));
    assert!(!head.method.is_empty() && !head.query.contains(' '));
    for text in [&head.method, &head.path, &head.query, &head.host] {
        assert_harmless(&text.replace('\t', "").replace(|c: char| !c.is_ascii(), ""));
    }
    let again =
        format!("{} {}?{} HTTP/1.1\r\nHost: {}\r\n\r\n", head.method, head.path, head.query, head.host);
    let read = poll_head(again.as_bytes()).expect("a whole head").expect("a good head");
    assert_eq!(&read, head);
}

/// Nothing of the request can become markup or a header of the response.
fn is_locked_down(page: &BrowserResponse) {
    let response = String::from_utf8(page.to_bytes()).expect("UTF-8");
    let (headers, body) = response.split_once("\r\n\r\n").expect("headers and a body");
    assert_eq!(headers.lines().count(), 8, "{headers}");
    assert!(headers.ends_with("Connection: close"));
    let ours = |tag: &str| TAGS.contains(&tag.trim_start_matches('/'));
    for markup in body.split('<').skip(1) {
        let tag = markup.split(['>', ' ']).next().unwrap_or_default();
        assert!(ours(tag), "<{tag}>");
    }
    assert_harmless(body);
}
