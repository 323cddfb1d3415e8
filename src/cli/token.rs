//! `oneup token` as data.

use clap::{Args, Subcommand, ValueEnum};

use super::ReportFormat;

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Print a live access token, renewed first if it isn't
    ///
    /// Prints the token and one newline. Live means: with more than the margin left, which is the smaller of 60 s and 10 %
    /// of the token's lifetime. Client credentials mint anew, a refresh token is used; without either, log in again. While
    /// one process renews a profile's token the others wait and use its result: any number of them make one request.
    ///
    /// `ONEUP_TOKEN`, when set, is the token, unless --profile is given.
    Show(Show),
    /// Say what a token is: for whom, from whom, how long, which scopes
    ///
    /// The profile's stored token, never renewed by looking, or one read from stdin. A token that is no JWT is called
    /// opaque, and what the store knows of it is shown. Keys come from the realm that the profile trusts, never from an
    /// issuer that only the token names.
    Inspect(Inspect),
}

#[derive(Debug, Args)]
pub struct Show {
    /// How to print it
    #[arg(long, value_enum, default_value_t = TokenFormat::Raw)]
    pub format: TokenFormat,
    /// How much life it must have left, at least
    ///
    /// Instead of the margin: 60 s, or 10 % of its lifetime where that is less.
    #[arg(long, value_name = "SECS")]
    pub min_ttl: Option<u64>,
    /// Renew it even if it is live
    #[arg(long)]
    pub refresh: bool,
}

/// `--format` of `token show` and `login --no-store`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TokenFormat {
    /// The token
    Raw,
    /// `Authorization: Bearer TOKEN`
    Header,
    /// Token, lifetime, expiry, scope, profile and product
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
    /// GitHub Actions: masked, and exported through $GITHUB_ENV
    Github,
    /// Azure Pipelines: a secret variable
    Azure,
}

#[derive(Debug, Args)]
pub struct Inspect {
    /// Read the token from stdin instead of the profile
    #[arg(value_name = "-", value_parser = ["-"])]
    pub stdin: Option<String>,
    /// Check the signature against the keys of the profile's realm
    #[arg(long)]
    pub verify: bool,
    /// Ask the profile's realm whether the token is active
    #[arg(long)]
    pub introspect: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
}
