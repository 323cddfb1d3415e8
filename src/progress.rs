//! Work that takes time says so: a spinner on stderr, only on a terminal, only when it takes long.

use std::io::IsTerminal;
use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::ProgressBar;

use crate::context::Context;

/// What takes less than this needs no word.
const PATIENCE: Duration = Duration::from_millis(300);

/// A spinner from 300 ms after its start until it is dropped.
pub struct Spinner(Option<(Sender<()>, JoinHandle<()>)>);

impl Spinner {
    /// Starts to wait. Nothing appears with `--quiet`, with `--verbose`, or off a terminal.
    pub fn start(context: &Context, doing: &'static str) -> Self {
        if context.quiet || context.verbose || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let (stop, stopped) = mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            if stopped.recv_timeout(PATIENCE) != Err(mpsc::RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::new_spinner().with_message(doing);
            bar.enable_steady_tick(Duration::from_millis(100));
            let _ = stopped.recv();
            bar.finish_and_clear();
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
