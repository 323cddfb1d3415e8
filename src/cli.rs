//! The command line as data: flags, environment variables and help texts, no behaviour. What else `--help` says
//! (examples, exit codes) is in `help`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint, builder::FalseyValueParser};

pub mod hot;

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

#[derive(Debug, Subcommand)]
pub enum Login {
    /// Provider Access: client credentials
    ///
    /// For programs of an organisation, with no person involved. Client id and client secret come from 1up's Dev Portal
    /// ("Create a Client"). There is no flag that takes a secret's value: every process of the machine can read another's
    /// arguments.
    Provider(ClientCredentials),
    /// Payer-to-Payer: client credentials
    ///
    /// As `oneup login provider`, for exchange between payers. `$member-match` needs a scope of its own, which begins
    /// with `member-match-`: see the Dev Portal, and give it with --scope.
    P2p(ClientCredentials),
    /// Patient Access: a member logs in in the browser
    ///
    /// Authorization code with PKCE. oneup prints the address of the health plan's login page and opens it in the browser;
    /// the browser comes back to a listener on loopback, which closes after one valid answer. Where it can't come back
    /// (SSH, another computer, a redirect URI elsewhere), paste the address that it ended on. It gives up after 5
    /// minutes, which is as long as a code lives.
    Patient(Box<Patient>),
}

/// What every login takes.
#[derive(Debug, Args)]
pub struct LoginCommon {
    /// The client id of the Dev Portal
    #[arg(long, value_name = "ID", env = "ONEUP_CLIENT_ID", hide_env_values = true)]
    pub client_id: Option<String>,
    /// Scopes [default: the product's own]
    ///
    /// Separated by spaces.
    #[arg(long, env = "ONEUP_SCOPE", hide_env_values = true)]
    pub scope: Option<String>,
    /// Where the secrets are kept
    ///
    /// Client secret and tokens; decided at login, and never switched [default: auto]
    #[arg(long, value_enum, env = "ONEUP_STORE", hide_env_values = true)]
    pub store: Option<StoreChoice>,
    /// Remember nothing: print the token to stdout
    #[arg(long)]
    pub no_store: bool,
    /// How --no-store prints the token [default: raw]
    ///
    /// One of the formats of `oneup token show`.
    #[arg(long, value_enum, value_name = "FORMAT", requires = "no_store", hide_possible_values = true)]
    pub format: Option<TokenFormat>,
    /// Read it from the first line of stdin
    #[arg(long, group = "secret_source", help_heading = "Client secret")]
    pub client_secret_stdin: bool,
    /// Read it from a file
    ///
    /// One line ending at its end is stripped [env: ONEUP_CLIENT_SECRET_FILE]
    #[arg(
        long,
        value_name = "FILE",
        group = "secret_source",
        help_heading = "Client secret",
        value_hint = ValueHint::FilePath
    )]
    pub client_secret_file: Option<PathBuf>,
    /// Run a command for it; none is stored
    ///
    /// The first line that this shell command prints is the client secret, at each renewal again
    /// [env: ONEUP_CLIENT_SECRET_COMMAND]
    #[arg(
        long,
        value_name = "CMD",
        group = "secret_source",
        help_heading = "Client secret",
        value_hint = ValueHint::CommandString
    )]
    pub client_secret_command: Option<String>,
    /// Refused: a secret in an argument is seen by every process of the machine
    #[arg(long, hide = true, value_name = "VALUE", num_args = 0..=1, default_missing_value = "")]
    pub client_secret: Option<String>,
    /// The gateway that the realm stands behind [default: https://gateway.1up.health]
    #[arg(long, value_name = "URL", env = "ONEUP_GATEWAY", hide_env_values = true, help_heading = "Server")]
    pub gateway: Option<String>,
    /// The Keycloak realm [default: dev-portal]
    #[arg(long, value_name = "NAME", env = "ONEUP_REALM", hide_env_values = true, help_heading = "Server")]
    pub realm: Option<String>,
    /// The token endpoint, instead of what gateway, realm and plan give
    #[arg(
        long,
        value_name = "URL",
        env = "ONEUP_TOKEN_URL",
        hide_env_values = true,
        help_heading = "Server"
    )]
    pub token_url: Option<String>,
    /// What `oneup curl /PATH` is joined to
    #[arg(
        long,
        value_name = "URL",
        env = "ONEUP_FHIR_BASE",
        hide_env_values = true,
        help_heading = "Server"
    )]
    pub fhir_base: Option<String>,
    /// Client authentication: in the body (1up's form), or in a Basic header [default: post]
    #[arg(long, value_enum, value_name = "METHOD", help_heading = "Server")]
    pub auth_method: Option<AuthMethod>,
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
    /// The health plan [default: 1uphealthdemo.com/test]
    ///
    /// HOST, HOST/SYSTEM, or a base URL.
    #[arg(long, value_name = "PLAN", env = "ONEUP_PLAN", hide_env_values = true)]
    pub plan: Option<String>,
    /// Where the browser comes back to
    ///
    /// The redirect URI as it is registered, byte for byte [default: http://localhost:8484/callback]
    #[arg(
        long,
        value_name = "URI",
        env = "ONEUP_REDIRECT_URI",
        hide_env_values = true,
        help_heading = "Browser"
    )]
    pub redirect_uri: Option<String>,
    /// Don't wait for it: paste its address
    ///
    /// The address that the browser ended on, or the code alone.
    #[arg(long, help_heading = "Browser")]
    pub no_listen: bool,
    /// Open none
    #[arg(long, help_heading = "Browser")]
    pub no_browser: bool,
    /// Redeem a code obtained elsewhere
    ///
    /// An authorization code; - reads it from stdin.
    #[arg(long, value_name = "CODE|-", help_heading = "Browser")]
    pub code: Option<String>,
    /// The authorization endpoint, instead of what plan, gateway and realm give
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub authorize_url: Option<String>,
    /// Send `aud`: the FHIR server that the token is for
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub aud: Option<String>,
    /// Leave PKCE out, for a server that refuses it
    #[arg(long, help_heading = "Server")]
    pub no_pkce: bool,
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
    ///
    /// Prints the token and one newline. Live means: with more than the margin left, which is the smaller of 60 s and 10 %
    /// of the token's lifetime. Client credentials mint anew, a refresh token is used; without either, log in again. While
    /// one process renews a profile's token the others wait and use its result: any number of them make one request.
    ///
    /// `ONEUP_TOKEN`, when set, is the token, unless --profile is given.
    Show(Show),
    /// Say what a token is: for whom, from whom, how long, which scopes
    ///
    /// The profile's stored token, never renewed by looking, or one read from stdin. A token that is no JWT is called
    /// opaque, and what the store knows of it is shown. Keys come from the realm that the profile trusts, never from an
    /// issuer that only the token names.
    Inspect(Inspect),
}

#[derive(Debug, Args)]
pub struct Show {
    /// How to print it
    #[arg(long, value_enum, default_value_t = TokenFormat::Raw)]
    pub format: TokenFormat,
    /// How much life it must have left, at least
    ///
    /// Instead of the margin: 60 s, or 10 % of its lifetime where that is less.
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

#[derive(Debug, Args)]
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

#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
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
    #[arg(value_name = "CURL-ARGS", trailing_var_arg = true, allow_hyphen_values = true, required = true, add = crate::complete::curl())]
    pub args: Vec<OsString>,
}

#[derive(Debug, Args)]
pub struct Exec {
    /// The variable that holds the access token
    #[arg(long, value_name = "NAME", default_value = "ONEUP_TOKEN")]
    pub var: String,
    /// Keep a private file fresh for as long as the command runs; ONEUP_TOKEN_FILE names it
    #[arg(long)]
    pub token_file: bool,
    /// The command and its arguments
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true, required = true, add = crate::complete::program())]
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
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true, required = true, add = crate::complete::program())]
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
    /// Write every page into this directory, as files that `man` finds
    #[arg(long, value_name = "DIR", conflicts_with = "command", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}
