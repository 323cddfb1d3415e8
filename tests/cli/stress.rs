//! Hundreds of concurrent processes, and long-running jobs: one request per refresh, no lost token, no leak.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{FaultReport, Home, Kind, TokenEndpoint, send_signal, size, wait_for_line};

/// Tokens that are valid for this many seconds; each takes 50 ms.
fn endpoint(lifetime: u32) -> TokenEndpoint {
    TokenEndpoint::builder().lifetime(lifetime).delay(Duration::from_millis(50)).start()
}

/// Runs `oneup {words}` this many times concurrently from one shell, `$i` being the number of the run; returns all
/// output.
fn run_concurrently(home: &Home, count: usize, words: &str) -> String {
    let script = format!("for i in $(seq {count}); do \"$ONEUP\" {words} 2>&1 & done; wait");
    let output = Command::new("sh")
        .args(["-c", &script])
        .env("ONEUP", env!("CARGO_BIN_EXE_oneup"))
        .env("ONEUP_CONFIG_DIR", home.config())
        .env("ONEUP_STATE_DIR", home.state())
        .env("ONEUP_NO_CACHE", "1")
        .env_remove("ONEUP_TOKEN")
        .output();
    String::from_utf8_lossy(&output.expect("sh runs").stdout).into_owned()
}

#[test]
fn hundreds_of_concurrent_processes_refresh_once() {
    let count = size(120, 500);
    let mut report = FaultReport::new(Kind::Load, "concurrent processes on one expired profile");
    let (home, endpoint) = (Home::new(), endpoint(3600));
    endpoint.login(&home).run();
    home.age_tokens(3600);
    let output = run_concurrently(&home, count, "token show --timeout 120");
    report.tried(count);
    let other: Vec<&str> = output.lines().filter(|line| *line != "token-1").collect();
    if output.lines().count() != count || !other.is_empty() {
        report.failed(format!("{} lines, among them {other:?}", output.lines().count()));
    }
    if endpoint.count() != 2 {
        report.failed(format!("{} requests instead of the login's and one", endpoint.count()));
    }
    report.finish();
}

#[test]
fn concurrent_refreshes_of_many_profiles_stay_separate() {
    let count = size(12, 50);
    let mut report = FaultReport::new(Kind::Load, "profiles refreshed concurrently, two processes each");
    let (home, endpoint) = (Home::new(), endpoint(3600));
    for number in 1..=count {
        endpoint.login(&home).args(["--profile", &format!("p{number}")]).run();
    }
    home.age_tokens(3600);
    let output = run_concurrently(
        &home,
        2 * count,
        &format!("token show --timeout 120 --profile p$((i % {count} + 1))"),
    );
    report.tried(2 * count);
    let tokens: BTreeSet<&str> = output.lines().collect();
    let known = tokens.iter().all(|token| token.starts_with("token-"));
    if output.lines().count() != 2 * count || tokens.len() != count || !known {
        report.failed(format!("{} lines with {} tokens: {output}", output.lines().count(), tokens.len()));
    }
    if endpoint.count() != 2 * count {
        report.failed(format!("{} requests for {count} logins and {count} refreshes", endpoint.count()));
    }
    report.finish();
}

/// The resources of a process: kilobytes of memory, descriptors, locks.
fn resources(pid: u32) -> Option<(usize, usize, usize)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let memory = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().split(' ').next()?.parse().ok())?;
    // The process is not dumpable, so only root can read these.
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    let locks = fs::read_to_string("/proc/locks").ok()?;
    Some((memory, descriptors, locks.lines().filter(|line| line.contains(&format!(" {pid} "))).count()))
}

/// A long-running `oneup exec --token-file`.
struct Job {
    child: Child,
    /// The process ID of oneup.
    pid: u32,
    file: String,
}

impl Job {
    fn start(home: &Home, profile: &str) -> Self {
        let place = home.path(profile);
        let script = format!(r#"echo "$PPID $ONEUP_TOKEN_FILE" > {}; exec sleep 1000"#, place.display());
        let run = home.oneup().with_cache().args(["exec", "--token-file", "--profile", profile]);
        let child = run.args(["--", "sh", "-c", &script]).spawn();
        let line = wait_for_line(&place);
        let (pid, file) = line.trim().split_once(' ').expect("two words");
        Self { child, pid: pid.parse().expect("a number"), file: file.to_owned() }
    }

    /// The number of the token in the file.
    fn token(&self) -> Option<usize> {
        fs::read_to_string(&self.file).ok()?.strip_prefix("token-")?.parse().ok()
    }

    /// Waits until the file has had this many more tokens.
    fn wait_for_refreshes(&self, times: usize) {
        let (mut seen, begun) = (vec![self.token()], Instant::now());
        while seen.len() <= times {
            assert!(begun.elapsed() < Duration::from_secs(60), "only {seen:?} in a minute");
            sleep(Duration::from_millis(50));
            let now = self.token();
            if seen.last() != Some(&now) {
                seen.push(now);
            }
        }
    }

    fn end(mut self) {
        send_signal(&self.child, "TERM");
        self.child.wait().expect("it ends");
        assert!(!Path::new(&self.file).exists(), "the token is deleted with it");
    }
}

/// A day of tokens that are valid for five minutes, as Keycloak's may be, is 384 refreshes; here they are valid for a second.
#[test]
fn refreshes_of_a_long_job_leak_nothing() {
    let mut report =
        FaultReport::new(Kind::Load, "refreshes by exec --token-file (a day of 5-minute tokens is 384)");
    let (home, endpoint) = (Home::new(), endpoint(1));
    let profiles = ["a", "b", "c", "d"];
    let profiles = &profiles[..size(1, 4)];
    for profile in profiles {
        endpoint.login(&home).args(["--profile", profile]).with_cache().run();
    }
    let ids = fs::read_dir(home.state().join("metadata")).expect("metadata").map(|entry| {
        entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned()
    });
    let ids: Vec<String> = ids.collect();
    let jobs: Vec<Job> = profiles.iter().map(|profile| Job::start(&home, profile)).collect();
    // Threads and buffers of the first refreshes stay.
    jobs.iter().for_each(|job| job.wait_for_refreshes(3));
    sleep(Duration::from_secs(size(1, 20)));
    let early: Vec<_> = jobs.iter().map(|job| fewest_resources(job.pid).expect("it runs")).collect();
    let (begun, length) = (Instant::now(), Duration::from_secs(size(8, 85)));
    let mut last = vec![0; jobs.len()];
    while begun.elapsed() < length {
        sleep(Duration::from_millis(100));
        for (job, last) in jobs.iter().zip(&mut last) {
            match job.token() {
                Some(number) if number >= *last && number <= endpoint.count() => *last = number,
                other => report.failed(format!("the file holds {other:?} after {last}")),
            }
        }
    }
    for (job, early) in jobs.iter().zip(early) {
        let late = fewest_resources(job.pid).expect("it runs");
        if late.0 > early.0 + early.0 / 20 + 512 || late.1 > early.1 || late.2 > early.2 {
            report.failed(format!("memory (kB), descriptors, locks grew: {early:?} to {late:?}"));
        }
    }
    let refreshes = endpoint.count() - 2 * jobs.len();
    assert!(refreshes > jobs.len() * size(3, 60), "only {refreshes} refreshes");
    report.tried(refreshes);
    jobs.into_iter().for_each(Job::end);
    home.oneup().args(["logout", "--all"]).run();
    for id in ids {
        // The kernel removes expired keys with a delay.
        let kept = || {
            let keys = fs::read_to_string("/proc/keys").expect("the kernel's keys");
            keys.lines().any(|key| key.contains(&id) && !key.contains("expd"))
        };
        let begun = Instant::now();
        while kept() && begun.elapsed() < Duration::from_secs(5) {
            sleep(Duration::from_millis(100));
        }
        if kept() {
            report.failed(format!("the kernel keeps a key of {id}"));
        }
    }
    report.finish();
}

/// The fewest resources that a process has within a second.
fn fewest_resources(pid: u32) -> Option<(usize, usize, usize)> {
    let samples = (0..20).filter_map(|_| {
        sleep(Duration::from_millis(50));
        resources(pid)
    });
    samples.reduce(|a, b| (a.0.min(b.0), a.1.min(b.1), a.2.min(b.2)))
}
