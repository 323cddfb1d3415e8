use super::*;
use proptest::prelude::*;
use serde_json::json;

fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn with(claims: Value) -> Jwt {
    match decode(&format!("{}.{}.c2ln", encode(&json!({"alg": "RS256"})), encode(&claims))) {
        TokenKind::Jwt(jwt) => *jwt,
        other => panic!("no JWT: {other:?}"),
    }
}

fn parse_error(token: &str) -> Option<String> {
    match decode(token) {
        TokenKind::Opaque { parse_error } => parse_error,
        other => panic!("decoded: {other:?}"),
    }
}

#[test]
fn a_jwt_has_three_valid_parts() {
    let (header, claims) = (encode(&json!({"alg": "RS256"})), encode(&json!({"a": 1})));
    assert!(matches!(decode(&format!("{header}.{claims}.c2ln")), TokenKind::Jwt(_)));
    assert!(
        matches!(decode(&format!("{header}.{claims}.")), TokenKind::Jwt(_)),
        "alg none has an empty signature"
    );
    for (token, why) in [
        (format!("{header}.{claims}.c2ln="), "its signature is not base64url"),
        (format!("{header}.{claims}.c2lo/+"), "its signature is not base64url"),
        (format!("{header}.{claims}.c2l1c"), "its signature is not base64url"),
        (format!("{header}.{claims}.c2l\n"), "its signature is not base64url"),
        // The last character has bits beyond the last byte.
        (format!("{header}.{claims}.c2k1c3"), "its signature is not base64url"),
        (format!("{header}=.{claims}.c2ln"), "its header is not base64url"),
        (format!(".{claims}.c2ln"), "its header is not a JSON object"),
        (format!("{}.{claims}.c2ln", encode(&json!([1]))), "its header is not a JSON object"),
        (format!("{header}.{}.c2ln", encode(&json!("x"))), "its claims set is not a JSON object"),
        (format!("{header}.{claims}"), "it has 2 parts; a JWT has 3"),
        (format!("{header}.{claims}.c2ln.c2ln"), "it has 4 parts; a JWT has 3"),
    ] {
        assert_eq!(parse_error(&token).as_deref(), Some(why), "{token}");
    }
}

#[test]
fn five_parts_are_a_jwe_and_the_rest_is_opaque() {
    let header = encode(&json!({"alg": "RSA-OAEP", "enc": "A256GCM"}));
    assert!(matches!(decode(&format!("{header}.a.b.c.d")), TokenKind::Jwe(h) if h["enc"] == "A256GCM"));
    assert_eq!(parse_error("8f2d61c04ab9e7"), None);
    assert_eq!(parse_error(""), None);
}

#[test]
fn tokens_over_the_limit_are_not_decoded() {
    let huge = format!("eyJ.{}.c2ln", "A".repeat(1 << 20));
    assert!(parse_error(&huge).is_some_and(|error| error.contains("65536 bytes")));
    assert!(parse_error(&".".repeat(1 << 20)).is_none());
    let deep = format!("{}.{}.c2ln", encode(&json!({})), URL_SAFE_NO_PAD.encode("[".repeat(40_000)));
    assert_eq!(parse_error(&deep).as_deref(), Some("its claims set is not a JSON object"));
}

#[test]
fn dates_may_be_fractions_and_saturate() {
    for (claims, date) in [
        (json!({}), Date::Absent),
        (json!({"exp": 12}), Date::At(12)),
        (json!({"exp": 12.9}), Date::At(12)),
        (json!({"exp": 1e300}), Date::At(i64::MAX)),
        (json!({"exp": u64::MAX}), Date::At(i64::MAX)),
        (json!({"exp": "12"}), Date::Invalid),
        (json!({"exp": null}), Date::Invalid),
    ] {
        assert_eq!(with(claims.clone()).date("exp"), date, "{claims}");
    }
}

#[test]
fn validity_has_a_leeway_for_future_dates_only() {
    for (claims, validity) in [
        (json!({"exp": 1001}), Validity::Valid),
        (json!({"exp": 1000}), Validity::Expired),
        (json!({"exp": 1000.5}), Validity::Expired),
        (json!({"exp": -1}), Validity::Expired),
        (json!({"exp": 2000, "nbf": 1060}), Validity::Valid),
        (json!({"exp": 2000, "nbf": 1061}), Validity::NotYetValid),
        (json!({"exp": 2000, "iat": 1061}), Validity::NotYetValid),
        (json!({}), Validity::NoExpiry),
        (json!({"exp": "2000"}), Validity::InvalidDate),
        (json!({"exp": 2000, "nbf": "x"}), Validity::InvalidDate),
    ] {
        assert_eq!(with(claims.clone()).validity(1000), validity, "{claims}");
    }
}

#[test]
fn aud_and_scope_are_strings_or_lists() {
    assert_eq!(with(json!({"aud": "a"})).claim_list("aud"), ["a"]);
    assert_eq!(with(json!({"aud": ["a", 1, "b"]})).claim_list("aud"), ["a", "b"]);
    assert_eq!(with(json!({"scp": ["a", "b"]})).scope().as_deref(), Some("a b"));
    assert_eq!(with(json!({"scope": ""})).scope().as_deref(), Some(""));
    assert_eq!(with(json!({})).scope(), None);
}

#[test]
fn repeated_claims_are_reported() {
    let claims = URL_SAFE_NO_PAD.encode(r#"{"scope":"a","scope":"b","exp":1,"\u0065xp":2}"#);
    let token = format!("{}.{claims}.c2ln", encode(&json!({"alg": "RS256"})));
    let TokenKind::Jwt(jwt) = decode(&token) else { panic!("a JWT") };
    assert_eq!(jwt.repeated_claims, ["scope", "exp"]);
    assert!(with(json!({"a": {"b": 1}})).repeated_claims.is_empty());
}

proptest! {
    #[test]
    fn no_token_panics(token in "\\PC{0,200}") {
        let _ = decode(&token);
    }

    #[test]
    fn no_json_panics(
        header in "[{}\\[\\]\",:a-z0-9.e-]{0,60}",
        claims in "[{}\\[\\]\",:a-z0-9.e-]{0,60}",
        now in any::<i64>(),
    ) {
        let token =
            format!("{}.{}.", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        if let TokenKind::Jwt(jwt) = decode(&token) {
            let _ = jwt.validity(now);
        }
    }

    #[test]
    fn dates_never_overflow(exp in any::<f64>(), nbf in any::<i64>(), now in any::<i64>()) {
        let _ = with(json!({"exp": exp, "nbf": nbf})).validity(now);
    }
}
