//! `sandbox demo`: the main job from end to end, narrated. Each step shows a command, then runs that very command.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use sandbox::{Options, SandboxHandle};

use super::{environment, into_error};
use crate::error::{Error, Result, ignore_broken_pipe};
use crate::process;

/// What is said, and the words after `oneup`.
type Step = (&'static str, &'static [&'static str]);

const STEPS: [Step; 4] = [
    ("Log in. Client id and secret are in the environment, as in a CI job.", &["login", "provider"]),
    ("Take the access token. A script would write TOKEN=$(oneup token show).", &["token", "show"]),
    (
        "Look into it: for whom, how long, which scopes; does the signature hold?",
        &["token", "inspect", "--verify"],
    ),
    (
        "Ask the FHIR server for a member; curl gets the token, and shows it nowhere.",
        &["curl", "-sS", "/Patient/123456789123"],
    ),
];

/// What fits beside the bar in a terminal of 80 columns.
const WIDTH: usize = 75;

/// What is shown of a token that doesn't.
const KEPT: usize = 48;

/// Starts a sandbox and walks through it; stdout gets the narration.
///
/// # Errors
/// As [`sandbox::start`]; failure, when a step can't be run or fails.
pub fn run() -> Result<()> {
    let failed = |error: std::io::Error| Error::failure("the demo can't go on").with_cause(error);
    let sandbox = sandbox::start(Options::default()).map_err(into_error)?;
    let dir = environment::temp_dir()?;
    say(format_args!(
        "\x1b[1moneup sandbox demo\x1b[0m\n\
         A stand-in for 1up's servers runs on this machine, at {}.\n\
         No account, no network, nothing real: the member is made up.",
        sandbox.base_url
    ))?;
    for (number, (what, words)) in STEPS.into_iter().enumerate() {
        say(format_args!(
            "\n\x1b[1;36m{}\x1b[0m  {what}\n\n   \x1b[1m$ oneup {}\x1b[0m",
            number + 1,
            words.join(" ")
        ))?;
        let output = step(&sandbox, dir.path(), words).map_err(failed)?;
        show(&output)?;
        if !output.status.success() {
            let code = process::exit(output.status).code();
            return Err(Error::failure(format!("this step ended with {code}")));
        }
    }
    say("\n\x1b[1;32mThat was it.\x1b[0m The sandbox is gone, and nothing is left of it.\n\n\
         Your own script against it:  \x1b[1moneup sandbox run -- ./script.sh\x1b[0m\n\
         With a page in the browser:  \x1b[1moneup sandbox run -- oneup login patient\x1b[0m\n\
         With your own account:       \x1b[1moneup login provider\x1b[0m")
}

fn say(text: impl std::fmt::Display) -> Result<()> {
    ignore_broken_pipe(writeln!(anstream::stdout().lock(), "{text}"))
}

fn step(sandbox: &SandboxHandle, dir: &Path, words: &[&str]) -> std::io::Result<Output> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(words).stdin(Stdio::null());
    environment::enter(&mut command, sandbox, dir);
    command.output()
}

fn show(output: &Output) -> Result<()> {
    for stream in [&output.stderr, &output.stdout] {
        for line in String::from_utf8_lossy(stream).lines() {
            say(format_args!("   \x1b[2m|\x1b[0m {}", shorten(line)))?;
        }
    }
    Ok(())
}

/// A token would fill the screen: it is cut, and what is left out is counted. Sentences stay whole.
fn shorten(line: &str) -> String {
    let length = line.chars().count();
    if length <= WIDTH || line.contains(' ') {
        return line.to_owned();
    }
    let kept: String = line.chars().take(KEPT).collect();
    format!("{kept}... ({} more characters)", length - KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_token_says_how_much_is_left_out() {
        let sentence = "word ".repeat(100);
        assert_eq!(shorten(&sentence), sentence);
        let long = shorten(&"x".repeat(900));
        assert!(long.ends_with("... (852 more characters)"), "{long}");
    }
}
