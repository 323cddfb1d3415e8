//! `oneup curl`: the real curl with the token, which is sent to the profile's hosts and to no other.
//!
//! `crate::curl` decides; this gets the token and starts curl. The header and the URLs go through an inherited pipe, so
//! that they are neither in an argument list nor on disk. stdin stays the user's, except on Windows, where it is the pipe.

mod version;

use std::process::{Command, Stdio};

use crate::cli;
use crate::context::Context;
use crate::curl::arguments;
use crate::curl::command_line::{self, Additions};
use crate::curl::policy::{CurlPlan, Policy};
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::oauth::secret::Secret;
use crate::process::inherited_pipe::{self, InheritedPipe};
use crate::process::{self, SignalForwarder};
use crate::session::{Session, TokenOptions};

/// The longest access token that is sent: servers accept headers of 8 to 64 KiB.
const MAX_TOKEN_BYTES: usize = 64 * 1024;

/// Runs curl and returns its exit code.
///
/// # Errors
/// As [`Session::access_token`]; usage; not found or not executable, if curl can't be started.
pub fn run(context: &Context, args: &cli::Curl) -> Result<Exit> {
    let (profile, hosts) = super::profile_and_hosts(context, &args.target)?;
    let policy = Policy { fhir_base: &profile.fhir_base, hosts: &hosts, verbose: context.verbose };
    let plan = policy.plan(arguments::parse(&args.args)?)?;
    // Windows would look in other directories first, and find another curl than the one that was checked.
    let program = process::find_program("curl").filter(|_| cfg!(windows));
    let mut command = process::command(program.as_deref().unwrap_or("curl".as_ref()).as_ref());
    if plan.urls.is_empty() {
        command.args(command_line::arguments(&plan, &Additions::default()));
        return process::replace(command).map_err(with_install_hint);
    }
    version::check(context, &plan)?;
    check_stdin(&plan)?;
    let options = TokenOptions { scope: args.target.scope.as_deref(), ..TokenOptions::default() };
    let token = Session::new(context, profile).access_token(options)?.access_token;
    let pipe = InheritedPipe::new(command_line::config(&plan, &header(&token)?).expose().as_bytes())?;
    let config = pipe.pass_to(&mut command)?;
    let no_proxy = ["no_proxy", "NO_PROXY"].into_iter().find_map(|name| std::env::var(name).ok());
    command.args(command_line::arguments(
        &plan,
        &Additions { config: Some(config), cacert: context.cacert.as_deref(), no_proxy: no_proxy.as_deref() },
    ));
    process::disable_core_dumps();
    if plan.verbose { run_masked(command, &token) } else { process::replace(command) }
        .map_err(with_install_hint)
}

/// Refuses options that read stdin where the token takes its place.
fn check_stdin(plan: &CurlPlan) -> Result<()> {
    match plan.options.iter().find(|option| option.reads_stdin()) {
        Some(option) if inherited_pipe::IS_STDIN => Err(Error::usage(format!(
            "{} can't read stdin on Windows, where curl gets the token through stdin",
            option.description()
        ))
        .with_hint("name a file")),
        _ => Ok(()),
    }
}

fn with_install_hint(error: Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => error.with_hint("install curl, or add its directory to PATH"),
        _ => error,
    }
}

/// Returns the header's line. A token that could end the line is invalid (RFC 6750 §2.1).
fn header(token: &Secret) -> Result<Secret> {
    let text = token.expose();
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::protocol("the access token has characters that a header can't contain"));
    }
    if text.len() > MAX_TOKEN_BYTES {
        return Err(Error::protocol("the access token is too long for a header (over 64 KiB)"));
    }
    Ok(Secret::new(format!("Authorization: Bearer {text}")))
}

/// Runs curl and masks the token in its stderr, where `-v` shows the header.
fn run_masked(mut command: Command, token: &Secret) -> Result<Exit> {
    command.stderr(Stdio::piped());
    let mut copier = None;
    let exit = process::run(&mut command, SignalForwarder::catch()?, |child| {
        let (stderr, token) = (child.stderr.take(), token.clone());
        copier = stderr.map(|stderr| {
            std::thread::spawn(move || process::redact::copy(stderr, std::io::stderr().lock(), &token))
        });
    });
    if let Some(copier) = copier {
        // A stderr that nothing reads is not a failure of curl.
        let _ = copier.join();
    }
    exit
}
