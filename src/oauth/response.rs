//! Parses the response of a token endpoint (RFC 6749 §5).

use serde_json::{Map, Value};

use super::members::Members;
use super::secret::Secret;
use super::token::Token;

/// Why a response has no token.
#[derive(Debug, PartialEq)]
pub enum TokenError {
    /// An OAuth error response (RFC 6749 §5.2).
    Denied {
        /// The HTTP status.
        status: u16,
        /// `error`.
        error: String,
        /// `error_description`; untrusted.
        description: Option<String>,
    },
    /// An HTTP error that is not an OAuth error response, such as a firewall's.
    Blocked {
        /// The HTTP status.
        status: u16,
    },
    /// Not a valid OAuth response; the text says why.
    Invalid(String),
}

/// The response members that are SMART launch context (App Launch 2.2, "Launch context arrives with your
/// access_token"; `location` and `fhirUser` are from older versions). It is displayed and stored in the clear, so other
/// members, which may be secrets, are dropped.
pub const LAUNCH_CONTEXT: [&str; 9] = [
    "encounter",
    "fhirContext",
    "fhirUser",
    "intent",
    "location",
    "need_patient_banner",
    "patient",
    "smart_style_url",
    "tenant",
];

/// Parses the response of a token endpoint, which arrived at `now` (seconds since the epoch).
///
/// # Errors
/// See [`TokenError`].
pub fn parse_response(status: u16, body: &[u8], now: i64) -> Result<Token, TokenError> {
    let Ok(Members { all: mut members, repeated }) = serde_json::from_slice(body) else {
        return Err(match status {
            400..=499 => TokenError::Blocked { status },
            _ => TokenError::Invalid("the body is not a JSON object".into()),
        });
    };
    if members.contains_key("error") || !(200..=299).contains(&status) {
        return Err(denied(status, &members));
    }
    // RFC 6749 §3.2. Parsers differ in which one they take.
    if let Some(name) = repeated.first() {
        return Err(TokenError::Invalid(format!("{name} appears more than once")));
    }
    require_bearer(&members)?;
    let access_token = take_text(&mut members, "access_token")
        .ok_or_else(|| TokenError::Invalid("access_token is missing, empty or not a string".into()))?;
    if !is_bearer_token(&access_token) {
        return Err(TokenError::Invalid("access_token has invalid characters".into()));
    }
    let expires_in = members.get("expires_in").and_then(parse_expires_in);
    let refresh_token = take_text(&mut members, "refresh_token").map(Secret::new);
    // An empty scope grants nothing; an absent one, what was requested (RFC 6749 §5.1).
    let scope = members.remove("scope").and_then(|scope| scope.as_str().map(str::to_owned));
    members.retain(|name, value| LAUNCH_CONTEXT.contains(&name.as_str()) && !value.is_null());
    Ok(Token {
        access_token: Secret::new(access_token),
        scope,
        refresh_token,
        issued_at: now,
        expires_in,
        launch_context: members,
    })
}

fn denied(status: u16, members: &Map<String, Value>) -> TokenError {
    let text = |name| members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    match text("error") {
        Some(error) => TokenError::Denied {
            status,
            error: error.to_owned(),
            description: text("error_description").map(str::to_owned),
        },
        None => TokenError::Blocked { status },
    }
}

/// A client must not use a token of an unknown type (RFC 6749 §7.1).
fn require_bearer(members: &Map<String, Value>) -> Result<(), TokenError> {
    match members.get("token_type").and_then(Value::as_str) {
        Some(kind) if kind.eq_ignore_ascii_case("bearer") => Ok(()),
        Some(kind) => Err(TokenError::Invalid(format!("token_type is {kind}, not Bearer"))),
        None => Err(TokenError::Invalid("token_type is missing".into())),
    }
}

fn take_text(members: &mut Map<String, Value>, name: &str) -> Option<String> {
    match members.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// Returns whether a token has only printable ASCII characters without the space (RFC 6749 appendix A.12). Anything else
/// could end the header line or a line of shell code.
pub fn is_bearer_token(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Parses `expires_in`, in seconds: a number or a string of one, truncated, at least 0; `None` when unusable.
pub fn parse_expires_in(value: &Value) -> Option<u64> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    const A_CENTURY: f64 = 3_155_760_000.0;
    // The range is checked, so the cast only truncates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    (seconds.is_finite() && seconds <= A_CENTURY).then(|| seconds.max(0.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(body: &str) -> Token {
        parse_response(200, body.as_bytes(), 1_000).expect(body)
    }

    #[test]
    fn keycloak_response_becomes_a_token() {
        let token = ok(
            r#"{"access_token":"a.b.c","expires_in":60,"refresh_expires_in":0,"token_type":"Bearer","not-before-policy":0,"scope":"email profile"}"#,
        );
        assert_eq!(token.access_token.expose(), "a.b.c");
        assert_eq!((token.issued_at, token.expires_in), (1_000, Some(60)));
        assert_eq!(token.scope.as_deref(), Some("email profile"));
        assert!(token.refresh_token.is_none() && token.launch_context.is_empty());
    }

    #[test]
    fn launch_context_has_only_smart_members() {
        let token = ok(
            r#"{"access_token":"t","token_type":"bearer","patient":"p1","need_patient_banner":true,"refresh_token":"r",
                "device_secret":"s","id_token":"i","not-before-policy":0}"#,
        );
        assert_eq!(token.launch_context.len(), 2);
        assert_eq!(token.launch_context["patient"], "p1");
        assert_eq!(token.launch_context["need_patient_banner"], true);
        assert_eq!(token.refresh_token.as_ref().map(Secret::expose), Some("r"));
    }

    #[test]
    fn odd_expires_in_never_panics() {
        for (expires_in, expected) in [
            ("3600", Some(3600)),
            ("\"3600\"", Some(3600)),
            ("59.9", Some(59)),
            ("0", Some(0)),
            ("-5", Some(0)),
            ("9223372036854775808", None),
            ("1e308", None),
            ("null", None),
            ("\"soon\"", None),
            ("[60]", None),
        ] {
            let body = format!(r#"{{"access_token":"t","token_type":"Bearer","expires_in":{expires_in}}}"#);
            assert_eq!(ok(&body).expires_in, expected, "{expires_in}");
        }
        assert!(matches!(
            parse_response(200, br#"{"access_token":"t","token_type":"Bearer","expires_in":1e309}"#, 0),
            Ok(Token { expires_in: None, .. }) | Err(TokenError::Invalid(_))
        ));
    }

    #[test]
    fn invalid_responses_are_rejected() {
        for body in [
            "",
            "<html>",
            "[]",
            "{}",
            r#"{"token_type":"Bearer"}"#,
            r#"{"access_token":"","token_type":"Bearer"}"#,
            r#"{"access_token":null,"token_type":"Bearer"}"#,
            r#"{"access_token":42,"token_type":"Bearer"}"#,
            r#"{"access_token":"t"}"#,
            r#"{"access_token":"t","token_type":"mac"}"#,
            r#"{"access_token":"t","token_type":"DPoP"}"#,
            r#"{"access_token":"a\r\nX: y","token_type":"Bearer"}"#,
        ] {
            assert!(matches!(parse_response(200, body.as_bytes(), 0), Err(TokenError::Invalid(_))), "{body}");
        }
    }

    #[test]
    fn error_responses_are_classified_by_status_and_error() {
        let denied = |status, error: &str, description: Option<&str>| {
            Err(TokenError::Denied { status, error: error.into(), description: description.map(Into::into) })
        };
        let body = br#"{"error":"invalid_client","error_description":"no"}"#;
        assert_eq!(parse_response(401, body, 0), denied(401, "invalid_client", Some("no")));
        assert_eq!(parse_response(200, br#"{"error":"x"}"#, 0), denied(200, "x", None));
        assert_eq!(parse_response(403, b"<html>", 0), Err(TokenError::Blocked { status: 403 }));
        assert_eq!(parse_response(400, b"{}", 0), Err(TokenError::Blocked { status: 400 }));
    }
}
