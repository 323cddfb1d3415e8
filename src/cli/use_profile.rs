//! Arguments of `oneup use`.

use clap::Args;

use super::complete;
use super::sections::Sections;

/// Set the default profile
///
/// The default profile is used when there are several profiles and neither --profile nor ONEUP_PROFILE selects one.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Use a profile by default", "oneup use p2p"),
        ("Have no default profile", "oneup use --unset"),
    ],
    exit_codes: &["0", "1", "2", "4"],
})]
pub struct UseProfile {
    /// Profile to use by default
    #[arg(value_name = "NAME", required_unless_present = "unset", add = complete::profiles())]
    pub name: Option<String>,
    /// Remove the default
    #[arg(long, conflicts_with = "name")]
    pub unset: bool,
}
