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
pub enum Standing {
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
    pub fn standing(&self, now: i64) -> Standing {
        let dates = ["exp", "nbf", "iat"].map(|claim| self.date(claim));
        if dates.contains(&Date::Malformed) {
            return Standing::Malformed;
        }
        let future = |date| matches!(date, Date::At(at) if at > now.saturating_add(LEEWAY));
        match dates {
            [Date::At(exp), ..] if exp <= now => Standing::Expired,
            [_, nbf, iat] if future(nbf) || future(iat) => Standing::NotYet,
            [Date::At(_), ..] => Standing::Good,
            _ => Standing::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn encode(value: &Value) -> String {
        URL_SAFE_NO_PAD.encode(value.to_string())
    }

    fn with(claims: Value) -> Jwt {
        match decode(&format!("{}.{}.c2ln", encode(&json!({"alg": "RS256"})), encode(&claims))) {
            Form::Jwt(jwt) => *jwt,
            other => panic!("no JWT: {other:?}"),
        }
    }

    fn flaw(token: &str) -> Option<String> {
        match decode(token) {
            Form::Opaque { flaw } => flaw,
            other => panic!("decoded: {other:?}"),
        }
    }

    #[test]
    fn a_jwt_has_three_strict_parts() {
        let (header, claims) = (encode(&json!({"alg": "RS256"})), encode(&json!({"a": 1})));
        assert!(matches!(decode(&format!("{header}.{claims}.c2ln")), Form::Jwt(_)));
        assert!(
            matches!(decode(&format!("{header}.{claims}.")), Form::Jwt(_)),
            "alg none has an empty signature"
        );
        for (token, why) in [
            (format!("{header}.{claims}.c2ln="), "its signature is not base64url"),
            (format!("{header}.{claims}.c2lo/+"), "its signature is not base64url"),
            (format!("{header}.{claims}.c2l1c"), "its signature is not base64url"),
            (format!("{header}.{claims}.c2l\n"), "its signature is not base64url"),
            // The last character carries bits that no byte takes up.
            (format!("{header}.{claims}.c2k1c3"), "its signature is not base64url"),
            (format!("{header}=.{claims}.c2ln"), "its header is not base64url"),
            (format!(".{claims}.c2ln"), "its header is not a JSON object"),
            (format!("{}.{claims}.c2ln", encode(&json!([1]))), "its header is not a JSON object"),
            (format!("{header}.{}.c2ln", encode(&json!("x"))), "its claims set is not a JSON object"),
            (format!("{header}.{claims}"), "it has 2 parts, and a JWT has three"),
            (format!("{header}.{claims}.c2ln.c2ln"), "it has 4 parts, and a JWT has three"),
        ] {
            assert_eq!(flaw(&token).as_deref(), Some(why), "{token}");
        }
    }

    #[test]
    fn five_parts_are_encrypted_and_the_rest_is_opaque() {
        let header = encode(&json!({"alg": "RSA-OAEP", "enc": "A256GCM"}));
        assert!(matches!(decode(&format!("{header}.a.b.c.d")), Form::Encrypted(h) if h["enc"] == "A256GCM"));
        assert_eq!(flaw("8f2d61c04ab9e7"), None);
        assert_eq!(flaw(""), None);
    }

    #[test]
    fn a_megabyte_is_not_decoded() {
        let huge = format!("eyJ.{}.c2ln", "A".repeat(1 << 20));
        assert!(flaw(&huge).is_some_and(|flaw| flaw.contains("1048585 bytes")));
        assert!(flaw(&".".repeat(1 << 20)).is_none());
        let deep = format!("{}.{}.c2ln", encode(&json!({})), URL_SAFE_NO_PAD.encode("[".repeat(40_000)));
        assert_eq!(flaw(&deep).as_deref(), Some("its claims set is not a JSON object"));
    }

    #[test]
    fn dates_may_be_fractions_and_absurd() {
        for (claims, date) in [
            (json!({}), Date::Absent),
            (json!({"exp": 12}), Date::At(12)),
            (json!({"exp": 12.9}), Date::At(12)),
            (json!({"exp": 1e300}), Date::At(i64::MAX)),
            (json!({"exp": u64::MAX}), Date::At(i64::MAX)),
            (json!({"exp": "12"}), Date::Malformed),
            (json!({"exp": null}), Date::Malformed),
        ] {
            assert_eq!(with(claims.clone()).date("exp"), date, "{claims}");
        }
    }

    #[test]
    fn standing_takes_expiry_at_its_word_and_forgives_a_slow_clock() {
        for (claims, standing) in [
            (json!({"exp": 1001}), Standing::Good),
            (json!({"exp": 1000}), Standing::Expired),
            (json!({"exp": 1000.5}), Standing::Expired),
            (json!({"exp": -1}), Standing::Expired),
            (json!({"exp": 2000, "nbf": 1060}), Standing::Good),
            (json!({"exp": 2000, "nbf": 1061}), Standing::NotYet),
            (json!({"exp": 2000, "iat": 1061}), Standing::NotYet),
            (json!({}), Standing::Unknown),
            (json!({"exp": "2000"}), Standing::Malformed),
            (json!({"exp": 2000, "nbf": "x"}), Standing::Malformed),
        ] {
            assert_eq!(with(claims.clone()).standing(1000), standing, "{claims}");
        }
    }

    #[test]
    fn aud_is_a_text_or_a_list_and_scope_too() {
        assert_eq!(with(json!({"aud": "a"})).texts("aud"), ["a"]);
        assert_eq!(with(json!({"aud": ["a", 1, "b"]})).texts("aud"), ["a", "b"]);
        assert_eq!(with(json!({"scp": ["a", "b"]})).scope().as_deref(), Some("a b"));
        assert_eq!(with(json!({"scope": ""})).scope().as_deref(), Some(""));
        assert_eq!(with(json!({})).scope(), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(token in "\\PC{0,200}") {
            let _ = decode(&token);
        }

        #[test]
        fn no_json_makes_it_panic(
            header in "[{}\\[\\]\",:a-z0-9.e-]{0,60}",
            claims in "[{}\\[\\]\",:a-z0-9.e-]{0,60}",
            now in any::<i64>(),
        ) {
            let token =
                format!("{}.{}.", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
            if let Form::Jwt(jwt) = decode(&token) {
                let _ = jwt.standing(now);
            }
        }

        #[test]
        fn dates_never_overflow(exp in any::<f64>(), nbf in any::<i64>(), now in any::<i64>()) {
            let _ = with(json!({"exp": exp, "nbf": nbf})).standing(now);
        }
    }
}
