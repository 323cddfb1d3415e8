//! `oneup exec`: a program with the token in its environment and, for long jobs, in a file that is kept up to date.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use clap::Args;

use crate::cli;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::oauth::token::Token;
use crate::process::{self, SignalForwarder, temp_token_dir::TempTokenDir};
use crate::session::{Session, TokenOptions};
use crate::system::clock::now;
use crate::system::files;
use crate::text::closest_match::closest_match;
use crate::text::sanitize;

/// The variable that names the file of `--token-file`.
const FILE_VARIABLE: &str = "ONEUP_TOKEN_FILE";
/// The longest variable that a program can be started with, in bytes: `NAME=VALUE` and a NUL.
const MAX_VARIABLE_BYTES: usize = if cfg!(windows) { 32 * 1024 } else { 128 * 1024 };
/// A token in a file is refreshed when a quarter of its lifetime, or this many seconds, is left.
const MAX_REFRESH_LEEWAY: u64 = 300;
/// How often the clock is read, in seconds: while a machine is suspended, a token can expire.
const POLL_INTERVAL: u64 = 15;

/// Runs the program and returns its exit code, or 128+N if signal N ended it.
///
/// # Errors
/// As [`Session::access_token`]; not found or not executable, if the program can't be started.
pub fn run(context: &Context, args: &cli::Exec) -> Result<Exit> {
    check_variable(&args.var)?;
    let (program, rest) = args
        .command
        .split_first()
        .ok_or_else(|| Error::usage("missing command").with_hint("oneup exec --help"))?;
    check_program(program)?;
    let profile = context.selected_profile()?;
    let session = Session::new(context, profile);
    let token =
        session.access_token(TokenOptions { scope: args.scope.as_deref(), ..TokenOptions::default() })?;
    let mut command = process::command(program);
    command.args(rest);
    set_variable(context, &mut command, args, &token)?;
    if args.token_file {
        run_with_file(context, &session, args.scope.as_deref(), token, command)
    } else {
        process::replace(command)
    }
}

/// Puts the token into the environment of the command. One that is too long for it must be read from the file.
fn set_variable(context: &Context, command: &mut Command, args: &cli::Exec, token: &Token) -> Result<()> {
    let value = token.access_token.expose();
    if args.var.len() + value.len() + 2 <= MAX_VARIABLE_BYTES {
        command.env(&args.var, value);
        return Ok(());
    }
    let message = format!("the access token is too long for an environment variable ({} bytes)", value.len());
    if args.token_file {
        context.warn(format_args!("{message}: {} is not set, read {FILE_VARIABLE}", args.var));
        command.env_remove(&args.var);
        return Ok(());
    }
    Err(Error::failure(message).with_hint(
        "read it from a file: oneup exec --token-file -- COMMAND, which finds its name in ONEUP_TOKEN_FILE",
    ))
}

fn run_with_file(
    context: &Context,
    session: &Session,
    scope: Option<&str>,
    token: Token,
    mut command: Command,
) -> Result<Exit> {
    // Before the file exists, so that no signal leaves it behind.
    let signals = SignalForwarder::catch()?;
    let dir = TempTokenDir::new()?;
    let path = dir.path().join("token");
    write(&path, &token)?;
    command.env(FILE_VARIABLE, &path);
    std::thread::scope(|threads| {
        let (stop, stopped) = channel();
        std::thread::Builder::new()
            .spawn_scoped(threads, || keep_fresh(context, session, scope, token, &path, stopped))
            .map_err(|error| Error::failure("could not start a thread").with_cause(error))?;
        let exit = process::run(&mut command, signals, |_| {});
        // A refresh in progress is waited for: its refresh token may already be used.
        drop::<Sender<()>>(stop);
        exit
    })
}

fn write(path: &Path, token: &Token) -> Result<()> {
    files::replace(path, token.access_token.expose().as_bytes())
}

/// Replaces the token in the file before it expires, until `stopped` is disconnected.
fn keep_fresh(
    context: &Context,
    session: &Session,
    scope: Option<&str>,
    mut token: Token,
    path: &Path,
    stopped: Receiver<()>,
) {
    let mut wait = refresh_in(&token, now());
    while let Err(RecvTimeoutError::Timeout) =
        stopped.recv_timeout(Duration::from_secs(wait.clamp(1, POLL_INTERVAL)))
    {
        wait = refresh_in(&token, now());
        if wait > 0 {
            continue;
        }
        let options =
            TokenOptions { scope, min_ttl: Some(refresh_leeway(&token)), ..TokenOptions::default() };
        let fresh = session.access_token(options);
        match fresh.and_then(|fresh| write(path, &fresh).map(|()| fresh)) {
            Ok(fresh) => {
                token = fresh;
                wait = refresh_in(&token, now());
            }
            Err(error) => {
                context.warn(format_args!(
                    "could not refresh the token in {FILE_VARIABLE}: {}",
                    error.summary()
                ));
                if error.kind() == ErrorKind::Auth {
                    return;
                }
                wait = POLL_INTERVAL;
            }
        }
    }
}

/// Returns the seconds until the token must be refreshed; `u64::MAX` if its expiry is unknown.
fn refresh_in(token: &Token, now: i64) -> u64 {
    token
        .lifetime
        .remaining(now)
        .map_or(u64::MAX, |remaining| remaining.saturating_sub(refresh_leeway(token)))
}

/// Returns how many seconds before its expiry a token is refreshed.
fn refresh_leeway(token: &Token) -> u64 {
    token.lifetime.expires_in.map_or(0, |lifetime| (lifetime / 4).min(MAX_REFRESH_LEEWAY))
}

/// Refuses a program whose name begins with a dash: it is a mistyped option.
fn check_program(program: &OsStr) -> Result<()> {
    let Some(word) = program.to_str().filter(|word| word.starts_with('-')) else { return Ok(()) };
    let error = Error::usage(format!("unknown option of oneup exec: {}", sanitize(word, 80)));
    let described = cli::Globals::augment_args(cli::Exec::augment_args(clap::Command::new("exec")));
    let options = described.get_arguments().filter_map(|arg| arg.get_long()).map(|long| format!("--{long}"));
    let options: Vec<String> = options.collect();
    Err(match closest_match(word, options.iter().map(String::as_str)) {
        Some(option) => error.with_hint(format!("did you mean `{option}`?")),
        None => error.with_hint("oneup exec --help"),
    })
}

/// Refuses a name that shells don't accept, or that changes how programs are found, loaded or configured.
fn check_variable(name: &str) -> Result<()> {
    const RESERVED: [&str; 11] =
        ["PATH", "HOME", "SHELL", "IFS", "ENV", "BASH_ENV", "PS4", "TMPDIR", "USER", "LOGNAME", "PWD"];
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !starts_well || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(Error::usage(format!("invalid variable name {name:?}"))
            .with_hint("use letters, digits and _, and no digit first: --var FHIR_TOKEN"));
    }
    let upper = name.to_ascii_uppercase();
    let is_setting = upper.starts_with("ONEUP_") && upper != "ONEUP_TOKEN";
    let is_loader = ["LD_", "DYLD_"].iter().any(|prefix| upper.starts_with(prefix));
    if is_setting || is_loader || RESERVED.contains(&upper.as_str()) {
        return Err(Error::usage(format!("--var {name} would change how programs run"))
            .with_hint("choose another name: --var FHIR_TOKEN"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::secret::Secret;
    use crate::oauth::token::Lifetime;

    #[test]
    fn refuses_reserved_variable_names() {
        for good in ["ONEUP_TOKEN", "TOKEN", "_t", "fhir_token2"] {
            assert!(check_variable(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "2x",
            "a-b",
            "a b",
            "A=B",
            "é",
            "PATH",
            "path",
            "LD_PRELOAD",
            "DYLD_X",
            "ONEUP_TOKEN_FILE",
            "ONEUP_STORE",
        ] {
            assert!(check_variable(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn token_is_refreshed_before_it_expires() {
        for (lifetime, now, seconds) in [
            (Some(60), 0, 45),
            (Some(60), 50, 0),
            (Some(60), 1000, 0),
            (Some(7200), 0, 6900),
            (Some(0), 0, 0),
            (None, 0, u64::MAX),
        ] {
            let lifetime = Lifetime { issued_at: 0, expires_in: lifetime };
            let token = Token::new(Secret::new("t"), lifetime);
            assert_eq!(refresh_in(&token, now), seconds, "{lifetime:?} at {now}");
        }
    }
}
