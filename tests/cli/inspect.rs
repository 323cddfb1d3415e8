//! `token inspect`: the page for people, the JSON for programs, and what makes it say no.

use crate::support::{Home, Oneup, RawServer, raw_server};

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

/// A token whose signature is nobody's: header and claims as given.
fn unsigned(header: &str, claims: &str) -> String {
    format!("{}.{}.c2ln", base64url(header), base64url(claims))
}

fn base64url(text: &str) -> String {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.encode(text)
}

#[test]
fn every_form_of_a_token_on_stdin_is_the_same_token() {
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
            inspect().stdin(stdin).stderr("").stdout_has("For        client svc").never(signature).run();
        assert!(outcome.stdout.lines().all(|line| line.chars().count() <= 80), "{}", outcome.stdout);
    }
}

#[test]
fn the_page_answers_in_the_promised_order() {
    let outcome = inspect().stdin(vector("RS256")).run();
    let labels: Vec<&str> = outcome
        .stdout
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(' ').next())
        .collect();
    assert_eq!(labels, ["Now", "Signature", "For", "From", "May", "Also"]);
    assert!(!outcome.stdout.contains('\u{1b}'), "no colours into a pipe");
    let coloured = inspect().args(["--color", "always"]).stdin(vector("RS256")).run();
    assert!(coloured.stdout.starts_with("\u{1b}[1;32mNow\u{1b}[0m"), "{}", coloured.stdout);
}

#[test]
fn an_expired_token_is_told_and_exits_7() {
    inspect()
        .stdin(unsigned(r#"{"alg":"RS256"}"#, r#"{"exp":60,"iat":0,"scope":"user/Patient.dus"}"#))
        .status(7)
        .stderr("")
        .stdout_has("Now        expired ")
        .stdout_has(" ago, at 1970-01-01 00:01:00 +00:00\n")
        .stdout_has("             warning: the letters are out of order: SMART wants .uds, and a")
        .run();
}

#[test]
fn an_unsigned_token_is_called_so() {
    inspect()
        .stdin(unsigned(r#"{"alg":"none"}"#, r#"{"sub":"x"}"#))
        .stdout_has("Signature  none (alg none): anyone can have written it\n")
        .stdout_has("Also       a JWT, unsigned (alg none)\n")
        .run();
    let silent = inspect().stdin(unsigned(r#"{"alg":"RS256"}"#, r#"{"sub":"x"}"#));
    silent.stdout_has("Signature  not checked: it names no issuer\n").run();
}

#[test]
fn what_no_token_is_made_of_is_wrong_usage() {
    for text in ["<html>no</html>", "[]", "https://x.example/cb?code=abc"] {
        inspect().stdin(text).status(2).stderr_has("a page, a list or a URL, and no token\nhint: ").run();
    }
}

#[test]
fn a_profiles_expired_token_is_told_with_what_renews_it() {
    let answer = r#"{"access_token":"8f2d61c04ab9e7","token_type":"Bearer","expires_in":0}"#;
    let server = raw_server(move |_, _, _| RawServer::answer("200 OK", "application/json", answer));
    let home = Home::new();
    home.oneup()
        .args(["login", "provider", "--client-id", "c", "--token-url", &format!("{}/token", server.url())])
        .env("ONEUP_CLIENT_SECRET", "s3cret")
        .run();
    home.oneup()
        .args(["token", "inspect"])
        .status(7)
        .stdout_has("Now        expired ")
        .stdout_has("\n           oneup token show renews it, or says how to log in again\n")
        .run();
    assert_eq!(server.requests().len(), 1, "never renewed by looking");
}

#[test]
fn a_token_of_the_future_and_one_with_broken_dates_exit_7() {
    for (claims, words) in [
        (r#"{"exp":99999999999,"nbf":9999999999}"#, "Now        not valid yet: it begins in "),
        (r#"{"exp":"soon"}"#, "Now        not valid: a date in it (exp, nbf or iat) is not a number"),
    ] {
        inspect().stdin(unsigned(r#"{"alg":"RS256"}"#, claims)).status(7).stdout_has(words).run();
    }
}

#[test]
fn opaque_encrypted_and_broken_tokens_are_named() {
    for (token, words) in [
        ("8f2d61c04ab9e7".to_owned(), "it is opaque, not a JWT"),
        (
            format!("{}.a.b.c.d", base64url(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#)),
            "it is encrypted (RSA-OAEP, A256GCM)",
        ),
        (format!("{}.e30=.c2ln", base64url("{}")), "its claims set is not base64url"),
        ("eyJhbGciOiJSUzI1NiJ9.e30".to_owned(), "it has 2 parts, and a JWT has three"),
        (format!("eyJ.{}.c2ln", "A".repeat(1 << 20)), "more than 65536 is not decoded"),
    ] {
        let outcome = inspect().stdin(token).stderr("").run();
        let text = outcome.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_token_that_cannot_be_read_is_told_in_two_lines() {
    for (token, page) in [
        (
            "8f2d61c04ab9e7",
            "Now        unknown: it is opaque, not a JWT: only its issuer knows what it\n           means\n\
             Also       a profile of the realm that issued it can ask: --introspect\n",
        ),
        (
            "eyJhbGciOiJSUzI1NiJ9.e30",
            "Now        unknown: it looks like a JWT and is none: it has 2 parts, and a\n           JWT has three\n\
             Also       was it cut while copying?\n",
        ),
    ] {
        inspect().stdin(token).stdout(page).stderr("").run();
    }
}

#[test]
fn what_holds_no_token_is_wrong_usage() {
    for stdin in ["", "two words", "{\"error\":\"invalid_client\"}", "a\u{1b}[31m"] {
        inspect().stdin(stdin).status(2).stderr_has("error: stdin ").stderr_has("hint: ").run();
    }
}

#[test]
fn what_a_token_says_cannot_move_the_cursor() {
    let claims = r#"{"scope":"user/Patient.rs?name=\u001b[2J\u202e","exp":9999999999,"iss":"\u001b[2Jx\u202e","azp":"a\nError","\u001bclaim":1}"#;
    let outcome = inspect().stdin(unsigned(r#"{"alg":"\u001b[31m"}"#, claims)).run();
    assert!(!outcome.stdout.contains(['\u{1b}', '\u{202e}']), "{}", outcome.stdout);
    assert!(outcome.stdout.contains("client a Error\n"), "{}", outcome.stdout);
}

#[test]
fn json_is_complete_and_holds_no_token() {
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
            "context",
            "flaw",
            "header",
            "holds",
            "introspection",
            "issuer",
            "issuer_trusted",
            "kind",
            "product",
            "profile",
            "scope",
            "source",
            "standing",
            "subject",
            "times",
            "verification",
        ]
    );
    assert_eq!(json["times"]["expires_at"]["rfc3339"], "2100-01-01T00:00:00Z");
    assert_eq!(json["times"]["issued_at"]["epoch"], 1_700_000_000);
    assert_eq!(json["scope"]["explained"][0]["known"], true);
    assert_eq!(
        (&json["holds"], &json["kind"], &json["source"]),
        (&true.into(), &"jwt".into(), &"stdin".into())
    );
}

#[test]
fn without_a_profile_there_is_nobody_to_verify_by() {
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
fn the_variable_is_the_token_as_it_is_for_show() {
    Oneup::new()
        .args(["token", "inspect", "--format", "json"])
        .env("ONEUP_TOKEN", vector("EdDSA"))
        .stdout_has(r#""source": "environment""#)
        .run();
}
