//! Logging in with client credentials: every source of the secret, what is sent, what is kept.

use std::fs;

#[cfg(unix)]
use crate::support::mode;
use crate::support::{Fault, Home, Oneup, RawServer, TokenEndpoint, json_response, oauth_error};

const AWKWARD: &str = r#"p&a=s+s% wörd"'"#;

fn login(home: &Home, server: &TokenEndpoint, args: &[&str]) -> Oneup {
    home.oneup()
        .args(["login", "provider", "--client-id", "my client:1", "--gateway"])
        .arg(server.url())
        .args(args)
        .never("token-0")
}

/// Arguments, stdin, and a variable.
type Source<'a> = (&'a [&'a str], &'a str, Option<(&'a str, &'a str)>);

#[test]
fn each_source_sends_the_secret_byte_for_byte() {
    let sent = "grant_type=client_credentials&scope=bulk-data%7Cuser%2F*.rs&client_id=my+client%3A1\
                &client_secret=p%26a%3Ds%2Bs%25+w%C3%B6rd%22%27";
    let home = Home::new();
    let file = home.write_private("secret", format!("{AWKWARD}\r\n"));
    let file = file.to_str().expect("UTF-8").to_owned();
    let command = format!("cat {file}");
    let sources: [Source; 6] = [
        (&["--client-secret-stdin"], AWKWARD, None),
        (&["--client-secret-file", &file], "", None),
        (&["--client-secret-command", &command], "", None),
        (&[], "", Some(("ONEUP_CLIENT_SECRET", AWKWARD))),
        (&[], "", Some(("ONEUP_CLIENT_SECRET_FILE", &file))),
        (&[], "", Some(("ONEUP_CLIENT_SECRET_COMMAND", &command))),
    ];
    for (args, stdin, variable) in sources {
        let server = TokenEndpoint::start();
        let run = login(&home, &server, args).stdin(stdin).never(AWKWARD).stdout("");
        let run = variable.into_iter().fold(run, |run, (name, value)| run.env(name, value));
        run.stderr_has(" as profile provider.\nThe token expires in 1 h; credentials are kept in")
            .stderr_has("Logged in to Provider Access at 127.0.0.1:")
            .run();
        assert_eq!(server.requests()[0].body(), sent, "{args:?} {variable:?}");
        assert!(
            server.requests()[0].starts_with("POST /auth/realms/dev-portal/protocol/openid-connect/token ")
        );
    }
}

#[test]
fn auth_method_basic_sends_only_a_header() {
    let (home, server) = (Home::new(), TokenEndpoint::start());
    login(&home, &server, &["--auth-method", "basic", "--client-secret-stdin"])
        .stdin("p&a=s+s% wörd\n")
        .run();
    let request = &server.requests()[0];
    assert!(
        request.to_lowercase().contains(
            "\r\nauthorization: basic bxkry2xpzw50jtnbmtpwjti2ysuzrhmlmkjzjti1k3clqzmlqjzyza==\r\n"
        ),
        "{request}"
    );
    assert_eq!(request.body(), "grant_type=client_credentials&scope=bulk-data%7Cuser%2F*.rs");
}

#[test]
fn invalid_secret_is_rejected_before_anything_is_sent() {
    let (home, server) = (Home::new(), TokenEndpoint::start());
    for bytes in [&b""[..], b"\n", b"  \n", b"\xef\xbb\xbfs3\n", b"a\0b\n", b"\xff\xfe\n"] {
        let file = home.write("secret", bytes);
        let file = file.to_str().expect("UTF-8");
        login(&home, &server, &["--client-secret-file", file]).status(2).run();
        login(&home, &server, &["--client-secret-stdin"]).stdin(bytes).status(2).run();
    }
    login(&home, &server, &["--client-secret-file", "nowhere"]).status(2).stderr_has("nowhere").run();
    login(&home, &server, &["--client-secret-command", "exit 3"])
        .status(2)
        .stderr_has("failed (exit status: 3)")
        .run();
    assert!(server.requests().is_empty());
}

#[test]
fn secret_in_an_argument_is_rejected_with_the_alternatives() {
    let (home, server) = (Home::new(), TokenEndpoint::start());
    for args in [&["--client-secret", "hunter2"][..], &["--client-secret=hunter2"], &["--client-secret"]] {
        login(&home, &server, args).status(2).stderr_has("--client-secret-stdin").never("hunter2").run();
    }
    assert!(server.requests().is_empty());
}

#[test]
fn missing_settings_are_named_without_a_prompt() {
    Oneup::new()
        .args(["login", "provider"])
        .status(2)
        .stderr_has("error: missing client ID\n")
        .stderr_has("hint: pass --client-id ID, or set ONEUP_CLIENT_ID\n")
        .run();
    Oneup::new().args(["login", "p2p", "--client-id", "c"]).status(2).stderr_has("ONEUP_CLIENT_SECRET").run();
}

#[test]
fn invalid_redirect_uri_is_reported_before_the_secret_is_asked_for() {
    for uri in ["callback", "http://localhost:8484/callback#x"] {
        Oneup::new()
            .args(["login", "patient", "--client-id", "c", "--redirect-uri", uri])
            .status(2)
            .stderr_has("error: invalid redirect URI\n")
            .run();
    }
}

#[test]
fn files_are_private_and_only_the_store_holds_secrets() {
    let (home, server) = (Home::new(), TokenEndpoint::start());
    login(&home, &server, &["--client-secret-stdin"]).stdin("hunter2").run();
    let mut holders = Vec::new();
    let mut dirs = vec![home.config(), home.state()];
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path()) {
            #[cfg(unix)]
            assert_eq!(mode(&entry), if entry.is_dir() { 0o700 } else { 0o600 }, "{}", entry.display());
            if entry.is_dir() {
                dirs.push(entry);
            } else if fs::read_to_string(&entry).expect("text").contains("hunter2") {
                holders.push(entry);
            }
        }
    }
    assert_eq!(holders.len(), 1);
    assert!(holders[0].starts_with(home.state().join("secrets")), "{holders:?}");
}

#[test]
fn secret_command_runs_for_each_token_and_its_secret_is_not_stored() {
    let (home, server) = (Home::new(), TokenEndpoint::start());
    login(&home, &server, &["--client-secret-command", "echo >> ran; echo hunter2"]).run();
    home.oneup().args(["token", "show", "--refresh"]).stdout("token-1\n").run();
    assert_eq!(fs::read_to_string(home.path("ran")).expect("it ran"), "\n\n");
    assert!(!fs::read_to_string(home.stored_file()).expect("text").contains("hunter2"));
}

#[test]
fn second_login_recalls_settings_and_replaces_the_first() {
    let (home, server) = (Home::new(), TokenEndpoint::start());
    login(&home, &server, &["--realm", "other", "--scope", "a  b", "--client-secret-stdin"])
        .stdin("one")
        .run();
    home.oneup().args(["login", "provider", "--client-secret-stdin"]).stdin("two").run();
    let second = &server.requests()[1];
    assert!(second.starts_with("POST /auth/realms/other/"), "{second}");
    assert_eq!(
        second.body(),
        "grant_type=client_credentials&scope=a+b&client_id=my+client%3A1&client_secret=two"
    );
    home.oneup().args(["token", "show"]).stdout("token-1\n").run();
    assert_eq!(home.stored_files().len(), 1);
}

#[test]
fn second_login_recalls_the_secret_of_the_same_client_and_endpoint() {
    let (home, server, other) = (Home::new(), TokenEndpoint::start(), TokenEndpoint::start());
    login(&home, &server, &["--client-secret-stdin"]).stdin("one").run();
    let again = || home.oneup().args(["login", "provider", "--scope", "a"]).never("one");
    again().env("ONEUP_TOKEN_URL", other.token_url()).status(2).stderr_has("missing client secret").run();
    again().args(["--client-id", "another"]).status(2).stderr_has("missing client secret").run();
    again().arg("--no-store").status(2).stderr_has("missing client ID").run();
    again().run();
    assert_eq!((server.count(), other.count()), (2, 0));
    assert!(server.requests()[1].body().ends_with("&scope=a&client_id=my+client%3A1&client_secret=one"));
}

/// `ONEUP_PROFILE` may be set for another command.
#[test]
fn login_for_another_product_does_not_replace_a_profile() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    for product in ["p2p", "patient"] {
        home.oneup()
            .args(["login", product, "--client-id", "c"])
            .env("ONEUP_PROFILE", "provider")
            .env("ONEUP_CLIENT_SECRET", "s3")
            .status(2)
            .stderr_has("error: profile provider is a login for Provider Access\n")
            .stderr_has("or delete it first: oneup logout --profile provider\n")
            .run();
    }
    home.oneup().args(["token", "show"]).stdout("token-0\n").run();
}

#[test]
fn failed_login_keeps_the_previous_one() {
    let home = Home::new();
    let good = TokenEndpoint::start();
    login(&home, &good, &["--client-secret-stdin"]).stdin("one").run();
    let rejected = oauth_error("401 Unauthorized", "invalid_client");
    let bad = TokenEndpoint::builder().fault(0, Fault::Response(rejected)).start();
    login(&home, &bad, &["--client-secret-stdin"]).stdin("two").status(4).run();
    home.oneup().args(["token", "show"]).stdout("token-0\n").run();
}

/// The writer may keep the pipe open for a while.
#[test]
fn client_secret_stdin_reads_only_the_first_line() {
    use std::io::Write;
    let (home, server) = (Home::new(), TokenEndpoint::start());
    let mut child = login(&home, &server, &["--client-secret-stdin"])
        .into_command()
        .stdin(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("oneup runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"hunter2\nmore").expect("it reads");
    // The pipe is still open.
    assert!(child.wait().expect("it ends").success());
    assert!(server.requests()[0].body().ends_with("client_secret=hunter2"), "{:?}", server.requests());
    drop(stdin);
}

/// A CI system sets secrets and settings that are not configured to empty values.
#[test]
fn empty_variables_are_unset_and_empty_flags_are_usage_errors() {
    const SET: [&str; 14] = [
        "PROFILE",
        "CONFIG_DIR",
        "STATE_DIR",
        "NO_INPUT",
        "TIMEOUT",
        "CACERT",
        "SCOPE",
        "REALM",
        "TOKEN_URL",
        "FHIR_BASE",
        "STORE",
        "PLAN",
        "CLIENT_SECRET_FILE",
        "CLIENT_SECRET_COMMAND",
    ];
    let (home, server) = (Home::new(), TokenEndpoint::start());
    let empty = || SET.into_iter().map(|name| (format!("ONEUP_{name}"), String::new()));
    home.oneup()
        .args(["login", "provider", "--no-store", "--client-id", "c", "--client-secret-stdin", "--gateway"])
        .arg(server.url())
        .envs(empty())
        .stdin("s3")
        .stdout("token-0\n")
        .run();
    assert!(server.requests()[0].body().contains("scope=bulk-data%7Cuser%2F*.rs"), "{:?}", server.requests());
    for flag in ["--gateway", "--realm", "--token-url", "--fhir-base", "--client-id"] {
        home.oneup().args(["login", "provider", flag, ""]).status(2).stderr_has(flag).run();
    }
    home.oneup().args(["login", "patient", "--plan", ""]).status(2).stderr_has("--plan").run();
}

#[test]
fn empty_granted_scope_is_reported() {
    let (home, server) = (Home::new(), TokenEndpoint::builder().members(r#""scope":"""#).start());
    login(&home, &server, &["--client-secret-stdin"])
        .stdin("s3")
        .stderr_has("requested but not granted: bulk-data|user/*.rs\n")
        .run();
    home.oneup().arg("status").stdout_has("  scope   none\n").run();
    home.oneup().args(["token", "inspect"]).stdout_has("none granted").run();
}

#[test]
fn gateway_without_a_scheme_is_reached_over_https() {
    Oneup::new()
        .args(["login", "provider", "--no-store", "--client-id", "c", "--gateway", "127.0.0.1:1/"])
        .env("ONEUP_CLIENT_SECRET", "s3")
        .status(5)
        .stderr_has("error: https://127.0.0.1:1 refused the connection\n")
        .run();
}

/// Keycloak's response at a path that it doesn't know.
#[test]
fn wrong_token_url_is_named() {
    let server =
        RawServer::start(|_, _, _| json_response("404 Not Found", r#"{"error":"HTTP 404 Not Found"}"#));
    let url = format!("{}/tokn", server.url());
    let error = format!(
        "error: {url} is not a token endpoint (HTTP 404)\n  endpoint: {url}\n  server: HTTP 404 Not Found (HTTP 404)\nhint: check --gateway, --realm, --plan and --token-url\n"
    );
    for product in ["provider", "p2p"] {
        Oneup::new()
            .args(["login", product, "--client-id", "c", "--client-secret-stdin", "--token-url", &url])
            .stdin("s3")
            .status(4)
            .stderr(&error)
            .run();
    }
}

#[test]
fn difference_between_requested_and_granted_scope_is_shown() {
    let granted = r#""scope":"patient/*.rs email""#;
    let (home, server) = (Home::new(), TokenEndpoint::builder().members(granted).start());
    login(&home, &server, &["--scope", "patient/*.read openid", "--client-secret-stdin"])
        .stdin("s3")
        .stderr_has("requested but not granted: openid\n")
        .stderr_has("Additionally granted: email\n")
        .run();
}

#[test]
fn invalid_scopes_and_names_are_usage_errors() {
    let (home, server) = (Home::new(), TokenEndpoint::start());
    for args in [
        &["--scope", "a\"b"][..],
        &["--scope", "a\\b"],
        &["--profile", "../x"],
        &["--profile", ""],
        &["--realm", "a/b"],
    ] {
        login(&home, &server, args).env("ONEUP_CLIENT_SECRET", "s3").status(2).run();
    }
    assert!(server.requests().is_empty());
}

#[test]
fn unusable_store_is_reported_before_anything_is_sent() {
    let (home, server) = (Home::new(), TokenEndpoint::start());
    home.write("state/secrets", "a file where the store's directory should be");
    login(&home, &server, &["--client-secret-stdin"]).stdin("hunter2").status(6).never("hunter2").run();
    assert!(server.requests().is_empty());
}

#[test]
fn recalled_secret_command_is_used_for_the_same_endpoint_only() {
    let (home, server, other) = (Home::new(), TokenEndpoint::start(), TokenEndpoint::start());
    login(&home, &server, &["--client-secret-command", "echo >> ran; echo hunter2"]).run();
    let again = || home.oneup().args(["login", "provider"]);
    again().env("ONEUP_TOKEN_URL", other.token_url()).status(2).stderr_has("missing client secret").run();
    again().args(["--client-id", "another"]).status(2).stderr_has("missing client secret").run();
    assert_eq!((other.count(), fs::read_to_string(home.path("ran")).expect("it ran").len()), (0, 1));
    again().run();
    assert_eq!(server.count(), 2);
}

#[cfg(unix)]
#[test]
fn secret_command_leaves_stdin_to_the_script() {
    let (home, server) = (Home::new(), TokenEndpoint::start());
    login(&home, &server, &["--client-secret-command", "cat; echo hunter2"]).stdin("row 1\nrow 2\n").run();
    assert!(server.requests()[0].body().ends_with("client_secret=hunter2"), "{:?}", server.requests());
}

#[test]
fn control_character_in_a_variable_is_rejected() {
    let (home, server) = (Home::new(), TokenEndpoint::start());
    login(&home, &server, &[])
        .env("ONEUP_CLIENT_SECRET", "s3")
        .env("ONEUP_FHIR_BASE", "https://fhir.example/r4\r")
        .status(2)
        .stderr_has("error: ONEUP_FHIR_BASE contains a control character\n")
        .run();
    assert_eq!(server.count(), 0);
    login(&home, &server, &[]).env("ONEUP_CLIENT_SECRET", "s3\r\n").run();
    assert!(server.requests()[0].body().ends_with("client_secret=s3"), "{:?}", server.requests());
}

#[test]
fn ci_forbids_the_prompt_and_the_browser() {
    Oneup::new()
        .args(["login", "patient", "--client-id", "c", "--redirect-uri", "http://localhost:0/callback"])
        .env("ONEUP_CLIENT_SECRET", "s3")
        .env("CI", "true")
        .status(2)
        .stderr_has("no user can log in, because CI is set")
        .run();
}

#[cfg(unix)]
#[test]
fn prompt_takes_a_long_secret_or_enter_for_the_stored_one_and_ctrl_d_cancels() {
    use expectrl::{Eof, Expect, Session};
    let (home, server) = (Home::new(), TokenEndpoint::start());
    let prompt = |end: &str| {
        let login = login(&home, &server, &[]).env("TERM", "dumb");
        let mut user = Session::spawn(login.into_command()).expect("a pty");
        user.set_expect_timeout(Some(std::time::Duration::from_secs(20)));
        user.expect("Client secret for my client:1, sent to 127.0.0.1:").expect("the host is named");
        user.expect(end).expect("a prompt");
        user
    };
    let mut user = prompt("(not shown): ");
    user.send("\x04").expect("it reads");
    user.expect(Eof).expect("it ends");
    assert_eq!(server.count(), 0);
    let mut user = prompt("(not shown): ");
    let secret = "x".repeat(6_000);
    user.send_line(format!("\x1b[200~{secret}\x1b[201~")).expect("it reads");
    user.expect("Logged in").expect("the whole secret was read");
    user.expect(Eof).expect("it ends");
    let sent = |index: usize, secret: &str| {
        let request = &server.requests()[index];
        assert!(request.body().ends_with(&format!("client_secret={secret}")), "{request}");
    };
    sent(0, &secret);
    for (index, typed, expected) in [(1, "", secret.as_str()), (2, "two", "two"), (3, "", "two")] {
        let mut user = prompt("(not shown; Enter keeps the stored one): ");
        user.send_line(typed).expect("it reads");
        user.expect("Logged in").expect("it has a secret");
        user.expect(Eof).expect("it ends");
        sent(index, expected);
    }
}
