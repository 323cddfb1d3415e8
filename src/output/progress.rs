//! Progress on stderr: one line that is drawn over, and only on a terminal whose cursor can go back.

use std::cell::Cell;
use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError::Timeout, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::context::{Context, nonempty};

/// What takes less time than this shows no progress.
const SHOW_AFTER: Duration = Duration::from_millis(300);

/// How long each frame of a spinner is shown.
const FRAME_INTERVAL: Duration = Duration::from_millis(100);

/// The line at the cursor; cleared when dropped. It is drawn with carriage returns and spaces only, no escape sequences.
pub struct StatusLine {
    is_visible: bool,
    width: Cell<usize>,
}

impl StatusLine {
    /// Draws nothing yet; never draws with `quiet`, with `TERM=dumb`, or where stderr is not a terminal.
    pub fn new(quiet: bool) -> Self {
        Self { is_visible: !quiet && !is_dumb() && std::io::stderr().is_terminal(), width: Cell::new(0) }
    }

    /// Shows this ASCII text instead of the text before.
    pub fn draw(&self, text: &str) {
        if self.is_visible {
            let width = self.width.replace(text.len());
            // A terminal that was closed is no failure of the command.
            let _ = write!(std::io::stderr(), "\r{text:width$}");
        }
    }

    /// Removes the line, so that other text can be printed.
    pub fn clear(&self) {
        if self.width.get() > 0 {
            self.draw("");
            // The spaces left the cursor at the end of the line.
            self.draw("");
        }
    }
}

impl Drop for StatusLine {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Whether the terminal understands no escape sequences.
pub fn is_dumb() -> bool {
    nonempty("TERM").is_some_and(|term| term == "dumb")
}

/// A spinner, shown from 300 ms after its start until it is dropped.
pub struct Spinner(Option<(Sender<()>, JoinHandle<()>)>);

impl Spinner {
    /// Starts the spinner. It is not shown with `--quiet` or `--verbose`, or off a terminal.
    pub fn start(context: &Context, task: &'static str) -> Self {
        let line = StatusLine::new(context.quiet || context.verbose);
        if !line.is_visible {
            return Self(None);
        }
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            let mut timeout = SHOW_AFTER;
            for frame in ['-', '\\', '|', '/'].into_iter().cycle() {
                if stopped.recv_timeout(timeout) != Err(Timeout) {
                    return;
                }
                line.draw(&format!("{frame} {task}"));
                timeout = FRAME_INTERVAL;
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
