//! The signals of Unix.

use std::process::Child;
use std::thread::JoinHandle;

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, getpid, kill_process, waitid};
use signal_hook::consts::{
    SIGABRT, SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGSYS, SIGTERM, SIGTRAP, SIGTSTP,
    SIGURG, SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH, SIGXCPU, SIGXFSZ,
};
use signal_hook::iterator::{Handle, Signals};

use crate::error::{Error, Result};
use crate::system::terminal::is_in_foreground;

/// Every signal that can be caught and forwarded. Not among them: faults of oneup itself (SIGSEGV, SIGBUS, …), SIGPIPE
/// (which Rust ignores), SIGCHLD, and the terminal's SIGTTIN and SIGTTOU.
const FORWARDED: [i32; 19] = [
    SIGABRT, SIGALRM, SIGCONT, SIGHUP, SIGINT, SIGIO, SIGPROF, SIGQUIT, SIGSYS, SIGTERM, SIGTRAP, SIGTSTP,
    SIGURG, SIGUSR1, SIGUSR2, SIGVTALRM, SIGWINCH, SIGXCPU, SIGXFSZ,
];
/// SIGPWR, SIGSTKFLT and the real-time signals, which end a process that does not catch them.
#[cfg(target_os = "linux")]
const FORWARDED_ON_LINUX: std::ops::RangeInclusive<i32> = 34..=64;

/// Signals that are caught until there is a child to forward them to.
pub struct SignalForwarder(Signals);

/// The thread that forwards the signals.
pub(crate) struct ForwardingThread {
    handle: Handle,
    thread: JoinHandle<()>,
}

impl SignalForwarder {
    /// Catches the signals from now on. Those that were ignored stay ignored, for `nohup`.
    ///
    /// # Errors
    /// Failure: the operating system's.
    pub fn catch() -> Result<Self> {
        let ignored = ignored_signals();
        let is_caught = |number: &i32| ignored >> (number - 1) & 1 == 0;
        let signals = Signals::new(FORWARDED.into_iter().filter(is_caught))
            .map_err(|error| Error::failure("could not catch signals").with_cause(error))?;
        #[cfg(target_os = "linux")]
        for number in [16, 30].into_iter().chain(FORWARDED_ON_LINUX).filter(is_caught) {
            // The C library reserves some real-time signals.
            let _ = signals.add_signal(number);
        }
        Ok(Self(signals))
    }

    pub(crate) fn forward_to(mut self, child: &Child) -> ForwardingThread {
        let handle = self.0.handle();
        let pid = Pid::from_child(child);
        let thread = std::thread::spawn(move || self.0.forever().for_each(|number| forward(number, pid)));
        ForwardingThread { handle, thread }
    }
}

/// Returns the signals that this process ignores, as a bit mask: bit 0 is signal 1.
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

fn forward(number: i32, pid: Pid) {
    // A terminal sends the signals of its keys to the child, too.
    if !(matches!(number, SIGINT | SIGQUIT | SIGTSTP | SIGWINCH) && is_in_foreground()) {
        match Signal::from_named_raw(number) {
            Some(signal) => {
                let _ = kill_process(pid, signal);
            }
            // A real-time signal, for which there is no safe function.
            None => {
                let script = format!("kill -{number} {}", pid.as_raw_nonzero());
                let _ = crate::process::command("sh".as_ref()).args(["-c", &script]).status();
            }
        }
    }
}

impl ForwardingThread {
    /// Waits until the child exits, without reaping it: its process ID can't become another process's while signals are
    /// forwarded. Stops when the child stops, so that the shell takes the terminal; SIGCONT is forwarded.
    pub(crate) fn wait_for_exit(self, child: &Child) {
        let wait = |options| waitid(WaitId::Pid(Pid::from_child(child)), options);
        loop {
            match wait(WaitIdOptions::EXITED | WaitIdOptions::STOPPED | WaitIdOptions::NOWAIT) {
                Ok(Some(status)) if status.stopped() => {
                    // Without this, the same stop would be reported again.
                    let _ = wait(WaitIdOptions::STOPPED | WaitIdOptions::NOHANG);
                    let _ = kill_process(getpid(), Signal::STOP);
                }
                Err(rustix::io::Errno::INTR) => {}
                _ => break,
            }
        }
        self.handle.close();
        let _ = self.thread.join();
    }
}
