//! A token taken apart without trusting it: JSON Web Token (RFC 7519), encrypted, or opaque.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Map, Value};

use super::secret::Secret;

/// More than this is not decoded, in bytes: no server takes a header of that size, and JSON costs memory.
const LARGEST: usize = 64 * 1024;

/// How far a clock may be off before `nbf` or `iat` in the future matters, in seconds (RFC 8725, RFC 7519 §4.1).
pub const LEEWAY: i64 = 60;

/// What a token is, by its form.
#[derive(Debug)]
pub enum Form {
    /// Three parts, each strictly what the standard says.
    Jwt(Box<Jwt>),
    /// Five parts (RFC 7516): only its audience can read it.
    Encrypted(Map<String, Value>),
    /// Anything else; only its issuer knows what it means.
    Opaque {
        /// Why it is no JWT, where it looks like one.
        flaw: Option<String>,
    },
}

/// A decoded JWS in compact form (RFC 7515 §7.1). Nothing in it is verified.
#[derive(Debug)]
pub struct Jwt {
    /// The JOSE header.
    pub header: Map<String, Value>,
    /// The claims.
    pub claims: Map<String, Value>,
    /// The bytes that are signed, exactly as they came: `HEADER.CLAIMS`.
    pub signing_input: String,
    /// The signature as it came, in base64url; without it the rest is no credential.
    pub signature: Secret,
}

/// A NumericDate (RFC 7519 §2), as far as it is one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Date {
    /// The claim isn't there.
    Absent,
    /// Seconds since the epoch; a fraction is cut off.
    At(i64),
    /// The claim is there and no number.
    Malformed,
}

/// What the dates of a token say of it now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// Within its time.
    Good,
    /// Its time is over.
    Expired,
    /// `nbf` or `iat` lies in the future by more than the leeway.
    NotYet,
    /// It doesn't say when it expires.
    Unknown,
    /// A date that is no number: whoever checks it refuses it.
    Malformed,
}

/// Takes a token apart. Never fails: what isn't a JWT is opaque, and says why where it looked like one.
pub fn decode(token: &str) -> Form {
    let parts: Vec<&str> = token.splitn(6, '.').collect();
    let looks_like_json = token.starts_with("eyJ") || token.starts_with("ey");
    match parts.as_slice() {
        [_, _, _] if token.len() > LARGEST => Form::Opaque {
            flaw: Some(format!("it has {} bytes, and more than {LARGEST} is not decoded", token.len())),
        },
        [header, claims, signature] => match jwt(header, claims, signature) {
            Ok(jwt) => Form::Jwt(Box::new(jwt)),
            Err(flaw) => Form::Opaque { flaw: Some(flaw) },
        },
        [header, ..] if parts.len() == 5 && token.len() <= LARGEST => match object("header", header) {
            Ok(header) => Form::Encrypted(header),
            Err(flaw) => Form::Opaque { flaw: Some(flaw) },
        },
        parts if looks_like_json && parts.len() > 1 => {
            let count = token.split('.').count();
            Form::Opaque { flaw: Some(format!("it has {count} parts, and a JWT has three")) }
        }
        _ => Form::Opaque { flaw: None },
    }
}

fn jwt(header: &str, claims: &str, signature: &str) -> Result<Jwt, String> {
    let jwt = Jwt {
        header: object("header", header)?,
        claims: object("claims set", claims)?,
        signing_input: format!("{header}.{claims}"),
        signature: Secret::new(signature),
    };
    bytes("signature", signature)?;
    Ok(jwt)
}

/// Strict base64url without padding (RFC 7515 §2): no `=`, no white space, no stray bits at the end.
fn bytes(part: &str, text: &str) -> Result<Vec<u8>, String> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| format!("its {part} is not base64url"))
}

fn object(part: &str, text: &str) -> Result<Map<String, Value>, String> {
    match serde_json::from_slice(&bytes(part, text)?) {
        Ok(Value::Object(map)) => Ok(map),
        _ => Err(format!("its {part} is not a JSON object")),
    }
}

impl Jwt {
    /// A claim that is a text.
    pub fn text(&self, claim: &str) -> Option<&str> {
        self.claims.get(claim).and_then(Value::as_str)
    }

    /// A member of the header that is a text.
    pub fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name).and_then(Value::as_str)
    }

    /// A claim that is one text or a list of texts, as `aud` (RFC 7519 §4.1.3).
    pub fn texts(&self, claim: &str) -> Vec<&str> {
        match self.claims.get(claim) {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// A claim that is a date.
    pub fn date(&self, claim: &str) -> Date {
        match self.claims.get(claim) {
            None => Date::Absent,
            // A float cast saturates: 1e300 is a far future, not a panic.
            #[allow(clippy::cast_possible_truncation)]
            Some(Value::Number(number)) => match number.as_i64() {
                Some(at) => Date::At(at),
                None => number.as_f64().map_or(Date::Malformed, |at| Date::At(at as i64)),
            },
            Some(_) => Date::Malformed,
        }
    }

    /// The granted scope: one text (RFC 9068), or a list as some servers write it.
    pub fn scope(&self) -> Option<String> {
        let found = ["scope", "scp"].into_iter().find(|claim| self.claims.contains_key(*claim))?;
        Some(self.texts(found).join(" "))
    }

    /// Whether the token is within its time `now` (seconds since the epoch). `exp` is taken at its word, as an API
    /// will; the leeway is for dates in the future, which a clock that is a little behind sees every day.
    pub fn standing(&self, now: i64) -> Validity {
        let dates = ["exp", "nbf", "iat"].map(|claim| self.date(claim));
        if dates.contains(&Date::Malformed) {
            return Validity::Malformed;
        }
        let future = |date| matches!(date, Date::At(at) if at > now.saturating_add(LEEWAY));
        match dates {
            [Date::At(exp), ..] if exp <= now => Validity::Expired,
            [_, nbf, iat] if future(nbf) || future(iat) => Validity::NotYet,
            [Date::At(_), ..] => Validity::Good,
            _ => Validity::Unknown,
        }
    }
}

#[cfg(test)]
mod tests;
