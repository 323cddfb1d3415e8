//! What the tests share: a builder that runs oneup in a home of its own, token endpoints, the sandbox, a server of raw
//! bytes, a browser, and checks for programs that a test needs.
#![allow(dead_code, reason = "each module uses a part")]

mod bulk_server;
mod chromium;
mod documents;
mod fault_report;
mod openbao;
mod raw;
mod run;
mod sandbox;
#[cfg(target_os = "linux")]
pub(crate) mod strace;
mod token_endpoint;

#[allow(unused_imports, reason = "each module uses a part")]
pub(crate) use {
    bulk_server::{BulkRequest, outcome, response},
    chromium::Chromium,
    documents::{code_after, document},
    fault_report::{FaultReport, Kind, size},
    openbao::OpenBao,
    raw::{RawServer, raw_server, raw_server_at},
    run::{Home, Oneup, Outcome},
    sandbox::Sandbox,
    token_endpoint::{CLIENT_SECRET, Fault, TokenEndpoint, TokenEndpointBuilder, client_secret},
};

use std::io::Write;

/// Sends SIGTERM to a process, which forwards it to its own child.
#[cfg(unix)]
pub(crate) fn terminate(process: &std::process::Child) {
    let sent = std::process::Command::new("kill").arg(process.id().to_string()).status();
    assert!(sent.expect("kill runs").success());
}

/// Returns whether something that a test needs is available. If not, prints a line past libtest's capture, and the test
/// returns early; with `ONEUP_REQUIRE_REAL=1`, as in CI, it panics.
pub(crate) fn requires(part: &str, here: bool) -> bool {
    if !here {
        assert!(std::env::var_os("ONEUP_REQUIRE_REAL").is_none(), "needs {part}, which isn't here");
        let _ = writeln!(std::io::stderr().lock(), "skipped: needs {part}");
    }
    here
}

/// Whether a program is on the PATH, as [`requires`] does.
pub(crate) fn requires_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    requires(name, std::env::split_paths(&path).any(|dir| dir.join(name).is_file()))
}

/// The value of a variable that names a server, such as `ONEUP_KEYCLOAK_URL`, as [`requires`] does.
pub(crate) fn requires_variable(part: &str, name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    requires(part, value.is_some());
    value
}
