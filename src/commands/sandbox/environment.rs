//! Environment variables that point oneup, and scripts that use it, at the sandbox instead of 1up.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use sandbox::SandboxHandle;
use tempfile::TempDir;

use crate::error::{Error, Result};

/// Variables that must not be inherited: they select other endpoints, credentials or tokens.
const REMOVED: [&str; 15] = [
    "ONEUP_PROFILE",
    "ONEUP_TOKEN",
    "ONEUP_TOKEN_FILE",
    "ONEUP_REALM",
    "ONEUP_TENANT",
    "ONEUP_FHIR_BASE",
    "ONEUP_TOKEN_URL",
    "ONEUP_SCOPE",
    "ONEUP_REDIRECT_URI",
    "ONEUP_CLIENT_SECRET_FILE",
    "ONEUP_CLIENT_SECRET_COMMAND",
    "ONEUP_KEY_FILE",
    "ONEUP_KEY_COMMAND",
    "ONEUP_CACERT",
    "ONEUP_VAULT_PATH",
];

/// A directory for the profiles, tokens and locks of one sandbox.
///
/// # Errors
/// Failure, if it can't be created.
pub(super) fn temp_dir() -> Result<TempDir> {
    let dir = tempfile::Builder::new().prefix("oneup-sandbox-").tempdir();
    dir.map_err(|error| Error::failure("can't create a temporary directory").with_cause(error))
}

/// The variables for a running sandbox; profiles, tokens and locks go below `dir`.
fn variables(sandbox: &SandboxHandle, dir: &Path) -> Vec<(String, OsString)> {
    let base = &sandbox.base_url;
    let text = |name: &str, value: &str| (name.to_owned(), OsString::from(value));
    let path = |name: &str, below: &str| (name.to_owned(), dir.join(below).into_os_string());
    vec![
        text("ONEUP_GATEWAY", base),
        text("ONEUP_PLAN", &format!("{base}/test")),
        text("ONEUP_CLIENT_ID", sandbox::CLIENT_ID),
        text("ONEUP_CLIENT_SECRET", sandbox::CLIENT_SECRET),
        text("ONEUP_STORE", "file"),
        // The kernel keyring would keep tokens after the sandbox has ended.
        text("ONEUP_NO_CACHE", "1"),
        path("ONEUP_CONFIG_DIR", "config"),
        path("ONEUP_STATE_DIR", "state"),
    ]
}

/// Sets these variables for a command.
pub(super) fn apply(command: &mut Command, sandbox: &SandboxHandle, dir: &Path) {
    for name in REMOVED {
        command.env_remove(name);
    }
    command.envs(variables(sandbox, dir));
    command.envs(search_path());
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
