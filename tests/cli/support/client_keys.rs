//! The key pairs of `tests/fixtures/client-keys/`, and a sandbox that knows their client.

use std::path::{Path, PathBuf};

use super::{Home, Sandbox};

/// The sandbox's client that authenticates with a key.
pub(crate) const JWT_CLIENT: &str = "oneup-sandbox-jwt";

/// A file of the fixtures.
pub(crate) fn client_key(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/client-keys").join(name)
}

impl Home {
    /// A private copy of a fixture in this home, as git keeps no modes; returns its path.
    pub(crate) fn write_client_key(&self, name: &str) -> String {
        let key = self.write_private(name, std::fs::read(client_key(name)).expect("a fixture"));
        key.to_str().expect("UTF-8").to_owned()
    }
}

impl Sandbox {
    /// Starts one that knows the public keys.
    pub(crate) fn start_with_client_keys() -> Self {
        Self::start(&["--client-jwks", client_key("jwks.json").to_str().expect("UTF-8")])
    }
}
