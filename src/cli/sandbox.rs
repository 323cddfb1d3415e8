//! Arguments of `oneup sandbox`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::complete;
use super::sections::{PROGRAM, Sections};

/// Run stand-ins for 1up's servers: try oneup without an account
///
/// Servers on loopback, in this program: realms with Keycloak's paths and errors, a demo health plan with
/// a login page, a small FHIR R4 server, bulk exports of any tenant and size, and /sandbox/journal, which counts requests by
/// path. All data is synthetic, and nothing leaves the machine.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
#[command(add = Sections {
    examples: &[
        ("See what oneup does, step by step", "oneup sandbox demo"),
        ("Start a shell in which oneup uses the sandbox", "oneup sandbox run -- bash"),
    ],
    exit_codes: &["0", "1", "2", "125, 126, 127"],
})]
pub enum Sandbox {
    /// Run the sandbox in the foreground; print its URL first
    ///
    /// The URL is the first line of stdout. Runs until Ctrl-C.
    #[command(add = Sections {
        examples: &[
            ("Listen on a fixed port", "oneup sandbox serve --port 8080"),
            (
                "Fail twice with 429; issue tokens that expire after five seconds",
                "oneup sandbox serve --fail 429=2 --token-lifetime 5",
            ),
            ("Serve a bulk export of 1 GB", "oneup sandbox serve --export-size 1GB --export-files 4"),
        ],
        exit_codes: &["1", "2", "130, 143"],
    })]
    Serve(SandboxOptions),
    Run(SandboxRun),
    /// Show login, token, verification and a bulk export, step by step
    ///
    /// Logs in to the sandbox, prints the token, inspects and verifies it, and starts a bulk export with curl. Needs no
    /// account and no network.
    #[command(add = Sections {
        examples: &[
            ("Run the demo in a terminal", "oneup sandbox demo"),
            ("Read the demo page by page", "oneup sandbox demo --color always | less -R"),
        ],
        exit_codes: &["0", "1"],
    })]
    Demo,
}

// Options of `serve` and `run`.
// No doc comment: clap would take it for the help of the command that this is flattened into.
#[derive(Debug, Args)]
pub struct SandboxOptions {
    /// Port on loopback; 0 picks a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
    /// Lifetime of access tokens, in seconds
    #[arg(long, value_name = "SECS", default_value_t = 300)]
    pub token_lifetime: u64,
    /// Simulate a fault N times, or forever; repeatable
    ///
    /// Token endpoint: invalid_client, invalid_grant, invalid_scope, 429, 503, html (a gateway's page), slow (one byte a
    /// second), reset, no-expires-in, no-refresh-token, error-null, refresh-lifetime=SECS, wrong-nonce (in the ID token).
    /// FHIR server: 401, 401-after=N (each token is good for N requests), fhir-429, fhir-503, fhir-slow, fhir-reset. Both:
    /// geo-403 (a client outside the United States), gzip. Bulk export: manifest-200 (no job), job-failed, job-gone,
    /// file-store (files at another host, without the token), redirect-file, wrong-count (in the manifest), cut-file (the
    /// connection closes), short-file (half of the file, as if complete), no-range
    #[arg(long, value_name = "KIND[=N]")]
    pub fail: Vec<String>,
    /// Add a realm whose tokens need no scope and reach the tenant of its name; repeatable
    ///
    /// The realms dev-portal and epa-uat are always there.
    #[arg(long, value_name = "NAME", help_heading = "Simulation")]
    pub realm: Vec<String>,
    /// Respond with 403 for all tenants but this; repeatable
    #[arg(long, value_name = "NAME", help_heading = "Simulation")]
    pub tenant_only: Vec<String>,
    /// Total size of the ExplanationOfBenefit files of an export, such as 1GB
    #[arg(long, value_name = "SIZE", help_heading = "Simulation", value_parser = parse_size)]
    pub export_size: Option<u64>,
    /// Number of files that --export-size is split into
    #[arg(long, value_name = "N", help_heading = "Simulation", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub export_files: u32,
    /// JWK set of the client oneup-sandbox-jwt, which authenticates with private_key_jwt
    #[arg(long, value_name = "FILE", help_heading = "Simulation", add = complete::file())]
    pub client_jwks: Option<PathBuf>,
    /// Let DELETE cancel an export job (202) instead of responding with 403 as 1up does
    #[arg(long, help_heading = "Simulation")]
    pub allow_cancel: bool,
}

/// Run a command in an environment that points at the sandbox
///
/// Listens on a free port, sets `ONEUP_GATEWAY`, `ONEUP_PLAN`, `ONEUP_CLIENT_ID` and `ONEUP_CLIENT_SECRET`,
/// and uses temporary config and state directories and the file store. Exits with the command's
/// exit code.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Run a test that needs no account", "oneup sandbox run -- ./test.sh"),
        ("Test what happens if the first two requests fail", "oneup sandbox run --fail 503=2 -- ./test.sh"),
    ],
    exit_codes: PROGRAM,
})]
pub struct SandboxRun {
    #[command(flatten)]
    pub options: SandboxOptions,
    /// Command to run and its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true, required = true, add = complete::program())]
    pub command: Vec<OsString>,
}

/// Parses a number of bytes, with a decimal (`kB`, `MB`, `GB`) or binary (`KiB`, `MiB`, `GiB`) unit.
fn parse_size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        _ => return Err("the unit must be kB, MB, GB, KiB, MiB or GiB".to_owned()),
    };
    let number: u64 =
        digits.parse().map_err(|_| "must be a whole number and a unit, such as 1GB".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "too large".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_sizes_with_units() {
        for (text, expected) in
            [("1GB", Some(1_000_000_000)), ("2MiB", Some(2 << 20)), ("17", Some(17)), ("5k", Some(5000))]
        {
            assert_eq!(parse_size(text).ok(), expected, "{text}");
        }
        for wrong in ["", "GB", "1.5GB", "-1", "1TB", "99999999999GB"] {
            assert!(parse_size(wrong).is_err(), "{wrong}");
        }
    }
}
