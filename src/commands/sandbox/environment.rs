//! Environment variables that point oneup, and scripts that use it, at the sandbox instead of 1up.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use sandbox::SandboxHandle;
use tempfile::TempDir;

use crate::cli::help::tables::own_variables;
use crate::error::{Error, Result};

/// Variables of oneup that are inherited. The others select other endpoints, credentials or tokens.
const INHERITED: [&str; 2] = ["ONEUP_NO_INPUT", "ONEUP_TIMEOUT"];

/// A directory for the profiles, tokens and locks of one sandbox.
///
/// # Errors
/// Failure, if it can't be created.
pub(super) fn temp_dir() -> Result<TempDir> {
    let dir = tempfile::Builder::new().prefix("oneup-sandbox-").tempdir();
    dir.map_err(|error| Error::failure("can't create a temporary directory").with_cause(error))
}

/// The variables of a login to the sandbox at this URL.
pub(super) fn variables(base_url: &str) -> [(&'static str, String); 4] {
    [
        ("ONEUP_GATEWAY", base_url.to_owned()),
        ("ONEUP_PLAN", format!("{base_url}/test")),
        ("ONEUP_CLIENT_ID", sandbox::CLIENT_ID.to_owned()),
        ("ONEUP_CLIENT_SECRET", sandbox::CLIENT_SECRET.to_owned()),
    ]
}

/// Points a command at a running sandbox; profiles, tokens and locks go below `dir`.
pub(super) fn apply(command: &mut Command, sandbox: &SandboxHandle, dir: &Path) {
    for name in own_variables().filter(|name| !INHERITED.contains(name)) {
        command.env_remove(name);
    }
    command.envs(variables(&sandbox.base_url)).envs(search_path());
    // The kernel keyring would keep tokens after the sandbox has ended.
    command.env("ONEUP_STORE", "file").env("ONEUP_NO_CACHE", "1");
    command.env("ONEUP_CONFIG_DIR", dir.join("config")).env("ONEUP_STATE_DIR", dir.join("state"));
}

/// PATH with this program's directory at the end, so that it is found without being installed.
fn search_path() -> Option<(&'static str, OsString)> {
    let own = std::env::current_exe().ok()?.parent()?.to_path_buf();
    // An empty PATH would become an empty entry, which means the current directory.
    let before = std::env::var_os("PATH").filter(|path| !path.is_empty());
    let before = before.iter().flat_map(std::env::split_paths);
    let path = std::env::join_paths(before.chain([own])).ok()?;
    Some(("PATH", path))
}
