//! Decodes a token without verifying it: a JSON Web Token (RFC 7519), an encrypted one, or opaque.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::members::Members;
use super::secret::Secret;

/// The longest token that is decoded, in bytes: no server accepts a longer header.
const MAX_TOKEN_LEN: usize = 64 * 1024;

/// How far in the future `nbf` and `iat` may be, in seconds, for clocks that differ (RFC 7519 §4.1.5).
const CLOCK_LEEWAY: i64 = 60;

/// The kind of a token.
#[derive(Debug)]
pub enum TokenKind {
    /// A signed JWT: three valid parts.
    Jwt(Box<Jwt>),
    /// An encrypted JWT: five parts (RFC 7516). The header is all that can be read.
    Jwe(Map<String, Value>),
    /// Anything else.
    Opaque {
        /// Why it is not a JWT, if it looks like one.
        parse_error: Option<String>,
    },
}

/// A decoded JWS in compact serialization (RFC 7515 §7.1), not verified.
#[derive(Debug)]
pub struct Jwt {
    /// The JOSE header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
    /// The names of claims that appear more than once (RFC 7519 §4). `claims` has the last of each.
    pub repeated_claims: Vec<String>,
    /// The signed bytes as received: `HEADER.CLAIMS`.
    pub signing_input: String,
    /// The signature in base64url. Without it, the rest is not a credential.
    pub signature: Secret,
}

/// A claim that should be a NumericDate (RFC 7519 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Date {
    /// The claim is absent.
    Absent,
    /// Seconds since the epoch, truncated.
    At(i64),
    /// The claim is not a number.
    Invalid,
}

/// What a token's dates say about it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Neither expired nor issued in the future.
    Valid,
    /// `exp` has passed.
    Expired,
    /// `nbf` or `iat` is in the future by more than the leeway.
    NotYetValid,
    /// There is no expiry.
    NoExpiry,
    /// A date is not a number; servers reject the token.
    InvalidDate,
}

/// Decodes a token. What is not a JWT is opaque.
pub fn decode(token: &str) -> TokenKind {
    let kind = match token.splitn(6, '.').collect::<Vec<_>>().as_slice() {
        [_, _, _] if token.len() > MAX_TOKEN_LEN => Err(format!("it is longer than {MAX_TOKEN_LEN} bytes")),
        [header, claims, signature] => {
            jwt(header, claims, signature).map(|jwt| TokenKind::Jwt(Box::new(jwt)))
        }
        [header, _, _, _, _] if token.len() <= MAX_TOKEN_LEN => object("header", header).map(TokenKind::Jwe),
        [first, _, ..] if first.starts_with("ey") => {
            Err(format!("it has {} parts; a JWT has 3", token.split('.').count()))
        }
        _ => Ok(TokenKind::Opaque { parse_error: None }),
    };
    kind.unwrap_or_else(|error| TokenKind::Opaque { parse_error: Some(error) })
}

fn jwt(header: &str, claims: &str, signature: &str) -> Result<Jwt, String> {
    let claims_set = members("claims set", claims)?;
    let jwt = Jwt {
        header: object("header", header)?,
        claims: claims_set.all,
        repeated_claims: claims_set.repeated,
        signing_input: format!("{header}.{claims}"),
        signature: Secret::new(signature),
    };
    bytes("signature", signature)?;
    Ok(jwt)
}

/// Decodes base64url without padding (RFC 7515 §2), strictly: no `=`, no whitespace, no extra bits at the end.
fn bytes(part: &str, text: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| format!("its {part} is not base64url"))
}

fn object(part: &str, text: &str) -> Result<Map<String, Value>, String> {
    Ok(members(part, text)?.all)
}

fn members(part: &str, text: &str) -> Result<Members, String> {
    serde_json::from_slice(&bytes(part, text)?).map_err(|_| format!("its {part} is not a JSON object"))
}

impl Jwt {
    /// The value of a claim that is a string.
    pub fn claim(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    /// The value of a header member that is a string.
    pub fn header_str(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// The values of a claim that is a string or a list of strings, such as `aud` (RFC 7519 §4.1.3).
    pub fn claim_list(&self, claim: &str) -> Vec<&str> {
        match self.claims.get(claim) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// The value of a date claim.
    pub fn date(&self, claim: &str) -> Date {
        match self.claims.get(claim) {
            None => Date::Absent,
            // A float cast saturates: 1e300 is far in the future, not a panic.
            #[allow(clippy::cast_possible_truncation)]
            Some(Value::Number(number)) => match number.as_i64() {
                Some(at) => Date::At(at),
                None => number.as_f64().map_or(Date::Invalid, |at| Date::At(at as i64)),
            },
            Some(_) => Date::Invalid,
        }
    }

    /// The granted scope: `scope`, a string (RFC 9068), or `scp`, a list on some servers.
    pub fn scope(&self) -> Option<String> {
        let claim = ["scope", "scp"].into_iter().find(|claim| self.claims.contains_key(*claim))?;
        Some(self.claim_list(claim).join(" "))
    }

    /// Returns what the dates say at `now` (seconds since the epoch). The leeway applies to dates in the future only, as
    /// a server enforces `exp` exactly.
    pub fn validity(&self, now: i64) -> Validity {
        let dates = ["exp", "nbf", "iat"].map(|claim| self.date(claim));
        if dates.contains(&Date::Invalid) {
            return Validity::InvalidDate;
        }
        let future = |date| matches!(date, Date::At(at) if at > now.saturating_add(CLOCK_LEEWAY));
        match dates {
            [Date::At(exp), ..] if exp <= now => Validity::Expired,
            [_, nbf, iat] if future(nbf) || future(iat) => Validity::NotYetValid,
            [Date::At(_), ..] => Validity::Valid,
            _ => Validity::NoExpiry,
        }
    }
}

#[cfg(test)]
mod tests;
