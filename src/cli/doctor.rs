//! Arguments of `oneup doctor`.

use clap::Args;

use super::ReportFormat;
use super::sections::Sections;

/// Diagnose configuration and connectivity problems
///
/// Checks the directories, the store (with a dummy value), curl, the proxy, the CA certificates, the callback port,
/// connection and TLS of the profile's token endpoint, the clock, and the variables that are set. Prints ok, warning or
/// failure for each, and how to fix it.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Find out what is wrong and how to fix it", "oneup doctor"),
        ("Find out which scope the server rejects", "oneup doctor --login"),
        ("Print the diagnosis for a bug report", "oneup doctor --format json"),
    ],
    exit_codes: &["0", "1", "2", "7"],
})]
pub struct Doctor {
    /// Output format
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Request a token for each profile, and one for each of its scopes
    ///
    /// Uses the stored credentials, as a login does. Client credentials: the tokens are discarded. Patient Access: the
    /// refresh token is used once, and the new token is stored.
    #[arg(long)]
    pub login: bool,
}
