//! `oneup sandbox` as data.

use std::ffi::OsString;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum Sandbox {
    /// Run it in the foreground; its URL is the first line of stdout
    ///
    /// Until Ctrl-C.
    Serve(Serve),
    /// Run a command in an environment that points at it
    ///
    /// On a free port, with `ONEUP_GATEWAY`, `ONEUP_PLAN`, `ONEUP_FHIR_BASE`, `ONEUP_CLIENT_ID` and `ONEUP_CLIENT_SECRET`
    /// set, config and state directories of its own, and the file store. Exits with the command's code.
    Run(SandboxRun),
    /// The main job from end to end against it, narrated
    ///
    /// Log in, show the token, inspect and verify it, fetch a FHIR Patient with curl. Needs no account and no network.
    Demo,
}

/// What `serve` and `run` take.
#[derive(Debug, Args)]
pub struct SandboxOptions {
    /// The port on loopback; 0 is a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
    /// How long an access token lives
    #[arg(long, value_name = "SECS", default_value_t = 300)]
    pub token_lifetime: u64,
    /// Fail N times, or for ever; repeatable
    ///
    /// The token endpoint: invalid_client, invalid_grant, invalid_scope, 429, 503,
    /// html (a gateway's page), slow (a byte a second), reset, no-expires-in. The FHIR server: 401
    #[arg(long, value_name = "KIND[=N]")]
    pub fail: Vec<String>,
}

#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    pub options: SandboxOptions,
}

#[derive(Debug, Args)]
pub struct SandboxRun {
    #[command(flatten)]
    pub options: SandboxOptions,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true, required = true, add = crate::cli::complete::program())]
    pub command: Vec<OsString>,
}
