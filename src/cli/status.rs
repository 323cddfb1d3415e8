//! Arguments of `oneup status`.

use clap::Args;

use super::ReportFormat;
use super::sections::Sections;

/// List profiles and the status of their tokens
///
/// Shows product, client ID, scope, store, time left, and whether the token can be refreshed. Reads no secret, unlocks
/// nothing, never prompts and opens no connection, so it is fast enough for a shell prompt.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("List all profiles and when their tokens expire", "oneup status"),
        ("Log in only if necessary", "oneup status --check || oneup login patient"),
    ],
    exit_codes: &["0", "1", "2", "4"],
})]
pub struct Status {
    /// Output format
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Exit with 4 unless the profile has a valid token or can get one without a user
    #[arg(long)]
    pub check: bool,
}
