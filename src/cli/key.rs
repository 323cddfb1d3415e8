//! Arguments of `oneup key`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::complete;
use super::login::StoreChoice;
use super::sections::Sections;
use super::variable;
use crate::oauth::client_key::KeyAlgorithm;

/// Make and print the key of a client that authenticates with a signed JWT
///
/// For `oneup login --auth-method private_key_jwt` (RFC 7523, SMART Backend Services): the server has the public key, and
/// no secret is ever sent.
#[derive(Debug, Subcommand)]
#[command(defer = true)]
#[command(add = Sections {
    examples: &[
        ("Make a key and print the public part, to register it at the server", "oneup key generate"),
        ("Log in with it", "oneup login provider --client-id ID --auth-method private_key_jwt"),
    ],
    exit_codes: &["0", "1", "2", "4", "6"],
})]
pub enum KeyCommand {
    Generate(Generate),
    Jwks(Jwks),
}

/// Make a private key and print the public key as a JWK set
///
/// The private part goes to the store and is never printed. The key belongs to the profile of the same name, which need
/// not exist yet: its next login with private_key_jwt uses the key, unless it names another one. A login in use keeps its
/// own key until then, and `oneup key jwks` prints both, so that a key can be replaced without an interruption.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Make a key for the profile provider", "oneup key generate > jwks.json"),
        ("Replace the key of a login: register both, then log in again", "oneup key generate --profile acme"),
    ],
    exit_codes: &["0", "1", "2", "6"],
})]
pub struct Generate {
    /// Signature algorithm of the key
    #[arg(long, value_enum, value_name = "ALG", default_value_t = KeyAlgorithm::Es384, ignore_case = true)]
    pub alg: KeyAlgorithm,
    /// Where to store the private key [default: the profile's store, else auto]
    #[arg(long, value_enum, env = variable("ONEUP_STORE"))]
    pub store: Option<StoreChoice>,
    /// Replace a generated key that no login has used yet
    #[arg(long)]
    pub replace: bool,
}

/// Print the public keys as a JWK set, to register at the server
///
/// That of the profile's login, and that of `oneup key generate` which the next login will use.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Print the public keys of the profile", "oneup key jwks"),
        ("Print the public part of a key in a file", "oneup key jwks --key-file key.pem"),
    ],
    exit_codes: &["0", "1", "2", "4", "6"],
})]
pub struct Jwks {
    /// Print the public part of the private key in FILE instead
    #[arg(long, value_name = "FILE", add = complete::file())]
    pub key_file: Option<PathBuf>,
}
