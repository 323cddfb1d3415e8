//! Where a secret must never be seen: any process's argument list, a child's environment, a trace, a wider file.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use crate::support::{Home, RawServer, raw_server, requires_program};

const SECRET: &str = "s3cr3t-seen-nowhere";
const TOKEN: &str = "t0ken-seen-nowhere";

/// A token endpoint slow enough to look around meanwhile; every other path says hello.
fn server() -> RawServer {
    raw_server(|_, request, _| {
        thread::sleep(Duration::from_millis(400));
        let token = format!(r#"{{"access_token":"{TOKEN}","token_type":"Bearer","expires_in":3600}}"#);
        let body = if request.starts_with("POST") { token } else { r#"{"hello":"there"}"#.into() };
        RawServer::answer("200 OK", "application/json", &body)
    })
}

/// What a file of `/proc/PID` holds, of each process that is there; processes come and go.
fn of_all_processes(file: &str) -> Vec<(String, String)> {
    let processes = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    processes
        .filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|entry| {
            let text = fs::read(entry.path().join(file)).ok()?;
            Some((entry.path().display().to_string(), String::from_utf8_lossy(&text).into_owned()))
        })
        .collect()
}

/// Looks at every argument list until the child ends; it must have been seen at least once.
fn watch(mut child: std::process::Child, name: &str) {
    let mut looks = 0;
    while child.try_wait().expect("it is ours").is_none() {
        for (process, line) in of_all_processes("cmdline") {
            assert!(!line.contains(SECRET) && !line.contains(TOKEN), "{process}: {line}");
            looks += usize::from(line.contains(name));
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert!(looks > 0, "{name} was never seen");
    let output = child.wait_with_output().expect("it ended");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn login(home: &Home, server: &RawServer) -> crate::support::Oneup {
    home.oneup()
        .args(["login", "provider", "--client-id", "c", "--token-url"])
        .arg(format!("{}/auth/token", server.url()))
        .args(["--fhir-base", &format!("{}/r4", server.url())])
}

#[test]
fn no_argument_list_ever_holds_a_secret() {
    let (home, server) = (Home::new(), server());
    let file = home.write("secret", SECRET);
    watch(login(&home, &server).arg("--client-secret-file").arg(&file).spawn(), "login\0provider");
    watch(login(&home, &server).env("ONEUP_CLIENT_SECRET", SECRET).spawn(), "login\0provider");
    let command = format!("cat {}", file.display());
    watch(login(&home, &server).args(["--client-secret-command", &command]).spawn(), "login\0provider");
    watch(home.oneup().args(["exec", "--", "sleep", "0.3"]).spawn(), "sleep\x000.3");
    if requires_program("curl") {
        watch(home.oneup().args(["curl", "-sS", "/Patient"]).spawn(), "curl\0");
        assert!(server.requests().last().expect("a request").contains(&format!("Bearer {TOKEN}")));
    }
}

#[test]
fn a_child_gets_the_token_it_was_promised_and_no_client_secret() {
    let (home, server) = (Home::new(), server());
    login(&home, &server).env("ONEUP_CLIENT_SECRET", SECRET).run();
    home.oneup()
        .args(["exec", "--var", "BEARER", "--", "env"])
        .env("ONEUP_CLIENT_SECRET", SECRET)
        .stdout_has(format!("BEARER={TOKEN}\n"))
        .never(SECRET)
        .run();
}

#[test]
fn verbose_shows_the_exchange_and_no_secret() {
    let (home, server) = (Home::new(), server());
    login(&home, &server)
        .arg("-v")
        .env("ONEUP_CLIENT_SECRET", SECRET)
        .stderr_has("client_secret=***")
        .stderr_has("access_token: ***")
        .never(SECRET)
        .never(TOKEN)
        .run();
}

/// strace shows every byte that leaves the process: to the server, to the store, and nowhere else.
#[test]
fn the_secret_is_written_to_the_server_and_the_store_alone() {
    if !requires_program("strace") {
        return;
    }
    let (home, server) = (Home::new(), server());
    let file = home.write("secret", SECRET);
    let trace = home.path("trace");
    let status = Command::new("strace")
        .args(["-f", "-y", "-s", "65536", "-e", "trace=execve,write,writev,sendto,openat,open,creat", "-o"])
        .arg(&trace)
        .arg(env!("CARGO_BIN_EXE_oneup"))
        .args(["login", "provider", "--client-id", "c", "--store", "file", "--token-url"])
        .arg(format!("{}/auth/token", server.url()))
        .arg("--client-secret-file")
        .arg(&file)
        .env("HOME", home.path(""))
        .env("ONEUP_CONFIG_DIR", home.config())
        .env("ONEUP_STATE_DIR", home.state())
        .env("ONEUP_NO_CACHE", "1")
        .stderr(std::process::Stdio::null())
        .status();
    assert!(status.expect("strace runs").success());
    let trace = fs::read_to_string(trace).expect("a trace");
    let secrets = home.state().join("secrets");
    let holders: Vec<&str> = trace.lines().filter(|line| line.contains(SECRET)).collect();
    let is_socket = |line: &&&str| line.contains("<socket:") || line.contains("<TCP:");
    let is_store = |line: &&&str| line.contains(&format!("<{}", secrets.display()));
    assert_eq!(holders.iter().filter(is_socket).count(), 1, "{holders:#?}");
    assert_eq!(holders.iter().filter(is_store).count(), 1, "{holders:#?}");
    assert_eq!(holders.len(), 2, "{holders:#?}");
    for line in trace.lines().filter(|line| line.contains("O_CREAT") && in_home(line, home.path(""))) {
        assert!(line.contains("0600"), "{line}");
    }
}

fn in_home(line: &str, home: impl AsRef<Path>) -> bool {
    line.contains(&home.as_ref().display().to_string())
}
