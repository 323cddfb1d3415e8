//! `oneup proxy`: a reverse proxy that adds the token, in the foreground or as long as a command runs.

use std::io::IsTerminal;
use std::path::absolute;
use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::cli;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::oauth::secret::Secret;
use crate::process::{self, SignalForwarder, TerminationSignals};
use crate::proxy::{Address, Server, Settings, key};
use crate::session::{Session, TokenOptions};

/// The variables that the command finds the proxy in.
const PROXY_VARIABLE: &str = "ONEUP_PROXY";
const BASE_VARIABLE: &str = "ONEUP_FHIR_BASE";

/// The most threads that serve requests.
const MAX_THREADS: usize = 4;

/// Runs the proxy. Returns 130 or 143 after a signal, or the exit code of the command.
///
/// # Errors
/// As [`Session::access_token`]; usage, when it can't listen. With a command: before it starts, 125, 126 or 127.
pub fn run(context: &Context, args: &cli::Proxy) -> Result<Exit> {
    if args.command.is_empty() {
        return in_foreground(context, args);
    }
    with_command(context, args).map_err(process::before_start)
}

fn in_foreground(context: &Context, args: &cli::Proxy) -> Result<Exit> {
    let mut signals = TerminationSignals::catch().map_err(failed)?;
    let server = start(context, args)?;
    let runtime = runtime()?;
    super::print(format!("{}/\n", server.url()))?;
    context.info("The proxy is running on this machine only. Press Ctrl-C to stop it.");
    if let Some(path) = &args.socket {
        let path = crate::system::files::quote(path);
        context.info(format_args!("Try: curl --unix-socket {path} {}/metadata", server.url()));
    }
    let (stop, stopped) = oneshot::channel();
    let (end, ended) = oneshot::channel();
    let wait = move || {
        let _ = stop.send(signals.wait());
        // A second signal does not wait for the requests in progress.
        let _ = end.send(signals.wait());
    };
    std::thread::Builder::new().spawn(wait).map_err(failed)?;
    let signal = runtime.block_on(async {
        tokio::select! {
            signal = server.serve(stopped) => signal.map(Result::ok),
            Ok(signal) = ended => Ok(Some(signal)),
        }
    });
    runtime.shutdown_background();
    if std::io::stderr().is_terminal() {
        // Ends the line on which the terminal shows ^C.
        context.info("");
    }
    Ok(Exit::Program(128 + signal?.unwrap_or(signal_hook::consts::SIGINT)))
}

fn with_command(context: &Context, args: &cli::Proxy) -> Result<Exit> {
    let (program, arguments) = args.command.split_first().ok_or_else(|| Error::usage("missing command"))?;
    // Before there is a socket file, so that no signal leaves it behind.
    let signals = SignalForwarder::catch()?;
    let server = start(context, args)?;
    let mut command = process::command(program);
    command.args(arguments).env(BASE_VARIABLE, server.url());
    match &args.socket {
        Some(path) => command.env(PROXY_VARIABLE, absolute(path).map_err(failed)?),
        None => command.env(PROXY_VARIABLE, format!("{}/", server.url())),
    };
    let runtime = runtime()?;
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = runtime.spawn(server.serve(stopped));
    let exit = process::run(&mut command, signals, |_| {});
    drop(stop);
    let _ = runtime.block_on(serving);
    runtime.shutdown_background();
    exit
}

/// Begins to listen, with a valid token.
fn start(context: &Context, args: &cli::Proxy) -> Result<Server> {
    let (profile, hosts) = super::profile_and_hosts(context, &args.target)?;
    let settings = Settings {
        address: args.socket.clone().map_or(Address::Port(args.port), Address::Socket),
        key: args.key_file.as_deref().map_or_else(|| Ok(key::generate()), key::from_file)?,
        fhir_base: profile.fhir_base.clone(),
        hosts,
        read_only: args.read_only,
        origins: args.allow_origins.clone(),
    };
    let session = Session::new(context, profile);
    let scope = args.target.scope.clone();
    let get = move |rejected: Option<&Secret>| {
        session.access_token(TokenOptions { scope: scope.as_deref(), rejected, ..TokenOptions::default() })
    };
    // The reason why there is no token is reported now, and not by the first request.
    get(None)?;
    let log = context.clone();
    let tokens = move |rejected: Option<&Secret>| {
        let warn = |error: &Error| log.warn(format_args!("could not get a token: {}", error.summary()));
        get(rejected).inspect_err(warn)
    };
    process::disable_core_dumps();
    Server::bind(context, settings, Arc::new(tokens))
}

fn runtime() -> Result<Runtime> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_THREADS);
    tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().map_err(failed)
}

fn failed(error: std::io::Error) -> Error {
    Error::failure("could not start the proxy").with_cause(error)
}
