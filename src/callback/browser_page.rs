//! The HTTP responses of the loopback listener: one self-contained page that says what happened and what is next.
//!
//! The page's URL holds an authorization code, so the page loads and runs nothing, can't be framed or cached, and sends no
//! referrer. Untrusted text in it is escaped.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::text::{MAX_SNIPPET_LEN, sanitize};

const STYLE: &str = include_str!("browser_page.css");
const TICK: &str = "M4.5 12.8l5 5L19.5 7";
const CROSS: &str = "M6 6l12 12M18 6L6 18";
const QUESTION: &str = "M8.2 8.4a3.9 3.9 0 1 1 5.6 3.5c-1.2.6-1.8 1.4-1.8 2.8M12 19.2v.1";
/// A response to a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum BrowserResponse {
    /// The authorization code was received.
    Received,
    /// The authorization server reported an error.
    Denied {
        error: String,
        description: Option<String>,
    },
    /// The response came from another authorization server.
    IssuerMismatch,
    /// The response belongs to another login, or to none.
    StateMismatch,
    /// No authorization response; the text says why.
    Invalid(&'static str),
    /// A response was received before.
    AlreadyReceived,
    NotFound,
    WrongMethod,
    WrongHost,
    NotHttp,
    TooLarge,
}

/// What a page reports, which sets its color and icon.
enum Outcome {
    Success,
    Error,
    Warning,
}

impl BrowserResponse {
    /// The HTTP response; the connection is closed after it.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let html = self.html();
        let (kind, body) = match &html {
            Some(html) => ("text/html", html.as_str()),
            None => (
                "text/plain",
                "oneup waits for the redirect of a login here; this request is something else.\n",
            ),
        };
        let style = STANDARD.encode(digest::digest(&digest::SHA256, STYLE.as_bytes()));
        format!(
            "HTTP/1.1 {}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\n\
             Content-Security-Policy: default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; \
             form-action 'none'; frame-ancestors 'none'\r\n\
             Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n\
             {}Connection: close\r\n\r\n{body}",
            self.status(),
            body.len(),
            if *self == Self::WrongMethod { "Allow: GET\r\n" } else { "" },
        )
        .into_bytes()
    }

    fn status(&self) -> &'static str {
        match self {
            Self::Received | Self::Denied { .. } => "200 OK",
            Self::IssuerMismatch
            | Self::StateMismatch
            | Self::Invalid(_)
            | Self::NotHttp
            | Self::WrongHost => "400 Bad Request",
            Self::NotFound => "404 Not Found",
            Self::WrongMethod => "405 Method Not Allowed",
            Self::AlreadyReceived => "409 Conflict",
            Self::TooLarge => "431 Request Header Fields Too Large",
        }
    }

    /// The page, or `None` where no user reads it.
    fn html(&self) -> Option<String> {
        let waiting = "<p>oneup is still waiting. <strong>You can close this tab</strong> and open the URL that your \
                       terminal shows.</p>";
        Some(match self {
            Self::Received => page(
                &Outcome::Success,
                "Access granted",
                "<p>oneup continues in your terminal.</p>\
                 <p><strong>You can close this tab.</strong></p>",
            ),
            Self::Denied { error, description } => page(
                &Outcome::Error,
                if error == "access_denied" { "Access was not granted" } else { "Login failed" },
                &format!(
                    "<p>oneup has no access to any data. Your terminal shows how to try again.</p>\
                     <p><strong>You can close this tab.</strong></p>{}",
                    details(error, description.as_deref())
                ),
            ),
            Self::IssuerMismatch => page(
                &Outcome::Error,
                "This response came from another server",
                "<p>oneup has ignored it and stopped this login. Your terminal shows the details.</p>\
                 <p><strong>You can close this tab.</strong></p>",
            ),
            Self::StateMismatch => page(
                &Outcome::Warning,
                "This belongs to another login",
                &format!("<p>It may come from an older tab, or the page was opened twice.</p>{waiting}"),
            ),
            Self::Invalid(reason) => page(
                &Outcome::Warning,
                "This URL is not the end of a login",
                &format!("<p>oneup can’t use it: {}.</p>{waiting}", escaped(reason)),
            ),
            Self::AlreadyReceived => page(
                &Outcome::Success,
                "This login is already finished",
                "<p>Your terminal shows the result.</p>\
                 <p><strong>You can close this tab.</strong></p>",
            ),
            Self::NotFound | Self::WrongMethod | Self::WrongHost | Self::NotHttp | Self::TooLarge => {
                return None;
            }
        })
    }
}

fn page(outcome: &Outcome, title: &str, text: &str) -> String {
    let (class, icon) = match outcome {
        Outcome::Success => ("done", TICK),
        Outcome::Error => ("stop", CROSS),
        Outcome::Warning => ("lost", QUESTION),
    };
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
    let text = sanitize(text, MAX_SNIPPET_LEN);
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(c),
        }
    }
    safe
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
            BrowserResponse::NotFound,
            BrowserResponse::WrongMethod,
            BrowserResponse::TooLarge,
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
            assert_eq!(head.contains("Allow: GET"), page == BrowserResponse::WrongMethod);
        }
    }
}
