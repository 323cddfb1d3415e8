//! Arguments of `oneup sandbox`.

use std::ffi::OsString;

use clap::{Args, Subcommand};

use super::complete;
use super::sections::{PROGRAM, Sections};

/// Run stand-ins for 1up's servers: try oneup without an account
///
/// Servers on loopback, in this program: the dev-portal realm with Keycloak's paths and errors, a demo health plan with
/// a login page, a small FHIR R4 server, a bulk export, and /sandbox/journal, which counts requests by path. All data
/// is made up, and nothing leaves the machine.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
#[command(add = Sections {
    examples: &[
        ("See what oneup does, step by step", "oneup sandbox demo"),
        ("Start a shell in which oneup uses the sandbox", "oneup sandbox run -- bash"),
    ],
    exit_codes: &["0", "2", "125, 126, 127"],
})]
pub enum Sandbox {
    Serve(Serve),
    Run(SandboxRun),
    /// Show login, token, verification and a FHIR request, step by step
    ///
    /// Logs in to the sandbox, prints the token, inspects and verifies it, and fetches a FHIR Patient with curl. Needs
    /// no account and no network.
    #[command(add = Sections {
        examples: &[
            ("Run the demo in a terminal", "oneup sandbox demo"),
            ("Read the demo page by page", "oneup sandbox demo --color always | less -R"),
        ],
        exit_codes: &["0", "1"],
    })]
    Demo,
}

// Options of `serve` and `run`.
// No doc comment: clap would take it for the help of the command that this is flattened into.
#[derive(Debug, Args)]
pub struct SandboxOptions {
    /// Port on loopback; 0 picks a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
    /// Lifetime of access tokens, in seconds
    #[arg(long, value_name = "SECS", default_value_t = 300)]
    pub token_lifetime: u64,
    /// Fail the next N requests, or all of them; repeatable
    ///
    /// The token endpoint: invalid_client, invalid_grant, invalid_scope, 429, 503,
    /// html (a gateway's page), slow (a byte a second), reset, no-expires-in. The FHIR server: 401
    #[arg(long, value_name = "KIND[=N]")]
    pub fail: Vec<String>,
}

/// Run the sandbox in the foreground; print its URL first
///
/// The URL is the first line of stdout. Runs until Ctrl-C.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Listen on a fixed port", "oneup sandbox serve --port 8080"),
        (
            "Fail twice with 429; issue tokens that expire after five seconds",
            "oneup sandbox serve --fail 429=2 --token-lifetime 5",
        ),
    ],
    exit_codes: &["2", "130, 143"],
})]
pub struct Serve {
    #[command(flatten)]
    pub options: SandboxOptions,
}

/// Run a command in an environment that points at the sandbox
///
/// Listens on a free port, sets `ONEUP_GATEWAY`, `ONEUP_PLAN`, `ONEUP_FHIR_BASE`, `ONEUP_CLIENT_ID` and
/// `ONEUP_CLIENT_SECRET`, and uses temporary config and state directories and the file store. Exits with the command's
/// exit code.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Run a test that needs no account", "oneup sandbox run -- ./test.sh"),
        ("Test what happens if the first two requests fail", "oneup sandbox run --fail 503=2 -- ./test.sh"),
    ],
    exit_codes: PROGRAM,
})]
pub struct SandboxRun {
    #[command(flatten)]
    pub options: SandboxOptions,
    /// Command to run and its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true, required = true, add = complete::program())]
    pub command: Vec<OsString>,
}
