//! `--auth-method private_key_jwt` and `oneup key`: sources of the key, what is sent, the message of each rejection.

use std::fs;

use serde_json::Value;

use crate::support::{
    Fault, Home, JWT_CLIENT, Oneup, Sandbox, TokenEndpoint, client_key, json_response, requires_program,
    set_mode, text_response,
};

/// A part of the private key in `es384.pem`.
const KEY_PART: &str = "iijarCZGM0B7IKGwwLaMDUn2";

fn login(home: &Home, gateway: &str, args: &[&str]) -> Oneup {
    login_as(JWT_CLIENT, home.oneup(), gateway, args)
}

fn login_as(client: &str, run: Oneup, gateway: &str, args: &[&str]) -> Oneup {
    run.args(["login", "provider", "--gateway", gateway, "--client-id", client])
        .args(args)
        .never(KEY_PART)
        .never("eyJ")
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Arguments, and a variable.
type Source<'a> = (&'a [&'a str], Option<(&'a str, &'a str)>);

#[test]
fn each_source_of_the_key_logs_in_and_refreshes() {
    let sandbox = Sandbox::start_with_client_keys();
    for (name, method) in [("es384.pem", true), ("rs384.pem", false)] {
        let home = Home::new();
        let file = home.write_client_key(name);
        let command = format!("cat {file}");
        let sources: [Source; 4] = [
            (&["--key-file", &file], None),
            (&["--key-command", &command], None),
            (&[], Some(("ONEUP_KEY_FILE", &file))),
            (&[], Some(("ONEUP_KEY_COMMAND", &command))),
        ];
        for (args, variable) in sources {
            let home = Home::new();
            let run = login(&home, sandbox.url(), args).stdout("");
            let run = if method { run.args(["--auth-method", "private_key_jwt"]) } else { run };
            variable.into_iter().fold(run, |run, (name, value)| run.env(name, value)).run();
            let show = || home.oneup().args(["token", "show", "--refresh"]).stderr("").run().stdout;
            assert_ne!(show(), show());
            let profile = fs::read_to_string(home.profile_file("provider")).expect("a profile");
            assert!(profile.contains("auth_method = \"private_key_jwt\""), "{profile}");
            let stored = fs::read_to_string(home.stored_file()).expect("a login");
            let is_command = args.contains(&"--key-command")
                || variable.is_some_and(|(name, _)| name.ends_with("COMMAND"));
            assert_eq!(stored.contains("PRIVATE KEY"), !is_command, "{args:?} {variable:?}");
            home.oneup().args(["token", "revoke"]).run();
            home.oneup().args(["token", "show"]).run();
        }
    }
}

#[test]
fn request_has_an_assertion_and_nothing_else_of_the_client() {
    let (home, server) = (Home::new(), TokenEndpoint::builder().fault(0, unavailable()).start());
    let file = home.write_client_key("es384.pem");
    login(&home, &server.url(), &["--key-file", &file, "-v"]).stderr_has("client_assertion=***").run();
    let requests = server.requests();
    let assertions: Vec<String> = requests
        .iter()
        .map(|request| {
            let (before, assertion) = request.body().split_once("&client_assertion=").expect("an assertion");
            assert_eq!(
                before,
                "grant_type=client_credentials&scope=bulk-data%7Cuser%2F*.rs&client_assertion_type=\
                 urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
            );
            assertion.to_owned()
        })
        .collect();
    assert_eq!(assertions.len(), 2, "a 503 is retried");
    assert_ne!(assertions[0], assertions[1], "with another assertion, as each is valid once");
}

fn unavailable() -> Fault {
    Fault::Response(text_response("503 Service Unavailable", ""))
}

#[test]
fn generated_key_is_stored_with_the_login() {
    for algorithm in ["ES384", "RS384"] {
        let home = Home::new();
        let generated = home
            .oneup()
            .args(["key", "generate", "--alg", algorithm])
            .stderr_has("oneup login provider --auth-method private_key_jwt")
            .never("PRIVATE")
            .run();
        let keys = json(&generated.stdout);
        assert_eq!(keys["keys"][0]["alg"], algorithm);
        assert_eq!(keys["keys"][0].get("d"), None);
        home.oneup().args(["key", "jwks"]).stdout(generated.stdout.clone()).run();
        home.oneup().args(["key", "generate"]).status(2).stderr_has("hint: oneup key jwks").run();
        home.oneup().args(["token", "show"]).status(4).run();

        let jwks = home.write("jwks.json", &generated.stdout);
        let sandbox = Sandbox::start(&["--client-jwks", jwks.to_str().expect("UTF-8")]);
        login(&home, sandbox.url(), &["--auth-method", "private_key_jwt"]).run();
        assert!(!home.config().join("keys/provider.json").exists());
        assert_eq!(home.stored_files().len(), 1, "there is one copy of the key: the login's");
        home.oneup().args(["key", "jwks"]).stdout(generated.stdout.clone()).run();
        home.oneup().args(["token", "show", "--refresh"]).stderr("").run();
        // A second login keeps the key.
        login(&home, sandbox.url(), &[]).run();

        let rotated = home.oneup().args(["key", "generate"]).run();
        assert_eq!(
            json(&rotated.stdout)["keys"].as_array().map(Vec::len),
            Some(2),
            "the old key is still in use"
        );
        home.oneup().args(["token", "show", "--refresh"]).stderr("").run();
        home.oneup().args(["key", "generate", "--replace"]).run();
        assert_eq!(home.stored_files().len(), 2, "the replaced key is deleted");
        home.oneup().args(["logout", "--no-revoke"]).run();
        assert_eq!(home.stored_files().len(), 0, "the keys are deleted with the login");
    }
}

#[test]
fn generated_key_without_a_login_can_be_deleted() {
    let home = Home::new();
    home.oneup().args(["key", "generate", "--profile", "acme"]).stderr_has("--profile acme").run();
    home.oneup().args(["logout", "--profile", "acme"]).stderr_has("Deleted the generated key").run();
    home.oneup().args(["key", "jwks", "--profile", "acme"]).status(4).run();
    assert_eq!(home.stored_files().len(), 0);
}

#[test]
fn jwks_prints_the_public_part_of_a_file() {
    let home = Home::new();
    let file = home.write_client_key("es384.pem");
    let run = home.oneup().args(["key", "jwks", "--key-file", &file]).never(KEY_PART).run();
    let set = json(&fs::read_to_string(client_key("jwks.json")).expect("a fixture"));
    assert_eq!(json(&run.stdout)["keys"][0]["kid"], set["keys"][1]["kid"]);
}

#[cfg(unix)]
#[test]
fn key_file_that_others_can_read_is_an_error() {
    let home = Home::new();
    let server = TokenEndpoint::start();
    let file = home.write_client_key("es384.pem");
    set_mode(std::path::Path::new(&file), 0o644);
    login(&home, &server.url(), &["--key-file", &file])
        .status(2)
        .stderr_has("permissions too open (0644)")
        .stderr_has("hint: chmod 600 ")
        .run();
    assert_eq!(server.count(), 0, "nothing was sent");
}

#[test]
fn unusable_sources_are_usage_errors() {
    let home = Home::new();
    let server = TokenEndpoint::start();
    let file = home.write_client_key("es384.pem");
    let text = home.write_private("text", "no key");
    let text = text.to_str().expect("UTF-8");
    for (args, message) in [
        (&["--auth-method", "private_key_jwt"][..], "missing private key"),
        (&["--key-file", "missing.pem"], "missing.pem does not exist"),
        (&["--key-file", text], "neither a PEM private key nor a JWK"),
        (&["--key-command", "exit 3"], "the private key command failed"),
        (&["--key-command", "echo"], "neither a PEM private key nor a JWK"),
        (&["--auth-method", "post", "--key-file", &file], "need --auth-method private_key_jwt"),
        (
            &["--auth-method", "private_key_jwt", "--client-secret-stdin"],
            "private_key_jwt uses a private key instead of a client secret",
        ),
        (&["--key-file", &file, "--client-secret-stdin"], "cannot be used with"),
    ] {
        login(&home, &server.url(), args).status(2).stderr_has(message).run();
    }
    assert_eq!(server.count(), 0, "nothing was sent");
}

/// Keycloak's descriptions, which `tests/cli/sandbox_jwt.rs` compares with a real one's.
#[test]
fn each_rejection_has_its_message() {
    const SIGNATURE: &str =
        "Client authentication with signed JWT failed: Signature on JWT token failed validation";
    let kid = "fbFKK0dG-9gb7ZpeneN1XcYLpAVpx4s4Eok-rpm7-Yg";
    for (description, message, hint) in [
        ("Unable to load public key", &*format!("the server has no key {kid} for client"), "oneup key jwks"),
        ("Invalid signature algorithm", "does not accept ES384", "oneup key generate --alg RS384"),
        (SIGNATURE, &format!("the signature does not match the key {kid}"), "oneup key jwks"),
        ("Token is not active", "expired, or not valid yet", "clock"),
        ("Token was issued in the future", "expired, or not valid yet", "clock"),
        ("Invalid token audience", "another audience than", "--token-url URL"),
        ("Token reuse detected", "already accepted an assertion with this jti", "try again"),
        (
            "Invalid client or Invalid client credentials",
            "the server has no client oneup-sandbox-jwt",
            "--client-id",
        ),
    ] {
        let body = format!(r#"{{"error":"invalid_client","error_description":"{description}"}}"#);
        let response = json_response("400 Bad Request", body);
        let server = TokenEndpoint::builder().fault(0, Fault::Response(response)).start();
        let home = Home::new();
        let file = home.write_client_key("es384.pem");
        login(&home, &server.url(), &["--key-file", &file])
            .status(4)
            .stderr_has(message)
            .stderr_has(format!("server: invalid_client: {description}"))
            .stderr_has(hint)
            .run();
    }
}

#[test]
fn sandbox_rejects_other_keys_clients_and_audiences() {
    let sandbox = Sandbox::start_with_client_keys();
    let home = Home::new();
    let other = home.write_client_key("other.pem");
    let file = home.write_client_key("es384.pem");
    login(&home, sandbox.url(), &["--key-file", &other]).status(4).stderr_has("the server has no key ").run();
    login_as("unregistered", home.oneup(), sandbox.url(), &["--key-file", &file])
        .status(4)
        .stderr_has("the server has no client unregistered that authenticates with a signed JWT")
        .run();
    let elsewhere = format!(
        "{}/auth/realms/dev-portal/protocol/openid-connect/token",
        sandbox.url().replace("127.0.0.1", "localhost")
    );
    login(&home, sandbox.url(), &["--key-file", &file, "--token-url", &elsewhere])
        .status(4)
        .stderr_has("for another audience than http://localhost:")
        .run();
}

#[test]
fn wrong_clock_is_reported_with_the_difference() {
    if !requires_program("faketime") {
        return;
    }
    let sandbox = Sandbox::start_with_client_keys();
    let home = Home::new();
    let file = home.write_client_key("es384.pem");
    for (offset, words) in [("-10m", "s behind the server's"), ("+10m", "s ahead of the server's")] {
        let run = home.oneup_under(&["faketime", "-f", offset]);
        login_as(JWT_CLIENT, run, sandbox.url(), &["--key-file", &file])
            .status(4)
            .stderr_has("expired, or not valid yet")
            .stderr_has(words)
            .stderr_has("hint: set this machine's clock")
            .run();
    }
}

/// The key is in no argument, and in no variable of a command that oneup runs.
#[cfg(target_os = "linux")]
#[test]
fn key_is_in_no_argument_or_variable() {
    let sandbox = Sandbox::start_with_client_keys();
    let home = Home::new();
    let file = home.write_client_key("es384.pem");
    login(&home, sandbox.url(), &["--key-file", &file]).run();
    let script = "cat /proc/self/environ /proc/$PPID/cmdline /proc/$PPID/environ | tr '\\0' '\\n'";
    home.oneup()
        .args(["exec", "--", "sh", "-c", script])
        .stdout_has("HOME=")
        .never(KEY_PART)
        .never("PRIVATE KEY")
        .run();
}
