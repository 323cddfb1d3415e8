//! The environment in which oneup, and anything built on it, finds the sandbox instead of 1up.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use sandbox::SandboxHandle;
use tempfile::TempDir;

use crate::error::{Error, Result};

/// What would lead elsewhere, were it inherited.
const FOREIGN: [&str; 10] = [
    "ONEUP_PROFILE",
    "ONEUP_TOKEN",
    "ONEUP_TOKEN_FILE",
    "ONEUP_REALM",
    "ONEUP_TOKEN_URL",
    "ONEUP_SCOPE",
    "ONEUP_REDIRECT_URI",
    "ONEUP_CLIENT_SECRET_FILE",
    "ONEUP_CLIENT_SECRET_COMMAND",
    "ONEUP_CACERT",
];

/// A directory for the profiles, tokens and locks of one sandbox.
///
/// # Errors
/// Failure, when there is no place for temporary files.
pub(super) fn temp_dir() -> Result<TempDir> {
    let dir = tempfile::Builder::new().prefix("oneup-sandbox-").tempdir();
    dir.map_err(|error| Error::failure("can't make a temporary directory").with_cause(error))
}

/// The variables that point at a running sandbox; profiles, tokens and locks go below `dir`.
fn environment(sandbox: &SandboxHandle, dir: &Path) -> Vec<(String, OsString)> {
    let base = &sandbox.base_url;
    let text = |name: &str, value: &str| (name.to_owned(), OsString::from(value));
    let place = |name: &str, below: &str| (name.to_owned(), dir.join(below).into_os_string());
    vec![
        text("ONEUP_GATEWAY", base),
        text("ONEUP_PLAN", &format!("{base}/test")),
        text("ONEUP_FHIR_BASE", &format!("{base}/r4")),
        text("ONEUP_CLIENT_ID", sandbox::CLIENT_ID),
        text("ONEUP_CLIENT_SECRET", sandbox::CLIENT_SECRET),
        text("ONEUP_STORE", "file"),
        // The kernel's keyring would outlive the sandbox.
        text("ONEUP_NO_CACHE", "1"),
        place("ONEUP_CONFIG_DIR", "config"),
        place("ONEUP_STATE_DIR", "state"),
    ]
}

/// Puts a command into that environment.
pub(super) fn enter(command: &mut Command, sandbox: &SandboxHandle, dir: &Path) {
    for name in FOREIGN {
        command.env_remove(name);
    }
    command.envs(environment(sandbox, dir));
    command.envs(path());
}

/// The PATH, and at its end the directory of this program, which need not be installed to be tried.
fn path() -> Option<(&'static str, OsString)> {
    let own = std::env::current_exe().ok()?.parent()?.to_path_buf();
    // An empty one would become an empty entry, which is the current directory.
    let before = std::env::var_os("PATH").filter(|path| !path.is_empty());
    let before = before.iter().flat_map(std::env::split_paths);
    let path = std::env::join_paths(before.chain([own])).ok()?;
    Some(("PATH", path))
}
