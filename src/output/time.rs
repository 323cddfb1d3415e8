//! Points in time: local for users, RFC 3339 for programs.

use jiff::{Timestamp, tz::TimeZone};

/// Formats a point in time (seconds since the epoch) in the local time zone; one that no calendar has as its number.
pub fn local(epoch: i64) -> String {
    match Timestamp::from_second(epoch) {
        Ok(at) => at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string(),
        Err(_) => format!("{epoch} s after 1970"),
    }
}

/// Formats a point in time as RFC 3339 in UTC; `None` for one that no calendar has.
pub fn rfc3339(epoch: i64) -> Option<String> {
    Timestamp::from_second(epoch).ok().map(|at| at.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_times_are_numbers() {
        assert_eq!(local(i64::MAX), format!("{} s after 1970", i64::MAX));
        assert_eq!(rfc3339(i64::MIN), None);
        assert_eq!(rfc3339(60).as_deref(), Some("1970-01-01T00:01:00Z"));
    }
}
