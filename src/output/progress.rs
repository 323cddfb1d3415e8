//! What a command waits for, on stderr: drawn once, and only on a terminal whose cursor can go back. Nothing moves while it
//! waits, since a screen reader would read each change aloud.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError::Timeout, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::context::{Context, nonempty};

/// What takes less time than this is not shown.
const SHOW_AFTER: Duration = Duration::from_millis(300);

/// Whether the terminal understands no escape sequences.
pub fn is_dumb() -> bool {
    nonempty("TERM").is_some_and(|term| term == "dumb")
}

/// A line that says what a command waits for, from 300 ms after its start until it is dropped. It is drawn with carriage
/// returns and spaces only, no escape sequences.
pub struct WaitNotice(Option<(Sender<()>, JoinHandle<()>)>);

impl WaitNotice {
    /// Starts the wait for a task, in ASCII. Nothing is shown with `--quiet`, `--verbose` or `TERM=dumb`, or off a terminal.
    pub fn start(context: &Context, task: &'static str) -> Self {
        let is_shown = !context.quiet && !context.verbose && !is_dumb() && std::io::stderr().is_terminal();
        if !is_shown {
            return Self(None);
        }
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            if stopped.recv_timeout(SHOW_AFTER) == Err(Timeout) {
                // A terminal that was closed is no failure of the command.
                let _ = write!(std::io::stderr(), "{task} ...");
                let _ = stopped.recv();
                let _ = write!(std::io::stderr(), "\r{:width$}\r", "", width = task.len() + 4);
            }
        });
        Self(Some((stop, thread)))
    }
}

impl Drop for WaitNotice {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.0.take() {
            drop(stop);
            let _ = thread.join();
        }
    }
}
