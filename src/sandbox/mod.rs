//! A stand-in for 1up's servers on loopback, so that anyone can try oneup and test scripts without an account.
//!
//! It parses and checks every request by itself and shares no code with `oauth/`: a common mistake would make
//! both sides agree and prove nothing. Everything in it is synthetic, its clients and secrets included.

mod authorize;
mod clients;
mod demo;
mod environment;
mod faults;
mod fhir;
mod form;
mod grants;
mod journal;
mod keys;
mod page;
mod plan;
mod realm;
mod reply;
mod run;
mod scope;
mod server;
mod wire;
mod world;

pub use demo::demo;
pub use run::run;
pub use server::serve;

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
