//! The settings of a sandbox, and the credentials of its main client.

use std::path::PathBuf;

/// The client that a sandbox knows for both grants.
pub const CLIENT_ID: &str = "oneup-sandbox";

/// The secret of [`CLIENT_ID`].
pub const CLIENT_SECRET: &str = "not-a-secret";

/// The client that authenticates with a JWT signed by one of [`Options::client_jwks`].
pub const JWT_CLIENT_ID: &str = "oneup-sandbox-jwt";

/// The rotated secret of the same clients: as during a client secret rotation in Keycloak, both are valid.
pub const ROTATED_CLIENT_SECRET: &str = "not-a-secret-either";

/// The realm of 1up's Dev Portal, the only one in which a token needs a scope.
pub(crate) const DEV_PORTAL: &str = "dev-portal";

/// How a sandbox behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 is a free one.
    pub port: u16,
    /// Lifetime of an access token, in seconds.
    pub token_lifetime: u64,
    /// Faults as `KIND` or `KIND=N`, in the order in which they happen.
    pub fail: Vec<String>,
    /// Realms besides `dev-portal` and `epa-uat`, which need no scope.
    pub realms: Vec<String>,
    /// The tenants that a token reaches; empty: all.
    pub tenants: Vec<String>,
    /// Size of the exported ExplanationOfBenefit files together, in bytes; `None`: the synthetic members' own.
    pub export_size: Option<u64>,
    /// How many files `export_size` is split into.
    pub export_files: u32,
    /// A file with the JWK set of [`JWT_CLIENT_ID`].
    pub client_jwks: Option<PathBuf>,
    /// Whether DELETE cancels an export job (202); 1up responds with 403.
    pub allow_cancel: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            token_lifetime: 300,
            fail: Vec::new(),
            realms: Vec::new(),
            tenants: Vec::new(),
            export_size: None,
            export_files: 1,
            client_jwks: None,
            allow_cancel: false,
        }
    }
}
