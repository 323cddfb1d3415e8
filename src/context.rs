//! The global flags, resolved against the environment once.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::{Color, Globals};
use crate::error::Result;
use crate::system::deadline::Deadline;
use crate::system::dirs::Dirs;

/// What every command knows of its surroundings.
#[derive(Debug, Clone)]
pub struct Context {
    /// `--profile` or `ONEUP_PROFILE`.
    pub profile: Option<String>,
    /// Whether `--profile` is on the command line: then `ONEUP_TOKEN` is ignored.
    pub profile_from_flag: bool,
    dirs: Dirs,
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
    pub fn resolve(globals: Globals) -> Self {
        choose_color(globals.color);
        Self {
            profile: globals.profile,
            profile_from_flag: globals.profile_from_flag,
            dirs: Dirs::new(globals.config_dir, globals.state_dir),
            no_input: globals.no_input || is_on("CI") || !std::io::stdin().is_terminal(),
            no_cache: is_on("ONEUP_NO_CACHE"),
            timeout: Duration::from_secs(globals.timeout),
            cacert: globals.cacert,
            verbose: globals.verbose,
            quiet: globals.quiet,
        }
    }

    /// Returns the directory of `profiles/NAME.toml`.
    ///
    /// # Errors
    /// Usage, without a home directory.
    pub fn config_dir(&self) -> Result<&Path> {
        self.dirs.config()
    }

    /// Returns the directory of the locks, the token metadata and the `file` store.
    ///
    /// # Errors
    /// Usage, without a home directory.
    pub fn state_dir(&self) -> Result<&Path> {
        self.dirs.state()
    }

    /// Returns the deadline (`--timeout`) of what begins now.
    pub fn deadline(&self) -> Deadline {
        Deadline::after(self.timeout)
    }

    /// Says why there is no prompt, for an error that names what is missing.
    pub fn no_prompt_reason(&self) -> &'static str {
        if is_on("CI") {
            "no prompt, because CI is set"
        } else if !std::io::stdin().is_terminal() {
            "no prompt, because stdin is not a terminal"
        } else if self.no_input {
            "no prompt, because of --no-input"
        } else {
            "no prompt, because stderr is not a terminal"
        }
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
