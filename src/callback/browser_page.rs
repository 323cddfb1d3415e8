//! What the browser shows when it comes back: one self-contained page that says what happened and what is next.
//!
//! Its address holds a code, so nothing may be loaded, run, framed, kept or referred from it; and all of its text
//! that came from elsewhere is escaped.

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::text::sanitize;

const STYLE: &str = include_str!("browser_page.css");
const TICK: &str = "M4.5 12.8l5 5L19.5 7";
const CROSS: &str = "M6 6l12 12M18 6L6 18";
const QUESTION: &str = "M8.2 8.4a3.9 3.9 0 1 1 5.6 3.5c-1.2.6-1.8 1.4-1.8 2.8M12 19.2v.1";
/// The longest text of a server's that a page shows, in characters.
const LONGEST: usize = 300;

/// An answer to a connection.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// The code is here.
    Received,
    /// The server says no.
    Denied {
        error: String,
        description: Option<String>,
    },
    /// The answer of another server.
    WrongIssuer,
    /// The answer to another login, or to none.
    WrongState,
    /// Not an answer; why.
    Unusable(&'static str),
    /// The answer has been here before.
    AlreadyAnswered,
    NotFound,
    WrongMethod,
    WrongHost,
    NotHttp,
    TooLarge,
}

/// The look of a page.
enum Tone {
    Done,
    Stop,
    Lost,
}

impl Page {
    /// The whole HTTP response; the connection closes after it.
    pub(crate) fn response(&self) -> Vec<u8> {
        let html = self.html();
        let (kind, body) = match &html {
            Some(html) => ("text/html", html.as_str()),
            None => ("text/plain", "oneup waits here for the redirect of a login; this is not it.\n"),
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
            Self::WrongIssuer | Self::WrongState | Self::Unusable(_) | Self::NotHttp | Self::WrongHost => {
                "400 Bad Request"
            }
            Self::NotFound => "404 Not Found",
            Self::WrongMethod => "405 Method Not Allowed",
            Self::AlreadyAnswered => "409 Conflict",
            Self::TooLarge => "431 Request Header Fields Too Large",
        }
    }

    /// The page, where a person may be looking.
    fn html(&self) -> Option<String> {
        let waiting = "<p>oneup is still waiting for the right one. <strong>You can close this tab</strong> and \
                       use the address that your terminal shows.</p>";
        Some(match self {
            Self::Received => page(
                &Tone::Done,
                "Access granted",
                "<p>oneup has its answer, fetches the token, and finishes in your terminal.</p>\
                 <p><strong>You can close this tab.</strong></p>",
            ),
            Self::Denied { error, description } => page(
                &Tone::Stop,
                if error == "access_denied" { "Access was not granted" } else { "The login did not work" },
                &format!(
                    "<p>oneup has received no access to any data. Your terminal says how to try again.</p>\
                     <p><strong>You can close this tab.</strong></p>{}",
                    details(error, description.as_deref())
                ),
            ),
            Self::WrongIssuer => page(
                &Tone::Stop,
                "This answer came from another server",
                "<p>oneup has not used it, and has stopped this login. Your terminal says more.</p>\
                 <p><strong>You can close this tab.</strong></p>",
            ),
            Self::WrongState => page(
                &Tone::Lost,
                "This belongs to another login",
                &format!("<p>Perhaps an older tab was finished, or the page was opened twice.</p>{waiting}"),
            ),
            Self::Unusable(reason) => page(
                &Tone::Lost,
                "There is no login in this address",
                &format!("<p>oneup can’t use it: {}.</p>{waiting}", escaped(reason)),
            ),
            Self::AlreadyAnswered => page(
                &Tone::Done,
                "This login is already finished",
                "<p>oneup has had its answer and needs no other; your terminal says how it went.</p>\
                 <p><strong>You can close this tab.</strong></p>",
            ),
            Self::NotFound | Self::WrongMethod | Self::WrongHost | Self::NotHttp | Self::TooLarge => {
                return None;
            }
        })
    }
}

fn page(tone: &Tone, title: &str, text: &str) -> String {
    let (class, icon) = match tone {
        Tone::Done => ("done", TICK),
        Tone::Stop => ("stop", CROSS),
        Tone::Lost => ("lost", QUESTION),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\" class=\"{class}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title} · oneup</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <main>\n<svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><path d=\"{icon}\"/></svg>\n\
         <h1>{title}</h1>\n{text}\n</main>\n\
         <footer><b>oneup</b> · shown by the program in your terminal, on this computer</footer>\n\
         </body>\n</html>\n"
    )
}

/// What the server said, as it said it.
fn details(error: &str, description: Option<&str>) -> String {
    let row = |name: &str, value: &str| format!("<dt>{name}</dt><dd>{}</dd>", escaped(value));
    let description = description.map(|text| row("The server’s explanation", text)).unwrap_or_default();
    format!("<dl>{}{description}</dl>", row("The server’s answer", error))
}

fn escaped(text: &str) -> String {
    let text = sanitize(text, LONGEST);
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
        let page = Page::Denied { error: error.into(), description: Some(error.into()) };
        String::from_utf8(page.response()).expect("UTF-8")
    }

    #[test]
    fn markup_is_shown_not_run() {
        let response = denied("<script>alert('1')</script>\u{202e}&\"\r\nSet-Cookie: a=b");
        assert!(response.contains("&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;\\u{202e}&amp;&quot; Set"));
        assert!(!response.contains("<script") && !response.contains("\nSet-Cookie"));
        assert!(denied(&"x".repeat(100_000)).len() < 8_000);
    }

    #[test]
    fn every_page_is_locked_down_and_measured() {
        for page in [Page::Received, Page::WrongState, Page::NotFound, Page::WrongMethod, Page::TooLarge] {
            let response = String::from_utf8(page.response()).expect("UTF-8");
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
            assert_eq!(head.contains("Allow: GET"), page == Page::WrongMethod);
        }
    }
}
