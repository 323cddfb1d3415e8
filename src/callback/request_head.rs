//! The head of an HTTP/1 request (RFC 9112 §3, §5): as much as one redirect needs, with a bound on size and time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// The most that a request's line and headers may take.
const LARGEST: usize = 64 * 1024;

/// What matters of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Without its `?`.
    pub(crate) query: String,
    /// In lower case.
    pub(crate) host: String,
}

/// Why there is no head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Bad {
    /// More than the bound.
    TooLarge,
    /// It isn't HTTP/1, or has no one Host.
    Malformed,
    /// Nothing came, or not all of it in time.
    Late,
}

/// Reads a head. The deadline is for all of it: a byte now and then doesn't move it.
pub(super) fn read(stream: &mut TcpStream, deadline: Instant) -> Result<Head, Bad> {
    let mut bytes = Vec::with_capacity(2048);
    let mut chunk = [0; 4096];
    loop {
        let left = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero());
        stream.set_read_timeout(Some(left.ok_or(Bad::Late)?)).map_err(|_| Bad::Late)?;
        let count = match stream.read(&mut chunk) {
            Ok(0) => return Err(if bytes.is_empty() { Bad::Late } else { Bad::Malformed }),
            Ok(count) => count,
            Err(cause) if cause.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(_) => return Err(Bad::Late),
        };
        let searched = bytes.len();
        bytes.extend_from_slice(&chunk[..count]);
        if let Some(outcome) = settle(&bytes, searched) {
            return outcome;
        }
    }
}

/// What the bytes so far amount to, of which the first `searched` did not settle it; none while more must come.
pub(crate) fn settle(bytes: &[u8], searched: usize) -> Option<Result<Head, Bad>> {
    let from = searched.saturating_sub(3);
    match end_of_head(&bytes[from..]).map(|end| from + end) {
        Some(end) if end <= LARGEST => Some(parse(&bytes[..end]).ok_or(Bad::Malformed)),
        _ => (bytes.len() > LARGEST).then_some(Err(Bad::TooLarge)),
    }
}

/// Writes an answer, and waits a moment for the other side to close: closing first, with something of theirs
/// unread, would reset the connection under the page that they are about to show.
pub(super) fn write(stream: &mut TcpStream, answer: &[u8]) -> std::io::Result<()> {
    stream.set_write_timeout(Some(Duration::from_secs(2)))?;
    stream.write_all(answer)?;
    stream.flush()?;
    stream.shutdown(std::net::Shutdown::Write)
}

/// Reads away what the other side still sends, for a second at most.
pub(super) fn drain(stream: &mut TcpStream) {
    let deadline = Instant::now() + Duration::from_secs(1);
    let mut chunk = [0; 4096];
    while let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        if stream.set_read_timeout(Some(left)).is_err() || !matches!(stream.read(&mut chunk), Ok(1..)) {
            return;
        }
    }
}

/// The first empty line ends it; how the bytes arrived must not matter.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    let ending =
        |end: &[u8]| bytes.windows(end.len()).position(|window| window == end).map(|at| at + end.len());
    [ending(b"\r\n\r\n"), ending(b"\n\n")].into_iter().flatten().min()
}

fn parse(bytes: &[u8]) -> Option<Head> {
    let text = std::str::from_utf8(bytes).ok()?;
    // A bare CR may end a line for somebody else (RFC 9112 §2.2), and no field has another control but a tab (§5.5).
    if text.replace("\r\n", "\n").contains(|c: char| c.is_control() && !matches!(c, '\n' | '\t')) {
        return None;
    }
    let mut lines = text.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some()
        || method.is_empty()
        || !version.starts_with("HTTP/1.")
        || !target.starts_with('/')
    {
        return None;
    }
    let mut host = None;
    for line in lines.take_while(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':')?;
        // A second Host, or none, is a 400 (RFC 9112 §3.2).
        if name.eq_ignore_ascii_case("host") && host.replace(value.trim().to_ascii_lowercase()).is_some() {
            return None;
        }
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Head { method: method.to_owned(), path: path.to_owned(), query: query.to_owned(), host: host? })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_head_is_a_request_line_and_one_host() {
        let head =
            parse(b"GET /cb?code=1 HTTP/1.1\r\nhost: LocalHost:1 \r\nX: y\r\n\r\n").expect("well-formed");
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
            "\r\n\r\n",
        ] {
            assert_eq!(parse(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn the_first_empty_line_ends_it_however_the_bytes_arrive() {
        for bytes in
            [&b"GET / HTTP/1.1\nHost: a\n\n\x01\r\n\r\n"[..], b"GET / HTTP/1.1\r\nHost: a\r\n\r\n\n\n\xff"]
        {
            let whole = settle(bytes, 0).expect("an end").expect("a head");
            let mut pieces = (1..=bytes.len()).filter_map(|end| settle(&bytes[..end], end - 1));
            assert_eq!(pieces.next(), Some(Ok(whole)));
        }
        let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(LARGEST));
        assert_eq!(settle(long.as_bytes(), 0), Some(Err(Bad::TooLarge)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = (parse(&bytes), end_of_head(&bytes));
        }
    }
}
