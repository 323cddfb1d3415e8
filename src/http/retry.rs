//! When a request is sent again, and what is said when it is not.

use std::time::{Duration, Instant, UNIX_EPOCH};

use reqwest::header::HeaderMap;

use super::{HttpResponse, Retry, retry_after};
use crate::error::{Error, Result};

/// Requests in all, the first one included.
const ATTEMPTS: u32 = 4;

/// The pause before the second request; it doubles each time.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How long to wait before the next request; none when this outcome stands.
pub fn wait(
    outcome: &Result<(HttpResponse, HeaderMap)>,
    retry: Retry,
    attempt: u32,
    deadline: Instant,
) -> Option<Duration> {
    if retry == Retry::Never || attempt + 1 >= ATTEMPTS {
        return None;
    }
    let asked = match outcome {
        Ok((answer, headers)) if is_busy(answer.status) => retry_after(headers).map(Duration::from_secs),
        _ => return None,
    };
    let wait = asked.unwrap_or(FIRST_PAUSE * 2u32.pow(attempt));
    Instant::now().checked_add(wait).is_some_and(|then| then < deadline).then_some(wait)
}

/// A busy server is a network failure; every other answer is the caller's to read.
pub fn settled(url: &str, answer: HttpResponse, headers: &HeaderMap) -> Result<HttpResponse> {
    if !is_busy(answer.status) && answer.status < 500 {
        return Ok(answer);
    }
    let what = if answer.status == 429 { "asks for fewer requests" } else { "is failing" };
    let error =
        Error::network(format!("{url} {what} (HTTP {})", answer.status)).with_detail(answer.snippet());
    Err(match retry_after(headers) {
        Some(seconds) => error.with_hint(format!("it asks to wait {seconds} s before the next try")),
        None => error.with_hint("try again later"),
    })
}

fn is_busy(status: u16) -> bool {
    matches!(status, 429 | 502..=504)
}

/// `Retry-After` (RFC 9110 §10.2.3): delta-seconds or an HTTP date; 0 for one that has passed.
pub fn seconds(value: &str, now: i64) -> Option<u64> {
    let value = value.trim();
    value
        .parse()
        .ok()
        .or_else(|| http_date(value).map(|at| u64::try_from(at.saturating_sub(now)).unwrap_or(0)))
}

/// An HTTP date in any of its three forms (RFC 9110 §5.6.7), in seconds since the epoch.
pub fn http_date(value: &str) -> Option<i64> {
    let since = httpdate::parse_http_date(value.trim()).ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        for (value, expected) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("99999999", Some(99_999_999)),
            ("Thu, 01 Jan 1970 00:02:00 GMT", Some(60)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Thursday, 01-Jan-70 00:02:00 GMT", Some(60)),
            ("Thu Jan  1 00:02:00 1970", Some(60)),
            ("soon", None),
            ("-1", None),
            ("", None),
            ("1e9", None),
        ] {
            assert_eq!(seconds(value, 60), expected, "{value}");
        }
    }
}
