//! `token inspect`: text output, JSON members, and exit codes.

use crate::support::{Home, Oneup, Sandbox, TokenEndpoint, base64url, jwt};

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
        .stdin(jwt(r#"{"alg":"RS256"}"#, r#"{"exp":60,"iat":0,"scope":"user/Patient.dus"}"#))
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
        .stdin(jwt(r#"{"alg":"none"}"#, r#"{"sub":"x"}"#))
        .stdout_has("Signature  unsigned (alg: none)\n")
        .stdout_has("Details    JWT, unsigned (alg: none)\n")
        .run();
    let without_issuer = inspect().stdin(jwt(r#"{"alg":"RS256"}"#, r#"{"sub":"x"}"#));
    without_issuer.stdout_has("Signature  not checked: the token names no issuer\n").run();
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
        .stdout_has(
            "\n           the stored token of profile provider\n\
             \x20          get a new one: oneup token show --profile provider\n",
        )
        .run();
    assert_eq!(endpoint.count(), 1, "inspecting never refreshes");
}

#[test]
fn not_yet_valid_token_and_invalid_dates_exit_7() {
    for (claims, words) in [
        (r#"{"exp":99999999999,"nbf":9999999999}"#, "Status     not yet valid: starts in "),
        (r#"{"exp":"soon"}"#, "Status     invalid: exp, nbf or iat is not a number"),
    ] {
        inspect().stdin(jwt(r#"{"alg":"RS256"}"#, claims)).status(7).stdout_has(words).run();
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
             Details    check that it was copied completely, and nothing else with it\n",
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
    let outcome = inspect().stdin(jwt(r#"{"alg":"\u001b[31m"}"#, claims)).run();
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
            "access",
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
        .stderr_has("error: not logged in\n")
        .stderr_has("hint: oneup login ")
        .run();
    Home::new().oneup().args(["token", "inspect"]).status(4).stderr_has("not logged in").run();
}

#[test]
fn oneup_token_is_inspected() {
    Oneup::new()
        .args(["token", "inspect", "--format", "json"])
        .env("ONEUP_TOKEN", vector("EdDSA"))
        .stdout_has(r#""source": "environment""#)
        .run();
    Oneup::new()
        .args(["token", "inspect"])
        .env("ONEUP_TOKEN", vector("EdDSA"))
        .stdout_has("\n           the token in ONEUP_TOKEN\n")
        .run();
}

/// A home with a profile of this FHIR base; it is not logged in.
fn home_with(fhir_base: &str) -> Home {
    let home = Home::new();
    home.write_profile("https://gateway.1up.health/token", fhir_base, "");
    home
}

fn allows(home: &Home, scope: &str, request: &str) -> Oneup {
    let token = jwt(r#"{"alg":"RS256"}"#, &format!(r#"{{"exp":9999999999,"scope":"{scope}"}}"#));
    home.oneup().args(["token", "inspect", "-", "--allows", request]).stdin(token).stderr("").stdout_has("")
}

const EXPORT_BASE: &str = "https://gateway.1up.health/v1/bison/bulk-export/bulk-data/r4";

#[test]
fn allows_names_the_granting_or_the_missing_scope() {
    let home = home_with(EXPORT_BASE);
    let bulk = "bulk-data|user/*.rs";
    allows(&home, bulk, "GET /$export?_type=Patient")
        .stdout_has("Access     allowed: GET\n")
        .stdout_has(format!("           {EXPORT_BASE}/$export?_type=Patient\n"))
        .stdout_has("             bulk export of Patient\n             granted by bulk-data|user/*.rs\n")
        .run();
    allows(&home, bulk, "get /Group/g1/$export").stdout_has("allowed: GET").run();
    allows(&home, "user/*.rs", "GET /Patient")
        .status(7)
        .stdout_has("missing scope: bulk-data|user/Patient.rs")
        .run();
    allows(&home, bulk, "POST /$export").status(7).stdout_has("1up accepts no POST or DELETE").run();
    let fhir = "https://gateway.1up.health/v1/bison/r4/Patient/1";
    allows(&home, "user/Patient.read", &format!("GET {fhir}")).stdout_has("read Patient/1\n").run();
    allows(&home, "user/Patient.read", &format!("DELETE {fhir}"))
        .status(7)
        .stdout_has("missing scope: user/Patient.d\n")
        .run();
}

#[test]
fn allows_names_another_tenant_product_or_host() {
    let home = home_with(EXPORT_BASE);
    for (url, words) in [
        ("https://gateway.1up.health/v1/other/bulk-export/bulk-data/r4/$export", "another tenant: other"),
        ("https://gateway.1up.health/r4/Patient/1", "another product: not below /v1/bison"),
        ("https://api.1up.health/r4/Patient/1", "another host: https://api.1up.health"),
        ("http://gateway.1up.health/v1/bison/r4/Patient", "another host: http://gateway.1up.health"),
    ] {
        let run = allows(&home, "bulk-data|user/*.rs user/*.cruds", &format!("GET {url}")).status(7).run();
        let text = run.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{text}");
    }
    let plan = home_with("https://api.plan.example/r4");
    allows(&plan, "patient/*.read", "GET /Patient/1").stdout_has("granted by patient/*.read").run();
    allows(&plan, "patient/*.read", "GET https://api.plan.example/dstu2/Patient/1")
        .status(7)
        .stdout_has("another product")
        .run();
}

#[test]
fn allows_is_in_the_json_and_checks_its_argument() {
    let home = home_with(EXPORT_BASE);
    let run = allows(&home, "", "GET /Patient").args(["--format", "json"]).status(7).run();
    let json: serde_json::Value = serde_json::from_str(&run.stdout).expect("JSON");
    assert_eq!(json["access"]["allowed"], false);
    assert_eq!(json["access"]["missing"][0], "bulk-data|user/Patient.rs");
    assert_eq!(json["valid"], true, "the token itself is");
    for request in ["GET", "/Patient", "G=T /Patient", "GET not a url", "GET data:x"] {
        home.oneup()
            .args(["token", "inspect", "-", "--allows", request])
            .stdin("8f2d61c04ab9e7")
            .status(2)
            .stderr_has("hint: for example: oneup token inspect --allows 'GET /Patient/1'")
            .run();
    }
}

#[test]
fn revoke_deletes_the_stored_token_and_reports_the_response() {
    let sandbox = Sandbox::start(&[]);
    let home = Home::new();
    home.oneup().envs(sandbox.env()).args(["login", "provider"]).run();
    let token = home.oneup().args(["token", "show"]).run().stdout;
    let revoke = |stdin: &str| {
        let args: &[&str] = if stdin.is_empty() { &["token", "revoke"] } else { &["token", "revoke", "-"] };
        home.oneup().args(args).stdin(stdin).stdout("").never(token.trim())
    };
    revoke("").stderr_has("The server revoked the access token of profile provider.\n").run();
    revoke("").status(4).stderr_has("no stored token").run();
    home.oneup().arg("status").stdout_has("  token   none; requested at the next use\n").run();
    home.oneup()
        .args(["token", "inspect"])
        .status(4)
        .stderr_has("error: the store holds no token for profile provider\nhint: oneup token show")
        .run();
    home.oneup()
        .args(["token", "inspect", "-", "--introspect"])
        .stdin(token.clone())
        .status(7)
        .stdout_has("not active")
        .run();
    let fresh = home.oneup().args(["token", "show"]).run().stdout;
    assert_ne!(fresh, token);
    let revoked = "The server revoked the access token.\nIt was the stored token of profile provider.\n";
    revoke(&fresh).stderr(revoked).run();
    let newer = home.oneup().args(["token", "show"]).run().stdout;
    assert_ne!(newer, fresh, "a revoked token is not used again");
    let other_scope = || home.oneup().args(["token", "show", "--scope", ""]).run().stdout;
    let scoped = other_scope();
    revoke(&scoped).stderr(revoked).run();
    assert_ne!(other_scope(), scoped);
    assert_eq!(home.oneup().args(["token", "show"]).run().stdout, newer);
    revoke("8f2d61c04ab9e7").stderr_has("The server does not know the access token").run();
    let other = jwt(r#"{"alg":"RS256"}"#, r#"{"iss":"https://other.example","exp":9999999999}"#);
    revoke(&other).status(2).stderr_has("issued by another issuer").run();
}

#[test]
fn revoke_at_a_server_without_revocation_is_a_failure() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    home.oneup()
        .args(["token", "revoke"])
        .status(1)
        .stderr_has("error: the server does not support revocation\n  the token stays valid until it expires")
        .run();
    home.oneup().args(["token", "show"]).stdout("token-0\n").run();
}
