//! OAuth 2.0 access tokens for 1upHealth's FHIR APIs: the library behind the `oneup` program.

// On Windows `system::acl` has some.
#![cfg_attr(not(windows), forbid(unsafe_code))]

pub mod callback;
pub mod cli;
pub mod commands;
pub mod context;
pub mod curl;
pub mod error;
pub mod export;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod http;
pub mod oauth;
pub mod output;
pub mod process;
pub mod profile;
pub mod proxy;
pub mod session;
pub mod store;
pub mod system;
pub mod text;

use std::ffi::OsString;

use anstyle::{AnsiColor, Style};

use cli::parse::{Parsed, parse};
use error::{ErrorKind, Exit, Result};

/// The style of `error:`.
const ERROR: Style = AnsiColor::Red.on_default();

/// Runs the command line `args`, the program's name first, and returns the exit code of the process.
pub fn run(args: &[OsString]) -> i32 {
    protect_memory();
    if std::env::var_os("COMPLETE").is_some() {
        clap_complete::CompleteEnv::with_factory(cli::help::completion_command).complete();
    }
    match execute(args) {
        Ok(exit) => exit.code(),
        Err(error) => {
            if error.kind() != ErrorKind::Interrupted {
                context::eprint_line(format_args!("{ERROR}error:{ERROR:#} {error}"));
            }
            error.kind().exit().code()
        }
    }
}

fn execute(args: &[OsString]) -> Result<Exit> {
    // A value with a control character is reported under its variable's name, not as a flag's value.
    let parsed = parse(args).or_else(|error| context::check_variables().and(Err(error)))?;
    match parsed {
        Parsed::Run(cli) => {
            if !matches!(cli.command, cli::Command::Doctor(_)) {
                context::check_variables()?;
            }
            commands::run(&context::Context::resolve(cli.globals), &cli.command)
        }
        Parsed::Done(exit) => Ok(exit),
    }
}

/// Prevents core dumps, and other processes of this user from reading the secrets in memory.
fn protect_memory() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
