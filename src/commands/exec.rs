//! `oneup exec`: a program with the token in its environment and, for long jobs, in a file that stays fresh.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use clap::Args;

use crate::cli;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::oauth::token::Token;
use crate::process::{self, temp_token_dir::TempTokenDir};
use crate::profile;
use crate::session::{Session, TokenOptions};
use crate::system::clock::now;
use crate::system::files;
use crate::text::closest_match::closest_match;
use crate::text::sanitize;

/// The variable that names the file of `--token-file`.
const FILE_VARIABLE: &str = "ONEUP_TOKEN_FILE";
/// A token in a file is renewed when less than a quarter of its life, or this many seconds, is left.
const LONGEST_LEAD: u64 = 300;
/// How often, in seconds, the clock is looked at: a machine that slept finds its token expired at once.
const PULSE: u64 = 15;

/// Runs the program; the exit code is its own, 128+N when signal N ended it.
///
/// # Errors
/// All of them before it starts: 127 where it isn't there, 126 where it can't be run, else 125.
pub fn run(context: &Context, args: &cli::Exec) -> Result<Exit> {
    start(context, args).map_err(process::before_start)
}

fn start(context: &Context, args: &cli::Exec) -> Result<Exit> {
    check_variable(&args.var)?;
    let (program, rest) =
        args.command.split_first().ok_or_else(|| Error::usage("there is no command to run"))?;
    check_program(program)?;
    let profile = profile::resolve_profile(context.config_dir()?, context.profile.as_deref())?;
    let session = Session::new(context, profile);
    let token = session.access_token(TokenOptions::default())?;
    let mut command = process::command(program);
    command.args(rest).env(&args.var, token.access_token.expose());
    if !args.token_file {
        return process::replace(command);
    }
    let room = TempTokenDir::new()?;
    let path = room.path().join("token");
    write(&path, &token)?;
    command.env(FILE_VARIABLE, &path);
    std::thread::scope(|scope| {
        let (stop, stopped) = channel();
        std::thread::Builder::new()
            .spawn_scoped(scope, || keep_fresh(context, &session, token, &path, stopped))
            .map_err(|error| Error::failure("can't keep the token fresh").with_cause(error))?;
        let code = process::run(&mut command, |_| {});
        // A renewal that is under way ends first: its refresh token may already be spent.
        drop::<std::sync::mpsc::Sender<()>>(stop);
        code
    })
}

fn write(path: &Path, token: &Token) -> Result<()> {
    files::replace(path, token.access_token.expose().as_bytes())
}

/// Renews the token in the file before it expires, until told to stop.
fn keep_fresh(context: &Context, session: &Session, mut token: Token, path: &Path, stopped: Receiver<()>) {
    let mut wait = due(&token, now());
    while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(Duration::from_secs(wait.clamp(1, PULSE)))
    {
        wait = due(&token, now());
        if wait > 0 {
            continue;
        }
        let fresh =
            session.access_token(TokenOptions { min_ttl: Some(lead(&token)), ..TokenOptions::default() });
        match fresh.and_then(|fresh| write(path, &fresh).map(|()| fresh)) {
            Ok(fresh) => {
                token = fresh;
                wait = due(&token, now());
            }
            Err(error) => {
                context.warn(format_args!("the token in {FILE_VARIABLE} is not renewed: {error}"));
                if error.kind() == ErrorKind::Auth {
                    return;
                }
                wait = PULSE;
            }
        }
    }
}

/// Seconds until the token is to be renewed. One whose expiry is unknown is never due.
fn due(token: &Token, now: i64) -> u64 {
    token.remaining(now).map_or(u64::MAX, |remaining| remaining.saturating_sub(lead(token)))
}

/// How many seconds before its expiry a token is renewed.
fn lead(token: &Token) -> u64 {
    token.expires_in.map_or(0, |lifetime| (lifetime / 4).min(LONGEST_LEAD))
}

/// No program's name begins with a dash: it is an option that was mistyped.
fn check_program(program: &OsStr) -> Result<()> {
    let Some(word) = program.to_str().filter(|word| word.starts_with('-')) else { return Ok(()) };
    let error = Error::usage(format!("oneup exec has no option {}", sanitize(word, 80)));
    let described = cli::Globals::augment_args(cli::Exec::augment_args(clap::Command::new("exec")));
    let options = described.get_arguments().filter_map(|arg| arg.get_long()).map(|long| format!("--{long}"));
    let options: Vec<String> = options.collect();
    Err(match closest_match(word, options.iter().map(String::as_str)) {
        Some(meant) => error.with_hint(format!("did you mean `{meant}`?")),
        None => error.with_hint("oneup exec --help"),
    })
}

/// Whether a variable may hold the token: a name that shells take, and none that changes how programs are found,
/// loaded or configured.
fn check_variable(name: &str) -> Result<()> {
    const TAKEN: [&str; 12] = [
        "PATH",
        "HOME",
        "SHELL",
        "IFS",
        "ENV",
        "BASH_ENV",
        "PS4",
        "TMPDIR",
        "USER",
        "LOGNAME",
        "PWD",
        FILE_VARIABLE,
    ];
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !begins || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(Error::usage(format!("--var takes the name of a variable, and {name:?} is none"))
            .with_hint("letters, digits and _, not beginning with a digit: --var FHIR_TOKEN"));
    }
    let upper = name.to_ascii_uppercase();
    let ours = upper.starts_with("ONEUP_") && upper != "ONEUP_TOKEN";
    if ours || TAKEN.contains(&upper.as_str()) || upper.starts_with("LD_") || upper.starts_with("DYLD_") {
        return Err(Error::usage(format!("--var {name} would change how programs run"))
            .with_hint("choose a name of your own: --var FHIR_TOKEN"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::secret::Secret;
    use crate::oauth::token::Lifetime;

    #[test]
    fn a_variable_has_a_name_of_its_own() {
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
    fn a_token_is_renewed_before_it_expires() {
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
            assert_eq!(due(&token, now), seconds, "{lifetime:?} at {now}");
        }
    }
}
