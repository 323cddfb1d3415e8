//! `oneup curl`: the real curl with the token, which goes to the profile's hosts and nowhere else.
//!
//! What is decided stands in `crate::curl`; this reads the files, gets the token, and starts curl. The header goes
//! through an inherited descriptor, so that it stands neither in argv nor on disk, and stdin stays the person's.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli;
use crate::context::Context;
use crate::curl::arguments;
use crate::curl::hosts::Hosts;
use crate::curl::policy::{Judged, Policy};
use crate::curl::write::{Word, command_line};
use crate::error::{Error, ErrorKind, Exit, Result};
use crate::oauth::secret::Secret;
use crate::process::{self, inherited_pipe::InheritedPipe};
use crate::profile;
use crate::session::{Session, TokenOptions};

/// The first curl that drops `Authorization` when a redirect leaves the host (CVE-2018-1000007).
const KEEPS_TO_ITS_HOST: (u32, u32) = (7, 58);

/// Runs curl; the exit code is curl's.
///
/// # Errors
/// All of them before curl starts: 127 where there is no curl, 126 where it can't be run, else 125.
pub fn run(context: &Context, args: &cli::Curl) -> Result<Exit> {
    start(context, args).map_err(process::before_start)
}

fn start(context: &Context, args: &cli::Curl) -> Result<Exit> {
    let profile = profile::resolve_profile(context.config_dir()?, context.profile.as_deref())?;
    let hosts = Hosts::of(&profile, &args.allow_host)?;
    let rc = rc_file();
    let arguments = arguments::parse(&args.args, rc.as_deref().map(Path::as_os_str), &mut read_file)?;
    let policy = Policy {
        fhir_base: &profile.fhir_base,
        hosts: &hosts,
        no_auth_elsewhere: args.no_auth_elsewhere,
        verbose: context.verbose,
    };
    let judged = policy.judge(&arguments)?;
    for url in &judged.without {
        context.warn(format_args!(
            "{url} gets no token either: it shares its options with another host's URL; put --next between them"
        ));
    }
    let mut secret = None;
    if judged.authorized() > 0 {
        if judged.follows {
            check_version()?;
        }
        secret = Some(Session::new(context, profile).access_token(TokenOptions::default())?.access_token);
    }
    launch(context, &judged, secret.as_ref())
}

fn launch(context: &Context, judged: &Judged, secret: Option<&Secret>) -> Result<Exit> {
    let mut command = process::command(OsStr::new("curl"));
    // Open until curl has ended, or has taken our place.
    let mut held = Vec::new();
    for word in command_line(judged, context.cacert.as_deref()) {
        match word {
            Word::Plain(text) => command.arg(text),
            Word::Config(text) => command.arg(hold(&mut held, text.as_bytes())?),
            Word::Header => {
                let header = header(secret)?;
                let mut at = OsString::from("@");
                at.push(hold(&mut held, header.expose().as_bytes())?);
                command.arg(at)
            }
        };
    }
    match secret {
        Some(secret) if judged.verbose => masked(command, secret),
        _ => process::replace(command),
    }
    .map_err(|error| match error.kind() {
        ErrorKind::NotFound => error.with_hint("install curl, or put it on the PATH"),
        _ => error,
    })
}

fn hold(held: &mut Vec<InheritedPipe>, bytes: &[u8]) -> Result<PathBuf> {
    let private = InheritedPipe::new(bytes)?;
    let path = private.path().to_owned();
    held.push(private);
    Ok(path)
}

/// The header's line. A token that could end the line is none (RFC 6750 §2.1).
fn header(secret: Option<&Secret>) -> Result<Secret> {
    let token = secret.map(Secret::expose).unwrap_or_default();
    if token.is_empty() || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::protocol("the access token has characters that no header can carry"));
    }
    Ok(Secret::new(format!("Authorization: Bearer {token}\n")))
}

/// Runs curl with its stderr read by us: `-v` shows the header, but not to the person's log.
fn masked(mut command: Command, secret: &Secret) -> Result<Exit> {
    command.stderr(Stdio::piped());
    let mut copier = None;
    let code = process::run(&mut command, |child| {
        let (stderr, secret) = (child.stderr.take(), secret.clone());
        copier = stderr.map(|stderr| {
            std::thread::spawn(move || process::redact::copy(stderr, std::io::stderr().lock(), &secret))
        });
    });
    if let Some(copier) = copier {
        // A stderr that nobody reads any more is no failure of curl's.
        let _ = copier.join();
    }
    code
}

fn check_version() -> Result<()> {
    let unknown = || Error::failure("can't tell curl's version");
    // Where there is no curl, starting it says so.
    let Ok(output) = process::command(OsStr::new("curl")).args(["-q", "--version"]).output() else {
        return Ok(());
    };
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let version = text.strip_prefix("curl ").and_then(|rest| rest.split(' ').next()).ok_or_else(unknown)?;
    let mut numbers = version.split('.').map(|number| number.parse::<u32>().ok());
    let (Some(Some(major)), Some(Some(minor))) = (numbers.next(), numbers.next()) else {
        return Err(unknown());
    };
    if (major, minor) < KEEPS_TO_ITS_HOST {
        return Err(Error::failure(format!(
            "curl {major}.{minor} would carry the token along when a redirect leads to another host"
        ))
        .with_hint("leave out -L, or install curl 7.58 or newer"));
    }
    Ok(())
}

/// The configuration file that curl would read by itself.
fn rc_file() -> Option<PathBuf> {
    let places: [(&str, &[&str]); 6] = [
        ("CURL_HOME", &[".curlrc", "_curlrc"]),
        ("XDG_CONFIG_HOME", &["curlrc"]),
        ("HOME", &[".curlrc", "_curlrc"]),
        ("USERPROFILE", &[".curlrc", "_curlrc"]),
        ("APPDATA", &[".curlrc", "_curlrc"]),
        ("HOME", &[".config/curlrc"]),
    ];
    let named = places.into_iter().filter_map(|(variable, names)| {
        let dir = std::env::var_os(variable).filter(|dir| !dir.is_empty())?;
        Some(names.iter().map(move |name| Path::new(&dir).join(name)))
    });
    // Without HOME, the directory of the user database.
    let home = std::env::home_dir().map(|dir| dir.join(".curlrc"));
    named.flatten().chain(home).find(|path| path.is_file())
}

fn read_file(name: &OsStr) -> Result<String> {
    let text = if name == "-" {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(name)
    };
    let name = name.display();
    text.map_err(|error| {
        Error::usage(format!("can't read curl's configuration file {name}")).with_cause(error)
    })
}
