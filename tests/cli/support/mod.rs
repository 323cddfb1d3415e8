//! The tests' fixtures: a builder that runs oneup in a home of its own, token endpoints, the sandbox, a server of raw bytes,
//! a browser; and checks for programs that a test needs.
#![allow(dead_code, reason = "each module uses a part")]

mod bulk_server;
mod chromium;
mod client_keys;
mod documents;
mod fault_report;
mod home;
mod http;
mod jwt;
mod keycloak;
mod openbao;
mod raw;
mod run;
mod sandbox;
#[cfg(target_os = "linux")]
pub(crate) mod strace;
mod token_endpoint;

#[allow(unused_imports, reason = "each module uses a part")]
pub(crate) use {
    bulk_server::outcome,
    chromium::Chromium,
    client_keys::{JWT_CLIENT, client_key},
    documents::{code_after, document},
    fault_report::{FaultReport, Kind, size},
    home::Home,
    http::{Request, gzip, html_response, json_response, oauth_error, redirect, response, text_response},
    jwt::{base64url, jwt},
    keycloak::{KEYCLOAK_SCOPE, KEYCLOAK_SECRET, keycloak},
    openbao::OpenBao,
    raw::RawServer,
    run::{CLIENT_SECRET, Oneup, Outcome},
    sandbox::Sandbox,
    token_endpoint::{Fault, TokenEndpoint, TokenEndpointBuilder, client_secret},
};

use std::ffi::OsString;
use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

/// Sends a signal to a process.
#[cfg(unix)]
pub(crate) fn send_signal(process: &std::process::Child, signal: &str) {
    let (signal, id) = (format!("-{signal}"), process.id().to_string());
    let status = std::process::Command::new("kill").args([signal, id]).status();
    assert!(status.expect("kill runs").success());
}

/// Waits until this is so; panics after a minute.
#[track_caller]
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(60), "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Waits for a file to have a whole line, and returns its text.
#[track_caller]
pub(crate) fn wait_for_line(file: &Path) -> String {
    let read = || std::fs::read_to_string(file).unwrap_or_default();
    wait_until(&format!("a line in {}", file.display()), || read().ends_with('\n'));
    read()
}

/// Sets the mode of a file, where files have one.
pub(crate) fn set_mode(path: &Path, mode: u32) {
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).expect("chmod");
    #[cfg(not(unix))]
    let _ = (path, mode);
}

/// The mode of a file, without its type.
#[cfg(unix)]
pub(crate) fn mode(path: &Path) -> u32 {
    std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(path).expect("metadata")) & 0o777
}

/// Whether the tests run as root.
#[cfg(unix)]
pub(crate) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0)
}

/// An address of loopback at which nothing listens.
pub(crate) fn unused_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

/// A port of loopback that is in use until the listener is dropped.
pub(crate) fn used_port() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    (listener, port)
}

/// PATH with the program that was built in front.
pub(crate) fn path_with_oneup() -> OsString {
    let dir = Path::new(env!("CARGO_BIN_EXE_oneup")).parent().expect("a directory").to_owned();
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths(std::iter::once(dir).chain(std::env::split_paths(&path))).expect("a PATH")
}

/// Returns whether something that a test needs is available. If not, prints a line past libtest's capture, and the test
/// returns early; with `ONEUP_REQUIRE_REAL=1`, as in CI, it panics.
pub(crate) fn requires(part: &str, here: bool) -> bool {
    if !here {
        assert!(std::env::var_os("ONEUP_REQUIRE_REAL").is_none(), "needs {part}, which isn't here");
        print_skipped(part);
    }
    here
}

/// Whether a program is on the PATH, as [`requires`] does.
pub(crate) fn requires_program(name: &str) -> bool {
    requires(name, is_on_path(name))
}

/// Whether a program is on the PATH. If not, prints that the test is skipped, in CI too: for one that CI can't install.
pub(crate) fn has_program(name: &str) -> bool {
    if !is_on_path(name) {
        print_skipped(name);
    }
    is_on_path(name)
}

fn is_on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(name).is_file())
}

fn print_skipped(part: &str) {
    let _ = writeln!(std::io::stderr().lock(), "skipped: needs {part}");
}

/// The value of a variable that names a server, such as `ONEUP_KEYCLOAK_URL`, as [`requires`] does.
pub(crate) fn requires_variable(part: &str, name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    requires(part, value.is_some());
    value
}
