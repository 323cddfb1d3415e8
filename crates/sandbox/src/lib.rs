//! A stand-in for 1up's servers on loopback, so that anyone can try oneup and test scripts without an account.
//!
//! It parses and checks every request by itself and shares no code with `oauth/`: a common mistake would make
//! both sides agree and prove nothing. Everything in it is synthetic, its clients and secrets included.

mod authorize;
mod clients;
mod consent;
mod error;
mod faults;
mod faulty_stream;
mod fhir;
mod grants;
mod journal;
mod keys;
mod members;
mod params;
mod plan;
mod realm;
mod response;
mod scope;
mod search;
mod server;
mod state;

pub use error::{Error, Result};
pub use faults::fault_names;
pub use server::{SandboxHandle, start};

/// The client that a sandbox knows for both grants.
pub const CLIENT_ID: &str = clients::MAIN.id;

/// The secret of [`CLIENT_ID`].
pub const CLIENT_SECRET: &str = "not-a-secret";

/// How a sandbox behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on 127.0.0.1; 0 is a free one.
    pub port: u16,
    /// How long an access token lives, in seconds.
    pub token_lifetime: u64,
    /// Faults as `KIND` or `KIND=N`, in the order in which they happen.
    pub fail: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self { port: 0, token_lifetime: 300, fail: Vec::new() }
    }
}
