//! The right of one machine to request the next token, and the wait of the others.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::store::{Refresh, StoredCredentials};
use crate::system::deadline::Deadline;

/// The longest time that a claim counts. At `--timeout` 30, a machine that waits for one that died has half of it left.
const MAX_CLAIM: Duration = Duration::from_secs(15);

/// The wait before an item with a claim is read again; it doubles up to the longest.
const FIRST_POLL_INTERVAL: Duration = Duration::from_millis(100);
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The right to request the next token.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Claim {
    /// Random: tells a machine its own claim.
    id: String,
    /// How long it counts.
    pub(super) seconds: u64,
}

impl Claim {
    pub(super) fn new(deadline: Deadline) -> Result<Self> {
        let mut bytes = [0; 16];
        aws_lc_rs::rand::fill(&mut bytes)
            .map_err(|_| Error::failure("the system has no source of randomness"))?;
        let seconds = (deadline.remaining() / 2).min(MAX_CLAIM).as_secs().max(1);
        Ok(Self { id: crate::text::hex(&bytes), seconds })
    }

    /// What the machine that has the claim may do, and until when.
    pub(super) fn grant(&self, credentials: StoredCredentials) -> Refresh {
        let deadline = Deadline::after(Duration::from_secs(self.seconds));
        Refresh { credentials, deadline, is_claimed: true }
    }
}

/// The wait for another machine's claim.
pub(super) struct Wait {
    /// The version that has the claim, and when it was first read.
    pub(super) seen: Option<(u64, Instant)>,
    interval: Duration,
}

impl Default for Wait {
    fn default() -> Self {
        Self { seen: None, interval: FIRST_POLL_INTERVAL }
    }
}

impl Wait {
    pub(super) fn has_begun(&self) -> bool {
        self.seen.is_some()
    }

    /// Whether the claim has ended: by the server's clock, or since it was first read.
    pub(super) fn is_over(&mut self, version: u64, age: Option<i64>, seconds: u64) -> bool {
        let first_read = match self.seen {
            Some((seen, at)) if seen == version => at,
            _ => {
                let now = Instant::now();
                self.seen = Some((version, now));
                now
            }
        };
        // The server's times are whole seconds.
        let is_old = age.is_some_and(|age| u64::try_from(age).is_ok_and(|age| age > seconds + 1));
        is_old || first_read.elapsed() >= Duration::from_secs(seconds + 1)
    }

    /// Sleeps, not always equally long, so that many machines don't read at the same moments.
    pub(super) fn pause(&mut self, deadline: Deadline) -> Result<(), ()> {
        if deadline.has_passed() {
            return Err(());
        }
        let mut byte = [0];
        let _ = aws_lc_rs::rand::fill(&mut byte);
        let jitter = self.interval.mul_f64(f64::from(byte[0]) / 512.0);
        std::thread::sleep((self.interval + jitter).min(deadline.remaining()));
        self.interval = (self.interval * 2).min(MAX_POLL_INTERVAL);
        Ok(())
    }
}
