//! OAuth 2.0 access tokens for 1upHealth's FHIR APIs: the library behind the `oneup` program.

pub mod callback;
pub mod cli;
pub mod commands;
pub mod context;
pub mod curl;
pub mod error;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod http;
pub mod oauth;
pub mod output;
pub mod process;
pub mod profile;
pub mod session;
pub mod store;
pub mod system;
pub mod text;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::CommandFactory;

use error::{ErrorKind, Exit};

/// Runs the command line `args`, the program's name first, and returns the exit code of the process.
pub fn run(args: &[OsString]) -> ExitCode {
    protect_memory();
    if std::env::var_os("COMPLETE").is_some() {
        clap_complete::CompleteEnv::with_factory(cli::Cli::command).complete();
    }
    let outcome = match parse(args) {
        Ok(cli) => commands::run(&context::Context::resolve(cli.globals), &cli.command),
        Err(result) => result,
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            if error.kind() != ErrorKind::Interrupted {
                context::eprint_line(format_args!("\x1b[31merror:\x1b[0m {error}"));
            }
            ExitCode::from(error.kind().exit().code())
        }
    }
}

/// Reads the command line; help and mistakes are answered by their exit code or error.
fn parse(args: &[OsString]) -> Result<cli::Cli, error::Result<Exit>> {
    cli::fast_path::parse(args).map_or_else(|| cli::help::parse(args), Ok)
}

/// No core dump, and no other process of this user, gets to see the secrets that pass through.
fn protect_memory() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
