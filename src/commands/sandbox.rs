//! `oneup sandbox`: the stand-in for 1up's servers.

use crate::child;
use crate::cli::{Sandbox, SandboxOptions};
use crate::context::Context;
use crate::error::Result;
use crate::sandbox::{self, Options};

/// Serves, runs a command against it, or shows what it is for.
///
/// # Errors
/// As [`sandbox::serve`], [`sandbox::run`] and [`sandbox::demo`].
pub fn run(context: &Context, command: &Sandbox) -> Result<u8> {
    match command {
        Sandbox::Serve(args) => sandbox::serve(options(&args.options), context.quiet),
        Sandbox::Run(args) => {
            sandbox::run(options(&args.options), &args.command).map_err(child::before_start)
        }
        Sandbox::Demo => sandbox::demo().map(|()| 0),
    }
}

fn options(args: &SandboxOptions) -> Options {
    Options { port: args.port, token_lifetime: args.token_lifetime, fail: args.fail.clone() }
}
