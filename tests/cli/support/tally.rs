//! What the hostile suite tried and what was lost: a line for each test, which `tests/run-fault-injection` makes a table of.

use std::io::Write;

/// What was done to oneup.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// Something wrong was said to it.
    Input,
    /// Something failed under it.
    Fault,
    /// Many came at once, or for long.
    Load,
}

/// Counts as the test goes. Dropped, it reports; anything lost fails the test then.
pub(crate) struct Tally {
    kind: Kind,
    what: &'static str,
    tried: usize,
    lost: Vec<String>,
}

impl Tally {
    /// Nothing tried yet; `what` is the row's name.
    pub(crate) fn new(kind: Kind, what: &'static str) -> Self {
        Self { kind, what, tried: 0, lost: Vec::new() }
    }

    /// So many more were tried.
    pub(crate) fn tried(&mut self, count: usize) {
        self.tried += count;
    }

    /// Something was lost: what, and how.
    pub(crate) fn lost(&mut self, what: impl Into<String>) {
        self.lost.push(what.into());
    }
}

impl Drop for Tally {
    fn drop(&mut self) {
        let kind = ["input", "fault", "load"][self.kind as usize];
        let lost = self.lost.len() + usize::from(std::thread::panicking());
        if let Some(file) = std::env::var_os("ONEUP_TALLY") {
            let line = format!("{kind}\t{}\t{}\t{lost}\n", self.what, self.tried);
            let file = std::fs::File::options().append(true).create(true).open(file);
            file.and_then(|mut file| file.write_all(line.as_bytes())).expect("ONEUP_TALLY can be written");
        }
        if !std::thread::panicking() {
            assert!(self.lost.is_empty(), "{} of {} lost:\n{}", lost, self.tried, self.lost.join("\n"));
            assert!(self.tried > 0, "{}: nothing was tried", self.what);
        }
    }
}

/// The size of a test: quick within `cargo test`, full within `tests/run-fault-injection`, which sets `ONEUP_FULL_SIZE`.
pub(crate) fn size<T>(quick: T, full: T) -> T {
    if std::env::var_os("ONEUP_FULL_SIZE").is_some() { full } else { quick }
}
