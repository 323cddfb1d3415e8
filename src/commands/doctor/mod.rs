//! `oneup doctor`: everything that logins depend on, checked side by side under one deadline, each with its fix.
//!
//! It must work when nothing else does: a broken profile, a locked keyring or a dead network is a finding here, not
//! an error.

mod check;
mod config;
mod host;
mod network;

use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::cli::{Doctor, ReportFormat};
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::profile::{self, Profile};
use check::{Finding, Status};

/// What is left of the deadline for a check to say itself that it was late.
const GRACE: Duration = Duration::from_millis(250);

/// One check: its name, and what it finds.
type Check = (&'static str, Box<dyn FnOnce() -> Vec<Finding> + Send>);

/// Prints a line for each finding; 7 when one is a failure.
///
/// # Errors
/// Failure, when stdout can't be written.
pub fn run(context: &Context, args: &Doctor) -> Result<Exit> {
    let (profiles, broken) = profiles(context);
    let findings = gather(checks(context, profiles, broken), context.timeout + GRACE);
    match args.format {
        ReportFormat::Text => super::print(crate::output::colored(&check::text(&findings)))?,
        ReportFormat::Json => super::print(check::json(&findings))?,
    }
    let failed = findings.iter().any(|finding| finding.status == Status::Failure);
    Ok(if failed { Exit::CheckFailed } else { Exit::Success })
}

/// The selected profile, or all that can be read; and a finding for each that can't.
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
        ("variables", Box::new(config::variables)),
    ];
    all.extend(config::stores(context, &profiles));
    all.push(("curl", Box::new(host::curl)));
    all.push(("callback", with(host::callback)));
    all.push(("proxy", Box::new(host::proxy)));
    all.push(("trust", with(host::trust)));
    all.extend(network::endpoints(context, &profiles));
    all
}

/// Runs each check on a thread of its own. One that hangs is left behind, and is a finding.
fn gather(checks: Vec<Check>, patience: Duration) -> Vec<Finding> {
    let deadline = Instant::now() + patience;
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
            let left = deadline.saturating_duration_since(Instant::now());
            receiver.recv_timeout(left).unwrap_or_else(|_| {
                vec![
                    Finding::failure(name, format!("no answer within {} s", patience.as_secs()))
                        .fix("try again with a longer --timeout SECS, and --verbose"),
                ]
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_that_hangs_is_a_finding_and_the_others_are_heard() {
        let hanging: Check = (
            "store",
            Box::new(|| {
                std::thread::sleep(Duration::from_secs(60));
                Vec::new()
            }),
        );
        let good: Check = ("curl", Box::new(|| vec![Finding::ok("curl", "8.0")]));
        let panicking: Check = ("proxy", Box::new(|| panic!("a check that fails in itself")));
        let start = Instant::now();
        let found = gather(vec![hanging, good, panicking], Duration::from_secs(2));
        assert!(start.elapsed() < Duration::from_secs(20));
        let statuses: Vec<_> = found.iter().map(|finding| (finding.check, finding.status)).collect();
        assert_eq!(statuses, [("store", Status::Failure), ("curl", Status::Ok), ("proxy", Status::Failure)]);
    }
}
