//! When a request is sent again, and what `Retry-After` asks for.

use std::time::{Duration, UNIX_EPOCH};

use reqwest::header::HeaderMap;

use super::{HttpResponse, Retry, retry_after};
use crate::error::{Error, Result};
use crate::system::deadline::Deadline;

/// How often a request is sent, the first time included.
const MAX_ATTEMPTS: u32 = 4;

/// The wait before the second attempt; it doubles each time.
const FIRST_BACKOFF: Duration = Duration::from_millis(250);

/// Returns how long to wait before the next attempt, or `None` when this result is final. `attempt` counts from 0.
pub fn backoff(
    result: &Result<(HttpResponse, HeaderMap)>,
    retry: Retry,
    attempt: u32,
    deadline: Deadline,
) -> Option<Duration> {
    if retry == Retry::Never || attempt + 1 >= MAX_ATTEMPTS {
        return None;
    }
    let requested = match result {
        Ok((response, headers)) if is_transient(response.status) => {
            retry_after(headers).map(Duration::from_secs)
        }
        _ => return None,
    };
    let backoff = requested.unwrap_or(FIRST_BACKOFF * 2u32.pow(attempt));
    (backoff < deadline.remaining()).then_some(backoff)
}

/// Returns the response, unless its status is 429 or 5xx.
///
/// # Errors
/// Network, with the time that the server asks to wait.
pub fn require_available(url: &str, response: HttpResponse, headers: &HeaderMap) -> Result<HttpResponse> {
    let status = response.status;
    let message = match status {
        429 => format!("{url}: rate limited (HTTP 429)"),
        500.. => format!("{url}: server error (HTTP {status})"),
        _ => return Ok(response),
    };
    let hint = match retry_after(headers) {
        Some(seconds) => format!("try again in {seconds} s, as the server asks (Retry-After)"),
        None => "try again later; https://status.1up.health shows whether 1up has an outage".into(),
    };
    Err(Error::network(message).with_detail(response.snippet()).with_hint(hint))
}

/// Returns whether a later response may be another one (RFC 9110 §15.6, RFC 6585 §4).
pub fn is_transient(status: u16) -> bool {
    matches!(status, 429 | 502..=504)
}

/// Parses `Retry-After` (RFC 9110 §10.2.3), delta-seconds or an HTTP date, into seconds from `now`; 0 for a date that
/// has passed.
pub fn parse_retry_after(value: &str, now: i64) -> Option<u64> {
    let value = value.trim();
    value
        .parse()
        .ok()
        .or_else(|| parse_http_date(value).map(|at| u64::try_from(at.saturating_sub(now)).unwrap_or(0)))
}

/// Parses an HTTP date in any of its three forms (RFC 9110 §5.6.7) into seconds since the epoch.
pub fn parse_http_date(value: &str) -> Option<i64> {
    let since = httpdate::parse_http_date(value.trim()).ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_seconds_and_dates() {
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
            assert_eq!(parse_retry_after(value, 60), expected, "{value}");
        }
    }
}
