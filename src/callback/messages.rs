//! What the person reads while we wait, and how each end of the wait is told.

use std::time::Duration;

use url::Url;

use crate::error::{Error, Result};
use crate::oauth::authorize::AuthorizationResponse;
use crate::oauth::secret::Secret;
use crate::text::sanitize;

/// The longest text of a server's that an error shows, in characters.
const LONGEST: usize = 300;

pub(super) const WRONG_STATE: &str = "That address belongs to another login, or it is cut off: its `state` is not \
                                      the one of the URL above.\nCopy the whole address, and paste it again.";

/// A paste that is no answer.
pub(super) fn unusable(reason: &str) -> String {
    format!(
        "That can't be used: {reason}.\nCopy the whole address that the browser ended on, and paste it again."
    )
}

/// The URL, and what to do with it. `listening` is what must be registered for the browser to
/// come back by itself, where it can.
pub(super) fn introduction(url: &Url, opens: bool, listening: Option<&str>, paste: bool) -> String {
    let first = if opens {
        "Your browser opens to log in. If it doesn't, open this address in any browser:"
    } else {
        "Open this address in a browser to log in:"
    };
    let mut text = format!("{first}\n\n  \x1b[1m{url}\x1b[0m\n\n");
    text += match (listening, paste) {
        (Some(_), true) => {
            "oneup goes on by itself when the browser comes back. If it can't (SSH, a phone,\n\
             another computer), paste here the address that it ended on, even if that page\n\
             shows an error.\n"
        }
        (Some(_), false) => "oneup goes on by itself when the browser comes back.\n",
        (None, _) => {
            "After the login, paste here the address that the browser ended on, even if that\n\
             page shows an error; the code alone does as well.\n"
        }
    };
    if let Some(registration) = listening {
        text += &format!(
            "An error page about the redirect URI never comes back: then register\n\
             {registration}\nfor this client, and log in again.\n"
        );
    }
    text
}

/// The spinner's line; short enough for a narrow terminal.
pub(super) fn waiting(left: Duration) -> String {
    // Rounded up, so that the first thing shown is the whole limit.
    let seconds = left.as_millis().div_ceil(1000);
    format!("Waiting for the login, {}:{:02} left ", seconds / 60, seconds % 60)
}

/// The code of an answer, or why there is none.
///
/// # Errors
/// Authentication: refused, or another login's. Protocol: another issuer's. Usage: no answer at all.
pub fn settle(reply: AuthorizationResponse) -> Result<Secret> {
    match reply {
        AuthorizationResponse::Code(code) => Ok(code),
        AuthorizationResponse::Error { error, description } => {
            let refusal = Error::auth(format!("the login was refused: {}", sanitize(&error, LONGEST)));
            let refusal = match description {
                Some(text) => refusal.with_detail(sanitize(&text, LONGEST)),
                None => refusal,
            };
            Err(refusal.with_hint(advice(&error)))
        }
        AuthorizationResponse::IssuerMismatch(issuer) => {
            Err(Error::protocol("the answer came from another server than the one asked (RFC 9207)")
                .with_detail(format!("it says it is from {}", sanitize(&issuer, LONGEST)))
                .with_hint("log in again; if it stays so, check --gateway and --realm"))
        }
        AuthorizationResponse::StateMismatch => {
            Err(Error::auth("the answer belongs to another login").with_hint("log in again"))
        }
        AuthorizationResponse::Invalid(reason) => {
            Err(Error::usage(format!("that is not the answer of a login: {reason}"))
                .with_hint("copy the whole address that the browser ended on, or the code alone"))
        }
    }
}

/// What to do about an error code of RFC 6749 §4.1.2.1.
fn advice(error: &str) -> &'static str {
    match error {
        "access_denied" => "log in again, and allow the access that the page asks for",
        "invalid_scope" => "ask for less with --scope; the Dev Portal shows what the client may have",
        "unauthorized_client" | "invalid_client" => {
            "1up must first sync a new client to a health plan: ask their support, and check --client-id"
        }
        "unsupported_response_type" => {
            "check --authorize-url: this server grants no authorization code there"
        }
        "server_error" | "temporarily_unavailable" => "that is the server's trouble: log in again later",
        _ => "check --client-id, --redirect-uri, --scope and --plan, and log in again",
    }
}

/// The limit is over.
pub(super) fn gave_up(limit: Duration, redirect_uri: &str, listened: bool) -> Error {
    let seconds = limit.as_secs();
    let span = match (seconds / 60, seconds % 60) {
        (1, 0) => "1 minute".to_owned(),
        (minutes, 0) => format!("{minutes} minutes"),
        _ => format!("{seconds} s"),
    };
    let error = Error::auth(format!("nobody logged in within {span}"));
    if listened {
        error.with_hint(format!(
            "log in again; where the browser showed an error page, register {redirect_uri} exactly so, or log in \
             with --no-listen and paste the address"
        ))
    } else {
        error.with_hint("log in again, and paste the address that the browser ends on")
    }
}

/// Neither a listener nor a person.
pub(super) fn no_way() -> Error {
    Error::usage("no code can arrive: nothing listens for the browser, and nobody is there to paste")
        .with_hint("use a loopback --redirect-uri without --no-listen, or give the code with --code -")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_left_is_rounded_up() {
        for (millis, shown) in
            [(300_000, "5:00"), (299_001, "5:00"), (61_000, "1:01"), (1, "0:01"), (0, "0:00")]
        {
            assert_eq!(
                waiting(Duration::from_millis(millis)),
                format!("Waiting for the login, {shown} left ")
            );
        }
    }

    #[test]
    fn a_refusal_is_authentication_and_escaped() {
        let denied = AuthorizationResponse::Error {
            error: "access_denied".into(),
            description: Some("no\x1b[2J".into()),
        };
        let error = settle(denied).expect_err("refused");
        assert_eq!(error.kind().exit().code(), 4);
        assert!(error.to_string().contains("no\\u{1b}[2J") && error.to_string().contains("allow the access"));
    }

    #[test]
    fn a_mix_up_is_protocol() {
        assert_eq!(
            settle(AuthorizationResponse::IssuerMismatch("x".into()))
                .expect_err("refused")
                .kind()
                .exit()
                .code(),
            3
        );
    }

    #[test]
    fn the_introduction_fits_the_ways_that_are_open() {
        let url = Url::parse("https://auth.example/a?b").expect("a URL");
        let uri = Some("exactly http://localhost:8484/callback");
        for (opens, listening, paste) in
            [(true, uri, true), (false, uri, false), (false, None, true), (true, None, true)]
        {
            let text = introduction(&url, opens, listening, paste);
            assert!(text.contains(url.as_str()));
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
            assert_eq!(text.contains("Your browser opens"), opens);
            assert_eq!(text.contains("paste here"), paste);
            assert_eq!(text.contains("\nexactly http://localhost:8484/callback\n"), listening.is_some());
        }
    }
}
