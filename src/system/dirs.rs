//! Where the configuration and the state are kept: the platform's directories (XDG on Linux and macOS) and `oneup`.

use std::path::{Path, PathBuf};

#[cfg(windows)]
use etcetera::base_strategy::Windows as Strategy;
#[cfg(not(windows))]
use etcetera::base_strategy::Xdg as Strategy;
use etcetera::{BaseStrategy, choose_base_strategy};

use crate::error::{Error, Result};

/// The two directories. Without a home directory one that was not chosen is missing, which only matters to a command
/// that uses it: `login --no-store`, `sandbox run` and `doctor` do without.
#[derive(Debug, Clone)]
pub struct Dirs {
    config: Option<PathBuf>,
    state: Option<PathBuf>,
}

impl Dirs {
    /// Takes the directories that were chosen, and the platform's for the rest. An empty path counts as not chosen.
    pub fn new(config: Option<PathBuf>, state: Option<PathBuf>) -> Self {
        Self {
            config: chosen_or(config, |base| base.config_dir()),
            // Windows: %LOCALAPPDATA%. What is in %APPDATA% roams to other machines.
            state: chosen_or(state, |base| base.state_dir().unwrap_or_else(|| base.cache_dir())),
        }
    }

    /// Returns the directory of `profiles/NAME.toml`.
    ///
    /// # Errors
    /// Usage, without a home directory, or for a path that begins with `~`.
    pub fn config(&self) -> Result<&Path> {
        usable(self.config.as_deref())
    }

    /// Returns the directory of the locks, the token metadata and the `file` store.
    ///
    /// # Errors
    /// Usage, without a home directory, or for a path that begins with `~`.
    pub fn state(&self) -> Result<&Path> {
        usable(self.state.as_deref())
    }
}

fn chosen_or(chosen: Option<PathBuf>, platform: impl Fn(&Strategy) -> PathBuf) -> Option<PathBuf> {
    let chosen = chosen.filter(|dir| !dir.as_os_str().is_empty());
    chosen.or_else(|| choose_base_strategy().ok().map(|base| platform(&base).join("oneup")))
}

/// Without a shell to expand it, `~` would become a directory of that name.
fn usable(dir: Option<&Path>) -> Result<&Path> {
    let dir = dir.ok_or_else(no_home)?;
    if dir.starts_with("~") {
        return Err(Error::usage(format!("{} begins with ~, which only a shell expands", dir.display()))
            .with_hint("write $HOME instead of ~"));
    }
    Ok(dir)
}

fn no_home() -> Error {
    Error::usage("could not determine the home directory")
        .with_hint("set HOME, or use --config-dir DIR and --state-dir DIR")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn chosen_directories_win_over_the_platforms() {
        let dirs = Dirs::new(Some("/c".into()), Some("/s".into()));
        assert_eq!((dirs.config().ok(), dirs.state().ok()), (Some(Path::new("/c")), Some(Path::new("/s"))));
        let home = Dirs::new(Some("".into()), None);
        assert!(home.config().is_ok_and(|dir| dir.ends_with("oneup")));
    }

    #[test]
    fn tilde_is_not_a_directory_name() {
        let dirs = Dirs::new(Some("~/x".into()), Some("./~".into()));
        assert!(dirs.config().is_err_and(|error| error.to_string().starts_with("~/x begins with ~")));
        assert!(dirs.state().is_ok());
    }

    #[test]
    fn one_hint_names_both_flags() {
        let dirs = Dirs { config: None, state: None };
        for error in [dirs.config().expect_err("no home"), dirs.state().expect_err("no home")] {
            assert_eq!(error.kind(), ErrorKind::Usage);
            assert!(error.hint().is_some_and(|hint| hint.contains("--config-dir DIR and --state-dir DIR")));
        }
    }
}
