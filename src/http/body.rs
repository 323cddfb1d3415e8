//! Response bodies: decoded where a server compressed them all the same, and limited in size.

use std::io::{self, BufReader, ErrorKind, Read};

use flate2::bufread::MultiGzDecoder;

use crate::system::deadline::Deadline;

/// The largest body of an OAuth or OIDC response, before and after decompression; a token response has a few
/// kilobytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Returns a reader that decodes `body` while it is read, if it is gzip-compressed.
pub fn decode<'a>(body: impl Read + Send + 'a, is_gzip: bool) -> Box<dyn Read + Send + 'a> {
    if is_gzip { Box::new(MultiGzDecoder::new(BufReader::new(body))) } else { Box::new(body) }
}

/// Reads a body to its end.
///
/// # Errors
/// [`ErrorKind::FileTooLarge`] after more than [`MAX_BODY_BYTES`]; [`ErrorKind::TimedOut`] at the deadline; those of a
/// connection that breaks and of a body that can't be decoded.
pub fn read_limited(mut body: impl Read, deadline: Deadline) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        let count = body.read(&mut chunk)?;
        bytes.extend_from_slice(&chunk[..count]);
        if count == 0 {
            return Ok(bytes);
        }
        if bytes.len() > MAX_BODY_BYTES {
            return Err(ErrorKind::FileTooLarge.into());
        }
        if deadline.has_passed() {
            return Err(ErrorKind::TimedOut.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::time::Duration;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).expect("a vector");
        encoder.finish().expect("a vector")
    }

    fn read(body: &[u8]) -> io::Result<Vec<u8>> {
        read_limited(decode(body, true), Deadline::after(Duration::from_secs(60)))
    }

    #[test]
    fn decodes_gzip_within_the_limit() {
        assert_eq!(read(&gzip(b"{}")).expect("gzip"), b"{}");
        assert_eq!(read(&[gzip(b"{"), gzip(b"}")].concat()).expect("two members"), b"{}");
        assert_eq!(read(&gzip(&vec![b'x'; MAX_BODY_BYTES])).expect("at the limit").len(), MAX_BODY_BYTES);
    }

    #[test]
    fn a_decompression_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![0; 200 * MAX_BODY_BYTES]);
        assert!(bomb.len() < MAX_BODY_BYTES);
        assert_eq!(read(&bomb).expect_err("too large").kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn what_is_not_gzip_is_an_io_error() {
        let whole = gzip(&[b'x'; 1000]);
        for body in [&b"{}"[..], &whole[..whole.len() / 2], b"\x1f\x8b\x08"] {
            assert_ne!(read(body).expect_err("no gzip").kind(), ErrorKind::FileTooLarge);
        }
    }
}
