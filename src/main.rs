//! Parse, run, print the error, exit.

mod callback;
mod child;
mod cli;
mod client_secret;
mod clock;
mod commands;
mod complete;
mod context;
mod curl;
mod error;
mod files;
mod http;
mod lock;
mod notes;
mod oauth;
mod output;
mod profile;
mod progress;
#[cfg(any(test, fuzzing))]
pub mod properties;
mod refusal;
mod sandbox;
mod session;
mod store;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

fn main() -> ExitCode {
    protect_memory();
    if std::env::var_os("COMPLETE").is_some() {
        clap_complete::CompleteEnv::with_factory(cli::Cli::command).complete();
    }
    let cli = parse();
    let outcome =
        context::Context::resolve(cli.globals).and_then(|context| commands::run(&context, &cli.command));
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            if error.exit != error::Exit::Interrupted {
                anstream::eprintln!("\x1b[31merror:\x1b[0m {error}");
            }
            ExitCode::from(error.exit as u8)
        }
    }
}

/// Reads the command line. Its description is leaked: freeing its thousands of strings, just before the process ends
/// and they go anyway, takes a sixth of a `token show`.
fn parse() -> cli::Cli {
    let command = Box::leak(Box::new(cli::Cli::command()));
    let matches = command.try_get_matches_from_mut(std::env::args_os());
    matches
        .and_then(|mut matches| cli::Cli::from_arg_matches_mut(&mut matches))
        .unwrap_or_else(|error| error.format(command).exit())
}

/// No core dump, and no other process of this user, gets to see the secrets that pass through.
fn protect_memory() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
