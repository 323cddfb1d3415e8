//! Points in time for people and for programs: local, and RFC 3339.

use jiff::{Timestamp, tz::TimeZone};

/// A point in time (seconds since the epoch) by this machine's time zone; one beyond all calendars as its number.
pub fn local(epoch: i64) -> String {
    match Timestamp::from_second(epoch) {
        Ok(at) => at.to_zoned_datetime(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string(),
        Err(_) => format!("{epoch} s after 1970"),
    }
}

/// A point in time as RFC 3339 in UTC; none beyond all calendars.
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
