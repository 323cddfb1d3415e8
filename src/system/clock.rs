//! The wall clock, read in one place; everywhere else the time is an argument.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the time in seconds since the epoch; negative before 1970, on a machine that lost its clock.
pub fn now() -> i64 {
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(elapsed) => i64::try_from(elapsed.as_secs()).unwrap_or(i64::MAX),
        Err(error) => -i64::try_from(error.duration().as_secs()).unwrap_or(i64::MAX),
    }
}
