//! What every run promises before any command: help, version, wrong usage.

use crate::support::Oneup;

#[test]
fn version_is_name_and_number() {
    Oneup::new().arg("--version").stdout(format!("oneup {}\n", env!("CARGO_PKG_VERSION"))).stderr("").run();
}

#[test]
fn help_goes_to_stdout_and_names_the_exit_codes() {
    Oneup::new().arg("--help").stdout_has("Usage: oneup").stdout_has("Exit codes:").stderr("").run();
}

#[test]
fn an_unknown_flag_is_wrong_usage() {
    Oneup::new().args(["status", "--frobnicate"]).status(2).stderr_has("--frobnicate").run();
}
