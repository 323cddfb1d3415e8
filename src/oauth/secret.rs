//! A string that must not leak: a `Debug` that says nothing, no `Display`, wiped when dropped.
//!
//! The only way to its text is [`Secret::expose`], so that `grep expose` lists every place where a secret leaves:
//! the form encoder, the store, the child process, the token printed on purpose.

use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A client secret, token, authorization code or PKCE verifier.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes ownership of the text, so that no other copy of it needs wiping.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Every call site is a place where a secret can leak.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The bytes of a secret, wiped when dropped.
///
/// A `Vec` that grows leaves its old allocation, with the secret in it, to the allocator. This buffer moves to the larger
/// allocation itself and wipes the old one, so no caller has to know the length in advance.
#[derive(Default)]
pub struct SecretBuf(Zeroizing<Vec<u8>>);

impl SecretBuf {
    /// Returns an empty buffer that takes this many bytes before it grows.
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Zeroizing::new(Vec::with_capacity(bytes)))
    }

    /// Reads to the end of `reader`. `expected` is the likely length in bytes; `max` is the limit.
    ///
    /// # Errors
    /// The reader's; [`io::ErrorKind::FileTooLarge`] after more than `max` bytes.
    pub fn read_from(mut reader: impl Read, expected: usize, max: usize) -> io::Result<Self> {
        // One byte more than expected, so that the end is found without growing.
        let mut buffer = Self(Zeroizing::new(vec![0; expected.min(max) + 1]));
        let mut length = 0;
        loop {
            if length > max {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            if length == buffer.len() {
                let mut larger = Zeroizing::new(vec![0; (2 * length).max(64).min(max + 1)]);
                larger[..length].copy_from_slice(&buffer);
                buffer.0 = larger;
            }
            match reader.read(&mut buffer.0[length..]) {
                Ok(0) => break,
                Ok(count) => length += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        buffer.0.truncate(length);
        Ok(buffer)
    }

    /// Shortens the buffer to this many bytes.
    pub fn truncate(&mut self, bytes: usize) {
        self.0.truncate(bytes);
    }

    /// Appends bytes.
    pub fn extend(&mut self, bytes: &[u8]) {
        if self.0.capacity() - self.0.len() < bytes.len() {
            let needed = self.0.len() + bytes.len();
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.max(2 * self.0.capacity())));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }
}

impl std::ops::Deref for SecretBuf {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl std::ops::DerefMut for SecretBuf {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

impl AsRef<[u8]> for SecretBuf {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for SecretBuf {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl Write for SecretBuf {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl std::fmt::Debug for SecretBuf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretBuf(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffer_reads_any_length_up_to_the_limit() {
        let bytes: Vec<u8> = (0..=255).cycle().take(10_000).collect();
        for (length, expected) in [(0, 0), (1, 0), (64, 0), (9_999, 10), (10_000, 10_000), (10_000, 20_000)] {
            let read = SecretBuf::read_from(&bytes[..length], expected, 10_000).expect("within the limit");
            assert_eq!(*read, bytes[..length]);
        }
        let error = SecretBuf::read_from(&bytes[..], 0, 9_999).expect_err("one byte over the limit");
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        assert!(SecretBuf::read_from(io::repeat(b'x'), usize::MAX, 100).is_err());
    }

    #[test]
    fn buffer_grows_and_debug_shows_nothing() {
        let mut buffer = SecretBuf::default();
        for _ in 0..1_000 {
            buffer.write_all(b"secret").expect("memory");
        }
        assert_eq!(*buffer, *b"secret".repeat(1_000));
        assert_eq!(format!("{buffer:?}"), "SecretBuf(…)");
    }

    #[test]
    fn debug_shows_nothing_of_the_text() {
        assert_eq!(format!("{:?}", Secret::new("s3cr3t")), "Secret(…)");
    }
}
