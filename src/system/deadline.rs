//! One deadline for everything that a token needs (`--timeout`): secret command, lock, store, requests, retries.

use std::time::{Duration, Instant};

/// The moment at which a token must have been obtained.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    /// `None` only where the clock can't represent it.
    at: Option<Instant>,
    timeout: Duration,
}

impl Deadline {
    /// A deadline `timeout` from now.
    pub fn after(timeout: Duration) -> Self {
        Self { at: Instant::now().checked_add(timeout), timeout }
    }

    /// Returns the time left, zero once the deadline has passed.
    pub fn remaining(self) -> Duration {
        self.at.map_or(Duration::MAX, |at| at.saturating_duration_since(Instant::now()))
    }

    /// Whether the deadline has passed.
    pub fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }

    /// The whole time allowed, for messages such as "timed out after 30 s".
    pub fn timeout(self) -> Duration {
        self.timeout
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remaining_ends_at_zero() {
        assert!(Deadline::after(Duration::ZERO).has_passed());
        let deadline = Deadline::after(Duration::from_secs(60));
        assert!(!deadline.has_passed());
        assert!(deadline.remaining() <= deadline.timeout());
        assert!(!Deadline::after(Duration::MAX).has_passed());
    }
}
