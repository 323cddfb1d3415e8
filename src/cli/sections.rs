//! What a command's help says below its options. It is attached to the command, beside its arguments, and only
//! rendered for `--help` and the manual pages.

use clap::builder::CommandExt;

/// Examples and exit codes of one command.
#[derive(Clone, Copy, Debug)]
pub struct Sections {
    /// What an example does, and its lines as they are typed.
    pub examples: &'static [(&'static str, &'static str)],
    /// Rows of [`super::help::tables::EXIT_CODES`]: the exit codes of this command.
    pub exit_codes: &'static [&'static str],
}

impl CommandExt for Sections {}

/// The line that sets `ONEUP_TOKEN`. It is cleared for the command, which would print it instead of a valid token.
pub const SET_VARIABLE: &str = "eval \"$(ONEUP_TOKEN= oneup token show --format export)\"";

/// The exit codes of a command that may request a token.
pub const TOKEN_REQUEST: &[&str] = &["0", "1", "2", "3", "4", "5", "6"];

/// The exit codes of a command that runs another program.
pub const PROGRAM: &[&str] = &["125, 126, 127"];
