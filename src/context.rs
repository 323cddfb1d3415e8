//! The global flags and the environment, resolved once.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use clap::ColorChoice;

use crate::cli::Globals;
use crate::error::{Error, ErrorKind, Result};
use crate::profile::{self, Profile};
use crate::system::deadline::Deadline;
use crate::system::dirs::Dirs;

/// The style of `warning:`.
const WARNING: Style = AnsiColor::Yellow.on_default();

/// Settings of every command.
#[derive(Debug, Clone)]
pub struct Context {
    /// `--profile` or `ONEUP_PROFILE`.
    pub profile: Option<String>,
    /// Whether `--profile` is on the command line: then `ONEUP_TOKEN` is ignored.
    pub profile_from_flag: bool,
    dirs: Dirs,
    /// Whether prompts are disabled.
    pub no_input: bool,
    /// Whether the token cache in the kernel keyring is disabled.
    pub no_cache: bool,
    /// The time that getting a token may take, retries included.
    pub timeout: Duration,
    /// PEM bundle added to the platform's trust store.
    pub cacert: Option<PathBuf>,
    /// Whether HTTP exchanges are printed on stderr.
    pub verbose: bool,
    /// Whether only errors are printed on stderr.
    pub quiet: bool,
}

impl Context {
    /// Takes the flags, and from the environment what has no flag.
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

    /// Returns the profile of `--profile` or `ONEUP_PROFILE`, else the default one, else the only one.
    ///
    /// # Errors
    /// As [`profile::resolve_profile`]; a name from the variable is said to be from there.
    pub fn selected_profile(&self) -> Result<Profile> {
        let from_variable = self.profile.is_some() && !self.profile_from_flag;
        profile::resolve_profile(self.config_dir()?, self.profile.as_deref()).map_err(|error| {
            if from_variable && error.kind() == ErrorKind::Auth {
                error.with_detail("ONEUP_PROFILE selects it")
            } else {
                error
            }
        })
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

    /// Returns why oneup does not prompt, for an error about a missing setting.
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

    /// Returns whether a prompt can be shown (on stderr) and answered (on stdin).
    pub fn can_ask(&self) -> bool {
        !self.no_input && std::io::stderr().is_terminal()
    }

    /// Prints a line on stderr, unless `--quiet`.
    pub fn info(&self, text: impl std::fmt::Display) {
        if !self.quiet {
            eprint_line(text);
        }
    }

    /// Prints a warning on stderr, unless `--quiet`.
    pub fn warn(&self, text: impl std::fmt::Display) {
        self.info(format_args!("{WARNING}warning:{WARNING:#} {text}"));
    }
}

/// Prints a line on stderr. A failure to write, such as a log on a full disk, is ignored.
pub fn eprint_line(text: impl std::fmt::Display) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

fn choose_color(color: ColorChoice) {
    match color {
        ColorChoice::Auto => {}
        ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
    }
}

/// Returns an environment variable, unless it is unset, empty or not UTF-8.
pub fn nonempty(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Returns whether a variable is set to something other than empty, `0`, `false`, `no` or `off`.
pub fn is_on(name: &str) -> bool {
    nonempty(name)
        .is_some_and(|v| !matches!(v.to_ascii_lowercase().as_str(), "0" | "false" | "no" | "n" | "off" | "f"))
}

/// Variables whose value may end with a newline, which is stripped; their own readers check the rest.
const SECRET_VARIABLES: [&str; 2] = ["ONEUP_CLIENT_SECRET", "ONEUP_TOKEN"];

/// Returns a usage error for each of oneup's variables that contains a control character.
pub fn variable_errors() -> impl Iterator<Item = Error> {
    std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        let is_checked = name.starts_with("ONEUP_") && !SECRET_VARIABLES.contains(&name.as_str());
        let is_invalid = value.to_string_lossy().chars().any(char::is_control);
        (is_checked && is_invalid).then(|| {
            Error::usage(format!("{name} contains a control character"))
                .with_detail("a file with Windows line endings (CRLF) ends each value with a carriage return")
                .with_hint(format!("export {name}=\"$(printf %s \"${name}\" | tr -d '[:cntrl:]')\""))
        })
    })
}

/// Checks that none of oneup's variables contains a control character.
///
/// # Errors
/// Usage, naming the variable.
pub fn check_variables() -> Result<()> {
    variable_errors().next().map_or(Ok(()), Err)
}
