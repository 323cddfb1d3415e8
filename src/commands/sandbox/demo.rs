//! `sandbox demo`: the main use case, step by step. Each step shows a command, then runs it.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anstyle::{AnsiColor, Style};
use sandbox::{Options, SandboxHandle};

use super::{environment, into_error};
use crate::error::{Error, Result, ignore_broken_pipe};
use crate::output::{MARGIN, width};
use crate::process;
use crate::text::wrap::push_wrapped;

/// An explanation, and the arguments of `oneup`.
type Step = (&'static str, &'static [&'static str]);

const STEPS: [Step; 4] = [
    ("Log in. Client ID and secret are in the environment, as in a CI job.", &["login", "provider"]),
    ("Print the access token. In a script: TOKEN=$(oneup token show).", &["token", "show"]),
    ("Inspect it: issuer, expiry, scopes; verify its signature.", &["token", "inspect", "--verify"]),
    (
        "Start a bulk export. curl gets the token, but not in its arguments.",
        &["curl", "-sSi", "-H", "Prefer: respond-async", "/$export?_type=Patient"],
    ),
];

const BOLD: Style = Style::new().bold();
const DIM: Style = Style::new().dimmed();
const NUMBER: Style = AnsiColor::Cyan.on_default().bold();
const DONE: Style = AnsiColor::Green.on_default().bold();

/// How many characters follow the beginning of a token that is cut.
const CUT_LEN: usize = " ... (9999 more characters)".len();

/// Starts a sandbox and runs the steps; prints to stdout.
///
/// # Errors
/// As [`sandbox::start`]; failure, if a step can't be run or fails.
pub fn run() -> Result<()> {
    let failed = |error: std::io::Error| Error::failure("demo aborted").with_cause(error);
    let sandbox = sandbox::start(Options::default()).map_err(into_error)?;
    let dir = environment::temp_dir()?;
    print(format_args!("{BOLD}oneup sandbox demo{BOLD:#}\n"))?;
    print_wrapped(
        0,
        &format!("A stand-in for 1up's servers runs on this machine, at {}.", sandbox.base_url),
    )?;
    print_wrapped(0, "No account and no network are needed; all data is synthetic.")?;
    for (number, (explanation, arguments)) in STEPS.into_iter().enumerate() {
        print(format_args!("\n{NUMBER}{}{NUMBER:#}  ", number + 1))?;
        print_wrapped(3, explanation)?;
        print(format_args!("\n   {BOLD}$ oneup {}{BOLD:#}\n", quoted(arguments)))?;
        let output = step(&sandbox, dir.path(), arguments).map_err(failed)?;
        show(&output)?;
        if !output.status.success() {
            let code = process::exit(output.status).code();
            return Err(Error::failure(format!("step failed (exit {code})")));
        }
    }
    print(format_args!("\n{DONE}Done.{DONE:#} "))?;
    print_wrapped("Done. ".len(), "The sandbox has stopped, and its files are deleted.")?;
    print(format_args!(
        "\n\
         Your own script against it:  {BOLD}oneup sandbox run -- ./script.sh{BOLD:#}\n\
         With a login in the browser: {BOLD}oneup sandbox run -- oneup login patient{BOLD:#}\n\
         With your own account:       {BOLD}oneup login provider{BOLD:#}\n"
    ))
}

fn print(text: impl std::fmt::Display) -> Result<()> {
    ignore_broken_pipe(write!(anstream::stdout().lock(), "{text}"))
}

/// Prints a text that begins at column `indent`, wrapped.
fn print_wrapped(indent: usize, text: &str) -> Result<()> {
    let mut wrapped = String::new();
    push_wrapped(&mut wrapped, text, indent, width() + MARGIN);
    print(wrapped)
}

fn step(sandbox: &SandboxHandle, dir: &Path, arguments: &[&str]) -> std::io::Result<Output> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(arguments).stdin(Stdio::null());
    environment::apply(&mut command, sandbox, dir);
    command.env("COLUMNS", (width() + MARGIN).to_string());
    command.output()
}

/// The arguments as typed in a shell.
fn quoted(arguments: &[&str]) -> String {
    let quote = |argument: &&str| {
        if argument.contains([' ', '$']) { format!("'{argument}'") } else { (*argument).to_owned() }
    };
    arguments.iter().map(quote).collect::<Vec<_>>().join(" ")
}

fn show(output: &Output) -> Result<()> {
    for stream in [&output.stderr, &output.stdout] {
        for line in String::from_utf8_lossy(stream).lines().flat_map(|line| fit(line, width())) {
            print(format_args!("   {DIM}|{DIM:#} {line}\n"))?;
        }
    }
    Ok(())
}

/// Wraps a line of several words. Cuts one that is a single long word, such as a token, and counts the characters left out.
fn fit(line: &str, width: usize) -> Vec<String> {
    let length = line.chars().count();
    if length <= width {
        return vec![line.to_owned()];
    }
    if line.contains(' ') {
        let mut wrapped = String::new();
        push_wrapped(&mut wrapped, line, 0, width);
        return wrapped.lines().map(str::to_owned).collect();
    }
    let shown = width.saturating_sub(CUT_LEN);
    let prefix: String = line.chars().take(shown).collect();
    vec![format!("{prefix}... ({} more characters)", length - shown)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_token_is_cut_and_long_sentence_is_wrapped() {
        let sentence = ["word"; 100].join(" ");
        let lines = fit(&sentence, 75);
        assert!(lines.iter().all(|line| line.len() <= 75));
        assert_eq!(lines.join(" "), sentence);
        assert_eq!(fit(&"x".repeat(900), 75), [format!("{}... (852 more characters)", "x".repeat(48))]);
    }
}
