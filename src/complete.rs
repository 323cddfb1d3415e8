//! Values that a shell completes while the person types: the names of the profiles.

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};

/// Completes `--profile` with the profiles of the default config directory, or of `ONEUP_CONFIG_DIR`.
pub fn profiles() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let Ok(dir) = crate::context::config_dir(std::env::var_os("ONEUP_CONFIG_DIR").map(Into::into)) else {
            return Vec::new();
        };
        crate::profile::names(&dir).unwrap_or_default().into_iter().map(CompletionCandidate::new).collect()
    })
}
