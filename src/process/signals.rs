//! Signals sent to oneup, forwarded to the child process that does the work. Windows has none.

#[cfg(not(unix))]
pub use none::SignalForwarder;
#[cfg(unix)]
pub use unix::SignalForwarder;

#[cfg(not(unix))]
mod none {
    use std::process::Child;

    use crate::error::Result;

    /// Does nothing.
    pub struct SignalForwarder;

    impl SignalForwarder {
        pub fn catch() -> Result<Self> {
            Ok(Self)
        }

        pub(crate) fn forward_to(self, _: &Child) -> Self {
            self
        }

        pub(crate) fn wait_for_exit(self, _: &Child) {}
    }
}

#[cfg(unix)]
mod unix;
