//! `oneup doctor`: checks everything that a login depends on, concurrently and with one deadline.
//!
//! A broken profile, a locked keyring or a network failure is a finding here, not an error.

mod check;
mod config;
mod environment;
mod host;
mod login;
mod network;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::cli::{Doctor, ReportFormat};
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::profile::{self, Profile};
use check::{Finding, Severity};

/// How long a check may take after the deadline to report the timeout itself.
const GRACE_PERIOD: Duration = Duration::from_millis(250);

/// A check: its name, and the function that returns its findings.
type Check = (&'static str, Box<dyn FnOnce() -> Vec<Finding> + Send>);

/// Prints the findings; exit code 7 when one of them is a failure.
///
/// # Errors
/// Failure, when stdout can't be written.
pub fn run(context: &Context, args: &Doctor) -> Result<Exit> {
    let (profiles, broken) = profiles(context);
    let mut checks = checks(context, profiles.clone(), broken);
    let mut timeout = context.timeout;
    if args.login {
        checks.extend(login::logins(context, &profiles));
        // Each grant has a deadline of its own, and the secret command, the store and the endpoint are waited for.
        timeout *= 2;
    }
    let findings = gather(checks, timeout + GRACE_PERIOD);
    match args.format {
        ReportFormat::Text => super::print(crate::output::colored(&check::text(&findings)))?,
        ReportFormat::Json => super::print(check::json(&findings))?,
    }
    let failed = findings.iter().any(|finding| finding.severity == Severity::Failure);
    Ok(if failed { Exit::CheckFailed } else { Exit::Success })
}

/// Returns the selected profile, or all of them, and a finding for each that can't be read.
fn profiles(context: &Context) -> (Vec<Profile>, Vec<Finding>) {
    let names = match (&context.profile, context.config_dir().and_then(profile::names)) {
        (Some(name), _) => vec![name.clone()],
        (None, Ok(names)) => names,
        (None, Err(error)) => return (Vec::new(), vec![Finding::error("profile", &error)]),
    };
    let (mut good, mut broken) = (Vec::new(), Vec::new());
    for name in &names {
        match context.config_dir().and_then(|dir| profile::resolve_profile(dir, Some(name))) {
            Ok(profile) => good.push(profile),
            Err(error) => broken.push(Finding::error("profile", &error)),
        }
    }
    (good, broken)
}

fn checks(context: &Context, profiles: Vec<Profile>, broken: Vec<Finding>) -> Vec<Check> {
    let with = |check: fn(&Context, &[Profile]) -> Vec<Finding>| -> Box<dyn FnOnce() -> Vec<Finding> + Send> {
        let (context, profiles) = (context.clone(), profiles.clone());
        Box::new(move || check(&context, &profiles))
    };
    let mut all: Vec<Check> = vec![
        ("config", with(config::config_dir)),
        ("state", with(config::state_dir)),
        ("profile", {
            let summary = config::profiles(&profiles, broken);
            Box::new(move || summary)
        }),
        ("variables", Box::new(environment::variables)),
    ];
    all.extend(config::stores(context, &profiles));
    all.push(("user", Box::new(host::user)));
    all.push(("curl", Box::new(host::curl)));
    all.push(("callback", with(host::callback)));
    all.push(("proxy", Box::new(host::proxy)));
    all.push(("trust", with(host::trust)));
    all.extend(network::endpoints(context, &profiles));
    all
}

/// Runs each check on its own thread. One that is not done at the timeout becomes a finding.
fn gather(checks: Vec<Check>, timeout: Duration) -> Vec<Finding> {
    let deadline = Instant::now() + timeout;
    let running: Vec<_> = checks
        .into_iter()
        .map(|(name, check)| {
            let (sender, receiver) = mpsc::channel();
            std::thread::spawn(move || sender.send(check()));
            (name, receiver)
        })
        .collect();
    running
        .into_iter()
        .flat_map(|(name, receiver)| {
            let remaining = deadline.saturating_duration_since(Instant::now());
            receiver.recv_timeout(remaining).unwrap_or_else(|_| {
                vec![
                    Finding::failure(name, format!("timed out after {} s", timeout.as_secs()))
                        .fix("try again with a longer --timeout SECS and -v"),
                ]
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hanging_and_panicking_checks_become_findings() {
        let hanging: Check = (
            "store",
            Box::new(|| {
                std::thread::sleep(Duration::from_secs(60));
                Vec::new()
            }),
        );
        let good: Check = ("curl", Box::new(|| vec![Finding::ok("curl", "8.0")]));
        let panicking: Check = ("proxy", Box::new(|| panic!("in a check")));
        let start = Instant::now();
        let found = gather(vec![hanging, good, panicking], Duration::from_secs(2));
        assert!(start.elapsed() < Duration::from_secs(20));
        let severities: Vec<_> = found.iter().map(|finding| (finding.check, finding.severity)).collect();
        assert_eq!(
            severities,
            [("store", Severity::Failure), ("curl", Severity::Ok), ("proxy", Severity::Failure)]
        );
    }
}
