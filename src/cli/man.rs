//! Arguments of `oneup man`.

use std::path::PathBuf;

use clap::Args;

use super::complete;
use super::sections::Sections;

/// Print a manual page in roff format
///
/// Prints the page of oneup or of one of its commands, or writes all pages as files.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Read a page", "oneup man token show | man -l -"),
        ("Install all pages", "oneup man --dir ~/.local/share/man/man1"),
    ],
    exit_codes: &["0", "1", "2"],
})]
pub struct Man {
    /// Command to print the page of, such as `token show` [default: oneup itself]
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
    /// Write all pages as files into DIR
    #[arg(long, value_name = "DIR", conflicts_with = "command", add = complete::directory())]
    pub dir: Option<PathBuf>,
}
