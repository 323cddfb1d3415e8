//! What the README, `--help` and the manual pages each say: exit codes, variables, files. The README is held against it.

/// What an exit code means, for scripts. The numbers are `error::Exit`'s.
pub const EXIT_CODES: [(&str, &str); 10] = [
    ("0", "done"),
    ("1", "any other failure"),
    ("2", "wrong usage: flags, empty or malformed input, plain http to a host that is not loopback"),
    ("3", "protocol: the server's answer is not a valid OAuth answer"),
    (
        "4",
        "authentication: no such profile, nobody logged in, or the server refused the client, the code or the refresh token",
    ),
    ("5", "network: DNS, refused, timeout, TLS, proxy, 429 or 5xx after retries"),
    ("6", "the credential store is missing, locked or failed"),
    (
        "7",
        "`token inspect`: the token is expired, not yet valid, or does not verify; `doctor`: a check failed",
    ),
    (
        "125, 126, 127",
        "`curl`, `exec`, `sandbox run`: oneup itself failed before starting the program; it can't be run; it isn't there",
    ),
    ("130, 143", "interrupted, terminated"),
];

/// Variables that oneup reads, and what each is.
pub const VARIABLES: [(&[&str], &str); 7] = [
    (
        &[
            "ONEUP_PROFILE",
            "ONEUP_CONFIG_DIR",
            "ONEUP_STATE_DIR",
            "ONEUP_NO_INPUT",
            "ONEUP_TIMEOUT",
            "ONEUP_CACERT",
        ],
        "the global flags",
    ),
    (
        &[
            "ONEUP_CLIENT_ID",
            "ONEUP_SCOPE",
            "ONEUP_GATEWAY",
            "ONEUP_REALM",
            "ONEUP_PLAN",
            "ONEUP_TOKEN_URL",
            "ONEUP_FHIR_BASE",
            "ONEUP_REDIRECT_URI",
            "ONEUP_STORE",
        ],
        "the flags of `login`",
    ),
    (
        &["ONEUP_CLIENT_SECRET", "ONEUP_CLIENT_SECRET_FILE", "ONEUP_CLIENT_SECRET_COMMAND"],
        "where the client secret comes from",
    ),
    (&["ONEUP_TOKEN"], "the token that `token show` and `token inspect` take, unless `--profile` is given"),
    (&["ONEUP_NO_CACHE"], "the kernel cache is neither read nor written"),
    (
        &["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"],
        "proxies, as curl reads them; never for loopback",
    ),
    (
        &["NO_COLOR", "CLICOLOR_FORCE", "CI"],
        "no colour; colour even into a pipe; nobody is there to answer a question",
    ),
];

/// Files of a login on Linux; elsewhere the platform's own directories take their place.
pub const FILES: [(&str, &str); 3] = [
    ("~/.config/oneup/profiles/NAME.toml", "A profile: everything about a login that is not secret."),
    ("~/.local/state/oneup/", "Locks, and what is known of a token's expiry without unlocking anything."),
    ("~/.local/state/oneup/secrets/", "The file store: client secrets and tokens, mode 0600, not encrypted."),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Exit;

    const README: &str = include_str!("../../../README.md");

    /// The rows of the README's table below this heading.
    fn rows(heading: &str) -> Vec<Vec<String>> {
        let section = README.split(&format!("\n## {heading}\n")).nth(1).expect(heading);
        let table = section.lines().skip_while(|line| !line.starts_with('|'));
        let rows = table.take_while(|line| line.starts_with('|')).skip(2);
        rows.map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect())
            .collect()
    }

    #[test]
    fn the_readme_has_the_same_exit_codes() {
        let told = EXIT_CODES.map(|(code, meaning)| vec![code.to_owned(), meaning.to_owned()]);
        assert_eq!(rows("Exit codes"), told);
    }

    #[test]
    fn every_exit_code_is_told() {
        for exit in [
            Exit::Failure,
            Exit::Usage,
            Exit::Protocol,
            Exit::Auth,
            Exit::Network,
            Exit::Store,
            Exit::CheckFailed,
            Exit::Program(125),
            Exit::Program(126),
            Exit::Program(127),
            Exit::Program(130),
        ] {
            let code = exit.code().to_string();
            assert!(EXIT_CODES.iter().any(|(codes, _)| codes.split(", ").any(|told| told == code)), "{code}");
        }
    }

    #[test]
    fn the_readme_has_the_same_variables() {
        let told = VARIABLES.map(|(names, meaning)| {
            vec![
                names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
                meaning.to_owned(),
            ]
        });
        assert_eq!(rows("Environment"), told);
    }

    #[test]
    fn every_variable_of_a_flag_is_told() {
        fn walk(command: &clap::Command) {
            for variable in command.get_arguments().filter_map(clap::Arg::get_env) {
                let name = variable.to_str().expect("ASCII");
                assert!(VARIABLES.iter().any(|(names, _)| names.contains(&name)), "{name}");
            }
            command.get_subcommands().for_each(walk);
        }
        walk(&super::super::command());
    }
}
