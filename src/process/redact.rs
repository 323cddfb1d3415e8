//! Copies what a child process prints, with a secret masked, however the output is cut into pieces.

use std::collections::HashSet;
use std::io::{self, ErrorKind, Read, Write};

use crate::oauth::secret::Secret;

/// Replaces each part of the secret.
const MASK: &[u8] = b"***";
/// The shortest part of the secret that is masked, in bytes. curl cuts long lines (HTTP/2: at about 2000 characters).
const MIN_PART_LEN: usize = 16;

/// Copies all of `from` to `to`, each byte as soon as it can't belong to a part of the secret.
///
/// # Errors
/// Those of reading and writing.
pub fn copy(mut from: impl Read, mut to: impl Write, secret: &Secret) -> io::Result<()> {
    let mut redactor = Redactor::new(secret);
    let mut buffer = [0_u8; 8192];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => redactor.push(&buffer[..count], &mut to)?,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        to.flush()?;
    }
    redactor.finish(&mut to)?;
    to.flush()
}

struct Redactor<'a> {
    secret: &'a [u8],
    /// All parts of the secret of length `part_len`.
    parts: HashSet<&'a [u8]>,
    part_len: usize,
    /// Bytes that were read and not written.
    pending: Vec<u8>,
    /// How many bytes at the start of `pending` the mask stands for that was written last.
    masked: usize,
}

impl<'a> Redactor<'a> {
    fn new(secret: &'a Secret) -> Self {
        let secret = secret.expose().as_bytes();
        let part_len = secret.len().clamp(1, MIN_PART_LEN);
        let parts = secret.windows(part_len).collect();
        Self { secret, parts, part_len, pending: Vec::new(), masked: 0 }
    }

    fn push(&mut self, bytes: &[u8], to: &mut impl Write) -> io::Result<()> {
        self.pending.extend_from_slice(bytes);
        let mut done = 0;
        while let Some(part) = self.pending.get(done..done + self.part_len) {
            if self.parts.contains(part) {
                if self.masked == 0 {
                    to.write_all(MASK)?;
                }
                self.masked = self.part_len;
            }
            if self.masked == 0 {
                to.write_all(&self.pending[done..=done])?;
            }
            self.masked = self.masked.saturating_sub(1);
            done += 1;
        }
        while done < self.pending.len() && !self.is_undecided(&self.pending[done..]) {
            self.write_next(done, to)?;
            done += 1;
        }
        self.pending.drain(..done);
        Ok(())
    }

    /// Returns whether more bytes could make this a part of the secret.
    fn is_undecided(&self, tail: &[u8]) -> bool {
        self.secret.windows(tail.len()).any(|part| part == tail)
    }

    fn write_next(&mut self, index: usize, to: &mut impl Write) -> io::Result<()> {
        if self.masked == 0 {
            return to.write_all(&self.pending[index..=index]);
        }
        self.masked -= 1;
        Ok(())
    }

    fn finish(mut self, to: &mut impl Write) -> io::Result<()> {
        (0..self.pending.len()).try_for_each(|index| self.write_next(index, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads in pieces of this size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let (piece, rest) = self.0.split_at(self.1.min(self.0.len()));
            self.0 = rest;
            buffer[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    fn redacted(text: &str, secret: &str, size: usize) -> String {
        let mut out = Vec::new();
        copy(Pieces(text.as_bytes(), size), &mut out, &Secret::new(secret)).expect("memory");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn masks_the_secret_and_its_long_parts() {
        let secret = "0123456789abcdefghijklmnop";
        for (text, expected) in [
            ("> Authorization: Bearer 0123456789abcdefghijklmnop\n", "> Authorization: Bearer ***\n"),
            ("[0123456789abcdef", "[***"),
            ("[0123456789abcde]", "[0123456789abcde]"),
            ("0123456789abcdefghi...", "***..."),
            ("<56789abcdefghijklmn>", "<***>"),
            ("0123456789abcdefghijklmnop0123456789abcdefghijklmnop", "******"),
            ("0123456789abcdefg 0123456789abcdefg", "*** ***"),
        ] {
            for size in [1, 2, 15, 16, 17, 100] {
                assert_eq!(redacted(text, secret, size), expected, "pieces of {size}");
            }
        }
        assert_eq!(redacted("a short x", "short", 1), "a *** x");
        assert_eq!(redacted("text", "", 1), "text");
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(text in "[ab\n]{0,80}", secret in "[ab]{1,24}", size in 1_usize..9) {
            let whole = redacted(&text, &secret, 1000);
            prop_assert_eq!(&redacted(&text, &secret, size), &whole);
            let part_len = secret.len().min(MIN_PART_LEN);
            for part in secret.as_bytes().windows(part_len) {
                prop_assert!(!whole.as_bytes().windows(part_len).any(|window| window == part));
            }
        }
    }
}
