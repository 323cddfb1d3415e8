//! What a child says, with a secret blotted out, however the pieces are cut in which it arrives.

use std::io::{self, ErrorKind, Read, Write};

use crate::oauth::secret::Secret;

/// What stands in the secret's place.
const MASK: &[u8] = b"***";

/// Copies all of `from` to `to`, each piece as soon as it can't be part of the secret.
///
/// # Errors
/// As reading and writing.
pub fn copy(mut from: impl Read, mut to: impl Write, secret: &Secret) -> io::Result<()> {
    let secret = secret.expose().as_bytes();
    let (mut held, mut buffer) = (Vec::new(), [0_u8; 8192]);
    loop {
        match from.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => held.extend_from_slice(&buffer[..count]),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        }
        while let Some(at) = find(&held, secret) {
            to.write_all(&held[..at])?;
            to.write_all(MASK)?;
            held.drain(..at + secret.len());
        }
        let ready = held.len() - beginning(&held, secret);
        to.write_all(&held[..ready])?;
        to.flush()?;
        held.drain(..ready);
    }
    to.write_all(&held)?;
    to.flush()
}

fn find(text: &[u8], secret: &[u8]) -> Option<usize> {
    (!secret.is_empty()).then(|| text.windows(secret.len()).position(|part| part == secret)).flatten()
}

/// How much of the end of `text` could be the beginning of the secret.
fn beginning(text: &[u8], secret: &[u8]) -> usize {
    let longest = text.len().min(secret.len().saturating_sub(1));
    (1..=longest).rev().find(|&length| text.ends_with(&secret[..length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Reads in pieces of this size.
    struct Pieces<'a>(&'a [u8], usize);

    impl Read for Pieces<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let (now, later) = self.0.split_at(self.1.min(self.0.len()));
            self.0 = later;
            buffer[..now.len()].copy_from_slice(now);
            Ok(now.len())
        }
    }

    proptest! {
        #[test]
        fn no_cut_lets_the_secret_through(text in "[ab\n]{0,60}", secret in "[ab]{1,6}", size in 1_usize..9) {
            let mut out = Vec::new();
            copy(Pieces(text.as_bytes(), size), &mut out, &Secret::new(secret.clone())).expect("memory");
            prop_assert_eq!(String::from_utf8(out).expect("text"), text.replace(&secret, "***"));
        }
    }
}
