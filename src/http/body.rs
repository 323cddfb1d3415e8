//! Response bodies: decoded where a server compressed them all the same, and limited in size.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use crate::system::deadline::Deadline;

/// The largest body of an OAuth or OIDC response, before and after decompression; a token response has a few
/// kilobytes.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A body as the server meant it.
pub enum Decoded<R> {
    /// As it was sent.
    Identity(R),
    /// gzip.
    Gzip(Box<MultiGzDecoder<BufReader<R>>>),
}

impl<R: Read> Decoded<R> {
    /// Decodes `body` while it is read, if it is gzip-compressed.
    pub fn new(body: R, is_gzip: bool) -> Self {
        if is_gzip {
            Self::Gzip(Box::new(MultiGzDecoder::new(BufReader::new(body))))
        } else {
            Self::Identity(body)
        }
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Identity(body) => body.read(buffer),
            Self::Gzip(body) => body.read(buffer),
        }
    }
}

/// Why a body was not read to its end.
#[derive(Debug)]
pub enum BodyError {
    /// It is larger than [`MAX_BODY_BYTES`].
    TooLarge,
    /// The deadline passed.
    Timeout,
    /// The connection broke, or what was sent can't be decoded.
    Io(io::Error),
}

/// Reads a body to its end.
///
/// # Errors
/// [`BodyError`].
pub fn read_limited(mut body: impl Read, deadline: Deadline) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        let count = body.read(&mut chunk).map_err(BodyError::Io)?;
        bytes.extend_from_slice(&chunk[..count]);
        if count == 0 {
            return Ok(bytes);
        }
        if bytes.len() > MAX_BODY_BYTES {
            return Err(BodyError::TooLarge);
        }
        if deadline.has_passed() {
            return Err(BodyError::Timeout);
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

    fn read(body: &[u8]) -> Result<Vec<u8>, BodyError> {
        read_limited(Decoded::new(body, true), Deadline::after(Duration::from_secs(60)))
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
        assert!(matches!(read(&bomb), Err(BodyError::TooLarge)));
    }

    #[test]
    fn what_is_not_gzip_is_an_io_error() {
        let whole = gzip(&[b'x'; 1000]);
        for body in [&b"{}"[..], &whole[..whole.len() / 2], b"\x1f\x8b\x08"] {
            assert!(matches!(read(body), Err(BodyError::Io(_))));
        }
    }
}
