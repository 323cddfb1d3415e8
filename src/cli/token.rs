//! Arguments of `oneup token`.

use clap::{Args, Subcommand, ValueEnum};

use super::ReportFormat;
use super::sections::{SET_VARIABLE, Sections, TOKEN_REQUEST};

/// Print, inspect or revoke an access token
#[derive(Debug, Subcommand)]
#[command(defer = true)]
#[command(add = Sections {
    examples: &[
        ("Print a valid access token", "oneup token show"),
        ("Check the token's signature", "oneup token inspect --verify"),
    ],
    exit_codes: &["0", "1", "2", "3", "4", "5", "6", "7"],
})]
pub enum TokenCommand {
    Show(Show),
    Inspect(Inspect),
    Revoke(Revoke),
}

/// Print a valid access token, refreshing it first if needed
///
/// Prints the token and one newline. A token is valid while more than the expiry leeway is left: the smaller of 60 s and
/// 10 % of its lifetime. To get a new one, oneup uses the client credentials or the refresh token; with neither, log in
/// again. Any number of concurrent processes make one token request per profile.
///
/// If ONEUP_TOKEN is set, it is the token, unless --profile is given.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Set a variable in this shell", SET_VARIABLE),
        ("Get a token that is valid for at least five minutes", "oneup token show --min-ttl 300"),
        (
            "Pass a header to another program without an argument",
            "oneup token show --format header | curl -H @- https://api.1up.health/r4",
        ),
    ],
    exit_codes: TOKEN_REQUEST,
})]
pub struct Show {
    /// Output format
    #[arg(long, value_enum, default_value_t = TokenFormat::Raw)]
    pub format: TokenFormat,
    /// Minimum remaining lifetime, in seconds
    ///
    /// Replaces the expiry leeway: 60 s, or 10 % of the lifetime if that is less.
    #[arg(long, value_name = "SECS")]
    pub min_ttl: Option<u64>,
    /// Get a new token even if the stored one is still valid
    #[arg(long)]
    pub refresh: bool,
    /// Scopes of the token, instead of the profile's
    ///
    /// Separated by spaces. The token is requested by the same client and cached per set of scopes.
    #[arg(long)]
    pub scope: Option<String>,
}

/// `--format` of `token show` and `login --no-store`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TokenFormat {
    /// The token alone
    Raw,
    /// `Authorization: Bearer TOKEN`
    Header,
    /// JSON: token, lifetime, expiry, scope, profile and product
    Json,
    /// `ONEUP_TOKEN=TOKEN`
    Env,
    /// `export ONEUP_TOKEN='TOKEN'`
    Export,
    /// `set -gx ONEUP_TOKEN 'TOKEN'`
    Fish,
    /// `$env:ONEUP_TOKEN = 'TOKEN'`
    #[value(name = "powershell")]
    PowerShell,
    /// GitHub Actions: mask the token and export it through $GITHUB_ENV
    Github,
    /// Azure Pipelines: set a secret variable
    Azure,
}

/// Show a token's claims, expiry and scopes
///
/// Reads the profile's stored token, without refreshing it, or a token from stdin. A token that is not a JWT is called
/// opaque; then the stored metadata is shown. Signature keys come from the realm that the profile trusts, never from an
/// issuer that only the token names.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Find out why the API responds with 403", "oneup token inspect --verify"),
        ("Inspect a token from the clipboard, offline", "pbpaste | oneup token inspect -"),
        ("Check whether the scopes allow a request", "oneup token inspect --allows 'GET /$export?_type=Patient'"),
    ],
    exit_codes: &["0", "1", "2", "3", "4", "5", "6", "7"],
})]
pub struct Inspect {
    /// Read the token from stdin instead of the profile
    #[arg(value_name = "-", value_parser = ["-"])]
    pub stdin: Option<String>,
    /// Verify the signature with the keys of the profile's realm
    #[arg(long)]
    pub verify: bool,
    /// Ask the profile's realm whether the token is active
    #[arg(long)]
    pub introspect: bool,
    /// Check whether the scopes allow a FHIR request
    ///
    /// Offline. A path is joined to the profile's FHIR base. Exit code 7 if the request is not allowed: a scope is missing, or
    /// the URL belongs to another tenant, product or host.
    #[arg(long, value_name = "METHOD URL")]
    pub allows: Option<String>,
    /// Output format
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
}

/// Revoke the stored token, or one on stdin
///
/// Asks the profile's realm to revoke the refresh token and the access token (RFC 7009), says how it responded, and
/// deletes them from the store, also when one of them is the token on stdin. The profile stays, with its client secret.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Revoke the stored token", "oneup token revoke"),
        ("Revoke a token that leaked into a log", "oneup token revoke - < token.txt"),
    ],
    exit_codes: TOKEN_REQUEST,
})]
pub struct Revoke {
    /// Read the token from stdin instead of the profile
    #[arg(value_name = "-", value_parser = ["-"])]
    pub stdin: Option<String>,
}
