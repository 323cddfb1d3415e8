//! The head of an HTTP/1 request (RFC 9112 §3, §5), read with limits on its size and its time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The longest request line and headers, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// The most headers.
const MAX_HEADERS: usize = 128;
/// How long a response may take to be written.
const WRITE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the rest of a request is read before the connection is closed.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

/// What the listener needs of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RequestHead {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Without its `?`.
    pub(crate) query: String,
    /// In lower case.
    pub(crate) host: String,
}

/// Why there is no head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum HeadError {
    /// It exceeds [`MAX_HEAD_BYTES`] or [`MAX_HEADERS`].
    TooLarge,
    /// It isn't HTTP/1, or does not have exactly one Host.
    Malformed,
    /// It was not complete in time, or the connection was closed without one.
    TimedOut,
}

/// Reads a head. The deadline is for the whole head: a byte now and then doesn't extend it.
pub(super) fn read(stream: &mut TcpStream, deadline: Instant) -> Result<RequestHead, HeadError> {
    let mut bytes = Vec::with_capacity(2048);
    let mut chunk = [0; 4096];
    loop {
        set_read_deadline(stream, deadline).map_err(|_| HeadError::TimedOut)?;
        let count = match stream.read(&mut chunk) {
            Ok(0) if bytes.is_empty() => return Err(HeadError::TimedOut),
            Ok(0) => return Err(HeadError::Malformed),
            Ok(count) => count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return Err(HeadError::TimedOut),
        };
        bytes.extend_from_slice(&chunk[..count]);
        if let Some(result) = poll_head(&bytes) {
            return result;
        }
    }
}

/// Parses the bytes received so far; returns `None` while the head is incomplete.
pub(crate) fn poll_head(bytes: &[u8]) -> Option<Result<RequestHead, HeadError>> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(&bytes[..bytes.len().min(MAX_HEAD_BYTES)]) {
        Ok(httparse::Status::Complete(_)) => Some(RequestHead::new(&request).ok_or(HeadError::Malformed)),
        Ok(httparse::Status::Partial) if bytes.len() > MAX_HEAD_BYTES => Some(Err(HeadError::TooLarge)),
        Ok(httparse::Status::Partial) => None,
        Err(httparse::Error::TooManyHeaders) => Some(Err(HeadError::TooLarge)),
        Err(_) => Some(Err(HeadError::Malformed)),
    }
}

impl RequestHead {
    fn new(request: &httparse::Request) -> Option<Self> {
        let target = request.path.filter(|target| target.starts_with('/'))?;
        let mut hosts = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("host"));
        let host = std::str::from_utf8(hosts.next()?.value).ok()?;
        // More than one Host is as wrong as none (RFC 9112 §3.2).
        if hosts.next().is_some() {
            return None;
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Some(Self {
            method: request.method?.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            host: host.trim().to_ascii_lowercase(),
        })
    }
}

/// Writes a response and closes the sending side. The caller then drains the connection: closing it with unread bytes
/// would reset it before the browser has read the response.
pub(super) fn write(stream: &mut TcpStream, response: &[u8]) -> std::io::Result<()> {
    stream.set_write_timeout(Some(WRITE_TIMEOUT))?;
    stream.write_all(response)?;
    stream.flush()?;
    stream.shutdown(std::net::Shutdown::Write)
}

/// Discards what the client still sends, for [`DRAIN_TIMEOUT`] at most.
pub(super) fn drain(stream: &mut TcpStream) {
    let deadline = Instant::now() + DRAIN_TIMEOUT;
    let mut chunk = [0; 4096];
    while set_read_deadline(stream, deadline).is_ok() && matches!(stream.read(&mut chunk), Ok(1..)) {}
}

/// Limits the next read to the time that is left; an error when none is.
fn set_read_deadline(stream: &TcpStream, deadline: Instant) -> std::io::Result<()> {
    stream.set_read_timeout(Some(deadline.saturating_duration_since(Instant::now())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn head_is_a_request_line_and_one_host() {
        let head = poll_head(b"GET /cb?code=1 HTTP/1.1\r\nhost: LocalHost:1 \r\nX: y\r\n\r\n")
            .expect("complete")
            .expect("well-formed");
        assert_eq!((head.method.as_str(), head.path.as_str()), ("GET", "/cb"));
        assert_eq!((head.query.as_str(), head.host.as_str()), ("code=1", "localhost:1"));
        for bad in [
            "GET /cb HTTP/1.1\r\n\r\n",
            "GET /cb HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            "GET /cb HTTP/2\r\nHost: a\r\n\r\n",
            "GET http://a/cb HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /c b HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /cb HTTP/1.1\r\nHost: a\r\nfolded\r\n\r\n",
            "GET /c\rb HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /c\x1bb HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /cb HTTP/1.1\r\nHost: a\rb\r\n\r\n",
            " /cb HTTP/1.1\r\nHost: a\r\n\r\n",
        ] {
            assert_eq!(poll_head(bad.as_bytes()), Some(Err(HeadError::Malformed)), "{bad:?}");
        }
    }

    #[test]
    fn first_empty_line_ends_the_head_however_the_bytes_arrive() {
        for bytes in
            [&b"GET / HTTP/1.1\nHost: a\n\n\x01\r\n\r\n"[..], b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\n\n\xff"]
        {
            let whole = poll_head(bytes).expect("complete").expect("well-formed");
            let mut prefixes = (1..=bytes.len()).filter_map(|end| poll_head(&bytes[..end]));
            assert_eq!(prefixes.next(), Some(Ok(whole)));
        }
    }

    #[test]
    fn size_is_limited() {
        let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(MAX_HEAD_BYTES));
        assert_eq!(poll_head(long.as_bytes()), Some(Err(HeadError::TooLarge)));
        let many = format!("GET / HTTP/1.1\r\nHost: a\r\n{}\r\n", "X: y\r\n".repeat(MAX_HEADERS));
        assert_eq!(poll_head(many.as_bytes()), Some(Err(HeadError::TooLarge)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = poll_head(&bytes);
        }
    }
}
