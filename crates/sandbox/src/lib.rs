//! A stand-in for 1up's servers on loopback, so that anyone can try oneup and test scripts without an account.
//!
//! It parses and checks every request by itself and shares no code with `oauth/`: a common mistake would make
//! both sides agree and prove nothing. All data in it is synthetic, its clients and secrets included.
//!
//! Imports go one way: plain data (`clients`, `grants`, `export_jobs`, …), then `state`, then the handlers
//! (`authorize`, `plan`, `realm`, `fhir`), then `server`.

#![forbid(unsafe_code)]

mod authorize;
mod client_keys;
mod clients;
mod consent;
mod error;
mod export_jobs;
mod faults;
mod faulty_stream;
mod fhir;
mod grants;
mod gzip;
mod journal;
mod keys;
mod members;
mod options;
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
pub use options::{CLIENT_ID, CLIENT_SECRET, JWT_CLIENT_ID, Options, ROTATED_CLIENT_SECRET};
pub use server::{SandboxHandle, start};
