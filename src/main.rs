//! Parse, run, print the error, exit.

mod cli;
mod complete;
mod context;
mod curl;
mod error;
mod oauth;
mod profile;
mod store;

use clap::Parser;

fn main() {
    let _ = cli::Cli::parse();
}
