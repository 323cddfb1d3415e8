//! The command line as data: flags, environment variables and help texts, no behaviour. What else `--help` says
//! (examples, exit codes) is in `help`.

mod child;
pub mod complete;
pub mod fast_path;
pub mod help;
mod login;
mod sandbox;
mod token;
mod usage_error;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint, builder::FalseyValueParser};

pub use child::{Curl, Exec};
pub use login::{AuthMethod, ClientCredentials, Login, LoginCommon, Patient, StoreChoice};
pub use sandbox::{Sandbox, SandboxOptions};
pub use token::{Inspect, Show, TokenCommand, TokenFormat};

/// `--timeout`, in seconds.
const TIMEOUT: u64 = 30;

/// OAuth 2.0 access tokens for 1upHealth's FHIR APIs
///
/// oneup obtains access tokens, keeps and renews them, inspects them and hands them out. You log in once; from then on
/// every terminal, script and CI job has a live token, and your client secret is in the OS keyring instead of a text
/// file.
///
/// A named login is a profile: product, client id, endpoints, scope and store. Its default name is the product's:
/// provider (Provider Access), p2p (Payer-to-Payer) or patient (Patient Access). Several live side by side; --profile
/// chooses one, and is not needed while there is only one.
///
/// stdout gets the product of the command and nothing else; everything for people goes to stderr. A command that fails
/// prints nothing on stdout, and says what happened, why where that is known, and the next command.
#[derive(Debug, Parser)]
#[command(name = "oneup", version, subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    #[command(flatten)]
    pub globals: Globals,
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// The profile to use [env: ONEUP_PROFILE]
    ///
    /// Without it, the only one there is.
    #[arg(long, global = true, value_name = "NAME", add = crate::cli::complete::profiles())]
    pub profile: Option<String>,
    /// Where profiles are kept [default: the platform's config directory + /oneup]
    #[arg(long, global = true, value_name = "DIR", env = "ONEUP_CONFIG_DIR", hide_env_values = true, value_hint = ValueHint::DirPath)]
    pub config_dir: Option<PathBuf>,
    /// Where locks, expiry notes and the `file` store are kept [default: the platform's state directory + /oneup]
    #[arg(long, global = true, value_name = "DIR", env = "ONEUP_STATE_DIR", hide_env_values = true, value_hint = ValueHint::DirPath)]
    pub state_dir: Option<PathBuf>,
    /// Ask nothing; also on when CI is set or stdin is no terminal
    #[arg(long, global = true, env = "ONEUP_NO_INPUT", hide_env_values = true, value_parser = FalseyValueParser::new())]
    pub no_input: bool,
    /// One deadline for a whole token request, retries included
    #[arg(long, global = true, value_name = "SECS", env = "ONEUP_TIMEOUT", hide_env_values = true, default_value_t = TIMEOUT, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: u64,
    /// PEM bundle added to the platform's trust store
    #[arg(long, global = true, value_name = "FILE", env = "ONEUP_CACERT", hide_env_values = true, value_hint = ValueHint::FilePath)]
    pub cacert: Option<PathBuf>,
    /// Trace each HTTP exchange on stderr, every secret masked
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// Only errors on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Colour: auto, always or never [env: NO_COLOR, CLICOLOR_FORCE]
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Color::Auto, hide_possible_values = true)]
    pub color: Color,
}

/// `--color`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Even into a pipe
    Always,
    /// Plain text
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Get a token, and remember the login as a profile
    ///
    /// Asks for what is missing when it may, the secret hidden; else says which flag or variable is missing. A second
    /// login to a profile recalls its settings, so that only what changed has to be said.
    #[command(subcommand, arg_required_else_help = true)]
    Login(Login),
    /// Revoke what can be revoked, then forget the profile
    ///
    /// The client secret and the tokens leave the store, the profile leaves the config directory, and what was noted of
    /// its expiry goes too. A revocation that fails is a warning: the rest is still forgotten.
    Logout(Logout),
    /// List every profile, and what its token is worth
    ///
    /// Product, client id, scope, store, time left, renewable or not. It reads no secret, unlocks and asks nothing, and
    /// opens no socket, so it is quick enough for a prompt.
    Status(Status),
    /// Print or inspect an access token
    #[command(subcommand, arg_required_else_help = true)]
    Token(TokenCommand),
    /// Run curl with the access token
    ///
    /// Runs the real curl with its own arguments, stdin, stdout, stderr and exit code, and adds `Authorization: Bearer` of
    /// a live token through an inherited descriptor: the token stands in no argument list and in no file. A path in the
    /// place of a URL is joined to the profile's FHIR base.
    ///
    /// The token goes only to hosts that belong to the profile (its gateway, token and FHIR hosts, 1up.health and its
    /// subdomains, the plan's own domain) and to --allow-host. Any other URL is refused before curl starts. https only,
    /// loopback excepted; a URL without a scheme means https; a redirect to another host never carries the token.
    ///
    /// oneup's own options stand first: from the first argument that is none of them on, everything is curl's. After
    /// -- all of it is.
    Curl(Curl),
    /// Run a command with the access token in its environment
    ///
    /// The token lives as long as it lives: with --token-file a job that outlives it reads a file that is kept fresh
    /// instead, replaced whole before the token in it expires, and removed at the end.
    Exec(Exec),
    /// Check the set-up, and say how to fix it
    ///
    /// A line each for the directories, the store and a round trip through it with a dummy value, curl, proxy and CA in
    /// force, the callback port, reach and TLS of the profile's token endpoint, the clock, and which variable overrides
    /// what: ok, warning or failure, with the fix.
    Doctor(Doctor),
    /// Stand-in for 1up's servers: try oneup without an account
    ///
    /// On loopback, in this binary: the dev-portal realm with Keycloak's paths and error shapes, a demo health plan with a
    /// login page, a small FHIR R4 server, a bulk export, and /sandbox/journal, the count of requests by path. Nothing in
    /// it is real, and nothing leaves the machine.
    #[command(subcommand, arg_required_else_help = true)]
    Sandbox(Sandbox),
    /// Print the completion script of a shell
    ///
    /// The script asks oneup itself, so that names of profiles complete too.
    Completions(Completions),
    /// Print a manual page, in roff
    ///
    /// The page of oneup, or of one of its commands; or all of them as files.
    Man(Man),
}

#[derive(Debug, Args)]
pub struct Logout {
    /// Forget every profile
    #[arg(long, conflicts_with = "profile")]
    pub all: bool,
    /// Don't ask the server to revoke
    #[arg(long)]
    pub no_revoke: bool,
}

/// `text` for people, `json` for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

#[derive(Debug, Args)]
pub struct Status {
    /// How to print it
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Exit 4 unless the profile has a live or renewable token
    #[arg(long)]
    pub check: bool,
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// How to print it
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
}

#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub struct Man {
    /// The command, such as `token show` [default: oneup itself]
    #[arg(value_name = "COMMAND", add = crate::cli::complete::pages())]
    pub command: Vec<String>,
    /// Write every page into this directory, as files that `man` finds
    #[arg(long, value_name = "DIR", conflicts_with = "command", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}
