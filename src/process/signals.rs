//! The signals that ask oneup to stop, handed on to the child that does the work.

use std::io::IsTerminal;
use std::process::Child;
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};

use crate::error::{Error, Result};

/// Signals that are caught and wait for a child.
pub(super) struct SignalForwarder(Signals);

/// A thread that hands the signals on.
pub(super) struct Running {
    handle: Handle,
    thread: JoinHandle<()>,
}

impl SignalForwarder {
    pub(super) fn catch() -> Result<Self> {
        Signals::new([SIGHUP, SIGINT, SIGQUIT, SIGTERM])
            .map(Self)
            .map_err(|error| Error::failure("can't catch signals").with_cause(error))
    }

    pub(super) fn to(mut self, child: &Child) -> Running {
        let handle = self.0.handle();
        let pid = Pid::from_child(child);
        let thread = std::thread::spawn(move || {
            for number in self.0.forever() {
                // The keys of a terminal reach the child without us.
                if matches!(number, SIGINT | SIGQUIT) && in_foreground() {
                    continue;
                }
                if let Some(signal) = Signal::from_named_raw(number) {
                    let _ = rustix::process::kill_process(pid, signal);
                }
            }
        });
        Running { handle, thread }
    }
}

impl Running {
    /// Waits for the child's end without reaping it, so that its number can't belong to another process while
    /// signals are still handed on.
    pub(super) fn until_exit(self, child: &Child) {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(rustix::io::Errno::INTR) =
            rustix::process::waitid(WaitId::Pid(Pid::from_child(child)), options)
        {}
        self.handle.close();
        let _ = self.thread.join();
    }
}

/// Whether we share the foreground of the terminal with the child.
fn in_foreground() -> bool {
    let own = rustix::process::getpgrp();
    let here = |terminal: bool, group: rustix::io::Result<Pid>| terminal && group == Ok(own);
    let (stdin, stderr) = (std::io::stdin(), std::io::stderr());
    here(stdin.is_terminal(), rustix::termios::tcgetpgrp(&stdin))
        || here(stderr.is_terminal(), rustix::termios::tcgetpgrp(&stderr))
}
