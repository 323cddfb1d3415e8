//! `oneup sandbox`: the stand-in for 1up's servers.

mod demo;
mod environment;
mod serve;

use sandbox::{Options, SandboxHandle};

use crate::cli::{Sandbox, SandboxOptions, SandboxRun};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::process::{self, SignalForwarder};

/// Runs a subcommand of `sandbox`.
///
/// # Errors
/// Usage: invalid options, or a port that is in use. Failure: the system provides no socket. As each subcommand.
pub fn run(context: &Context, command: &Sandbox) -> Result<Exit> {
    match command {
        Sandbox::Serve(options) => serve::run(options, context.quiet),
        Sandbox::Run(args) => run_command(args).map_err(process::before_start),
        Sandbox::Demo => demo::run().map(|()| Exit::Success),
    }
}

/// Runs a command against a sandbox of its own and returns its exit code. Removes all files afterwards.
fn run_command(args: &SandboxRun) -> Result<Exit> {
    let (program, arguments) =
        args.command.split_first().ok_or_else(|| Error::usage("sandbox run needs a command"))?;
    let sandbox = start(&args.options)?;
    let dir = environment::temp_dir()?;
    let mut command = process::command(program);
    command.args(arguments);
    environment::apply(&mut command, &sandbox, dir.path());
    process::run(&mut command, SignalForwarder::catch()?, |_| {})
}

fn start(args: &SandboxOptions) -> Result<SandboxHandle> {
    let options = Options {
        port: args.port,
        token_lifetime: args.token_lifetime,
        fail: args.fail.clone(),
        realms: args.realm.clone(),
        tenants: args.tenant_only.clone(),
        export_size: args.export_size,
        export_files: args.export_files,
        client_jwks: args.client_jwks.clone(),
        allow_cancel: args.allow_cancel,
    };
    sandbox::start(options).map_err(into_error)
}

fn into_error(error: sandbox::Error) -> Error {
    let what = error.to_string();
    match error {
        sandbox::Error::UnknownFault(_) => {
            let names: Vec<_> = sandbox::fault_names().collect();
            Error::usage(what)
                .with_hint(format!("use --fail KIND or KIND=N, where KIND is one of {}", names.join(", ")))
        }
        sandbox::Error::InvalidFaultValue(kind) => {
            Error::usage(what).with_hint(format!("use --fail {kind}=N, where N is a whole number"))
        }
        sandbox::Error::InvalidName(_) => {
            Error::usage(what).with_hint("use letters, digits, '.', '_' and '-'")
        }
        sandbox::Error::ReadClientJwks { source, .. } => {
            Error::usage(what).with_cause(source).with_hint("oneup key jwks > FILE")
        }
        sandbox::Error::InvalidClientJwks { .. } => Error::usage(what).with_hint("oneup key jwks > FILE"),
        sandbox::Error::Bind { source, .. } => {
            Error::usage(what).with_cause(source).with_hint("use --port 0 for a free port")
        }
        sandbox::Error::Start(source) => Error::failure(what).with_cause(source),
    }
}
