//! Values that complete at TAB: profile names, programs and files.
//!
//! The scripts in `completions/` quote what is inserted. A name that could not be quoted in every shell is not offered:
//! one with control characters (they separate the candidates), or one that is not UTF-8.

use std::collections::BTreeSet;
use std::ffi::OsStr;

use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};

use crate::profile;
use crate::system::dirs::Dirs;

/// Completes the profile names of the default config directory, or of `ONEUP_CONFIG_DIR`.
pub fn profiles() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let dirs = Dirs::new(std::env::var_os("ONEUP_CONFIG_DIR").map(Into::into), None);
        let names = dirs.config().and_then(profile::names).unwrap_or_default();
        let valid = names.into_iter().filter(|name| profile::check_name(name).is_ok());
        valid.map(CompletionCandidate::new).collect()
    })
}

/// Completes a program and its arguments: files, and programs on the PATH.
pub fn program() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| {
        let mut candidates = files(typed);
        if let Some(prefix) = typed.to_str().filter(|prefix| !prefix.is_empty()) {
            candidates.extend(programs(prefix));
        }
        candidates
    })
}

/// Completes curl's arguments: files, with or without the `@` of `-d @FILE`.
pub fn curl() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| match typed.to_str().and_then(|typed| typed.strip_prefix('@')) {
        Some(file) => files(file.as_ref()).into_iter().map(|candidate| candidate.add_prefix("@")).collect(),
        None => files(typed),
    })
}

/// Completes a file.
pub fn file() -> ArgValueCompleter {
    ArgValueCompleter::new(files)
}

/// Completes a directory.
pub fn directory() -> ArgValueCompleter {
    ArgValueCompleter::new(|typed: &OsStr| safe(PathCompleter::dir().complete(typed)))
}

fn files(typed: &OsStr) -> Vec<CompletionCandidate> {
    safe(PathCompleter::any().complete(typed))
}

/// Leaves out the names that can't be quoted, and puts `./` before one that would be taken for an option.
fn safe(candidates: Vec<CompletionCandidate>) -> Vec<CompletionCandidate> {
    let quotable = candidates.into_iter().filter(|candidate| is_quotable(candidate.get_value()));
    quotable
        .map(|candidate| {
            let is_option = candidate.get_value().as_encoded_bytes().starts_with(b"-");
            if is_option { candidate.add_prefix("./") } else { candidate }
        })
        .collect()
}

fn is_quotable(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| !name.chars().any(char::is_control))
}

/// Returns the programs on the PATH that begin with `prefix`.
fn programs(prefix: &str) -> Vec<CompletionCandidate> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let entries =
        std::env::split_paths(&path).filter_map(|dir| std::fs::read_dir(dir).ok()).flatten().flatten();
    let names: BTreeSet<String> = entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.starts_with(prefix) && is_quotable(name.as_ref()))
        .collect();
    names.into_iter().map(CompletionCandidate::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_no_name_that_cannot_be_quoted() {
        let names = ["plain", "new\nline", "escape\x1b[31m", "-rf", "$(x)"];
        let offered = safe(names.into_iter().map(CompletionCandidate::new).collect());
        let offered: Vec<_> = offered.iter().map(|candidate| candidate.get_value().to_owned()).collect();
        assert_eq!(offered, ["plain", "./-rf", "$(x)"]);
    }
}
