//! The messages of a login in the browser, and the error or code that a response stands for.

use std::time::Duration;

use anstyle::{Reset, Style};
use url::Url;

use crate::error::{Error, Result};
use crate::oauth::authorize::AuthorizationResponse;
use crate::oauth::secret::Secret;
use crate::output::duration;
use crate::text::{MAX_SNIPPET_LEN, sanitize};

pub(super) const STATE_MISMATCH: &str = "This URL belongs to another login, or it is incomplete: its `state` differs \
                                         from the one above.\nCopy the whole URL and paste it again.";

/// The authorization URL and what to do with it. `registration` is the redirect URI to register, where oneup listens.
pub(super) fn introduction(url: &Url, opens: bool, registration: Option<&str>, paste: bool) -> String {
    let first = if opens {
        "Opening your browser to log in. If it doesn't open, go to this URL:"
    } else {
        "Open this URL in a browser to log in:"
    };
    let mut text = format!("{first}\n\n  {}{url}{Reset}\n\n", Style::new().bold());
    text += match (registration, paste) {
        (Some(_), true) => {
            "oneup continues automatically once you log in. If the browser can't reach oneup\n\
             (SSH, a phone, another computer), paste the URL at which it ended here, even if\n\
             that page shows an error.\n"
        }
        (Some(_), false) => "oneup continues automatically once you log in.\n",
        (None, _) => {
            "After the login, paste the URL at which the browser ended here, even if that\n\
             page shows an error; the code alone works too.\n"
        }
    };
    if let Some(registration) = registration {
        text += &format!(
            "If the login page rejects the redirect URI, register\n{registration}\nfor this client and log in again.\n"
        );
    }
    text
}

/// Returns the code of a response.
///
/// # Errors
/// Authentication: rejected, or another login's. Protocol: another issuer's. Usage: no authorization response.
pub fn into_code(response: AuthorizationResponse) -> Result<Secret> {
    match response {
        AuthorizationResponse::Code(code) => Ok(code),
        AuthorizationResponse::Error { error, description } => {
            let rejection = Error::auth(format!("login failed: {}", sanitize(&error, MAX_SNIPPET_LEN)));
            let rejection = match description {
                Some(text) => rejection.with_detail(sanitize(&text, MAX_SNIPPET_LEN)),
                None => rejection,
            };
            Err(rejection.with_hint(hint(&error)))
        }
        AuthorizationResponse::IssuerMismatch(issuer) => {
            Err(Error::protocol("the response came from another server (RFC 9207)")
                .with_detail(format!("issuer: {}", sanitize(&issuer, MAX_SNIPPET_LEN)))
                .with_hint("log in again; if it happens again, check --gateway and --realm"))
        }
        AuthorizationResponse::StateMismatch => {
            Err(Error::auth("the response belongs to another login").with_hint("log in again"))
        }
        AuthorizationResponse::Invalid(reason) => {
            Err(Error::usage(format!("not an authorization response: {reason}"))
                .with_hint("copy the whole URL at which the browser ended, or the code alone"))
        }
    }
}

/// What to do about an error code of RFC 6749 §4.1.2.1.
fn hint(error: &str) -> &'static str {
    match error {
        "access_denied" => "log in again and allow the access that the page requests",
        "invalid_scope" => "request less with --scope; the Dev Portal shows the client's scopes",
        "unauthorized_client" | "invalid_client" => {
            "check --client-id; 1up must first sync a new client to the plan: write to \
             payer-patient-access@1up.health with company, description and client ID"
        }
        "unsupported_response_type" => "check --authorize-url: this server grants no authorization codes",
        "server_error" | "temporarily_unavailable" => "server error; try again later",
        _ => "check --client-id, --redirect-uri, --scope and --plan, then log in again",
    }
}

/// The user did not log in in time.
pub(super) fn timed_out(timeout: Duration, redirect_uri: &str, listens: bool) -> Error {
    let error = Error::auth(format!("timed out after {} waiting for the login", duration(timeout.as_secs())));
    if listens {
        error.with_hint(format!(
            "log in again; if the browser showed an error page, register exactly {redirect_uri}, or log in with \
             --no-listen and paste the URL"
        ))
    } else {
        error.with_hint("log in again and paste the URL at which the browser ends")
    }
}

/// There is neither a listener nor a user who could paste.
pub(super) fn no_way() -> Error {
    Error::usage("no way to receive the authorization code")
        .with_hint("use a loopback --redirect-uri without --no-listen, or pass the code with --code -")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn rejection_is_an_authentication_error_and_sanitized() {
        let denied = AuthorizationResponse::Error {
            error: "access_denied".into(),
            description: Some("no\x1b[2J".into()),
        };
        let error = into_code(denied).expect_err("rejected");
        assert_eq!(error.kind(), ErrorKind::Auth);
        assert!(error.to_string().contains("no\\u{1b}[2J") && error.to_string().contains("allow the access"));
    }

    #[test]
    fn issuer_mismatch_is_a_protocol_error() {
        let error = into_code(AuthorizationResponse::IssuerMismatch("x".into())).expect_err("rejected");
        assert_eq!(error.kind(), ErrorKind::Protocol);
    }

    #[test]
    fn introduction_matches_the_callback_options() {
        let url = Url::parse("https://auth.example/a?b").expect("a URL");
        let uri = Some("exactly http://localhost:8484/callback");
        for (opens, registration, paste) in
            [(true, uri, true), (false, uri, false), (false, None, true), (true, None, true)]
        {
            let text = introduction(&url, opens, registration, paste);
            assert!(text.contains(url.as_str()));
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
            assert_eq!(text.contains("Opening your browser"), opens);
            assert_eq!(text.contains(" paste the URL"), paste);
            assert_eq!(text.contains("\nexactly http://localhost:8484/callback\n"), registration.is_some());
        }
    }
}
