//! Many at once, and for long: no request too many, no token lost, and nothing that grows.
#![cfg(target_os = "linux")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::{FaultReport, Home, Kind, Oneup, RawServer, raw_server, size, terminate};

/// Tokens `token-1`, `token-2`, … that live this many seconds; each takes a while.
fn server(lifetime: u32) -> RawServer {
    let count = AtomicUsize::new(0);
    raw_server(move |_, _, _| {
        sleep(Duration::from_millis(50));
        let number = count.fetch_add(1, Ordering::SeqCst) + 1;
        let body =
            format!(r#"{{"access_token":"token-{number}","token_type":"Bearer","expires_in":{lifetime}}}"#);
        RawServer::answer("200 OK", "application/json", &body)
    })
}

fn login(home: &Home, server: &RawServer, profile: &str) -> Oneup {
    home.oneup()
        .args([
            "login",
            "provider",
            "--client-id",
            "c",
            "--store",
            "file",
            "--profile",
            profile,
            "--token-url",
        ])
        .arg(format!("{}/auth/token", server.url()))
        .env("ONEUP_CLIENT_SECRET", "hunter2")
}

/// Makes every stored token an hour older, as if time had passed.
fn age(home: &Home) {
    for item in
        fs::read_dir(home.state().join("secrets")).expect("the store").map(|item| item.expect("an item"))
    {
        let text = fs::read_to_string(item.path()).expect("text");
        let mut json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        json["token"]["issued_at"] = (json["token"]["issued_at"].as_i64().expect("a time") - 3600).into();
        fs::write(item.path(), json.to_string()).expect("a writable store");
    }
}

/// What a shell prints that runs `oneup` so often at once, `$i` being each one's number: one shell, not hundreds of
/// pipes of ours.
fn at_once(home: &Home, count: usize, words: &str) -> String {
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
fn hundreds_of_processes_on_one_expired_profile_make_one_request() {
    let count = size(120, 500);
    let mut report = FaultReport::new(Kind::Load, "processes at once on one expired profile");
    let (home, server) = (Home::new(), server(3600));
    login(&home, &server, "p").run();
    age(&home);
    let said = at_once(&home, count, "token show --timeout 120");
    report.tried(count);
    let other: Vec<&str> = said.lines().filter(|line| *line != "token-2").collect();
    if said.lines().count() != count || !other.is_empty() {
        report.failed(format!("{} answers, among them {other:?}", said.lines().count()));
    }
    if server.requests().len() != 2 {
        report.failed(format!("{} requests instead of the login's and one", server.requests().len()));
    }
    report.finish();
}

#[test]
fn many_profiles_renew_at_once_and_each_gets_its_own_token() {
    let count = size(12, 50);
    let mut report = FaultReport::new(Kind::Load, "profiles renewing at once, two processes each");
    let (home, server) = (Home::new(), server(3600));
    for number in 1..=count {
        login(&home, &server, &format!("p{number}")).run();
    }
    age(&home);
    let said =
        at_once(&home, 2 * count, &format!("token show --timeout 120 --profile p$((i % {count} + 1))"));
    report.tried(2 * count);
    let tokens: BTreeSet<&str> = said.lines().collect();
    let known = tokens.iter().all(|token| token.starts_with("token-"));
    if said.lines().count() != 2 * count || tokens.len() != count || !known {
        report.failed(format!("{} answers with {} tokens: {said}", said.lines().count(), tokens.len()));
    }
    if server.requests().len() != 2 * count {
        report
            .failed(format!("{} requests for {count} logins and {count} renewals", server.requests().len()));
    }
    report.finish();
}

/// What a process holds: kilobytes of memory, descriptors, locks.
fn held(pid: u32) -> Option<(usize, usize, usize)> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let memory = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:")?.trim().split(' ').next()?.parse().ok())?;
    // Only root sees those of a process that keeps others of its user out.
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
    let locks = fs::read_to_string("/proc/locks").ok()?;
    Some((memory, descriptors, locks.lines().filter(|line| line.contains(&format!(" {pid} "))).count()))
}

/// A program that runs for long, and the token that is kept fresh for it.
struct Job {
    child: Child,
    /// Of oneup, as the program sees it.
    pid: u32,
    file: String,
}

impl Job {
    fn start(home: &Home, profile: &str) -> Self {
        let place = home.path(profile);
        let script = format!(r#"echo "$PPID $ONEUP_TOKEN_FILE" > {}; exec sleep 1000"#, place.display());
        let run = home.oneup().with_cache().args(["exec", "--token-file", "--profile", profile]);
        let child = run.args(["--", "sh", "-c", &script]).spawn();
        while !fs::read_to_string(&place).is_ok_and(|text| text.ends_with('\n')) {
            sleep(Duration::from_millis(20));
        }
        let place = fs::read_to_string(&place).expect("the script wrote it");
        let (pid, file) = place.trim().split_once(' ').expect("two words");
        Self { child, pid: pid.parse().expect("a number"), file: file.to_owned() }
    }

    /// The number of the token in the file.
    fn token(&self) -> Option<usize> {
        fs::read_to_string(&self.file).ok()?.strip_prefix("token-")?.parse().ok()
    }

    /// Waits until the file has held this many tokens after the first.
    fn has_renewed(&self, times: usize) {
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
        terminate(&self.child);
        self.child.wait().expect("it ends");
        assert!(!Path::new(&self.file).exists(), "its token went with it");
    }
}

/// A day of tokens that live five minutes, as Keycloak's may, is 384 renewals: here they live a second.
#[test]
fn a_day_of_renewals_leaks_nothing() {
    let mut report =
        FaultReport::new(Kind::Load, "renewals by exec --token-file (a day of 5-minute tokens is 384)");
    let (home, server) = (Home::new(), server(1));
    let profiles = ["a", "b", "c", "d"];
    let profiles = &profiles[..size(1, 4)];
    for profile in profiles {
        login(&home, &server, profile).with_cache().run();
    }
    let ids = fs::read_dir(home.state().join("notes"))
        .expect("notes")
        .map(|note| note.expect("a note").path().file_stem().expect("a name").to_string_lossy().into_owned());
    let ids: Vec<String> = ids.collect();
    let jobs: Vec<Job> = profiles.iter().map(|profile| Job::start(&home, profile)).collect();
    // What the first renewals take stays: threads, buffers of the library.
    jobs.iter().for_each(|job| job.has_renewed(3));
    sleep(Duration::from_secs(size(1, 20)));
    let early: Vec<_> = jobs.iter().map(|job| least(job.pid).expect("it lives")).collect();
    let (begun, length) = (Instant::now(), Duration::from_secs(size(8, 85)));
    let mut last = vec![0; jobs.len()];
    while begun.elapsed() < length {
        sleep(Duration::from_millis(100));
        for (job, last) in jobs.iter().zip(&mut last) {
            match job.token() {
                Some(number) if number >= *last && number <= server.requests().len() => *last = number,
                other => report.failed(format!("the file holds {other:?} after {last}")),
            }
        }
    }
    for (job, early) in jobs.iter().zip(early) {
        let late = least(job.pid).expect("it lives");
        if late.0 > early.0 + early.0 / 20 + 512 || late.1 > early.1 || late.2 > early.2 {
            report.failed(format!("memory (kB), descriptors, locks grew: {early:?} to {late:?}"));
        }
    }
    let renewals = server.requests().len() - 2 * jobs.len();
    assert!(renewals > jobs.len() * size(3, 60), "only {renewals} renewals");
    report.tried(renewals);
    jobs.into_iter().for_each(Job::end);
    home.oneup().args(["logout", "--all"]).run();
    for id in ids {
        // The kernel sweeps up in its own time; what has expired is forgotten already.
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

/// The least that a process holds within a second.
fn least(pid: u32) -> Option<(usize, usize, usize)> {
    let samples = (0..20).filter_map(|_| {
        sleep(Duration::from_millis(50));
        held(pid)
    });
    samples.reduce(|a, b| (a.0.min(b.0), a.1.min(b.1), a.2.min(b.2)))
}
