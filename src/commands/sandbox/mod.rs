//! `oneup sandbox`: the stand-in for 1up's servers.

mod demo;
mod environment;
mod run;
mod serve;

use sandbox::{Options, SandboxHandle};

use crate::cli::{Sandbox, SandboxOptions};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::process;

/// Serves, runs a command against it, or shows what it is for.
///
/// # Errors
/// Usage, for options that can't be served; failure, when the system gives no socket; as each subcommand.
pub fn run(context: &Context, command: &Sandbox) -> Result<Exit> {
    match command {
        Sandbox::Serve(args) => serve::run(&args.options, context.quiet),
        Sandbox::Run(args) => run::run(&args.options, &args.command).map_err(process::before_start),
        Sandbox::Demo => demo::run().map(|()| Exit::Success),
    }
}

fn start(args: &SandboxOptions) -> Result<SandboxHandle> {
    let options = Options { port: args.port, token_lifetime: args.token_lifetime, fail: args.fail.clone() };
    sandbox::start(options).map_err(into_error)
}

fn into_error(error: sandbox::Error) -> Error {
    let what = error.to_string();
    match error {
        sandbox::Error::UnknownFault(_) => {
            let names: Vec<_> = sandbox::fault_names().collect();
            Error::usage(what)
                .with_hint(format!("--fail takes KIND or KIND=N; KIND is one of {}", names.join(", ")))
        }
        sandbox::Error::InvalidFaultValue(kind) => {
            Error::usage(what).with_hint(format!("--fail {kind}=N: N is a whole number"))
        }
        sandbox::Error::Bind { source, .. } => {
            Error::usage(what).with_cause(source).with_hint("--port 0 takes a free port")
        }
        sandbox::Error::Start(source) => Error::failure(what).with_cause(source),
    }
}
