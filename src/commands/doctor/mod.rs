//! `oneup doctor`: checks everything that a login depends on, concurrently and with one deadline.
//!
//! A broken profile, a locked keyring or a network failure is a finding here, not an error.

mod check;
mod config;
mod environment;
mod host;
mod login;
mod network;

use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::cli::{Doctor, ReportFormat};
use crate::context::Context;
use crate::error::{ErrorKind, Exit, Result};
use crate::oauth::product::Product;
use crate::profile::{self, Profile};
use check::{Finding, Severity};

/// How long a check may take after the deadline to report the timeout itself.
const GRACE_PERIOD: Duration = Duration::from_millis(250);

/// Checks that run concurrently, each on its own thread.
struct Checks<'a> {
    context: &'a Context,
    running: Vec<(&'static str, Receiver<Vec<Finding>>)>,
}

impl Checks<'_> {
    /// Starts a check.
    fn start<F>(&mut self, name: &'static str, check: impl FnOnce(&Context) -> F + Send + 'static)
    where
        F: IntoIterator<Item = Finding>,
    {
        let (sender, receiver) = channel();
        let context = self.context.clone();
        std::thread::spawn(move || sender.send(check(&context).into_iter().collect()));
        self.running.push((name, receiver));
    }

    /// Returns the findings in order. A check that is not done at the timeout becomes one.
    fn finish(self, timeout: Duration) -> Vec<Finding> {
        let deadline = Instant::now() + timeout;
        let findings = |(name, receiver): (&'static str, Receiver<Vec<Finding>>)| {
            let remaining = deadline.saturating_duration_since(Instant::now());
            receiver.recv_timeout(remaining).unwrap_or_else(|_| {
                let failure = Finding::failure(name, format!("timed out after {} s", timeout.as_secs()));
                vec![failure.fix("try again with a longer --timeout SECS and -v")]
            })
        };
        self.running.into_iter().flat_map(findings).collect()
    }
}

/// Prints the findings; exit code 7 when one of them is a failure.
///
/// # Errors
/// Failure, when stdout can't be written.
pub fn run(context: &Context, args: &Doctor) -> Result<Exit> {
    let (profiles, broken) = profiles(context);
    let mut checks = Checks { context, running: Vec::new() };
    start(&mut checks, &profiles, broken);
    let mut timeout = context.timeout;
    if args.login {
        login::start(&mut checks, &profiles);
        // Each grant has a deadline of its own, and the secret command, the store and the endpoint are waited for.
        timeout *= 2;
    }
    let findings = checks.finish(timeout + GRACE_PERIOD);
    super::print(match args.format {
        ReportFormat::Text => crate::output::colored(&check::text(&findings)),
        ReportFormat::Json => check::json(&findings),
    })?;
    let failed = findings.iter().any(|finding| finding.severity == Severity::Failure);
    Ok(if failed { Exit::Failed(ErrorKind::CheckFailed) } else { Exit::Success })
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

fn start(checks: &mut Checks, profiles: &[Profile], broken: Vec<Finding>) {
    checks.start("config", |context| [config::directory("config", context.config_dir(), "--config-dir")]);
    checks.start("state", |context| [config::directory("state", context.state_dir(), "--state-dir")]);
    let summary = config::profiles(profiles, broken);
    checks.start("profile", |_| summary);
    checks.start("variables", |_| environment::variables());
    config::start(checks, profiles);
    checks.start("user", |_| host::user());
    checks.start("curl", |_| [host::curl()]);
    let patient = profiles.iter().find(|profile| profile.product == Product::Patient).cloned();
    checks.start("callback", move |_| [host::callback(patient.as_ref())]);
    checks.start("proxy", |_| host::proxy());
    checks.start("trust", |context| [host::trust(context)]);
    network::start(checks, profiles);
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn hanging_and_panicking_checks_become_findings() {
        let globals = Cli::try_parse_from(["oneup", "doctor"]).expect("arguments").globals;
        let context = Context::resolve(globals);
        let mut checks = Checks { context: &context, running: Vec::new() };
        checks.start("store", |_| {
            std::thread::sleep(Duration::from_secs(60));
            []
        });
        checks.start("curl", |_| [Finding::ok("curl", "8.0")]);
        checks.start("proxy", |_| -> [Finding; 1] { panic!("in a check") });
        let start = Instant::now();
        let found = checks.finish(Duration::from_secs(2));
        assert!(start.elapsed() < Duration::from_secs(20));
        let severities: Vec<_> = found.iter().map(|finding| (finding.check, finding.severity)).collect();
        assert_eq!(
            severities,
            [("store", Severity::Failure), ("curl", Severity::Ok), ("proxy", Severity::Failure)]
        );
    }
}
