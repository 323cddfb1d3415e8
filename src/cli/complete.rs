//! Values that complete at TAB: profile names, page names, programs and files.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};

use clap_complete::engine::{
    ArgValueCandidates, ArgValueCompleter, CompletionCandidate, PathCompleter, ValueCompleter,
};

use crate::system::dirs::Dirs;

/// Completes the profile names of the default config directory, or of `ONEUP_CONFIG_DIR`.
pub fn profiles() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let dirs = Dirs::new(std::env::var_os("ONEUP_CONFIG_DIR").map(Into::into), None);
        let names = dirs.config().and_then(crate::profile::names);
        names.unwrap_or_default().into_iter().map(CompletionCandidate::new).collect()
    })
}

/// Completes the names of manual pages.
pub fn pages() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let root = crate::cli::help::described();
        let names = crate::cli::help::man::commands(&root).into_iter().map(crate::cli::help::man::name);
        let names = names.filter_map(|name| name.strip_prefix("oneup-").map(str::to_owned));
        names.map(CompletionCandidate::new).collect()
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

fn files(typed: &OsStr) -> Vec<CompletionCandidate> {
    PathCompleter::any().complete(typed)
}

/// Returns the programs on the PATH that begin with `prefix`.
fn programs(prefix: &str) -> Vec<CompletionCandidate> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let entries =
        std::env::split_paths(&path).filter_map(|dir| std::fs::read_dir(dir).ok()).flatten().flatten();
    let names: BTreeSet<OsString> = entries
        .map(|entry| entry.file_name())
        .filter(|name| name.to_str().is_some_and(|name| name.starts_with(prefix)))
        .collect();
    names.into_iter().map(CompletionCandidate::new).collect()
}
