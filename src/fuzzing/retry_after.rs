//! `Retry-After` and `Date`, as a server or a proxy writes them.

use super::NOW;
use crate::http::retry::{parse_http_date, parse_retry_after};

/// The value of the header.
pub fn retry_after(bytes: &[u8]) {
    let value = String::from_utf8_lossy(bytes);
    let requested = parse_retry_after(&value, NOW);
    assert_eq!(
        parse_retry_after(&format!(" {value}\t"), NOW),
        requested,
        "surrounding whitespace is ignored"
    );
    if let Ok(plain) = value.trim().parse::<u64>() {
        assert_eq!(requested, Some(plain));
        return;
    }
    let date = parse_http_date(&value);
    assert_eq!(requested.is_some(), date.is_some());
    let (Some(requested), Some(date)) = (requested, date) else { return };
    assert_eq!(i128::from(requested), (i128::from(date) - i128::from(NOW)).max(0));
    assert!(parse_retry_after(&value, NOW + 1).is_some_and(|later| later <= requested));
    assert_eq!(parse_retry_after(&value, i64::MAX), Some(0));
    // The form that RFC 9110 §5.6.7 prefers parses to the same time.
    let Ok(at) = jiff::Timestamp::from_second(date) else { return };
    let fixed = at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    assert_eq!(parse_http_date(&fixed), Some(date), "{fixed}");
}
