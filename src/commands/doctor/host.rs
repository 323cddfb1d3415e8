//! This machine: the user, curl, the callback port, proxies, CA certificates.

use std::process::Stdio;

use super::check::Finding;
use crate::callback::Listener;
use crate::context::{Context, nonempty};
use crate::http::Http;
use crate::http::proxy::{self, Proxy};
use crate::oauth::product::REDIRECT_URI;
use crate::process;
use crate::profile::Profile;

/// The first curl with `-H @file`, which keeps the token out of the argument list.
const MIN_CURL_VERSION: (u32, u32) = (7, 55);

/// Reports root with the home directory of another user, whose files it would take over. Nothing otherwise.
pub(super) fn user() -> Option<Finding> {
    #[cfg(unix)]
    if rustix::process::geteuid().is_root() {
        let home = nonempty("HOME")?;
        let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(&home).ok()?);
        let what = format!("running as root with the home directory of user {owner}: {home}");
        let fix = "run oneup without sudo, or use root's own home: sudo -H oneup; in a container: docker run --user";
        return (owner != 0).then(|| Finding::warning("user", what).fix(fix));
    }
    None
}

pub(super) fn curl() -> Finding {
    let unusable = |what: String| {
        Finding::warning("curl", what).fix("install curl 7.55 or newer; only oneup curl needs it")
    };
    let output = process::command("curl".as_ref()).args(["-q", "--version"]).stdin(Stdio::null()).output();
    let text = match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        Ok(output) => return unusable(format!("curl can't be run: {}", output.status)),
        Err(error) => return unusable(format!("curl can't be run: {error}")),
    };
    let version = text.split_whitespace().nth(1).unwrap_or("of unknown version");
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    let is_supported = numbers.next().zip(numbers.next()).is_some_and(|version| version >= MIN_CURL_VERSION);
    if !is_supported {
        return unusable(format!("curl {version} is too old"));
    }
    Finding::ok("curl", format!("curl {version}"))
}

/// Whether the redirect of a Patient Access login, that of a profile or the first one, can be received.
pub(super) fn callback(patient: Option<&Profile>) -> Finding {
    let uri = patient.and_then(|profile| profile.redirect_uri.as_deref()).unwrap_or(REDIRECT_URI);
    match Listener::bind(uri) {
        Ok(Some(_)) => Finding::ok("callback", format!("{uri} is free to listen on")),
        Ok(None) => {
            Finding::ok("callback", format!("{uri} is not on this machine: paste the redirect URL at login"))
        }
        Err(error) if patient.is_some() => Finding::error("callback", &error),
        Err(error) => Finding::error("callback", &error).downgrade(),
    }
}

/// The proxy in use, without its credentials.
pub(super) fn proxy() -> Vec<Finding> {
    let mut findings = match Proxy::from_env() {
        Err(error) => return vec![Finding::error("proxy", &error)],
        Ok(None) => return vec![Finding::ok("proxy", "none")],
        Ok(Some(proxy)) => {
            let credentials = if proxy.has_credentials() { ", with credentials" } else { "" };
            let (url, variable) = (proxy.display(), proxy.variable());
            vec![Finding::ok("proxy", format!("{url}{credentials} ({variable}); never used for loopback"))]
        }
    };
    if let Some((name, hosts)) = proxy::exclusions() {
        findings.push(Finding::ok("proxy", format!("not used for {hosts} ({name})")));
    }
    findings
}

/// Which CA certificates are trusted.
pub(super) fn trust(context: &Context) -> Finding {
    let linux =
        |name: &'static str| nonempty(name).filter(|_| cfg!(target_os = "linux")).map(|value| (name, value));
    let overrides: Vec<_> = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter_map(linux).collect();
    let is_missing = |(_, value): &&(&str, String)| !std::env::split_paths(value).any(|path| path.exists());
    if let Some((name, value)) = overrides.iter().find(is_missing) {
        return Finding::failure("trust", format!("{name} names {value}, which does not exist"))
            .fix(format!("unset {name}"));
    }
    let platform = match overrides.first() {
        Some((name, value)) => format!("{value} ({name})"),
        _ => "the platform's trust store".to_owned(),
    };
    match (&context.cacert, Http::new(context)) {
        (_, Err(error)) => Finding::error("trust", &error),
        (Some(file), Ok(_)) => Finding::ok("trust", format!("{platform}, and {}", file.display())),
        (None, Ok(_)) => Finding::ok("trust", platform),
    }
}
