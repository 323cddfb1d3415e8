//! What a test with many cases tried and what failed: a line for each test, which `tests/run-fault-injection` makes a table of.

use std::io::Write;

use super::Outcome;

/// What a test tries.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Wrong input.
    Input,
    /// A failure of the system, the network or a server.
    Fault,
    /// Many processes, or a long time.
    Load,
}

/// Counts what a test tries, and collects what fails. [`finish`](Self::finish) ends the test.
#[must_use]
pub(crate) struct FaultReport {
    kind: Kind,
    row: &'static str,
    tried: usize,
    failures: Vec<String>,
}

impl FaultReport {
    /// Nothing tried yet; `row` is the table's row.
    pub(crate) fn new(kind: Kind, row: &'static str) -> Self {
        Self { kind, row, tried: 0, failures: Vec::new() }
    }

    /// This many more were tried.
    pub(crate) fn tried(&mut self, count: usize) {
        self.tried += count;
    }

    /// One of them failed: which, and how.
    pub(crate) fn failed(&mut self, what: impl Into<String>) {
        self.failures.push(what.into());
    }

    /// One was tried, and failed unless `is_good`: which, and what oneup did.
    pub(crate) fn check(&mut self, is_good: bool, what: impl std::fmt::Display, outcome: &Outcome) {
        self.tried(1);
        if !is_good {
            self.failed(format!("{what}: {outcome}"));
        }
    }

    /// Writes the row to the file `ONEUP_FAULT_REPORT`, if set; panics if anything failed, or nothing was tried.
    #[track_caller]
    pub(crate) fn finish(self) {
        let kind = ["input", "fault", "load"][self.kind as usize];
        let failed = self.failures.len();
        if let Some(file) = std::env::var_os("ONEUP_FAULT_REPORT") {
            let line = format!("{kind}\t{}\t{}\t{failed}\n", self.row, self.tried);
            let file = std::fs::File::options().append(true).create(true).open(file);
            file.and_then(|mut file| file.write_all(line.as_bytes())).expect("a writable report");
        }
        assert!(failed == 0, "{failed} of {} failed:\n{}", self.tried, self.failures.join("\n"));
        assert!(self.tried > 0, "{}: nothing was tried", self.row);
    }
}

/// The size of a test: quick within `cargo test`, full within `tests/run-fault-injection`, which sets `ONEUP_FULL_SIZE`.
pub(crate) fn size<T>(quick: T, full: T) -> T {
    if std::env::var_os("ONEUP_FULL_SIZE").is_some() { full } else { quick }
}
