//! `sandbox serve`: a sandbox in the foreground.

use std::io::{IsTerminal, Write};

use anstyle::Style;

use super::{environment, start};
use crate::cli::SandboxOptions;
use crate::error::{Error, Exit, Result};
use crate::process::TerminationSignals;

const BOLD: Style = Style::new().bold();

/// Serves in the foreground until SIGINT or SIGTERM. Prints the base URL as the first line of stdout and, unless `quiet`,
/// instructions to stderr. Returns the exit code, 130 or 143.
///
/// # Errors
/// As [`start`]; failure, if stdout is closed.
pub fn run(options: &SandboxOptions, quiet: bool) -> Result<Exit> {
    let failed = |error: std::io::Error| Error::failure("can't serve the sandbox").with_cause(error);
    let mut signals = TerminationSignals::catch().map_err(failed)?;
    let sandbox = start(options)?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", sandbox.base_url).and_then(|()| stdout.flush()).map_err(failed)?;
    if !quiet {
        print_instructions(&sandbox.base_url);
    }
    let signal = signals.wait();
    if !quiet && std::io::stderr().is_terminal() {
        // Ends the line on which the terminal shows ^C.
        let _ = writeln!(anstream::stderr());
    }
    Ok(Exit::Program(128 + signal))
}

fn print_instructions(base: &str) {
    // For PowerShell on Windows.
    let assign = |(name, value): (&str, String)| {
        if cfg!(windows) { format!("$env:{name} = '{value}'") } else { format!("export {name}={value}") }
    };
    let lines = environment::variables(base).map(assign).join("\n  ");
    let _ = writeln!(
        anstream::stderr(),
        "
The sandbox is running on this machine only. Press Ctrl-C to stop it. In another shell:

  {BOLD}{lines}
  oneup login provider --profile sandbox{BOLD:#}

Requests so far: {base}/sandbox/journal"
    );
}
