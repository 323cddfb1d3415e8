//! One operation, interrupted at each system call that writes, locks or sends: the process is killed, or the call fails.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::scenario::{Operation, Scenario, checking_clients};
use crate::support::strace::{Call, calls, requires_strace, traced};
use crate::support::{FaultReport, Home, Kind, Oneup, Outcome, TokenEndpoint, size};

/// How often an injection that misses its call is repeated.
const MAX_ATTEMPTS: u32 = 8;

/// What strace does at a call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Injection {
    /// It kills the process before the call.
    Kill,
    /// The call fails once.
    Fail,
    /// The call and all later calls of its name fail, as on a full disk.
    FailFromNowOn,
}

impl Injection {
    /// strace's expression.
    fn at(self, call: &Call) -> String {
        let error = match &*call.name {
            "write" | "pwrite64" => "ENOSPC",
            "fsync" | "fdatasync" => "EIO",
            "flock" => "ENOLCK",
            "add_key" => "EDQUOT",
            "keyctl" => "EACCES",
            "connect" | "sendto" | "writev" | "sendmsg" => "ECONNRESET",
            _ => "EROFS",
        };
        let (name, number) = (&call.name, call.number);
        match self {
            Self::Kill => format!("{name}:signal=KILL:when={number}"),
            Self::Fail => format!("{name}:error={error}:when={number}"),
            Self::FailFromNowOn => format!("{name}:error={error}:when={number}+"),
        }
    }
}

/// What is interrupted.
pub(super) trait Subject {
    /// A home in the state before.
    fn home(&self) -> Home;

    /// The command.
    fn run(&self, run: Oneup) -> Oneup;

    /// Returns the problems in the home after the command ended so.
    fn problems_after(&self, home: &Home, outcome: &Outcome) -> Vec<String>;

    /// Whether an injection ends soon enough for a test.
    fn is_quick(_: Injection, _: &Call) -> bool {
        true
    }
}

/// An operation on a login, at a token endpoint.
struct Login {
    scenario: Scenario,
    endpoint: TokenEndpoint,
}

impl Login {
    fn start(scenario: Scenario) -> Self {
        let endpoint = match scenario.operation {
            Operation::Rotation => TokenEndpoint::builder().rotates().start(),
            _ => checking_clients().start(),
        };
        Self { scenario, endpoint }
    }
}

impl Subject for Login {
    fn home(&self) -> Home {
        self.scenario.home(&self.endpoint)
    }

    fn run(&self, run: Oneup) -> Oneup {
        self.scenario.run(run, &self.endpoint)
    }

    fn problems_after(&self, home: &Home, outcome: &Outcome) -> Vec<String> {
        self.scenario.problems_after(home, &self.endpoint, outcome)
    }
}

/// Returns the calls of an uninterrupted run that change something.
fn steps(subject: &impl Subject) -> Vec<Call> {
    let home = subject.home();
    let trace = home.path("trace");
    subject.run(traced(&home, &trace, "")).run();
    let here = home.path("").display().to_string();
    let changes = |call: &Call| match &*call.name {
        "openat" => call.text.contains("O_CREAT"),
        "write" | "pwrite64" => call.text.contains(&here),
        "keyctl" => !call.text.contains("KEYCTL_READ") && !call.text.contains("KEYCTL_SEARCH"),
        "connect" => call.text.contains("AF_INET"),
        _ => true,
    };
    let found: Vec<Call> = calls(&trace).into_iter().filter(changes).collect();
    assert!(found.len() >= 6, "too few calls: {found:#?}");
    found
}

/// Returns an evenly spread sample.
fn sample<T: Clone>(all: Vec<T>, most: usize) -> Vec<T> {
    let count = all.len().min(most);
    (0..count).map(|index| all[index * all.len() / count].clone()).collect()
}

/// Interrupts the operation at each call in turn, two runs at a time.
pub(super) fn interrupt_at_each_call<S: Subject>(
    row: &'static str,
    start: impl Fn() -> S + Sync,
    injections: &[Injection],
) {
    if !requires_strace() {
        return;
    }
    let mut report = FaultReport::new(Kind::Fault, row);
    let all = steps(&start());
    let all: Vec<_> = injections
        .iter()
        .flat_map(|injection| all.iter().map(move |call| (*injection, call.clone())))
        .filter(|(injection, call)| S::is_quick(*injection, call))
        .collect();
    let all = sample(all, size(8, usize::MAX));
    let (next, failures, injected) =
        (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(HashSet::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                // One per thread: an endpoint that is down is down for all its clients.
                let subject = start();
                while let Some((injection, call)) = all.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let (problems, hit) = inject_with_retries(&subject, *injection, call);
                    if hit {
                        injected.lock().expect("no panic").insert((
                            format!("{injection:?}"),
                            call.name.clone(),
                            call.number,
                        ));
                    }
                    let problems = problems
                        .into_iter()
                        .map(|problem| format!("{injection:?} at {}\n  {problem}", call.text));
                    failures.lock().expect("no panic").extend(problems);
                }
            });
        }
    });
    let injected = injected.into_inner().expect("no panic").len();
    report.tried(injected);
    for problem in failures.into_inner().expect("no panic") {
        report.failed(problem);
    }
    // The traced run may have made a call that other runs don't.
    let missed = all.len() - injected;
    assert!(missed <= 1 + all.len() / 10, "only {injected} of {} injections took place", all.len());
    report.finish();
}

/// Threads run in another order each time, and so a call's number varies: an injection that missed is repeated.
fn inject_with_retries(subject: &impl Subject, injection: Injection, call: &Call) -> (Vec<String>, bool) {
    let mut problems = Vec::new();
    for _ in 0..MAX_ATTEMPTS {
        let (found, hit) = inject(subject, injection, call);
        problems.extend(found);
        if hit {
            return (problems, true);
        }
    }
    (problems, false)
}

/// Interrupts once, and returns the problems and whether the injection took place.
fn inject(subject: &impl Subject, injection: Injection, call: &Call) -> (Vec<String>, bool) {
    let home = subject.home();
    let trace = home.path("trace");
    let outcome = subject.run(traced(&home, &trace, &injection.at(call))).outcome();
    let text = std::fs::read_to_string(&trace).expect("a trace");
    let mut failed = text.lines().filter(|line| line.contains("(INJECTED)"));
    // An eventfd that wakes a thread is written to, too, and never fails.
    if failed.clone().any(|line| line.contains("[eventfd]")) {
        return (Vec::new(), false);
    }
    let hit = outcome.status.is_none() || failed.next().is_some();
    (subject.problems_after(&home, &outcome), hit)
}

/// Kills the process at each call.
fn survives_kill(operation: Operation, store: &'static str) {
    let start = || Login::start(Scenario { operation, store });
    interrupt_at_each_call("kill -9 at each system call", start, &[Injection::Kill]);
}

/// Lets each call fail, once and from then on.
fn survives_errors(operation: Operation, store: &'static str) {
    let injections = [Injection::Fail, Injection::FailFromNowOn];
    let start = || Login::start(Scenario { operation, store });
    interrupt_at_each_call("an error of each system call", start, &injections);
}

#[test]
fn killed_first_login_with_file_store_loses_nothing() {
    survives_kill(Operation::FirstLogin, "file");
}

#[test]
fn failing_first_login_with_file_store_loses_nothing() {
    survives_errors(Operation::FirstLogin, "file");
}

#[test]
fn killed_second_login_with_file_store_loses_nothing() {
    survives_kill(Operation::SecondLogin, "file");
}

#[test]
fn failing_second_login_with_file_store_loses_nothing() {
    survives_errors(Operation::SecondLogin, "file");
}

#[test]
fn killed_new_token_with_file_store_loses_nothing() {
    survives_kill(Operation::NewToken, "file");
}

#[test]
fn failing_new_token_with_file_store_loses_nothing() {
    survives_errors(Operation::NewToken, "file");
}

#[test]
fn killed_refresh_with_file_store_loses_nothing() {
    survives_kill(Operation::Refresh, "file");
}

#[test]
fn failing_refresh_with_file_store_loses_nothing() {
    survives_errors(Operation::Refresh, "file");
}

#[test]
fn killed_rotation_with_file_store_loses_nothing() {
    survives_kill(Operation::Rotation, "file");
}

#[test]
fn failing_rotation_with_file_store_loses_nothing() {
    survives_errors(Operation::Rotation, "file");
}

#[test]
fn killed_logout_with_file_store_loses_nothing() {
    survives_kill(Operation::Logout, "file");
}

#[test]
fn failing_logout_with_file_store_loses_nothing() {
    survives_errors(Operation::Logout, "file");
}

#[test]
fn killed_first_login_with_keyutils_store_loses_nothing() {
    survives_kill(Operation::FirstLogin, "keyutils");
}

#[test]
fn failing_first_login_with_keyutils_store_loses_nothing() {
    survives_errors(Operation::FirstLogin, "keyutils");
}

#[test]
fn killed_second_login_with_keyutils_store_loses_nothing() {
    survives_kill(Operation::SecondLogin, "keyutils");
}

#[test]
fn failing_second_login_with_keyutils_store_loses_nothing() {
    survives_errors(Operation::SecondLogin, "keyutils");
}

#[test]
fn killed_new_token_with_keyutils_store_loses_nothing() {
    survives_kill(Operation::NewToken, "keyutils");
}

#[test]
fn failing_new_token_with_keyutils_store_loses_nothing() {
    survives_errors(Operation::NewToken, "keyutils");
}

#[test]
fn killed_logout_with_keyutils_store_loses_nothing() {
    survives_kill(Operation::Logout, "keyutils");
}

#[test]
fn failing_logout_with_keyutils_store_loses_nothing() {
    survives_errors(Operation::Logout, "keyutils");
}
