//! `oneup completions SHELL`: scripts by which the shell asks oneup at TAB, so that profile names complete too.

use clap_complete::Shell;
use clap_complete::env::Shells;

use crate::cli::Completions;
use crate::error::{Error, Exit, Result};

/// clap's script for bash inserts names unquoted, so that a file named `$(…)` is run.
const BASH: &str = include_str!("../../completions/oneup.bash");

/// clap's script for PowerShell evaluates the unfinished line, and inserts names unquoted.
const POWERSHELL: &str = include_str!("../../completions/_oneup.ps1");

/// The end of zsh's script. On the fpath the file is the function that zsh calls at the first TAB; without this it would
/// only define the completion, and the first TAB would do nothing.
const ZSH_AUTOLOAD: &[u8] = b"
if [[ ${funcstack[1]} = _oneup ]]; then
    _clap_dynamic_completer_oneup
fi
";

/// Prints the completion script of a shell.
///
/// # Errors
/// A stdout that can't be written.
pub fn run(args: &Completions) -> Result<Exit> {
    let script = match args.shell {
        Shell::Bash => BASH.as_bytes().to_vec(),
        Shell::PowerShell => POWERSHELL.as_bytes().to_vec(),
        Shell::Zsh => [registration(args.shell)?, ZSH_AUTOLOAD.to_vec()].concat(),
        shell => registration(shell)?,
    };
    super::print(script)
}

/// Returns clap's script.
fn registration(shell: Shell) -> Result<Vec<u8>> {
    let mut script = Vec::new();
    Shells::builtins()
        .completer(&shell.to_string())
        .ok_or_else(|| Error::usage("no completions for this shell"))?
        .write_registration("COMPLETE", "oneup", "oneup", "oneup", &mut script)
        .map_err(|error| Error::failure("can't generate the completions").with_cause(error))?;
    Ok(script)
}
