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
        (json!({"exp": 1001}), Validity::Good),
        (json!({"exp": 1000}), Validity::Expired),
        (json!({"exp": 1000.5}), Validity::Expired),
        (json!({"exp": -1}), Validity::Expired),
        (json!({"exp": 2000, "nbf": 1060}), Validity::Good),
        (json!({"exp": 2000, "nbf": 1061}), Validity::NotYet),
        (json!({"exp": 2000, "iat": 1061}), Validity::NotYet),
        (json!({}), Validity::Unknown),
        (json!({"exp": "2000"}), Validity::Malformed),
        (json!({"exp": 2000, "nbf": "x"}), Validity::Malformed),
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
