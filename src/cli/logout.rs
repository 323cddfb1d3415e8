//! Arguments of `oneup logout`.

use clap::Args;

use super::sections::Sections;

/// Revoke tokens and delete the profile
///
/// Deletes the client secret and the tokens from the store, and the profile with its token metadata. A failed
/// revocation is a warning; the profile is deleted all the same.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Delete the only profile", "oneup logout"),
        ("Delete all profiles without a network", "oneup logout --all --no-revoke"),
    ],
    exit_codes: &["0", "1", "2", "4", "6"],
})]
pub struct Logout {
    /// Delete all profiles
    #[arg(long, conflicts_with = "profile")]
    pub all: bool,
    /// Don't ask the server to revoke the tokens
    #[arg(long)]
    pub no_revoke: bool,
}
