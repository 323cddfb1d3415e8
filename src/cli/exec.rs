//! Arguments of `oneup exec`.

use std::ffi::OsString;

use clap::Args;

use super::complete;
use super::sections::{PROGRAM, Sections};

/// Run a command with the access token in its environment
///
/// The token in the variable expires while a long job runs. For jobs that outlive the token, --token-file keeps a file
/// with a valid token up to date. The file is replaced before the token in it expires, and removed at the end.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Set ONEUP_TOKEN for one command", "oneup exec -- python fetch.py"),
        ("Run a long job that reads the file named by $ONEUP_TOKEN_FILE", "oneup exec --token-file -- ./export.sh"),
    ],
    exit_codes: PROGRAM,
})]
pub struct Exec {
    /// Environment variable that holds the access token
    #[arg(long, value_name = "NAME", default_value = "ONEUP_TOKEN")]
    pub var: String,
    /// Keep a private file with a valid token up to date; ONEUP_TOKEN_FILE names it
    #[arg(long)]
    pub token_file: bool,
    /// Scopes of the token, instead of the profile's
    #[arg(long)]
    pub scope: Option<String>,
    /// Command to run and its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true, required = true, add = complete::program())]
    pub command: Vec<OsString>,
}
