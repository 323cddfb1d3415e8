//! What the tests share: a builder that runs oneup in a home of its own, the sandbox as a server, a server that
//! speaks raw bytes, a browser, and the word for a test that can't run here.
#![allow(dead_code, reason = "each module uses a part")]

mod chromium;
mod documents;
mod raw;
mod run;
mod sandbox;
#[cfg(target_os = "linux")]
pub(crate) mod strace;
mod tally;

#[allow(unused_imports, reason = "each module uses a part")]
pub(crate) use {
    chromium::Chromium,
    documents::{code_after, document},
    raw::{RawServer, raw_server, raw_server_at},
    run::{Home, Oneup, Outcome},
    sandbox::Sandbox,
    tally::{Kind, Tally, size},
};

use std::io::Write;

/// Asks a process to end, which hands that on to its own child.
#[cfg(unix)]
pub(crate) fn terminate(process: &std::process::Child) {
    let sent = std::process::Command::new("kill").arg(process.id().to_string()).status();
    assert!(sent.expect("kill runs").success());
}

/// Whether a real part is here. Where it isn't, says so past libtest's capture; with `ONEUP_REQUIRE_REAL=1`, as
/// in CI, its absence fails the test.
pub(crate) fn requires(part: &str, here: bool) -> bool {
    if !here {
        assert!(std::env::var_os("ONEUP_REQUIRE_REAL").is_none(), "needs {part}, which isn't here");
        let _ = writeln!(std::io::stderr().lock(), "skipped: needs {part}");
    }
    here
}

/// Whether a program is on the PATH, by [`requires`].
pub(crate) fn requires_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    requires(name, std::env::split_paths(&path).any(|dir| dir.join(name).is_file()))
}

/// The value of a variable that names a real part, such as `ONEUP_KEYCLOAK_URL`, by [`requires`].
pub(crate) fn requires_variable(part: &str, name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    requires(part, value.is_some());
    value
}
