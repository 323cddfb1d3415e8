//! Secrets after their use: none in the memory of the process, in a core dump, in the message of a panic, or in what a
//! child inherits.
#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::FileExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use crate::support::strace::{requires_strace, traced};
use crate::support::{
    FaultReport, Home, Kind, Oneup, TokenEndpoint, is_root, requires, send_signal, size, wait_until,
};

const SECRET: &str = "s3cr3t-that-is-wiped";

const TOKEN_PREFIX: &str = "t0ken-that-is-kept-";

/// A token endpoint whose tokens expire in this many seconds.
fn server(lifetime: u32) -> TokenEndpoint {
    TokenEndpoint::builder().lifetime(lifetime).prefix(TOKEN_PREFIX).start()
}

fn login(home: &Home, server: &TokenEndpoint) -> Oneup {
    server.login(home).env("ONEUP_CLIENT_SECRET", SECRET)
}

/// Counts a text in the memory of a process, which only root can read.
fn count_in_memory(process: &Child, text: &str) -> usize {
    let of = |file: &str| format!("/proc/{}/{file}", process.id());
    let maps = fs::read_to_string(of("maps")).expect("its memory map");
    let memory = fs::File::open(of("mem")).expect("its memory");
    let writable = maps.lines().filter(|line| line.contains(" rw"));
    let mut count = 0;
    for range in writable.filter_map(|line| line.split(' ').next()) {
        let (start, end) = range.split_once('-').expect("a range");
        let number = |hex: &str| u64::from_str_radix(hex, 16).expect("an address");
        let (start, end) = (number(start), number(end));
        let mut bytes = vec![0; usize::try_from(end - start).expect("it fits")];
        let length = memory.read_at(&mut bytes, start).unwrap_or(0);
        count += bytes[..length].windows(text.len()).filter(|part| *part == text.as_bytes()).count();
    }
    count
}

#[test]
fn long_running_process_holds_no_client_secret_between_refreshes() {
    if !requires("root, to read a process's memory", is_root()) {
        return;
    }
    let mut report = FaultReport::new(Kind::Input, "searches of the memory for the client secret");
    let (home, server) = (Home::new(), server(2));
    login(&home, &server).run();
    let run = home.oneup().args(["exec", "--token-file", "--", "sleep", "300"]);
    let mut child = run.spawn();
    let (mut token_count, mut looks) = (0, 0);
    while looks < size(8, 40) || server.count() < 4 {
        sleep(Duration::from_millis(200));
        token_count += count_in_memory(&child, TOKEN_PREFIX);
        // A refresh that is under way needs it.
        let holds = || {
            sleep(Duration::from_millis(50));
            count_in_memory(&child, SECRET) > 0
        };
        if (0..20).all(|_| holds()) {
            report.failed(format!("the client secret, after {} requests", server.count()));
        }
        looks += 1;
    }
    assert!(token_count > 0, "the token was never found: this test would find nothing");
    report.tried(looks);
    send_signal(&child, "TERM");
    child.wait().expect("it ends");
    report.finish();
}

#[test]
fn crash_leaves_no_core_dump() {
    let home = Home::new();
    let dumps = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -c unlimited; {script}")]).current_dir(home.path(""));
        command.env("ONEUP_STATE_DIR", home.state()).env("ONEUP_CONFIG_DIR", home.config());
        let mut child = command.stdin(std::process::Stdio::piped()).spawn().expect("sh runs");
        // The shell itself would leave one.
        let waits = |stat: &str| !stat.contains("(sh)") && stat.contains(") S ");
        for _ in 0..200 {
            sleep(Duration::from_millis(100));
            if fs::read_to_string(format!("/proc/{}/stat", child.id())).is_ok_and(|stat| waits(&stat)) {
                break;
            }
        }
        send_signal(&child, "ABRT");
        child.wait().expect("it ends")
    };
    if !requires("a kernel that writes core dumps", dumps("exec cat").core_dumped()) {
        return;
    }
    // It waits for the client secret that comes on stdin.
    let login =
        format!("exec {} login provider --client-id c --client-secret-stdin", env!("CARGO_BIN_EXE_oneup"));
    let end = dumps(&login);
    assert_eq!((end.signal(), end.core_dumped()), (Some(6), false));
}

/// Threads, randomness and sockets fail: oneup may fail or panic, but no message holds a secret.
#[test]
fn no_panic_and_no_error_shows_a_secret() {
    if !requires_strace() {
        return;
    }
    let mut report = FaultReport::new(Kind::Fault, "failing threads, memory and randomness");
    let (home, server) = (Home::new(), server(3600));
    login(&home, &server).run();
    let faults = [
        "clone3:error=EAGAIN",
        "getrandom:error=EMFILE",
        "mmap:error=ENOMEM",
        "eventfd2:error=EMFILE",
        "epoll_create1:error=EMFILE",
        "epoll_wait:error=EMFILE",
        "socket:error=EMFILE",
    ];
    let mut panics = 0;
    for fault in faults {
        for number in (1..30).step_by(size(3, 1)) {
            let run = traced(&home, &home.path("trace"), &format!("{fault}:when={number}+"));
            let outcome = run.args(["token", "show", "--refresh"]).env("RUST_BACKTRACE", "full").outcome();
            let text = outcome.stderr + if outcome.status == Some(0) { "" } else { &outcome.stdout };
            if text.contains(SECRET) || text.contains(TOKEN_PREFIX) {
                report.failed(format!("{fault} from call {number}: {text}"));
            }
            panics += usize::from(text.contains("panicked at"));
            report.tried(1);
            if outcome.status == Some(0) {
                break;
            }
        }
    }
    // A library panics if it can't wait for its sockets.
    assert!(panics > 0, "no panic was provoked: this test would find nothing");
    report.finish();
}

#[test]
fn no_child_inherits_the_client_secret() {
    let (home, server) = (Home::new(), server(3600));
    let spy =
        home.write_script("spy", "echo \"$@\" > args.$1; env > env.$1.new; mv env.$1.new env.$1; echo s3");
    let spy = spy.display();
    let with_secrets =
        |run: Oneup| run.env("ONEUP_CLIENT_SECRET", SECRET).env("ONEUP_TOKEN", "t0ken-of-the-shell");
    let run = login(&home, &server).args(["--client-secret-command", &format!("{spy} command")]);
    with_secrets(run).run();
    with_secrets(home.oneup().args(["exec", "--var", "OTHER", "--", &spy.to_string(), "exec"])).run();
    let version = "test \"$*\" = \"-q --version\" -o \"$1\" = --version && exec echo curl 8.9.1";
    home.write_script("bin/curl", &format!("{version}\nexec {spy} curl"));
    let path = format!("{}:{}", home.path("bin").display(), std::env::var("PATH").expect("a PATH"));
    with_secrets(home.oneup().args(["curl", "--allow-host", "a.example", "a.example"]))
        .env("PATH", path)
        .run();
    let patient =
        home.oneup().args(["login", "patient", "--client-id", "c", "--redirect-uri", "http://127.0.0.1:0/"]);
    let mut patient = with_secrets(patient).env("BROWSER", format!("/nonexistent:{spy} browser")).spawn();
    for child in ["command", "exec", "curl", "browser"] {
        let file = home.path(format!("env.{child}"));
        wait_until(child, || file.exists());
        let text = fs::read_to_string(&file).expect("its environment");
        assert!(!text.contains(SECRET) && !text.contains("t0ken-of-the-shell"), "{child}: {text}");
    }
    let args = fs::read_to_string(home.path("args.browser")).expect("the browser ran");
    assert!(args.starts_with("browser /") && args.ends_with("/login.html\n"), "{args}");
    patient.kill().expect("it waits");
    patient.wait().expect("it ends");
}

/// Only curl inherits a descriptor.
#[test]
fn no_descriptor_is_inherited_by_the_program() {
    let (home, server) = (Home::new(), server(3600));
    login(&home, &server).run();
    for flags in [&[][..], &["--token-file"]] {
        let run = home.oneup().arg("exec").args(flags).args(["--", "sh", "-c", "ls -l /proc/$$/fd"]);
        let seen = run.run().stdout;
        let extra = seen.lines().filter(|line| line.contains("oneup") || line.contains("memfd"));
        assert_eq!(extra.collect::<Vec<_>>(), Vec::<&str>::new());
    }
}
