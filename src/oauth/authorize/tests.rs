//! The authorization request, its responses, and pasted ones.

use super::*;
use proptest::prelude::*;

const STATE: &str = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyMTI";

fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        authorize_url: "https://auth.example/oauth2/authorize/test".into(),
        client_id: "my client".into(),
        redirect_uri: "http://localhost:8484/callback".into(),
        scope: "patient/*.read openid".into(),
        state: STATE.into(),
        verifier: Some(Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")),
        aud: None,
        issuer: Some("https://auth.example".into()),
    }
}

fn code(text: &str) -> AuthorizationResponse {
    AuthorizationResponse::Code(Secret::new(text))
}

fn url(change: impl FnOnce(&mut AuthorizationRequest)) -> String {
    let mut request = request();
    change(&mut request);
    request.url().expect("a usable request").into()
}

#[test]
fn url_requests_a_code_with_an_s256_challenge() {
    assert_eq!(
        url(|_| {}),
        format!(
            "https://auth.example/oauth2/authorize/test?response_type=code&client_id=my%20client\
             &redirect_uri=http%3A%2F%2Flocalhost%3A8484%2Fcallback&scope=patient%2F*.read%20openid&state={STATE}\
             &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"
        )
    );
}

#[test]
fn url_keeps_other_query_parameters_of_the_endpoint() {
    let kept = url(|it| it.authorize_url = "http://[::1]:1/a?tenant=b%20c&state=theirs".into());
    assert!(kept.starts_with("http://[::1]:1/a?tenant=b%20c&response_type=code&"), "{kept}");
    assert!(!kept.contains("theirs"));
}

#[test]
fn empty_parameters_are_not_sent() {
    let plain = url(|it| {
        it.verifier = None;
        it.scope = String::new();
        it.aud = Some("https://api.example/r4".into());
    });
    assert!(!plain.contains("challenge") && !plain.contains("scope"));
    assert!(plain.ends_with("&aud=https%3A%2F%2Fapi.example%2Fr4"));
}

#[test]
fn invalid_endpoints_and_redirect_uris_are_usage_errors() {
    for endpoint in ["http://auth.example/a", "auth.example", "file:///a", "https://auth.example/#a"] {
        let broken = AuthorizationRequest { authorize_url: endpoint.into(), ..request() };
        assert_eq!(broken.url().expect_err(endpoint).kind().exit().code(), 2);
    }
    for uri in ["/callback", "localhost", "http://localhost:8484/#a", "http://localhost:99999/"] {
        let broken = AuthorizationRequest { redirect_uri: uri.into(), ..request() };
        assert_eq!(broken.url().expect_err(uri).kind().exit().code(), 2);
    }
}

#[test]
fn state_is_43_unreserved_characters() {
    let text = random_text(&[0xfb; 32]);
    assert_eq!(text.len(), 43);
    assert!(text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)));
}

#[test]
fn response_needs_the_state_before_anything_else() {
    let error = |error: &str, description: Option<&str>| AuthorizationResponse::Error {
        error: error.into(),
        description: description.map(Into::into),
    };
    let repeated = AuthorizationResponse::Invalid("it repeats a parameter");
    let nothing = AuthorizationResponse::Invalid("it has neither a code nor an error");
    for (query, expected) in [
        (format!("code=a%2Fb&state={STATE}"), code("a/b")),
        (format!("state={STATE}&code=c&session_state=s&session_state=t"), code("c")),
        (format!("code=c&state={STATE}&iss=https%3A%2F%2Fauth.example"), code("c")),
        (format!("code=c&state={STATE}&iss="), code("c")),
        (format!("code=c&state={STATE}&iss=https://auth.example/"), {
            AuthorizationResponse::IssuerMismatch("https://auth.example/".into())
        }),
        (format!("error=e&state={STATE}&iss=https://evil.example"), {
            AuthorizationResponse::IssuerMismatch("https://evil.example".into())
        }),
        (format!("error=access_denied&state={STATE}"), error("access_denied", None)),
        (format!("error=e&error_description=d+d&code=c&state={STATE}"), error("e", Some("d d"))),
        ("error=access_denied&state=other".into(), AuthorizationResponse::StateMismatch),
        ("code=c&state=other".into(), AuthorizationResponse::StateMismatch),
        (format!("code=c&state={STATE}x"), AuthorizationResponse::StateMismatch),
        ("code=c".into(), AuthorizationResponse::StateMismatch),
        ("code=c&state=".into(), AuthorizationResponse::StateMismatch),
        (format!("code=c&code=d&state={STATE}"), repeated),
        (format!("code=&state={STATE}"), nothing),
        (String::new(), AuthorizationResponse::Invalid("it has neither a code nor an error")),
        (
            format!("code=%00&state={STATE}"),
            AuthorizationResponse::Invalid("its code has invalid characters"),
        ),
    ] {
        assert_eq!(request().parse_response(&query), expected, "{query}");
    }
}

#[test]
fn unknown_issuer_is_not_compared() {
    let plan = AuthorizationRequest { issuer: None, ..request() };
    assert_eq!(plan.parse_response(&format!("code=c&state={STATE}&iss=x")), code("c"));
}

#[test]
fn accepts_a_pasted_url_wrapped_quoted_or_encoded() {
    let whole = format!("http://localhost:8484/callback?code=a%2Fb-c&state={STATE}");
    let (head, tail) = whole.split_at(50);
    let safe: String = form_urlencoded::byte_serialize(whole.as_bytes()).collect();
    for text in [
        whole.clone(),
        format!("  {whole}\r\n"),
        format!("{head}\n{tail}\n"),
        format!("\"{whole}\""),
        format!("<{whole}>,"),
        format!("\u{1b}[200~{whole}\u{1b}[201~"),
        format!("“{whole}”"),
        whole.replace('&', "&amp;"),
        format!("{whole}#_=_"),
        format!("{whole}#"),
        whole.replace('?', "#"),
        whole.replace("callback?", "?page=1#/callback?"),
        whole.replace("http://localhost:8484/callback", "https://app.example/cb"),
        whole.replace("http://localhost:8484/", "org.example.app:"),
        whole.replace("http://localhost:8484/callback", ""),
        whole.replace("http://localhost:8484/callback?", ""),
        format!("https://links.example/?url={safe}&data=05"),
        format!("https://app.example/cb?state={STATE}&code=a%2F\nb-c"),
    ] {
        assert_eq!(request().interpret_paste(&text), code("a/b-c"), "{text}");
    }
}

#[test]
fn pasted_code_is_decoded_if_it_was_encoded() {
    for (text, expected) in
        [("abc123", "abc123"), (" a/b+c=\n", "a/b+c="), ("a%2Fb", "a/b"), ("100%", "100%"), ("'abc'", "abc")]
    {
        assert_eq!(request().interpret_paste(text), code(expected), "{text}");
    }
}

#[test]
fn rejects_a_paste_without_a_response() {
    for text in ["http://localhost:8484/callback", "code=c", "http://x/?code=c", "https://x/?error=e"] {
        let reply = request().interpret_paste(text);
        assert!(
            matches!(reply, AuthorizationResponse::StateMismatch | AuthorizationResponse::Invalid(_)),
            "{text}: {reply:?}"
        );
    }
    for text in ["", "\n", "localhost:8484/callback", "wörd", "<a href=>", "no idea what you mean"] {
        assert!(matches!(request().interpret_paste(text), AuthorizationResponse::Invalid(_)), "{text}");
    }
    assert!(matches!(request().interpret_paste(&"x".repeat(100_000)), AuthorizationResponse::Invalid(_)));
}

#[test]
fn accepts_a_pasted_error_response() {
    let text = format!("http://x/?error=access_denied&state={STATE}");
    assert!(matches!(request().interpret_paste(&text), AuthorizationResponse::Error { .. }));
}

#[test]
fn code_from_elsewhere_needs_no_state() {
    assert_eq!(interpret_pasted_code("abc\n"), code("abc"));
    assert_eq!(interpret_pasted_code("https://x/?code=c&amp;state=any"), code("c"));
    assert!(matches!(interpret_pasted_code("https://x/?error=e"), AuthorizationResponse::Error { .. }));
    assert!(matches!(interpret_pasted_code("https://x/"), AuthorizationResponse::Invalid(_)));
}

proptest! {
    #[test]
    fn any_code_survives_encoding_and_wrapping(text in "[!-~]{1,200}", at in any::<prop::sample::Index>()) {
        let encoded: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
        let query = format!("code={encoded}&state={STATE}");
        prop_assert_eq!(request().parse_response(&query), code(&text));
        let address = format!("https://app.example/cb?{query}");
        let (head, tail) = address.split_at(at.index(address.len()));
        prop_assert_eq!(request().interpret_paste(&format!("{head}\n  {tail}")), code(&text));
    }

    #[test]
    fn nothing_is_accepted_without_the_state(text in "\\PC{0,200}") {
        let reply = request().parse_response(&text);
        let passes = matches!(reply, AuthorizationResponse::Code(_) | AuthorizationResponse::Error { .. });
        prop_assert!(!passes);
        let _ = (request().interpret_paste(&text), interpret_pasted_code(&text));
    }
}
