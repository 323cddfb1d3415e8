//! `oneup completions SHELL`: a script by which the shell asks oneup itself, so that names of profiles complete too.

use clap_complete::Shell;
use clap_complete::env::Shells;

use crate::cli::Completions;
use crate::error::{Error, Exit, Result};

/// Prints the completion script of a shell.
///
/// # Errors
/// A stdout that can't be written.
pub fn run(args: &Completions) -> Result<Exit> {
    if args.shell == Shell::PowerShell {
        return super::print(POWERSHELL).map(|()| Exit::Success);
    }
    let mut script = Vec::new();
    Shells::builtins()
        .completer(&args.shell.to_string())
        .ok_or_else(|| Error::usage("there are no completions for this shell"))?
        .write_registration("COMPLETE", "oneup", "oneup", "oneup", &mut script)
        .map_err(|error| Error::failure("can't make the completions").with_cause(error))?;
    if args.shell == Shell::Zsh {
        script.extend(AUTOLOADED);
    }
    super::print(script).map(|()| Exit::Success)
}

/// PowerShell's script. clap's own gives the unfinished line to `Invoke-Expression`, and so runs what stands in `$(…)` at
/// TAB.
const POWERSHELL: &str = include_str!("completions.ps1");

/// The end of zsh's script. Found on the fpath, the file is the function that zsh calls at the first TAB: without
/// this it would only define the completion, and the first TAB would do nothing.
const AUTOLOADED: &[u8] = b"
if [[ ${funcstack[1]} = _oneup ]]; then
    _clap_dynamic_completer_oneup
fi
";
