//! Work that takes time says so: one line on stderr that is drawn over, and only where a terminal can.

use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError::Timeout, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::context::{Context, nonempty};

/// What takes less than this needs no word.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long each frame of a spinner is seen.
const FRAME: Duration = Duration::from_millis(100);

/// The line that the cursor stands in; cleared when dropped. Plain characters alone: colour may be off, and what
/// else a terminal understands is its own affair.
pub struct Line {
    visible: bool,
    width: Cell<usize>,
}

impl Line {
    /// Draws nothing yet; never draws with `quiet`, or where stderr is no terminal whose cursor can go back.
    pub fn new(quiet: bool) -> Self {
        let dumb = nonempty("TERM").is_some_and(|term| term == "dumb");
        Self { visible: !quiet && !dumb && std::io::stderr().is_terminal(), width: Cell::new(0) }
    }

    /// Shows this ASCII text instead of what was shown before.
    pub fn draw(&self, text: &str) {
        if self.visible {
            let before = self.width.replace(text.len());
            // A terminal that has gone away is no failure of the work.
            let _ = write!(std::io::stderr(), "\r{text:before$}");
        }
    }

    /// Makes room for what stays.
    pub fn clear(&self) {
        self.draw("");
        // The blanks left the cursor where the text ended.
        self.draw("");
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.clear();
    }
}

/// A spinner from 300 ms after its start until it is dropped.
pub struct Spinner(Option<(Sender<()>, JoinHandle<()>)>);

impl Spinner {
    /// Starts to wait. Nothing appears with `--quiet`, with `--verbose`, or off a terminal.
    pub fn start(context: &Context, doing: &'static str) -> Self {
        let line = Line::new(context.quiet || context.verbose);
        if !line.visible {
            return Self(None);
        }
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let mut wait = PATIENCE;
            for frame in ['-', '\\', '|', '/'].into_iter().cycle() {
                if stopped.recv_timeout(wait) != Err(Timeout) {
                    return;
                }
                line.draw(&format!("{frame} {doing}"));
                wait = FRAME;
            }
        });
        Self(Some((stop, thread)))
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}
