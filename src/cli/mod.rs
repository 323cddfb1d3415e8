//! The command line as data: one file per subcommand holds its arguments, its help text and its examples.

mod completions;
mod curl;
mod doctor;
mod exec;
mod export;
mod key;
mod login;
mod logout;
mod man;
mod proxy;
mod sandbox;
mod status;
mod token;
mod use_profile;

pub mod complete;
pub mod help;
pub mod parse;
mod sections;
mod usage_error;

use std::path::PathBuf;

use clap::builder::{FalseyValueParser, OsStr, Resettable};
use clap::{Args, ColorChoice, Parser, Subcommand, ValueEnum};

pub use completions::Completions;
pub use curl::Curl;
pub use doctor::Doctor;
pub use exec::Exec;
pub use export::Export;
pub use key::{Generate, Jwks, KeyCommand};
pub use login::{Login, LoginCommon, Patient, StoreChoice};
pub use logout::Logout;
pub use man::Man;
pub use proxy::Proxy;
pub use sandbox::{Sandbox, SandboxOptions, SandboxRun};
use sections::SET_VARIABLE;
pub use sections::Sections;
pub use status::Status;
pub use token::{Inspect, Revoke, Show, TokenCommand, TokenFormat};
pub use use_profile::UseProfile;

/// OAuth 2.0 access tokens for 1upHealth's FHIR APIs
///
/// oneup gets, stores, refreshes, inspects and provides access tokens. Log in once; from then on every terminal, script
/// and CI job has a valid token, and the client secret is in the OS keyring instead of a text file.
///
/// A profile is a named login: product, client ID, endpoints, scope and store. Its default name is the product's:
/// provider (Provider Access), p2p (Payer-to-Payer) or patient (Patient Access). With several profiles, --profile
/// selects one.
///
/// stdout gets the output of the command and nothing else; messages go to stderr. A command that fails prints nothing
/// on stdout; its error message ends with a hint where there is one.
#[derive(Debug, Parser)]
#[command(
    name = "oneup",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(add = Sections {
    examples: &[
        ("Try everything without an account", "oneup sandbox demo"),
        ("Log in once, then use the token", "oneup login provider\noneup curl /metadata"),
        ("Set a variable in this shell", SET_VARIABLE),
    ],
    exit_codes: &["0", "1", "2", "3", "4", "5", "6", "7", "125, 126, 127", "130, 143"],
})]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Command,
}

// Flags that every command takes.
// No doc comment: clap would take it for the help of the command that this is flattened into.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// Profile to use
    ///
    /// Default: the profile chosen with `oneup use`, else the only profile.
    #[arg(long, global = true, value_name = "NAME", env = variable("ONEUP_PROFILE"), add = complete::profiles())]
    pub profile: Option<String>,
    /// Whether `--profile` is on the command line: then `ONEUP_TOKEN` is ignored.
    #[arg(skip)]
    pub profile_from_flag: bool,
    /// Directory of the profiles [default: the platform's config directory + /oneup]
    #[arg(long, global = true, value_name = "DIR", env = variable("ONEUP_CONFIG_DIR"), add = complete::directory())]
    pub config_dir: Option<PathBuf>,
    /// Directory of locks, token metadata and the `file` store [default: the platform's state directory + /oneup]
    #[arg(long, global = true, value_name = "DIR", env = variable("ONEUP_STATE_DIR"), add = complete::directory())]
    pub state_dir: Option<PathBuf>,
    /// Never prompt (implied by CI, or when stdin is not a terminal)
    #[arg(long, global = true, env = variable("ONEUP_NO_INPUT"), value_parser = FalseyValueParser::new())]
    pub no_input: bool,
    /// Deadline for getting a token, retries included, in seconds
    #[arg(long, global = true, value_name = "SECS", env = variable("ONEUP_TIMEOUT"), default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
    /// CA certificates (PEM) to trust in addition to the platform's
    #[arg(long, global = true, value_name = "FILE", env = variable("ONEUP_CACERT"), add = complete::file())]
    pub cacert: Option<PathBuf>,
    /// Print each HTTP exchange on stderr, with secrets masked
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Print only errors on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// When to use color: auto, always or never [env: NO_COLOR, CLICOLOR_FORCE]
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = ColorChoice::Auto, hide_possible_values = true)]
    pub color: ColorChoice,
}

// Options of the commands that send the token to hosts of the profile.
// No doc comment, as for `Globals`.
#[derive(Debug, Args)]
pub struct Target {
    /// Tenant to use instead of the profile's
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<String>,
    /// Scopes of the token, instead of the profile's
    #[arg(long)]
    pub scope: Option<String>,
    /// Host that may get the token too; repeatable
    #[arg(long = "allow-host", value_name = "HOST")]
    pub allow_hosts: Vec<String>,
}

/// Names the environment variable of a flag, unless the variable is empty: an empty one counts as unset, since CI
/// systems set variables for secrets and settings that do not exist.
fn variable(name: &'static str) -> Resettable<OsStr> {
    match std::env::var_os(name) {
        Some(value) if value.is_empty() => Resettable::Reset,
        _ => Resettable::Value(name.into()),
    }
}

/// The subcommands. Their arguments are only described when a command is used (`defer`): to describe them all would
/// take longer than the rest of `token show`.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
pub enum Command {
    #[command(subcommand)]
    Login(Login),
    Logout(Logout),
    Status(Status),
    Use(UseProfile),
    #[command(subcommand)]
    Token(TokenCommand),
    #[command(subcommand)]
    Key(KeyCommand),
    Curl(Curl),
    Exec(Exec),
    Export(Export),
    Proxy(Proxy),
    Doctor(Doctor),
    #[command(subcommand)]
    Sandbox(Sandbox),
    Completions(Completions),
    Man(Man),
}

/// `--format` of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Text for people
    Text,
    /// JSON for programs
    Json,
}
