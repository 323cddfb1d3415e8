//! `oneup login` as data.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::TokenFormat;

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
    #[arg(long, value_name = "ID", env = "ONEUP_CLIENT_ID", value_parser = NonEmptyStringValueParser::new(), hide_env_values = true)]
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
    #[arg(long, value_name = "URL", env = "ONEUP_GATEWAY", value_parser = NonEmptyStringValueParser::new(), hide_env_values = true, help_heading = "Server")]
    pub gateway: Option<String>,
    /// The Keycloak realm [default: dev-portal]
    #[arg(long, value_name = "NAME", env = "ONEUP_REALM", value_parser = NonEmptyStringValueParser::new(), hide_env_values = true, help_heading = "Server")]
    pub realm: Option<String>,
    /// The token endpoint, instead of what gateway, realm and plan give
    #[arg(
        long,
        value_name = "URL",
        env = "ONEUP_TOKEN_URL", value_parser = NonEmptyStringValueParser::new(),
        hide_env_values = true,
        help_heading = "Server"
    )]
    pub token_url: Option<String>,
    /// What `oneup curl /PATH` is joined to
    #[arg(
        long,
        value_name = "URL",
        env = "ONEUP_FHIR_BASE", value_parser = NonEmptyStringValueParser::new(),
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
    #[arg(long, value_name = "PLAN", env = "ONEUP_PLAN", value_parser = NonEmptyStringValueParser::new(), hide_env_values = true)]
    pub plan: Option<String>,
    /// Where the browser comes back to
    ///
    /// The redirect URI as it is registered, byte for byte [default: http://localhost:8484/callback]
    #[arg(
        long,
        value_name = "URI",
        env = "ONEUP_REDIRECT_URI", value_parser = NonEmptyStringValueParser::new(),
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
