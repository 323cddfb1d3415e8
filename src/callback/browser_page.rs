//! The HTTP responses of the loopback listener: one self-contained page that says what happened and what is next.
//!
//! The page's URL holds an authorization code, so the page loads and runs nothing, can't be framed or cached, and sends no
//! referrer. Untrusted text in it is escaped.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::text::{MAX_SNIPPET_LEN, sanitize};

const STYLE: &str = include_str!("browser_page.css");
const CLOSE: &str = "<p><strong>You can close this tab.</strong></p>";

/// The class of a page, which sets its color, and the path of its icon.
type Look = (&'static str, &'static str);

const SUCCESS: Look = ("done", "M4.5 12.8l5 5L19.5 7");
const ERROR: Look = ("stop", "M6 6l12 12M18 6L6 18");
const WARNING: Look = ("lost", "M8.2 8.4a3.9 3.9 0 1 1 5.6 3.5c-1.2.6-1.8 1.4-1.8 2.8M12 19.2v.1");

/// A response to a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BrowserResponse {
    /// The authorization code was received.
    Received,
    /// The authorization server reported an error.
    Denied { error: String, description: Option<String> },
    /// The response came from another authorization server.
    IssuerMismatch,
    /// The response belongs to another login, or to none.
    StateMismatch,
    /// No authorization response; the text says why.
    Invalid(&'static str),
    /// A response was received before.
    AlreadyReceived,
    /// Not a request for the redirect URI, with the status.
    Rejected(&'static str),
}

/// The status of a request that is not GET; its response names the method that is allowed.
pub(super) const WRONG_METHOD: BrowserResponse = BrowserResponse::Rejected("405 Method Not Allowed");

impl BrowserResponse {
    /// The HTTP response; the connection is closed after it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let (status, page) = self.content();
        let (kind, body) = match page {
            Some(html) => ("text/html", html),
            None => (
                "text/plain",
                "oneup waits for the redirect of a login here; this request is something else.\n".into(),
            ),
        };
        let style = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
        format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\n\
             Content-Security-Policy: default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'\r\n\
             Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n\
             {}Connection: close\r\n\r\n{body}",
            body.len(),
            if *self == WRONG_METHOD { "Allow: GET\r\n" } else { "" },
        )
        .into_bytes()
    }

    /// The status and the page, which is `None` where no user reads it.
    fn content(&self) -> (&'static str, Option<String>) {
        let waiting = "<p>oneup is still waiting. <strong>You can close this tab</strong> and open the URL that your \
                       terminal shows.</p>";
        let (status, look, title, text) = match self {
            Self::Received => (
                "200 OK",
                SUCCESS,
                "Access granted",
                format!("<p>oneup continues in your terminal.</p>{CLOSE}"),
            ),
            Self::Denied { error, description } => (
                "200 OK",
                ERROR,
                if error == "access_denied" { "Access was not granted" } else { "Login failed" },
                format!(
                    "<p>oneup has no access to any data. Your terminal shows how to try again.</p>{CLOSE}{}",
                    details(error, description.as_deref())
                ),
            ),
            Self::IssuerMismatch => (
                "400 Bad Request",
                ERROR,
                "This response came from another server",
                format!(
                    "<p>oneup has ignored it and stopped this login. Your terminal shows the details.</p>{CLOSE}"
                ),
            ),
            Self::StateMismatch => (
                "400 Bad Request",
                WARNING,
                "This belongs to another login",
                format!("<p>It may come from an older tab, or the page was opened twice.</p>{waiting}"),
            ),
            Self::Invalid(reason) => (
                "400 Bad Request",
                WARNING,
                "This URL is not the end of a login",
                format!("<p>oneup can’t use it: {}.</p>{waiting}", escaped(reason)),
            ),
            Self::AlreadyReceived => (
                "409 Conflict",
                SUCCESS,
                "This login is already finished",
                format!("<p>Your terminal shows the result.</p>{CLOSE}"),
            ),
            Self::Rejected(status) => return (status, None),
        };
        (status, Some(page(look, title, &text)))
    }
}

fn page((class, icon): Look, title: &str, text: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\" class=\"{class}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} · oneup</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <main>\n<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path d=\"{icon}\"/></svg>\n\
         <h1>{title}</h1>\n{text}\n</main>\n\
         <footer><b>oneup</b> · served by the program in your terminal, on this computer</footer>\n\
         </body>\n</html>\n"
    )
}

/// The server's error code and description.
fn details(error: &str, description: Option<&str>) -> String {
    let row = |name: &str, value: &str| format!("<dt>{name}</dt><dd>{}</dd>", escaped(value));
    let description = description.map(|text| row("Description", text)).unwrap_or_default();
    format!("<dl>{}{description}</dl>", row("Error", error))
}

fn escaped(text: &str) -> String {
    let text = sanitize(text, MAX_SNIPPET_LEN).replace('&', "&amp;");
    let text = text.replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied(error: &str) -> String {
        let page = BrowserResponse::Denied { error: error.into(), description: Some(error.into()) };
        String::from_utf8(page.to_bytes()).expect("UTF-8")
    }

    #[test]
    fn markup_is_escaped() {
        let response = denied("<script>alert('1')</script>\u{202e}&\"\r\nSet-Cookie: a=b");
        assert!(response.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\\u{202e}&amp;&quot; Set"));
        assert!(!response.contains("<script") && !response.contains("\nSet-Cookie"));
        assert!(denied(&"x".repeat(100_000)).len() < 8_000);
    }

    #[test]
    fn every_page_has_the_security_headers() {
        for page in [
            BrowserResponse::Received,
            BrowserResponse::StateMismatch,
            BrowserResponse::Rejected("404 Not Found"),
            WRONG_METHOD,
        ] {
            let response = String::from_utf8(page.to_bytes()).expect("UTF-8");
            let (head, body) = response.split_once("\r\n\r\n").expect("a head and a body");
            for header in [
                "Content-Security-Policy: default-src 'none'; ",
                "frame-ancestors 'none'",
                "Cache-Control: no-store",
                "Referrer-Policy: no-referrer",
                "X-Content-Type-Options: nosniff",
            ] {
                assert!(head.contains(header), "{header}");
            }
            assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));
            assert_eq!(head.contains("Allow: GET"), page == WRONG_METHOD);
        }
    }
}
