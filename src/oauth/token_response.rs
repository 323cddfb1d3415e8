//! Parses the response of a token endpoint (RFC 6749 §5).

use serde_json::{Map, Value};

use super::jwt::{self, Date, TokenKind};
use super::members::Members;
use super::secret::Secret;
use super::token::{Lifetime, Token};

/// The longest lifetime, in seconds: a century. A longer one is reduced to it.
const MAX_LIFETIME: u64 = 3_155_760_000;

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
    let is_success = (200..=299).contains(&status);
    // Some servers send `"error": null` or `""` beside a token.
    if !is_success || non_empty(&members, "error").is_some() {
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
    let expires_in =
        members.get("expires_in").and_then(parse_expires_in).or_else(|| jwt_lifetime(&access_token, now));
    let refresh_expires_in = members.get("refresh_expires_in").and_then(parse_expires_in);
    let refresh_token = take_text(&mut members, "refresh_token").map(Secret::new);
    let scope = members.remove("scope").map_or(Ok(None), parse_scope)?;
    members.retain(|name, value| LAUNCH_CONTEXT.contains(&name.as_str()) && !value.is_null());
    Ok(Token {
        access_token: Secret::new(access_token),
        scope,
        refresh_issued_at: refresh_token.as_ref().map(|_| now),
        refresh_expires_in: refresh_expires_in.filter(|_| refresh_token.is_some()),
        refresh_token,
        lifetime: Lifetime { issued_at: now, expires_in },
        launch_context: members,
    })
}

fn denied(status: u16, members: &Map<String, Value>) -> TokenError {
    match non_empty(members, "error") {
        Some(error) => TokenError::Denied {
            status,
            error: error.to_owned(),
            description: non_empty(members, "error_description").map(str::to_owned),
        },
        None => TokenError::Blocked { status },
    }
}

fn non_empty<'a>(members: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    members.get(name).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Parses `scope`: a string, or a list of strings as some servers send it. An empty scope grants nothing; an absent one
/// (`None`) what was requested (RFC 6749 §5.1).
fn parse_scope(scope: Value) -> Result<Option<String>, TokenError> {
    let invalid = || TokenError::Invalid("scope is not a string".into());
    match scope {
        Value::Null => Ok(None),
        Value::String(scope) => Ok(Some(scope)),
        Value::Array(tokens) => {
            let tokens: Option<Vec<&str>> = tokens.iter().map(Value::as_str).collect();
            tokens.map(|tokens| Some(tokens.join(" "))).ok_or_else(invalid)
        }
        _ => Err(invalid()),
    }
}

/// The lifetime that a JWT states: from `iat`, if present, so that the server's clock need not agree with this one.
fn jwt_lifetime(token: &str, now: i64) -> Option<u64> {
    let TokenKind::Jwt(jwt) = jwt::decode(token) else { return None };
    let Date::At(expires_at) = jwt.date("exp") else { return None };
    let issued_at = match jwt.date("iat") {
        Date::At(issued_at) => issued_at,
        Date::Absent | Date::Invalid => now,
    };
    let seconds = u64::try_from(expires_at.saturating_sub(issued_at)).unwrap_or(0);
    Some(seconds.min(MAX_LIFETIME))
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

/// Returns whether the text is a `b64token` (RFC 6750 §2.1). Other characters could end the header line, or become code
/// in a shell or a command of a CI system.
pub fn is_bearer_token(text: &str) -> bool {
    let token = text.trim_end_matches('=');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/".contains(&byte);
    !token.is_empty() && token.bytes().all(allowed)
}

/// Parses `expires_in`, in seconds: a number or a string of one, truncated, from 0 to a century; `None` when unusable.
pub fn parse_expires_in(value: &Value) -> Option<u64> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    // A float cast saturates.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    seconds.is_finite().then(|| (seconds as u64).min(MAX_LIFETIME))
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
        assert_eq!(token.lifetime, Lifetime { issued_at: 1_000, expires_in: Some(60) });
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
            ("9223372036854775808", Some(MAX_LIFETIME)),
            ("1e308", Some(MAX_LIFETIME)),
            ("\"inf\"", None),
            ("null", None),
            ("\"soon\"", None),
            ("[60]", None),
        ] {
            let body = format!(r#"{{"access_token":"t","token_type":"Bearer","expires_in":{expires_in}}}"#);
            assert_eq!(ok(&body).lifetime.expires_in, expected, "{expires_in}");
        }
        assert!(matches!(
            parse_response(200, br#"{"access_token":"t","token_type":"Bearer","expires_in":1e309}"#, 0),
            Ok(Token { lifetime: Lifetime { expires_in: None, .. }, .. }) | Err(TokenError::Invalid(_))
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
            r#"{"access_token":"$(id)","token_type":"Bearer"}"#,
            r#"{"access_token":"a'b","token_type":"Bearer"}"#,
            r#"{"access_token":"a%0Ab","token_type":"Bearer"}"#,
            r#"{"access_token":"a=b","token_type":"Bearer"}"#,
            r#"{"access_token":"==","token_type":"Bearer"}"#,
            r#"{"access_token":"t","token_type":"Bearer","scope":5}"#,
            r#"{"access_token":"t","token_type":"Bearer","scope":["a",1]}"#,
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

    #[test]
    fn empty_error_beside_a_token_is_no_error() {
        for error in ["null", "\"\"", "false", "[]"] {
            ok(&format!(r#"{{"access_token":"t","token_type":"Bearer","error":{error}}}"#));
        }
        let body = br#"{"access_token":"t","token_type":"Bearer","error":"no"}"#;
        assert!(matches!(parse_response(200, body, 0), Err(TokenError::Denied { .. })));
        assert_eq!(parse_response(400, br#"{"error":null}"#, 0), Err(TokenError::Blocked { status: 400 }));
    }

    #[test]
    fn scope_may_be_a_list() {
        let scope = |scope: &str| {
            ok(&format!(r#"{{"access_token":"t","token_type":"Bearer","scope":{scope}}}"#)).scope
        };
        assert_eq!(scope(r#"["openid","user/*.rs"]"#).as_deref(), Some("openid user/*.rs"));
        assert_eq!(scope("[]").as_deref(), Some(""));
        assert_eq!(scope(r#""""#).as_deref(), Some(""));
        assert_eq!(scope("null"), None);
    }

    #[test]
    fn jwt_states_the_lifetime_without_expires_in() {
        use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
        let token = |claims: &str, more: &str| {
            let claims = URL_SAFE_NO_PAD.encode(claims);
            ok(&format!(r#"{{"access_token":"e30.{claims}.c2ln","token_type":"Bearer"{more}}}"#))
                .lifetime
                .expires_in
        };
        assert_eq!(token(r#"{"exp":8200}"#, ""), Some(7_200));
        assert_eq!(token(r#"{"exp":90060,"iat":90000}"#, ""), Some(60), "the server's clock is ahead");
        assert_eq!(token(r#"{"exp":8200}"#, r#","expires_in":60"#), Some(60));
        assert_eq!(token(r#"{"exp":8200}"#, r#","expires_in":"soon""#), Some(7_200));
        assert_eq!(token(r#"{"exp":999}"#, ""), Some(0));
        assert_eq!(token(r#"{"exp":1e300}"#, ""), Some(MAX_LIFETIME));
        assert_eq!(token(r#"{"exp":"x"}"#, ""), None);
        assert_eq!(token("{}", ""), None);
    }
}
