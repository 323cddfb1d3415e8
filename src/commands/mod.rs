//! One file per subcommand, and the dispatch.

mod completions;
mod curl;
mod doctor;
mod exec;
mod export;
mod login;
mod logout;
mod man;
mod sandbox;
mod status;
pub(crate) mod token;
mod use_profile;

use std::io::Write;

use crate::cli::{Command, Login, TokenCommand};
use crate::context::Context;
use crate::error::{Exit, Result, ignore_broken_pipe};

/// Runs a command; the exit code of one that did its work.
///
/// # Errors
/// As each command documents; nothing was printed on stdout then.
pub fn run(context: &Context, command: &Command) -> Result<Exit> {
    match command {
        Command::Login(Login::Provider(args)) => login::provider(context, args),
        Command::Login(Login::P2p(args)) => login::p2p(context, args),
        Command::Login(Login::Patient(args)) => login::patient(context, args),
        Command::Logout(args) => logout::run(context, args),
        Command::Status(args) => status::run(context, args),
        Command::Use(args) => use_profile::run(context, args),
        Command::Token(TokenCommand::Show(args)) => token::show::run(context, args),
        Command::Token(TokenCommand::Inspect(args)) => token::inspect::run(context, args),
        Command::Doctor(args) => doctor::run(context, args),
        Command::Curl(args) => curl::run(context, args),
        Command::Exec(args) => exec::run(context, args),
        Command::Export(args) => export::run(context, args),
        Command::Sandbox(command) => sandbox::run(context, command),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    }
}

/// Writes a command's product.
fn print(product: impl AsRef<[u8]>) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    ignore_broken_pipe(stdout.write_all(product.as_ref()).and_then(|()| stdout.flush()))
}
