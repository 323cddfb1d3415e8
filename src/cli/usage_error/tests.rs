use clap::Parser;

use super::*;

#[track_caller]
fn message(line: &str) -> String {
    let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
    into_error(&Cli::try_parse_from(&args).expect_err(line), &args).to_string()
}

#[test]
fn suggests_the_closest_command_flag_or_value() {
    for (line, suggestion) in [
        ("oneup token shwo", "oneup token show"),
        ("oneup show", "oneup token show"),
        ("oneup --profile acme logn", "oneup login"),
        ("oneup --profile sandbox token shwo", "oneup token show"),
        ("oneup auth", "oneup login"),
        ("oneup auth login", "oneup login"),
        ("oneup provider", "oneup login provider"),
        ("oneup sandbox serv", "oneup sandbox serve"),
        ("oneup help tokn", "oneup token"),
        ("oneup refresh", "oneup token show --refresh"),
        ("oneup version", "oneup --version"),
        ("oneup status --profle x", "--profile"),
        ("oneup status --format jsn", "json"),
        ("oneup completions bsh", "bash"),
    ] {
        let message = message(line);
        assert!(message.contains(&format!("did you mean `{suggestion}`?")), "{line}: {message}");
    }
}

#[test]
fn describes_each_kind_of_error() {
    for (line, expected) in [
        ("oneup teapot", "unknown command `oneup teapot`\nhint: oneup --help"),
        ("oneup exec", "missing argument: <COMMAND>...\nhint: oneup exec --help"),
        (
            "oneup token show --min-ttl abc",
            "invalid value 'abc' for '--min-ttl <SECS>'\n  it must be a whole number\nhint: oneup token show --help",
        ),
        (
            "oneup status --timeout 1m",
            "invalid value '1m' for '--timeout <SECS>'\n  it must be a whole number\nhint: oneup status --help",
        ),
        (
            "oneup status --timeout 0",
            "invalid value '0' for '--timeout <SECS>'\n  0 is not in 1..=86400\nhint: oneup status --help",
        ),
        ("oneup use acme --unset", "'NAME' cannot be used with '--unset'\nhint: oneup use --help"),
        (
            "oneup status --format",
            "missing value for '--format <FORMAT>'\n  [possible values: text, json]\nhint: oneup status --help",
        ),
        ("oneup status -v -q", "'--verbose' cannot be used with '--quiet'\nhint: oneup status --help"),
        ("oneup status --check --check", "'--check' is given more than once\nhint: oneup status --help"),
        ("oneup status --check=x", "'--check' takes no value\nhint: oneup status --help"),
    ] {
        assert_eq!(message(line), expected, "{line}");
    }
}

#[test]
fn suggests_no_shell_for_another_one() {
    for shell in ["tcsh", "ksh", "nushell"] {
        let message = message(&format!("oneup completions {shell}"));
        assert!(message.ends_with("\nhint: oneup completions --help"), "{message}");
    }
}

#[test]
fn positional_profile_suggests_the_flag() {
    for line in ["oneup logout acme", "oneup status acme", "oneup token show acme"] {
        assert!(message(line).ends_with("\nhint: to choose a profile, use --profile NAME"), "{line}");
    }
}

#[test]
fn never_repeats_what_may_be_a_secret() {
    for (line, hint) in [
        (
            "oneup token inspect eyJhbGciOi",
            "to inspect a token, pass it on stdin: oneup token inspect - < FILE",
        ),
        ("oneup token show eyJhbGciOi", "to choose a profile, use --profile NAME"),
        ("oneup login eyJhbGciOi", "oneup login --help"),
        ("oneup eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln", "oneup --help"),
        ("oneup login provider eyJhbGciOi", "oneup login provider --help"),
        ("oneup login provider --client-secret-stdin eyJhbGciOi", "oneup login provider --help"),
        ("oneup login provider --client-secrt=eyJhbGciOi", "did you mean `--client-secret-stdin`?"),
        ("oneup login provider --client-secret-stdin=eyJhbGciOi", "oneup login provider --help"),
        ("oneup token eyJhbGciOi", "oneup token --help"),
        ("oneup login provider --client-secret eyJhbGciOi", "ONEUP_CLIENT_SECRET"),
        ("oneup login provider --client-secret=eyJhbGciOi", "ONEUP_CLIENT_SECRET"),
        ("oneup login patient --code eyJhbGciOi", "oneup login patient --code - < FILE"),
        ("oneup login patient --code=eyJhbGciOi", "oneup login patient --code - < FILE"),
    ] {
        let message = message(line);
        assert!(!message.contains("eyJ") && message.ends_with(hint), "{line}: {message}");
    }
    assert!(message("oneup status teapot").contains("teapot"));
}

#[test]
fn unquoted_scope_suggests_quotes() {
    for line in ["oneup login patient --scope patient/*.read openid", "oneup login p2p --scope=a b"] {
        let message = message(line);
        assert!(
            message.ends_with("hint: quote a scope of several words: --scope 'patient/*.read openid'"),
            "{message}"
        );
    }
}

#[test]
fn unquoted_request_suggests_quotes() {
    for line in ["oneup token inspect --allows GET /Patient/1", "oneup token inspect --allows=GET /Patient/1"]
    {
        let message = message(line);
        assert!(
            message.ends_with("hint: quote method and URL together: --allows 'GET /Patient/1'"),
            "{message}"
        );
    }
}

#[test]
fn every_synonym_stands_for_a_command() {
    let mut root = Cli::command();
    root.build();
    for (synonym, name) in SYNONYMS {
        let mut words = name.split(' ').take_while(|word| !word.starts_with('-'));
        let command = words.try_fold(&root, |command, word| command.find_subcommand(word));
        assert!(command.is_some(), "{synonym}: {name}");
    }
}
