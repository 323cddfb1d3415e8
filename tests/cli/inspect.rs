//! `token inspect`: text output, JSON members, and exit codes.

use crate::support::{Home, Oneup, TokenEndpoint};

/// Signed with npm jose, for `https://issuer.example/auth/realms/test`, until the year 2100.
fn vector(alg: &str) -> String {
    let all: serde_json::Value =
        serde_json::from_str(include_str!("../vectors/jose.json")).expect("a fixture");
    let tokens = all["tokens"].as_array().expect("tokens");
    let found = tokens.iter().find(|item| item["alg"] == alg).expect(alg);
    found["token"].as_str().expect("a token").to_owned()
}

fn inspect() -> Oneup {
    Oneup::new().args(["token", "inspect", "-"]).env("TZ", "UTC")
}

/// A token with these header and claims and an invalid signature.
fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}.c2ln", base64url(header), base64url(claims))
}

fn base64url(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(text)
}

#[test]
fn accepts_every_form_of_a_token_on_stdin() {
    let token = vector("ES256");
    let json = format!(r#"{{"access_token":"{token}","token_type":"Bearer","expires_in":60}}"#);
    for stdin in [
        token.clone(),
        format!("  {token}\r\n"),
        format!("Bearer {token}\n"),
        format!("Authorization: Bearer {token}\n"),
        json,
    ] {
        let signature = token.rsplit('.').next().expect("a signature");
        let outcome =
            inspect().stdin(stdin).stderr("").stdout_has("Subject    client svc").never(signature).run();
        assert!(outcome.stdout.lines().all(|line| line.chars().count() <= 80), "{}", outcome.stdout);
    }
}

#[test]
fn text_has_its_sections_in_order() {
    let outcome = inspect().stdin(vector("RS256")).run();
    let labels: Vec<&str> = outcome
        .stdout
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(labels, ["Status", "Signature", "Subject", "Issuer", "Scopes", "Details"]);
    assert!(!outcome.stdout.contains('\u{1b}'), "no colors into a pipe");
    let colored = inspect().args(["--color", "always"]).stdin(vector("RS256")).run();
    assert!(colored.stdout.starts_with("\u{1b}[1m\u{1b}[32mStatus\u{1b}[0m"), "{}", colored.stdout);
}

#[test]
fn expired_token_exits_7() {
    inspect()
        .stdin(unsigned(r#"{"alg":"RS256"}"#, r#"{"exp":60,"iat":0,"scope":"user/Patient.dus"}"#))
        .status(7)
        .stderr("")
        .stdout_has("Status     expired ")
        .stdout_has(" ago, at 1970-01-01 00:01:00 +00:00\n")
        .stdout_has("             warning: letters out of order: SMART requires .uds, and a")
        .run();
}

#[test]
fn unsigned_token_is_reported() {
    inspect()
        .stdin(unsigned(r#"{"alg":"none"}"#, r#"{"sub":"x"}"#))
        .stdout_has("Signature  unsigned (alg: none)\n")
        .stdout_has("Details    JWT, unsigned (alg: none)\n")
        .run();
    let silent = inspect().stdin(unsigned(r#"{"alg":"RS256"}"#, r#"{"sub":"x"}"#));
    silent.stdout_has("Signature  not checked: the token names no issuer\n").run();
}

#[test]
fn html_lists_and_urls_are_usage_errors() {
    for text in ["<html>no</html>", "[]", "https://x.example/cb?code=abc"] {
        inspect().stdin(text).status(2).stderr_has("HTML, a list or a URL instead of a token\nhint: ").run();
    }
}

#[test]
fn expired_token_of_a_profile_has_a_next_step() {
    let endpoint = TokenEndpoint::builder().lifetime(0).start();
    let home = Home::logged_in(&endpoint);
    home.oneup()
        .args(["token", "inspect"])
        .status(7)
        .stdout_has("Status     expired ")
        .stdout_has("\n           get a new one: oneup token show\n")
        .run();
    assert_eq!(endpoint.count(), 1, "inspecting never refreshes");
}

#[test]
fn not_yet_valid_token_and_invalid_dates_exit_7() {
    for (claims, words) in [
        (r#"{"exp":99999999999,"nbf":9999999999}"#, "Status     not yet valid: starts in "),
        (r#"{"exp":"soon"}"#, "Status     invalid: exp, nbf or iat is not a number"),
    ] {
        inspect().stdin(unsigned(r#"{"alg":"RS256"}"#, claims)).status(7).stdout_has(words).run();
    }
}

#[test]
fn opaque_encrypted_and_malformed_tokens_are_named() {
    for (token, words) in [
        ("8f2d61c04ab9e7".to_owned(), "opaque token (not a JWT)"),
        (
            format!("{}.a.b.c.d", base64url(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#)),
            "encrypted JWT (RSA-OAEP, A256GCM)",
        ),
        (format!("{}.e30=.c2ln", base64url("{}")), "its claims set is not base64url"),
        ("eyJhbGciOiJSUzI1NiJ9.e30".to_owned(), "it has 2 parts; a JWT has 3"),
        (format!("eyJ.{}.c2ln", "A".repeat(1 << 20)), "longer than 65536 bytes"),
    ] {
        let outcome = inspect().stdin(token).stderr("").run();
        let text = outcome.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn undecodable_token_takes_two_lines() {
    for (token, page) in [
        (
            "8f2d61c04ab9e7",
            "Status     unknown: opaque token (not a JWT)\n\
             Details    a profile of the realm that issued it can use --introspect\n",
        ),
        (
            "eyJhbGciOiJSUzI1NiJ9.e30",
            "Status     unknown: malformed JWT: it has 2 parts; a JWT has 3\n\
             Details    was it truncated when it was copied?\n",
        ),
    ] {
        inspect().stdin(token).stdout(page).stderr("").run();
    }
}

#[test]
fn stdin_without_a_token_is_a_usage_error() {
    for stdin in ["", "two words", "{\"error\":\"invalid_client\"}", "a\u{1b}[31m"] {
        inspect().stdin(stdin).status(2).stderr_has("error: ").stderr_has("stdin").stderr_has("hint: ").run();
    }
}

#[test]
fn terminal_escapes_in_a_token_are_sanitized() {
    let claims = r#"{"scope":"user/Patient.rs?name=\u001b[2J\u202e","exp":9999999999,"iss":"\u001b[2Jx\u202e","azp":"a\nError","\u001bclaim":1}"#;
    let outcome = inspect().stdin(unsigned(r#"{"alg":"\u001b[31m"}"#, claims)).run();
    assert!(!outcome.stdout.contains(['\u{1b}', '\u{202e}']), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("client a Error\n"), "{}", outcome.stdout);
}

#[test]
fn json_has_every_member_and_not_the_token() {
    let token = vector("PS256");
    let outcome = inspect().args(["--format", "json"]).stdin(token.clone()).never(token).run();
    let json: serde_json::Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    let mut names: Vec<&str> = json.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "audience",
            "claims",
            "client",
            "header",
            "introspection",
            "issuer",
            "issuer_trusted",
            "kind",
            "launch_context",
            "parse_error",
            "product",
            "profile",
            "repeated_claims",
            "scope",
            "source",
            "subject",
            "times",
            "valid",
            "validity",
            "verification",
        ]
    );
    assert_eq!(json["times"]["expires_at"]["rfc3339"], "2100-01-01T00:00:00Z");
    assert_eq!(json["times"]["issued_at"]["epoch"], 1_700_000_000);
    assert_eq!(json["scope"]["explained"][0]["recognized"], true);
    assert_eq!(
        (&json["valid"], &json["kind"], &json["source"]),
        (&true.into(), &"jwt".into(), &"stdin".into())
    );
}

#[test]
fn verify_needs_a_profile() {
    inspect()
        .arg("--verify")
        .stdin(vector("RS256"))
        .status(4)
        .stderr_has("error: nobody is logged in\n")
        .stderr_has("hint: oneup login ")
        .run();
    Home::new().oneup().args(["token", "inspect"]).status(4).stderr_has("nobody is logged in").run();
}

#[test]
fn oneup_token_is_inspected() {
    Oneup::new()
        .args(["token", "inspect", "--format", "json"])
        .env("ONEUP_TOKEN", vector("EdDSA"))
        .stdout_has(r#""source": "environment""#)
        .run();
}
