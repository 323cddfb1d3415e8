//! Arguments of `oneup login`.

use std::path::PathBuf;

use clap::builder::{NonEmptyStringValueParser, UnknownArgumentValueParser};
use clap::{Args, Subcommand, ValueEnum};

use super::sections::{Sections, TOKEN_REQUEST};
use super::{TokenFormat, complete, variable};
use crate::oauth::grant::ClientAuthentication;
use crate::store::StoreKind;

/// Get a token and save the login as a profile
///
/// Prompts for what is missing, or says which flag or variable is missing. A second login to the same profile keeps its
/// settings unless a flag changes them.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
#[command(add = Sections {
    examples: &[
        ("Log in for Provider Access; prompt for client ID and client secret", "oneup login provider"),
        ("Add a second login", "oneup login provider --profile acme"),
        ("Log in for Patient Access, in the browser", "oneup login patient"),
    ],
    exit_codes: TOKEN_REQUEST,
})]
pub enum Login {
    /// Log in for Provider Access with client credentials
    ///
    /// For programs of an organization, without a user. Client ID and client secret come from 1up's Dev Portal
    /// ("Create a Client"). No flag takes the secret itself: other processes can read the arguments of a process.
    #[command(add = Sections {
        examples: &[
            ("Prompt for what is missing and save the login", "oneup login provider"),
            (
                "Get the client secret from a password manager; it is not stored",
                "oneup login provider --client-id ID \\\n  --client-secret-command 'pass show 1up/acme'",
            ),
            (
                "In CI, with ONEUP_CLIENT_ID and ONEUP_CLIENT_SECRET set: print the token",
                "oneup login provider --no-store",
            ),
        ],
        exit_codes: TOKEN_REQUEST,
    })]
    Provider(LoginCommon),
    /// Log in for Payer-to-Payer with client credentials
    ///
    /// As `oneup login provider`, for exchange between payers. `$member-match` needs another scope, which begins with
    /// `member-match-`: see the Dev Portal, and set it with --scope.
    #[command(add = Sections {
        examples: &[
            ("Prompt for what is missing and save the login", "oneup login p2p"),
            (
                "Read the client secret from a private file",
                "oneup login p2p --client-id ID --client-secret-file secret.txt",
            ),
        ],
        exit_codes: TOKEN_REQUEST,
    })]
    P2p(LoginCommon),
    /// Log in for Patient Access in the browser
    ///
    /// Authorization code with PKCE. oneup prints the URL of the health plan's login page and opens it in the browser,
    /// which is then redirected to a listener on loopback. If it can't be (SSH, another computer, another redirect
    /// URI), paste the redirect URL instead. The login times out after 5 minutes, the lifetime of a code.
    #[command(add = Sections {
        examples: &[
            ("Log in to the demo health plan in this computer's browser", "oneup login patient --client-id ID"),
            (
                "Over SSH: open the URL elsewhere, then paste the redirect URL",
                "oneup login patient --client-id ID --no-browser --no-listen",
            ),
            (
                "Log in to another plan with other scopes",
                "oneup login patient --plan HOST/SYSTEM \\\n  --scope 'patient/*.read launch/patient openid'",
            ),
        ],
        exit_codes: TOKEN_REQUEST,
    })]
    Patient(Box<Patient>),
}

// Options of every login.
// No doc comment: clap would take it for the help of the command.
#[derive(Debug, Args)]
pub struct LoginCommon {
    /// Client ID from the Dev Portal
    #[arg(long, value_name = "ID", env = variable("ONEUP_CLIENT_ID"), value_parser = nonempty())]
    pub client_id: Option<String>,
    /// Scopes [default: the product's]
    ///
    /// Separated by spaces: quote them.
    #[arg(long, env = variable("ONEUP_SCOPE"))]
    pub scope: Option<String>,
    /// Where to store client secret and tokens
    ///
    /// Chosen at login and kept [default: auto]
    #[arg(long, value_enum, env = variable("ONEUP_STORE"))]
    pub store: Option<StoreChoice>,
    /// Path of the login in Vault
    ///
    /// For --store vault: the mount of a KV version 2 engine, and a path in it, such as secret/oneup/acme. All machines
    /// that log in with the same path share the login: the first one stores it, the others join it. Address and
    /// authentication come from Vault's own variables (VAULT_ADDR, VAULT_TOKEN and others, or BAO_ADDR...)
    #[arg(long, value_name = "PATH", env = variable("ONEUP_VAULT_PATH"), value_parser = nonempty())]
    pub vault_path: Option<String>,
    /// Print the token to stdout instead of storing it
    #[arg(long)]
    pub no_store: bool,
    /// Output format of --no-store [default: raw]
    ///
    /// One of the formats of `oneup token show`.
    #[arg(
        long,
        value_name = "FORMAT",
        requires = "no_store",
        hide_possible_values = true,
        hide_short_help = true
    )]
    pub format: Option<TokenFormat>,
    /// Read the client secret from stdin
    #[arg(long, group = "secret_source", help_heading = "Client secret")]
    pub client_secret_stdin: bool,
    /// Read the client secret from FILE
    ///
    /// One trailing newline is stripped [env: ONEUP_CLIENT_SECRET_FILE]
    #[arg(long, value_name = "FILE", group = "secret_source", help_heading = "Client secret", add = complete::file())]
    pub client_secret_file: Option<PathBuf>,
    /// Get the client secret from CMD; it is not stored
    ///
    /// The first line that this shell command prints is the client secret. It runs for each token request
    /// [env: ONEUP_CLIENT_SECRET_COMMAND]
    #[arg(long, value_name = "CMD", group = "secret_source", help_heading = "Client secret")]
    pub client_secret_command: Option<String>,
    /// Read the private key of private_key_jwt from FILE
    ///
    /// PEM or JWK, RSA or P-384. It must be readable by you alone. A copy is kept in the store [env: ONEUP_KEY_FILE]
    #[arg(long, value_name = "FILE", group = "secret_source", help_heading = "Private key", add = complete::file())]
    pub key_file: Option<PathBuf>,
    /// Get the private key of private_key_jwt from CMD; it is not stored
    ///
    /// What this shell command prints is the key, as PEM or JWK. It runs for each token request [env: ONEUP_KEY_COMMAND]
    #[arg(long, value_name = "CMD", group = "secret_source", help_heading = "Private key")]
    pub key_command: Option<String>,
    /// Never set: other processes can read a secret in an argument, so parsing fails with the flags to use instead.
    #[arg(
        long,
        hide = true,
        num_args = 0..=1,
        default_missing_value = "",
        value_parser = UnknownArgumentValueParser::suggest_arg("--client-secret-stdin")
    )]
    pub client_secret: Option<String>,
    /// Gateway that hosts the realm [default: https://gateway.1up.health]
    ///
    /// HOST or URL.
    #[arg(long, value_name = "URL", env = variable("ONEUP_GATEWAY"), value_parser = nonempty(), help_heading = "Server")]
    pub gateway: Option<String>,
    /// Keycloak realm [default: dev-portal]
    #[arg(long, value_name = "NAME", env = variable("ONEUP_REALM"), value_parser = nonempty(), help_heading = "Server")]
    pub realm: Option<String>,
    /// Tenant: the payer's name in 1up's URLs [default: bison for dev-portal, else the realm]
    #[arg(long, value_name = "NAME", env = variable("ONEUP_TENANT"), value_parser = nonempty(), help_heading = "Server")]
    pub tenant: Option<String>,
    /// Token endpoint, instead of the one derived from gateway, realm or plan
    #[arg(long, value_name = "URL", env = variable("ONEUP_TOKEN_URL"), value_parser = nonempty(), help_heading = "Server")]
    pub token_url: Option<String>,
    /// FHIR base URL, which `oneup curl /PATH` is joined to
    #[arg(long, value_name = "URL", env = variable("ONEUP_FHIR_BASE"), value_parser = nonempty(), help_heading = "Server")]
    pub fhir_base: Option<String>,
    /// Client authentication method [default: post, or private_key_jwt with a private key]
    #[arg(long, value_enum, value_name = "METHOD", help_heading = "Server")]
    pub auth_method: Option<ClientAuthentication>,
}

#[derive(Debug, Args)]
pub struct Patient {
    #[command(flatten)]
    pub common: LoginCommon,
    /// Health plan [default: 1uphealthdemo.com/test]
    ///
    /// HOST, HOST/SYSTEM or a base URL.
    #[arg(long, value_name = "PLAN", env = variable("ONEUP_PLAN"), value_parser = nonempty())]
    pub plan: Option<String>,
    /// Redirect URI, exactly as registered
    ///
    /// Default: http://localhost:8484/callback
    #[arg(long, value_name = "URI", env = variable("ONEUP_REDIRECT_URI"), value_parser = nonempty(), help_heading = "Browser")]
    pub redirect_uri: Option<String>,
    /// Don't listen for the redirect; paste the redirect URL instead
    ///
    /// Paste the URL that the browser was redirected to, or only the code.
    #[arg(long, help_heading = "Browser")]
    pub no_listen: bool,
    /// Don't open a browser; print the URL
    #[arg(long, help_heading = "Browser")]
    pub no_browser: bool,
    /// Read the authorization code from stdin
    ///
    /// For a code that was obtained elsewhere. The redirect URL is accepted too.
    #[arg(long, value_name = "-", value_parser = ["-"], hide_possible_values = true, help_heading = "Browser")]
    pub code: Option<String>,
    /// Authorization endpoint, instead of the one derived from plan, gateway or realm
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub authorize_url: Option<String>,
    /// FHIR server to send as `aud` in the authorization request
    #[arg(long, value_name = "URL", help_heading = "Server")]
    pub aud: Option<String>,
    /// Don't use PKCE, for a server that rejects it
    #[arg(long, conflicts_with = "pkce", help_heading = "Server")]
    pub no_pkce: bool,
    /// Use PKCE again, after a login with --no-pkce
    #[arg(long, help_heading = "Server")]
    pub pkce: bool,
}

/// Refuses an empty value.
fn nonempty() -> NonEmptyStringValueParser {
    NonEmptyStringValueParser::new()
}

/// `--store`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum StoreChoice {
    /// The OS keyring; on Linux without one, the kernel keyring
    Auto,
    /// The OS keyring: Secret Service, Keychain or Credential Manager
    Keyring,
    /// The Linux kernel keyring; lost at reboot
    Keyutils,
    /// A private file, not encrypted
    File,
    /// Vault or OpenBao, shared by machines; needs --vault-path
    Vault,
}

impl StoreChoice {
    /// The store; `None` for `auto`.
    pub fn kind(self) -> Option<StoreKind> {
        match self {
            Self::Auto => None,
            Self::Keyring => Some(StoreKind::Keyring),
            Self::Keyutils => Some(StoreKind::Keyutils),
            Self::File => Some(StoreKind::File),
            Self::Vault => Some(StoreKind::Vault),
        }
    }
}
