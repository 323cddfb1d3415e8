//! The wall clock, asked in one place; everywhere else time is an argument.

use std::time::{SystemTime, UNIX_EPOCH};

/// Now, in seconds since the epoch; negative before 1970, on a machine that lost its clock.
pub fn now() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_secs()).unwrap_or(i64::MAX),
    }
}
