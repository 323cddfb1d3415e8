//! One deed, cut off at each of the calls that write, lock or send: killed there, or the call refused.

use std::collections::HashSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::realm::Realm;
use super::scenario::{Deed, Scenario};
use crate::support::strace::{Call, calls, requires_strace, traced};
use crate::support::{FaultReport, Home, Kind, size};

/// How often a blow is struck that misses.
const TRIES: u32 = 8;

/// What strace does to a call.
#[derive(Clone, Copy, Debug)]
enum Blow {
    /// The process dies before it, at once.
    Kill,
    /// It fails once.
    Refuse,
    /// It fails, and from then on every one of its name: a disk that is full stays full.
    RefuseFromNowOn,
}

impl Blow {
    /// strace's expression.
    fn at(self, call: &Call) -> String {
        let error = match &*call.name {
            "write" | "pwrite64" => "ENOSPC",
            "fsync" => "EIO",
            "flock" => "ENOLCK",
            "add_key" => "EDQUOT",
            "keyctl" => "EACCES",
            "connect" | "sendto" | "writev" | "sendmsg" => "ECONNRESET",
            _ => "EROFS",
        };
        let (name, number) = (&call.name, call.number);
        match self {
            Self::Kill => format!("{name}:signal=KILL:when={number}"),
            Self::Refuse => format!("{name}:error={error}:when={number}"),
            Self::RefuseFromNowOn => format!("{name}:error={error}:when={number}+"),
        }
    }
}

/// The calls of an undisturbed run after which the world is another one.
fn steps(scenario: Scenario, realm: &Realm) -> Vec<Call> {
    let home = scenario.home(realm);
    let trace = home.path("trace");
    scenario.run(traced(&home, &trace, ""), realm).run();
    let here = home.path("").display().to_string();
    let changes = |call: &Call| match &*call.name {
        "openat" => call.text.contains("O_CREAT"),
        "write" | "pwrite64" => call.text.contains(&here),
        "keyctl" => !call.text.contains("KEYCTL_READ") && !call.text.contains("KEYCTL_SEARCH"),
        "connect" => call.text.contains("AF_INET"),
        _ => true,
    };
    let found: Vec<Call> = calls(&trace).into_iter().filter(changes).collect();
    assert!(found.len() >= 6, "{scenario:?}: too few calls: {found:#?}");
    found
}

/// Some of many, spread evenly.
fn spread<T: Clone>(all: Vec<T>, most: usize) -> Vec<T> {
    let count = all.len().min(most);
    (0..count).map(|index| all[index * all.len() / count].clone()).collect()
}

/// Cuts the deed off at each step in turn, two at a time.
fn cut_off(what: &'static str, scenario: Scenario, blows: &[Blow]) {
    if !requires_strace() {
        return;
    }
    let mut report = FaultReport::new(Kind::Fault, what);
    let realm = || if scenario.deed == Deed::Rotation { Realm::rotating() } else { Realm::new(3600) };
    let all = steps(scenario, &realm());
    let all: Vec<_> =
        blows.iter().flat_map(|blow| all.iter().map(move |call| (*blow, call.clone()))).collect();
    let all = spread(all, size(8, usize::MAX));
    let (next, lost, struck) = (AtomicUsize::new(0), Mutex::new(Vec::new()), Mutex::new(HashSet::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                // One each: a realm that is down is down for all.
                let realm = realm();
                while let Some((blow, call)) = all.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let (wrong, hit) = strike_home(scenario, &realm, *blow, call);
                    if hit {
                        struck.lock().expect("no panic").insert((
                            format!("{blow:?}"),
                            call.name.clone(),
                            call.number,
                        ));
                    }
                    let wrong =
                        wrong.into_iter().map(|wrong| format!("{blow:?} at {}\n  {wrong}", call.text));
                    lost.lock().expect("no panic").extend(wrong);
                }
            });
        }
    });
    let struck = struck.into_inner().expect("no panic").len();
    report.tried(struck);
    for wrong in lost.into_inner().expect("no panic") {
        report.failed(wrong);
    }
    // A wake-up more in the run that was looked at leaves a call that no other run makes.
    let missed = all.len() - struck;
    assert!(missed <= 1 + all.len() / 10, "only {struck} of {} blows struck", all.len());
    report.finish();
}

/// Threads wake each other in another order each time, and so a call's number is another: a blow that missed is struck
/// again.
fn strike_home(scenario: Scenario, realm: &Realm, blow: Blow, call: &Call) -> (Vec<String>, bool) {
    let mut wrong = Vec::new();
    for _ in 0..TRIES {
        let (found, hit) = strike(scenario, realm, blow, call);
        wrong.extend(found);
        if hit {
            return (wrong, true);
        }
    }
    (wrong, false)
}

/// One blow: what is wrong after it, and whether it struck at all.
fn strike(scenario: Scenario, realm: &Realm, blow: Blow, call: &Call) -> (Vec<String>, bool) {
    let home: Home = scenario.home(realm);
    let trace = home.path("trace");
    let outcome = scenario.run(traced(&home, &trace, &blow.at(call)), realm).outcome();
    let text = std::fs::read_to_string(&trace).expect("a trace");
    let mut refused = text.lines().filter(|line| line.contains("(INJECTED)"));
    // What wakes a thread is a write too, and no disk is full there.
    if refused.clone().any(|line| line.contains("[eventfd]")) {
        return (Vec::new(), false);
    }
    let hit = outcome.status.is_none() || refused.next().is_some();
    (scenario.aftermath(&home, realm, &outcome), hit)
}

macro_rules! deeds {
    ($($kill:ident, $refuse:ident: $deed:ident in $store:literal;)*) => {$(
        #[test]
        fn $kill() {
            let name = concat!("kill -9 at each call: ", stringify!($deed), ", ", $store);
            cut_off(name, Scenario { deed: Deed::$deed, store: $store }, &[Blow::Kill]);
        }

        #[test]
        fn $refuse() {
            let name = concat!("each call refused: ", stringify!($deed), ", ", $store);
            let blows = [Blow::Refuse, Blow::RefuseFromNowOn];
            cut_off(name, Scenario { deed: Deed::$deed, store: $store }, &blows);
        }
    )*};
}

deeds! {
    a_first_login_that_is_killed, a_first_login_that_is_refused: FirstLogin in "file";
    a_second_login_that_is_killed, a_second_login_that_is_refused: SecondLogin in "file";
    a_renewal_that_is_killed, a_renewal_that_is_refused: Renewal in "file";
    a_refresh_that_is_killed, a_refresh_that_is_refused: Refresh in "file";
    a_rotation_that_is_killed, a_rotation_that_is_refused: Rotation in "file";
    a_logout_that_is_killed, a_logout_that_is_refused: Logout in "file";
    a_first_login_in_the_kernel_that_is_killed, a_first_login_in_the_kernel_that_is_refused: FirstLogin in "keyutils";
    a_second_login_in_the_kernel_that_is_killed, a_second_login_in_the_kernel_that_is_refused: SecondLogin in "keyutils";
    a_renewal_in_the_kernel_that_is_killed, a_renewal_in_the_kernel_that_is_refused: Renewal in "keyutils";
    a_logout_in_the_kernel_that_is_killed, a_logout_in_the_kernel_that_is_refused: Logout in "keyutils";
}
