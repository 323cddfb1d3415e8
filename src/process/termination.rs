//! Waiting for the signal that ends a server in the foreground.

use std::io;

use signal_hook::consts::{SIGINT, SIGTERM};

/// SIGINT and SIGTERM, which no longer end the process by themselves.
pub struct TerminationSignals(imp::Signals);

impl TerminationSignals {
    /// Catches the signals from now on.
    ///
    /// # Errors
    /// The operating system's.
    pub fn catch() -> io::Result<Self> {
        imp::catch().map(Self)
    }

    /// Waits for the next of them and returns its number.
    pub fn wait(&mut self) -> i32 {
        imp::wait(&mut self.0)
    }
}

#[cfg(unix)]
mod imp {
    use super::{SIGINT, SIGTERM, io};

    pub(super) type Signals = signal_hook::iterator::Signals;

    pub(super) fn catch() -> io::Result<Signals> {
        Signals::new([SIGINT, SIGTERM])
    }

    pub(super) fn wait(signals: &mut Signals) -> i32 {
        signals.forever().next().unwrap_or(SIGINT)
    }
}

/// Windows has no signals to wait for: the C library's handler sets a flag.
#[cfg(not(unix))]
mod imp {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use super::{SIGINT, SIGTERM, io};

    const POLL_INTERVAL: Duration = Duration::from_millis(100);

    pub(super) type Signals = Arc<AtomicUsize>;

    pub(super) fn catch() -> io::Result<Signals> {
        let received = Signals::default();
        for signal in [SIGINT, SIGTERM] {
            let number = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&received), number)?;
        }
        Ok(received)
    }

    pub(super) fn wait(received: &mut Signals) -> i32 {
        loop {
            match received.swap(0, Ordering::Relaxed) {
                0 => std::thread::sleep(POLL_INTERVAL),
                number => return i32::try_from(number).unwrap_or(SIGINT),
            }
        }
    }
}
