//! Exit codes, environment variables and files, as the README, `--help` and the manual pages list them.

use crate::cli::sections::Sections;

/// Exit codes and their meaning. The numbers are `error::Exit`'s.
pub const EXIT_CODES: [(&str, &str); 10] = [
    ("0", "success"),
    ("1", "any other failure, including timing out on another oneup process"),
    (
        "2",
        "usage: flags, empty or malformed input, plain http to a host that is not loopback, a proxy that cannot be used",
    ),
    ("3", "protocol: the server's response is not a valid OAuth or FHIR response"),
    (
        "4",
        "authentication: no such profile, not logged in, or the server rejected the client, code or refresh token",
    ),
    ("5", "network: DNS, connection, timeout, TLS, proxy, 429 or 5xx after retries"),
    ("6", "the credential store is missing, locked or failed"),
    (
        "7",
        "a check failed: `token inspect` (expired, not yet valid, not verified, not allowed), `doctor`, `export` (a file is incomplete)",
    ),
    (
        "125, 126, 127",
        "`curl`, `exec`, `sandbox run`, `proxy -- COMMAND`: oneup itself failed; the program cannot be executed; it was not found",
    ),
    ("130, 143", "interrupted, terminated"),
];

/// Returns the exit codes of a command and their meaning.
pub fn exit_codes(sections: Sections) -> impl Iterator<Item = (&'static str, &'static str)> {
    EXIT_CODES.into_iter().filter(move |(codes, _)| sections.exit_codes.contains(codes))
}

/// Environment variables that oneup reads, separated by commas, and their meaning.
pub const VARIABLES: [(&str, &str); 9] = [
    (
        "ONEUP_PROFILE, ONEUP_CONFIG_DIR, ONEUP_STATE_DIR, ONEUP_NO_INPUT, ONEUP_TIMEOUT, ONEUP_CACERT",
        "defaults of the global flags",
    ),
    (
        "ONEUP_CLIENT_ID, ONEUP_SCOPE, ONEUP_TENANT, ONEUP_GATEWAY, ONEUP_REALM, ONEUP_PLAN, ONEUP_TOKEN_URL, \
         ONEUP_FHIR_BASE, ONEUP_REDIRECT_URI, ONEUP_STORE, ONEUP_VAULT_PATH",
        "defaults of the flags of `login`",
    ),
    (
        "ONEUP_CLIENT_SECRET, ONEUP_CLIENT_SECRET_FILE, ONEUP_CLIENT_SECRET_COMMAND",
        "the client secret, a file that contains it, or a command that prints it",
    ),
    (
        "ONEUP_KEY_FILE, ONEUP_KEY_COMMAND",
        "a file that contains the private key of `private_key_jwt`, or a command that prints it",
    ),
    (
        "VAULT_ADDR, VAULT_TOKEN, VAULT_NAMESPACE, VAULT_CACERT, VAULT_ROLE_ID, VAULT_SECRET_ID, VAULT_ROLE",
        "the server of `--store vault` and how to authenticate to it, or the same with `BAO_`: see docs/fleet.md",
    ),
    ("ONEUP_TOKEN", "the token that `token show` and `token inspect` use, unless `--profile` is given"),
    ("ONEUP_NO_CACHE", "disables the token cache in the kernel keyring"),
    ("HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY", "proxies, as in curl; never used for loopback"),
    ("NO_COLOR, CLICOLOR_FORCE, CI", "disables color; forces color, even into a pipe; disables prompts"),
];

/// Returns the names of oneup's own variables: those that it reads, and the one that `exec` sets.
pub fn own_variables() -> impl Iterator<Item = &'static str> {
    let read = VARIABLES.iter().flat_map(|(names, _)| names.split(", "));
    read.filter(|name| name.starts_with("ONEUP_")).chain(["ONEUP_TOKEN_FILE"])
}

/// Files of a login on Linux; other platforms have their own directories.
pub const FILES: [(&str, &str); 3] = [
    ("~/.config/oneup/profiles/NAME.toml", "a profile: everything about a login that is not secret"),
    ("~/.local/state/oneup/", "locks and token metadata, such as the expiry"),
    ("~/.local/state/oneup/secrets/", "the file store: client secrets and tokens, mode 0600, not encrypted"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{ErrorKind, StoreErrorKind};

    const README: &str = include_str!("../../../README.md");

    /// Returns the rows of the README's table below this heading.
    fn rows(heading: &str) -> Vec<Vec<String>> {
        let section = README.split(&format!("\n## {heading}\n")).nth(1).expect(heading);
        let table = section.lines().skip_while(|line| !line.starts_with('|'));
        let rows = table.take_while(|line| line.starts_with('|')).skip(2);
        rows.map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect())
            .collect()
    }

    #[test]
    fn readme_lists_the_same_exit_codes() {
        let listed = EXIT_CODES.map(|(code, meaning)| vec![code.to_owned(), meaning.to_owned()]);
        assert_eq!(rows("Exit codes"), listed);
    }

    #[test]
    fn lists_every_exit_code() {
        for kind in [
            ErrorKind::Other,
            ErrorKind::Usage,
            ErrorKind::Protocol,
            ErrorKind::Auth,
            ErrorKind::Network,
            ErrorKind::Store(StoreErrorKind::Failed),
            ErrorKind::CheckFailed,
            ErrorKind::NotStarted,
            ErrorKind::NotExecutable,
            ErrorKind::NotFound,
            ErrorKind::Interrupted,
        ] {
            let code = kind.exit().code().to_string();
            assert!(
                EXIT_CODES.iter().any(|(codes, _)| codes.split(", ").any(|listed| listed == code)),
                "{code}"
            );
        }
    }

    #[test]
    fn readme_lists_the_same_variables() {
        let listed = VARIABLES
            .map(|(names, meaning)| vec![format!("`{}`", names.replace(", ", "`, `")), meaning.to_owned()]);
        assert_eq!(rows("Environment"), listed);
    }

    #[test]
    fn lists_every_variable_of_a_flag() {
        fn walk(command: &clap::Command) {
            for variable in command.get_arguments().filter_map(clap::Arg::get_env) {
                let name = variable.to_str().expect("ASCII");
                assert!(own_variables().any(|own| own == name), "{name}");
            }
            command.get_subcommands().for_each(walk);
        }
        walk(&super::super::command());
    }
}
