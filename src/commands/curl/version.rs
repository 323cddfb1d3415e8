//! The version of the installed curl, and what it must not be used for.

use std::io::Read;
use std::path::Path;
use std::time::UNIX_EPOCH;

use crate::context::Context;
use crate::curl::policy::CurlPlan;
use crate::error::{Error, Result};
use crate::process;
use crate::system::files::{self, Purpose};

/// Major and minor version.
type Version = (u32, u32);

/// The oldest curl whose options are known.
const OLDEST: Version = (7, 55);
/// The first curl that drops `Authorization` when a redirect leaves the host (CVE-2018-1000007).
const DROPS_AT_OTHER_HOST: Version = (7, 58);
/// The first curl that drops it when a redirect leaves the port, too (CVE-2022-27776).
const DROPS_AT_OTHER_PORT: Version = (7, 83);

/// Refuses a curl that is too old for the command line.
///
/// # Errors
/// Failure: curl is too old, or its version is unknown.
pub fn check(context: &Context, plan: &CurlPlan) -> Result<()> {
    // Where there is no curl, starting it reports that.
    let Some(program) = process::find_program("curl") else { return Ok(()) };
    let version = installed_version(context, &program)
        .ok_or_else(|| Error::failure("could not determine curl's version").with_hint("curl -q --version"))?;
    let (major, minor) = version;
    if version < OLDEST {
        return Err(Error::failure(format!("curl {major}.{minor} is too old"))
            .with_hint("install curl 7.55 or newer"));
    }
    if plan.follows_redirects && version < DROPS_AT_OTHER_HOST {
        return Err(Error::failure(format!(
            "curl {major}.{minor} would send the token along when a redirect leads to another host"
        ))
        .with_hint("leave out -L, or install curl 7.58 or newer"));
    }
    if plan.follows_redirects && version < DROPS_AT_OTHER_PORT {
        context.warn(format_args!(
            "curl {major}.{minor} may send the token along when a redirect leads to another port of the same host \
             (CVE-2022-27776); your distribution may have fixed it"
        ));
    }
    Ok(())
}

/// Returns the version, from a file in the state directory if it is that of the same program.
fn installed_version(context: &Context, program: &Path) -> Option<Version> {
    let identity = identity(program);
    let file = context.state_dir().ok().map(|dir| dir.join("curl-version"));
    if let (Some(identity), Some(file)) = (&identity, &file)
        && let Ok(Some(text)) = files::read_text(file, Purpose::State)
        && let Some(version) = text.strip_prefix(identity.as_str()).and_then(parse)
    {
        return Some(version);
    }
    let output = process::command(program.as_os_str()).args(["-q", "--version"]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default();
    let version = parse(line)?;
    if let (Some(identity), Some(file)) = (identity, file) {
        // Without the file, curl is asked again.
        let _ = files::replace(&file, format!("{identity}{line}\n").as_bytes());
    }
    Some(version)
}

/// Returns what changes when curl is replaced: path, size and modification time. `None` for a script, since the curl
/// that it runs can be replaced alone.
fn identity(program: &Path) -> Option<String> {
    let mut start = [0; 2];
    std::fs::File::open(program).and_then(|mut file| file.read_exact(&mut start)).ok()?;
    let metadata = std::fs::metadata(program).ok().filter(|_| start != *b"#!")?;
    let modified = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    Some(format!("{}\n{} {modified}\n", program.display(), metadata.len()))
}

/// Parses `curl 7.88.1 (…) libcurl/7.88.1 …`. The library makes the requests, so the older of the two counts.
fn parse(text: &str) -> Option<Version> {
    let number = |text: &str| -> Option<Version> {
        let mut numbers = text.split(['.', '-']).map(str::parse);
        Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
    };
    let words = text.strip_prefix("curl ")?.lines().next()?.split(' ');
    let curl = number(words.clone().next()?)?;
    let library = words.filter_map(|word| number(word.strip_prefix("libcurl/")?)).next();
    Some(library.map_or(curl, |library| library.min(curl)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_versions() {
        for (text, version) in [
            ("curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1 OpenSSL/3.0.15\nRelease", Some((7, 88))),
            ("curl 8.5.0 (x) libcurl/7.81.0", Some((7, 81))),
            ("curl 8.10.0-DEV (x)", Some((8, 10))),
            ("curl 9", None),
            ("wget 1.21", None),
            ("", None),
        ] {
            assert_eq!(parse(text), version, "{text}");
        }
    }
}
