//! The command line as data: flags, environment variables and help texts, no behaviour.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint, builder::FalseyValueParser};

const EXIT_CODES: &str = "\
Exit codes:
  0  done                         5  network
  1  other failure                6  credential store
  2  wrong usage                  7  inspect, doctor: a check failed
  3  protocol                     125, 126, 127  curl, exec: the program was
  4  authentication                  not started, can't be run, isn't there

Start here, without an account:  oneup sandbox demo";

/// Obtain, keep, renew, inspect and hand out OAuth 2.0 tokens for 1upHealth's FHIR APIs.
#[derive(Debug, Parser)]
#[command(name = "oneup", version, after_help = EXIT_CODES, subcommand_required = true, arg_required_else_help = true)]
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
    /// The profile to use [env: ONEUP_PROFILE] [default: the only one there is]
    #[arg(long, global = true, value_name = "NAME", add = crate::complete::profiles())]
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
    #[arg(long, global = true, value_name = "SECS", env = "ONEUP_TIMEOUT", hide_env_values = true, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400))]
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
    #[command(subcommand, arg_required_else_help = true)]
    Login(Login),
    /// Revoke what can be revoked, then forget the profile
    Logout(Logout),
    /// List every profile, and what its token is worth; reads no secret
    Status(Status),
    /// Print or inspect an access token
    #[command(subcommand, arg_required_else_help = true)]
    Token(TokenCommand),
    /// Run curl with the access token
    #[command(disable_help_flag = true)]
    Curl(Curl),
    /// Run a command with the access token in its environment
    Exec(Exec),
    /// Check the set-up, and say how to fix it
    Doctor(Doctor),
    /// A stand-in for 1up's servers on loopback: try oneup without an account
    #[command(subcommand, arg_required_else_help = true)]
    Sandbox(Sandbox),
    /// Print the completion script of a shell
    Completions(Completions),
    /// Print the manual page of oneup or of one of its commands, in roff
    Man(Man),
}

#[derive(Debug, Subcommand)]
pub enum Login {
    /// Provider Access: client credentials
    #[command(after_long_help = LOGIN_EXAMPLES)]
    Provider(ClientCredentials),
    /// Payer-to-Payer: client credentials
    ///
    /// `$member-match` needs a scope of its own, which begins with `member-match-`: see the Dev Portal, and give
    /// it with --scope.
    #[command(after_long_help = LOGIN_EXAMPLES)]
    P2p(ClientCredentials),
    /// Patient Access: an authorization code from the health plan's login page
    #[command(after_long_help = PATIENT_EXAMPLES)]
    Patient(Box<Patient>),
}

const LOGIN_EXAMPLES: &str = "\
Examples:
  Ask for what is missing, and remember the login:
    oneup login provider
  In CI, nothing remembered, the access token on stdout:
    ONEUP_CLIENT_ID=… ONEUP_CLIENT_SECRET=… oneup login provider --no-store";

const PATIENT_EXAMPLES: &str = "\
Examples:
  The demo health plan, in the browser of this desk:
    oneup login patient --client-id ID
  Over SSH: open the URL elsewhere, paste the address that the browser ends on:
    oneup login patient --client-id ID --no-browser --no-listen";

/// What every login takes.
#[derive(Debug, Args)]
pub struct LoginCommon {
    /// The client id of the Dev Portal
    #[arg(long, value_name = "ID", env = "ONEUP_CLIENT_ID", hide_env_values = true)]
    pub client_id: Option<String>,
    /// Read the client secret from the first line of stdin
    #[arg(long, group = "secret_source")]
    pub client_secret_stdin: bool,
    /// Read the client secret from a file [env: ONEUP_CLIENT_SECRET_FILE]
    #[arg(long, value_name = "FILE", group = "secret_source", value_hint = ValueHint::FilePath)]
    pub client_secret_file: Option<PathBuf>,
    /// Read the client secret from a command's first line, at each renewal again; nothing is stored
    /// [env: ONEUP_CLIENT_SECRET_COMMAND]
    #[arg(long, value_name = "CMD", group = "secret_source", value_hint = ValueHint::CommandString)]
    pub client_secret_command: Option<String>,
    /// Refused: a secret in an argument is seen by every process of the machine
    #[arg(long, hide = true, value_name = "VALUE", num_args = 0..=1, default_missing_value = "")]
    pub client_secret: Option<String>,
    /// Space-separated scopes [default: the product's own]
    #[arg(long, env = "ONEUP_SCOPE", hide_env_values = true)]
    pub scope: Option<String>,
    /// The gateway that the realm stands behind [default: https://gateway.1up.health]
    #[arg(
        long,
        value_name = "URL",
        env = "ONEUP_GATEWAY",
        hide_env_values = true,
        help_heading = "Endpoints"
    )]
    pub gateway: Option<String>,
    /// The Keycloak realm [default: dev-portal]
    #[arg(
        long,
        value_name = "NAME",
        env = "ONEUP_REALM",
        hide_env_values = true,
        help_heading = "Endpoints"
    )]
    pub realm: Option<String>,
    /// The token endpoint, instead of what gateway, realm and plan give
    #[arg(
        long,
        value_name = "URL",
        env = "ONEUP_TOKEN_URL",
        hide_env_values = true,
        help_heading = "Endpoints"
    )]
    pub token_url: Option<String>,
    /// What `oneup curl /PATH` is joined to
    #[arg(
        long,
        value_name = "URL",
        env = "ONEUP_FHIR_BASE",
        hide_env_values = true,
        help_heading = "Endpoints"
    )]
    pub fhir_base: Option<String>,
    /// Client authentication: in the body (1up's form), or in a Basic header [default: post]
    #[arg(long, value_enum)]
    pub auth_method: Option<AuthMethod>,
    /// Where the client secret and the tokens are kept [default: auto]
    #[arg(long, value_enum, env = "ONEUP_STORE", hide_env_values = true)]
    pub store: Option<StoreChoice>,
    /// Remember nothing: print the token to stdout
    #[arg(long)]
    pub no_store: bool,
    /// How --no-store prints the token [default: raw]
    #[arg(long, value_enum, value_name = "FORMAT", requires = "no_store")]
    pub format: Option<TokenFormat>,
}

#[derive(Debug, Args)]
pub struct ClientCredentials {
    #[command(flatten)]
    pub common: LoginCommon,
}

#[derive(Debug, Args)]
pub struct Patient {
    #[command(flatten)]
    pub common: LoginCommon,
    /// The health plan: HOST, HOST/SYSTEM, or a base URL [default: 1uphealthdemo.com/test]
    #[arg(
        long,
        value_name = "HOST[/SYSTEM]",
        env = "ONEUP_PLAN",
        hide_env_values = true,
        help_heading = "Endpoints"
    )]
    pub plan: Option<String>,
    /// The authorization endpoint, instead of what plan, gateway and realm give
    #[arg(long, value_name = "URL", help_heading = "Endpoints")]
    pub authorize_url: Option<String>,
    /// Send `aud`: the FHIR server that the token is for
    #[arg(long, value_name = "URL")]
    pub aud: Option<String>,
    /// Leave PKCE out, for a server that refuses it
    #[arg(long)]
    pub no_pkce: bool,
    /// The redirect URI as it is registered, byte for byte [default: http://localhost:8484/callback]
    #[arg(long, value_name = "URI", env = "ONEUP_REDIRECT_URI", hide_env_values = true)]
    pub redirect_uri: Option<String>,
    /// Don't listen for the redirect: paste the address that the browser ended on
    #[arg(long)]
    pub no_listen: bool,
    /// Open no browser
    #[arg(long)]
    pub no_browser: bool,
    /// Redeem an authorization code obtained elsewhere; `-` reads it from stdin
    #[arg(long, value_name = "CODE|-")]
    pub code: Option<String>,
}

/// `--auth-method`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AuthMethod {
    /// client_id and client_secret in the body
    Post,
    /// Form-encoded, then base64, in the Authorization header
    Basic,
}

/// `--store`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StoreChoice {
    /// The OS keyring; on Linux without one, the kernel keyring
    Auto,
    /// The OS keyring: Secret Service, Keychain, Credential Manager
    Keyring,
    /// The kernel keyring: gone at reboot (Linux)
    Keyutils,
    /// A file that only you can read, not encrypted
    File,
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

#[derive(Debug, Subcommand)]
pub enum TokenCommand {
    /// Print a live access token, renewed first if it isn't
    Show(Show),
    /// Say what a token is: for whom, from whom, how long, which scopes
    Inspect(Inspect),
}

const SHOW_EXAMPLES: &str = "\
Examples:
  A variable of this shell:
    eval \"$(oneup token show --format export)\"
  At least five minutes of life, for a longer job:
    oneup token show --min-ttl 300";

#[derive(Debug, Args)]
#[command(after_long_help = SHOW_EXAMPLES)]
pub struct Show {
    /// How to print it
    #[arg(long, value_enum, default_value_t = TokenFormat::Raw)]
    pub format: TokenFormat,
    /// How much life the token must have left, instead of the margin (60 s or 10 % of its lifetime)
    #[arg(long, value_name = "SECS")]
    pub min_ttl: Option<u64>,
    /// Renew it even if it is live
    #[arg(long)]
    pub refresh: bool,
}

/// `--format` of `token show` and `login --no-store`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum TokenFormat {
    /// The token
    Raw,
    /// `Authorization: Bearer TOKEN`
    Header,
    /// Token, lifetime, expiry, scope, profile and product
    Json,
    /// `ONEUP_TOKEN=TOKEN`
    Env,
    /// `export ONEUP_TOKEN='TOKEN'`
    Export,
    /// `set -gx ONEUP_TOKEN 'TOKEN'`
    Fish,
    /// `$env:ONEUP_TOKEN = 'TOKEN'`
    #[value(name = "powershell")]
    PowerShell,
    /// GitHub Actions: masked, and exported through $GITHUB_ENV
    Github,
    /// Azure Pipelines: a secret variable
    Azure,
}

const INSPECT_EXAMPLES: &str = "\
Examples:
  Why does the API answer 403?
    oneup token inspect --verify
  A token from somewhere else; it leaves this machine for nobody:
    pbpaste | oneup token inspect -";

#[derive(Debug, Args)]
#[command(after_long_help = INSPECT_EXAMPLES)]
pub struct Inspect {
    /// Read the token from stdin instead of the profile
    #[arg(value_name = "-", value_parser = ["-"])]
    pub stdin: Option<String>,
    /// Check the signature against the keys of the profile's realm
    #[arg(long)]
    pub verify: bool,
    /// Ask the profile's realm whether the token is active
    #[arg(long)]
    pub introspect: bool,
    /// How to print it
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
}

const CURL_EXAMPLES: &str = "\
oneup's own options, such as --allow-host and --no-auth-elsewhere, stand first: from the
first argument that is none of them on, everything is curl's. After -- all of it is.

Examples:
  A path is joined to the profile's FHIR base:
    oneup curl /Patient?_count=1
  Everything else is curl's own:
    oneup curl -fsS -d @body.json -H 'Content-Type: application/fhir+json' https://api.1up.health/r4/Patient
  An option that oneup has too, such as -v, is curl's after --:
    oneup curl --allow-host fhir.example.org -- -v https://fhir.example.org/r4";

#[derive(Debug, Args)]
#[command(after_long_help = CURL_EXAMPLES)]
pub struct Curl {
    /// Send the token to this host too; repeatable
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Fetch other hosts without the token instead of refusing
    #[arg(long)]
    pub no_auth_elsewhere: bool,
    /// Print help
    #[arg(long, action = clap::ArgAction::Help)]
    pub help: Option<bool>,
    /// curl's own arguments
    #[arg(value_name = "CURL-ARGS", trailing_var_arg = true, allow_hyphen_values = true, required = true)]
    pub args: Vec<OsString>,
}

const EXEC_EXAMPLES: &str = "\
Examples:
  The token in ONEUP_TOKEN, for this command alone:
    oneup exec -- python fetch.py
  A job that outlives a token reads the file that $ONEUP_TOKEN_FILE names:
    oneup exec --token-file -- ./export.sh";

#[derive(Debug, Args)]
#[command(after_long_help = EXEC_EXAMPLES)]
pub struct Exec {
    /// The variable that holds the access token
    #[arg(long, value_name = "NAME", default_value = "ONEUP_TOKEN")]
    pub var: String,
    /// Keep a private file fresh for as long as the command runs; ONEUP_TOKEN_FILE names it
    #[arg(long)]
    pub token_file: bool,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true, required = true, value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct Doctor {
    /// How to print it
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
}

#[derive(Debug, Subcommand)]
pub enum Sandbox {
    /// Run it in the foreground; the base URL is the first line of stdout
    Serve(Serve),
    /// Run a command in an environment that points at it
    Run(SandboxRun),
    /// The main job from end to end against it, narrated
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
    /// Script a fault, N times or for ever: invalid_client, invalid_grant, invalid_scope, 429, 503, html, slow,
    /// reset, no-expires-in, 401; repeatable
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
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true, required = true, value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<OsString>,
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
    #[arg(value_name = "COMMAND")]
    pub command: Vec<String>,
}
