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
mod help;
mod http;
mod leftovers;
mod lock;
mod near;
mod notes;
mod oauth;
mod output;
mod profile;
mod progress;
#[cfg(any(test, fuzzing))]
pub mod properties;
mod refusal;
mod session;
mod store;

use std::process::ExitCode;

use clap::CommandFactory;

fn main() -> ExitCode {
    protect_memory();
    if std::env::var_os("COMPLETE").is_some() {
        clap_complete::CompleteEnv::with_factory(cli::Cli::command).complete();
    }
    let outcome = match parse() {
        Ok(cli) => {
            context::Context::resolve(cli.globals).and_then(|context| commands::run(&context, &cli.command))
        }
        Err(answer) => answer,
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            if error.exit != error::Exit::Interrupted {
                context::tell(format_args!("\x1b[31merror:\x1b[0m {error}"));
            }
            ExitCode::from(error.exit as u8)
        }
    }
}

/// Reads the command line; help and mistakes are answered by their exit code or error.
fn parse() -> Result<cli::Cli, error::Result<u8>> {
    let args: Vec<_> = std::env::args_os().collect();
    cli::hot::parse(&args).map_or_else(|| help::parse(&args), Ok)
}

/// No core dump, and no other process of this user, gets to see the secrets that pass through.
fn protect_memory() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable);
}
