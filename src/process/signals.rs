//! Signals sent to oneup, forwarded to the child process that does the work. Windows has none but Ctrl-C, which the
//! console sends to the child itself.

#[cfg(not(unix))]
pub use none::SignalForwarder;
#[cfg(unix)]
pub use unix::SignalForwarder;

#[cfg(not(unix))]
mod none {
    use std::process::Child;

    use crate::error::{Error, Result};

    /// Ignores Ctrl-C: the child decides, and oneup waits for it.
    pub struct SignalForwarder;

    impl SignalForwarder {
        pub fn catch() -> Result<Self> {
            signal_hook::flag::register(signal_hook::consts::SIGINT, std::sync::Arc::default())
                .map(|_| Self)
                .map_err(|error| Error::failure("could not catch signals").with_cause(error))
        }

        pub(crate) fn forward_to(self, _: &Child) -> Self {
            self
        }

        pub(crate) fn wait_for_exit(self, _: &Child) {}
    }
}

#[cfg(unix)]
mod unix;
