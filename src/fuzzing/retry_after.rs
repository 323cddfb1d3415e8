//! `Retry-After` and `Date`, as a server or a proxy writes them.

use super::NOW;
use crate::http::retry::{http_date, seconds};

/// The value of the header.
pub fn retry_after(bytes: &[u8]) {
    let value = String::from_utf8_lossy(bytes);
    let asked = seconds(&value, NOW);
    assert_eq!(seconds(&format!(" {value}\t"), NOW), asked, "white space around it means nothing");
    if let Ok(plain) = value.trim().parse::<u64>() {
        assert_eq!(asked, Some(plain));
        return;
    }
    let date = http_date(&value);
    assert_eq!(asked.is_some(), date.is_some());
    let (Some(asked), Some(date)) = (asked, date) else { return };
    assert_eq!(i128::from(asked), (i128::from(date) - i128::from(NOW)).max(0));
    assert!(seconds(&value, NOW + 1).is_some_and(|later| later <= asked));
    assert_eq!(seconds(&value, i64::MAX), Some(0));
    // The form that RFC 9110 §5.6.7 prefers reads as the same moment.
    let Ok(at) = jiff::Timestamp::from_second(date) else { return };
    let fixed = at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    assert_eq!(http_date(&fixed), Some(date), "{fixed}");
}
