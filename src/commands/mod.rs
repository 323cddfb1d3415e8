//! One file per subcommand, and the dispatch.

mod completions;
mod curl;
mod doctor;
mod exec;
mod export;
mod key;
mod login;
mod logout;
mod man;
mod proxy;
mod sandbox;
mod status;
pub(crate) mod token;
mod use_profile;

use std::io::Write;

use crate::cli::{Command, KeyCommand, Login, Target, TokenCommand, TokenFormat};
use crate::context::{Context, nonempty};
use crate::curl::hosts::Hosts;
use crate::error::{Error, Exit, Result, ignore_broken_pipe};
use crate::oauth::product::Product;
use crate::oauth::token::Token;
use crate::output::secret_format;
use crate::process::before_start;
use crate::profile::Profile;
use crate::system::clock::now;

/// Runs a command; the exit code of one that did its work.
///
/// # Errors
/// As each command documents; nothing was printed on stdout then.
pub fn run(context: &Context, command: &Command) -> Result<Exit> {
    match command {
        Command::Login(Login::Provider(args)) => login::client_credentials(context, Product::Provider, args),
        Command::Login(Login::P2p(args)) => login::client_credentials(context, Product::P2p, args),
        Command::Login(Login::Patient(args)) => login::patient(context, args),
        Command::Logout(args) => logout::run(context, args),
        Command::Status(args) => status::run(context, args),
        Command::Use(args) => use_profile::run(context, args),
        Command::Token(TokenCommand::Show(args)) => token::show::run(context, args),
        Command::Token(TokenCommand::Inspect(args)) => token::inspect::run(context, args),
        Command::Token(TokenCommand::Revoke(args)) => token::revoke::run(context, args),
        Command::Key(KeyCommand::Generate(args)) => key::generate(context, args),
        Command::Key(KeyCommand::Jwks(args)) => key::jwks(context, args),
        Command::Doctor(args) => doctor::run(context, args),
        Command::Curl(args) => curl::run(context, args).map_err(before_start),
        Command::Exec(args) => exec::run(context, args).map_err(before_start),
        Command::Export(args) => export::run(context, args),
        Command::Proxy(args) => proxy::run(context, args),
        Command::Sandbox(command) => sandbox::run(context, command),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args),
    }
}

/// Returns the selected profile, for the tenant of `--tenant`, and the hosts that may get its token.
fn profile_and_hosts(context: &Context, target: &Target) -> Result<(Profile, Hosts)> {
    let profile = context.selected_profile()?;
    let profile = match &target.tenant {
        Some(tenant) => profile.for_tenant(tenant)?,
        None => profile,
    };
    let hosts = Hosts::for_profile(&profile, &target.allow_hosts)?;
    Ok((profile, hosts))
}

/// Writes a command's product, with which it succeeds.
fn print(product: impl AsRef<[u8]>) -> Result<Exit> {
    let mut stdout = std::io::stdout().lock();
    ignore_broken_pipe(stdout.write_all(product.as_ref()).and_then(|()| stdout.flush()))?;
    Ok(Exit::Success)
}

/// Prints a token. `github` also exports it to the next steps of the job.
///
/// # Errors
/// Usage: `$GITHUB_ENV` is missing or can't be opened, or the format can't represent the token. Failure: a file or
/// stdout can't be written. Protocol: the token has expired on arrival.
fn print_token(token: &Token, profile: Option<&Profile>, format: TokenFormat) -> Result<Exit> {
    token.require_unexpired()?;
    if format == TokenFormat::Env && token.access_token.expose().starts_with('~') {
        return Err(Error::usage("a shell would expand the ~ at the beginning of this token")
            .with_hint("oneup token show --format export"));
    }
    let github_env = match format {
        TokenFormat::Github => Some(open_github_env()?),
        _ => None,
    };
    // The mask must be in the log before the variable exists.
    print(secret_format::render(token, profile, format, now()))?;
    if let Some(mut file) = github_env {
        file.write_all(secret_format::render(token, profile, TokenFormat::Env, now()).as_bytes())
            .map_err(|error| Error::failure("can't write the file in GITHUB_ENV").with_cause(error))?;
    }
    Ok(Exit::Success)
}

fn open_github_env() -> Result<std::fs::File> {
    let path = nonempty("GITHUB_ENV").ok_or_else(|| {
        Error::usage("GITHUB_ENV is not set")
            .with_hint("use --format github in a step of a GitHub Actions job")
    })?;
    std::fs::File::options().append(true).create(true).open(path).map_err(|error| {
        Error::usage("can't open the file in GITHUB_ENV")
            .with_cause(error)
            .with_hint("GitHub's runner creates it; outside of a job, choose another --format")
    })
}
