//! Arguments of `oneup export`.

use std::path::PathBuf;

use clap::Args;

use super::sections::Sections;
use super::{ReportFormat, Target, complete};

/// Run a FHIR bulk export into a directory
///
/// Starts the export, waits for it, and downloads its files into DIR, each checked and private. Running the same command
/// again continues where it was: an export can outlive its token, its network and its process. Every request has a valid
/// token.
///
/// stdout has one path per file, or with --format json the manifest.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Export two resource types", "oneup export members --type Patient,Coverage"),
        ("Continue it after a failure: the same command", "oneup export members --type Patient,Coverage"),
        ("Export a group", "oneup export group-42 --group 42"),
        ("Every night: fetch what has changed", "oneup export members --since last --quiet"),
    ],
    exit_codes: &["0", "1", "2", "3", "4", "5", "6", "7"],
})]
pub struct Export {
    /// Directory for the files; created if it does not exist
    #[arg(value_name = "DIR", add = complete::directory())]
    pub dir: PathBuf,
    /// Export only these resource types, such as Patient,Coverage
    #[arg(long = "type", value_name = "TYPE", value_delimiter = ',')]
    pub types: Vec<String>,
    /// Export only what changed after INSTANT, or since the last finished export in DIR (`last`)
    #[arg(long, value_name = "INSTANT|last")]
    pub since: Option<String>,
    /// Export the patients of the Group with this ID
    #[arg(long, value_name = "ID", conflicts_with = "patient")]
    pub group: Option<String>,
    /// Export all patients (Patient/$export)
    #[arg(long)]
    pub patient: bool,
    /// Export only resources that match a query, such as 'Observation?category=laboratory'; repeatable
    #[arg(long = "type-filter", value_name = "QUERY")]
    pub type_filters: Vec<String>,
    #[command(flatten)]
    pub target: Target,
    /// Number of files to fetch at a time
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=32))]
    pub jobs: u8,
    /// Output format: text prints a path per file, json the manifest
    #[arg(long, value_enum, default_value_t = ReportFormat::Text, hide_possible_values = true, value_name = "FORMAT")]
    pub format: ReportFormat,
    /// Discard the export in DIR and start a new one
    #[arg(long, conflicts_with = "cancel")]
    pub restart: bool,
    /// Delete the unfinished export of DIR at the server
    #[arg(long)]
    pub cancel: bool,
}
