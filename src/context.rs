//! The global flags, resolved against the environment once.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

#[cfg(windows)]
use etcetera::base_strategy::Windows as Strategy;
#[cfg(not(windows))]
use etcetera::base_strategy::Xdg as Strategy;
use etcetera::{BaseStrategy, choose_base_strategy};

use crate::cli::{Color, Globals};
use crate::error::{Error, Result};

/// What every command knows of its surroundings.
#[derive(Debug, Clone)]
pub struct Context {
    /// `--profile` or `ONEUP_PROFILE`.
    pub profile: Option<String>,
    /// Whether `--profile` stood on the command line: then `ONEUP_TOKEN` is ignored.
    pub profile_from_flag: bool,
    /// Where `profiles/NAME.toml` are.
    pub config_dir: PathBuf,
    /// Where locks, expiry notes and the `file` store are.
    pub state_dir: PathBuf,
    /// Nobody can answer a prompt.
    pub no_input: bool,
    /// The kernel cache of live tokens is neither read nor written.
    pub no_cache: bool,
    /// One deadline for a whole token request, retries included.
    pub timeout: Duration,
    /// PEM bundle added to the platform's trust store.
    pub cacert: Option<PathBuf>,
    /// Trace HTTP on stderr.
    pub verbose: bool,
    /// Only errors on stderr.
    pub quiet: bool,
}

impl Context {
    /// Reads the environment where a flag is silent.
    ///
    /// # Errors
    /// Usage, when the home directory is unknown and no flag replaces it.
    pub fn resolve(globals: Globals) -> Result<Self> {
        choose_color(globals.color);
        let from_flag = globals.profile.is_some();
        Ok(Self {
            profile: globals.profile.or_else(|| nonempty("ONEUP_PROFILE")),
            profile_from_flag: from_flag,
            config_dir: config_dir(globals.config_dir)?,
            state_dir: state_dir(globals.state_dir)?,
            no_input: globals.no_input || is_on("CI") || !std::io::stdin().is_terminal(),
            no_cache: is_on("ONEUP_NO_CACHE"),
            timeout: Duration::from_secs(globals.timeout),
            cacert: globals.cacert,
            verbose: globals.verbose,
            quiet: globals.quiet,
        })
    }

    /// Whether a person can be asked: questions stand on stderr, answers come from stdin.
    pub fn can_ask(&self) -> bool {
        !self.no_input && std::io::stderr().is_terminal()
    }

    /// Says something to the person on stderr, unless `--quiet`.
    pub fn info(&self, text: impl std::fmt::Display) {
        if !self.quiet {
            eprint_line(text);
        }
    }

    /// A warning to the person, unless `--quiet`.
    pub fn warn(&self, text: impl std::fmt::Display) {
        self.info(format_args!("\x1b[33mwarning:\x1b[0m {text}"));
    }
}

/// Writes a line to stderr. One that can't be written to, such as a log on a full disk, is no reason to fail or to
/// panic.
pub fn eprint_line(text: impl std::fmt::Display) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// The config directory: as given, or the platform's (XDG on Linux) and `oneup`.
///
/// # Errors
/// Usage, when there is no home directory.
pub fn config_dir(given: Option<PathBuf>) -> Result<PathBuf> {
    platform_dir(given, "--config-dir", |base| Some(base.config_dir()))
}

fn state_dir(given: Option<PathBuf>) -> Result<PathBuf> {
    platform_dir(given, "--state-dir", |base| base.state_dir().or_else(|| Some(base.data_dir())))
}

fn platform_dir(
    given: Option<PathBuf>,
    flag: &str,
    pick: impl Fn(&Strategy) -> Option<PathBuf>,
) -> Result<PathBuf> {
    if let Some(dir) = given.filter(|dir| !dir.as_os_str().is_empty()) {
        return Ok(dir);
    }
    let base = choose_base_strategy().map_err(|_| {
        Error::usage("there is no home directory").with_hint(format!("give {flag} DIR, or set HOME"))
    })?;
    Ok(pick(&base).unwrap_or_else(|| base.data_dir()).join("oneup"))
}

fn choose_color(color: Color) {
    match color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
}

/// An environment variable, unless it is unset, empty or not UTF-8.
pub fn nonempty(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Whether a variable is set to something other than empty, `0`, `false`, `no` or `off`.
pub fn is_on(name: &str) -> bool {
    nonempty(name)
        .is_some_and(|v| !matches!(v.to_ascii_lowercase().as_str(), "0" | "false" | "no" | "n" | "off" | "f"))
}
