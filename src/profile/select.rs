//! Which profile a command uses.

use std::path::{Path, PathBuf};

use super::{Profile, check_name, load, names};
use crate::error::{Error, Result};
use crate::system::files::{self, Purpose};
use crate::text::closest_match::closest_match;

/// Returns the profile that a command uses: the named one, else the default one, else the only one.
///
/// # Errors
/// Authentication: there is no profile, no such profile, or several and no default.
pub fn resolve_profile(config_dir: &Path, name: Option<&str>) -> Result<Profile> {
    if let Some(name) = name {
        return load(config_dir, name)?.ok_or_else(|| no_such_profile(config_dir, name));
    }
    let names = names(config_dir)?;
    if let [only] = names.as_slice() {
        return load(config_dir, only)?.ok_or_else(not_logged_in);
    }
    if names.is_empty() {
        return Err(not_logged_in());
    }
    match default_name(config_dir)? {
        Some(name) => load(config_dir, &name)?.ok_or_else(|| {
            no_such_profile(config_dir, &name).with_hint("oneup use NAME, or oneup use --unset")
        }),
        None => Err(Error::auth(format!("multiple profiles found ({})", names.join(", ")))
            .with_hint("select one with --profile NAME or ONEUP_PROFILE, or set a default: oneup use NAME")),
    }
}

/// The commands that make a profile.
pub const LOGIN_COMMANDS: &str = "oneup login provider, oneup login p2p or oneup login patient";

/// The error when there is no profile.
pub fn not_logged_in() -> Error {
    Error::auth("not logged in").with_hint(LOGIN_COMMANDS)
}

/// Returns the name of the default profile.
///
/// # Errors
/// A file that can't be read or has no valid name.
pub fn default_name(config_dir: &Path) -> Result<Option<String>> {
    let Some(text) = files::read_text(&default_path(config_dir), Purpose::Config)? else { return Ok(None) };
    let name = text.trim();
    check_name(name)?;
    Ok(Some(name.to_owned()))
}

/// Makes an existing profile the default; `None` removes the default.
///
/// # Errors
/// Authentication: no such profile. A config directory that can't be written.
pub fn set_default(config_dir: &Path, name: Option<&str>) -> Result<()> {
    let path = default_path(config_dir);
    match name {
        Some(name) => {
            let profile = resolve_profile(config_dir, Some(name))?;
            files::replace_target(&path, format!("{}\n", profile.name).as_bytes())
        }
        None => files::remove(&path).map(drop),
    }
}

fn default_path(config_dir: &Path) -> PathBuf {
    config_dir.join("default-profile")
}

fn no_such_profile(config_dir: &Path, name: &str) -> Error {
    let existing = names(config_dir).unwrap_or_default();
    let error = Error::auth(format!("no profile {name}"));
    if let Some(near) = closest_match(name, existing.iter().map(String::as_str)) {
        return error.with_hint(format!("did you mean {near}? Profiles: {}", existing.join(", ")));
    }
    match existing.as_slice() {
        [] => error.with_hint(format!("oneup login provider --profile {name}")),
        existing => error.with_hint(format!(
            "profiles: {}; to create {name}: oneup login PRODUCT --profile {name}",
            existing.join(", ")
        )),
    }
}
