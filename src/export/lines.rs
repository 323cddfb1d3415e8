//! Checking NDJSON while it is written: bytes, lines, SHA-256, and whether the last line is complete.

use std::io::Read;

use aws_lc_rs::digest::{Context, SHA256};
use serde::de::IgnoredAny;

use super::manifest::Checked;

/// The longest last line that is checked, in bytes. A longer one is taken as complete if it ends in `}`.
const MAX_LAST_LINE: usize = 16 * 1024 * 1024;

/// Bytes read at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// What has been seen of a file.
pub struct LineChecker {
    digest: Context,
    bytes: u64,
    lines: u64,
    last_line: Vec<u8>,
}

impl LineChecker {
    /// Nothing has been seen.
    pub fn new() -> Self {
        Self { digest: Context::new(&SHA256), bytes: 0, lines: 0, last_line: Vec::new() }
    }

    /// Reads a file from its beginning, as after an interrupted download.
    ///
    /// # Errors
    /// The operating system's.
    pub fn of(mut reader: impl Read) -> std::io::Result<Self> {
        let mut checker = Self::new();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            match reader.read(&mut chunk)? {
                0 => return Ok(checker),
                count => checker.update(&chunk[..count]),
            }
        }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.bytes += bytes.len() as u64;
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            self.end_line(&rest[..end]);
            rest = &rest[end + 1..];
        }
        if self.last_line.len() + rest.len() <= MAX_LAST_LINE {
            self.last_line.extend_from_slice(rest);
        } else if let Some(last) = rest.last() {
            // Only the end of such a line can still be told.
            self.last_line.clear();
            self.last_line.push(*last);
        }
    }

    fn end_line(&mut self, end: &[u8]) {
        let blank = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_whitespace);
        if !(blank(&self.last_line) && blank(end)) {
            self.lines += 1;
        }
        self.last_line.clear();
    }

    /// Bytes seen so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Returns what the file holds.
    ///
    /// # Errors
    /// What is incomplete, as one line: the last line, or the number of lines against the server's `count`.
    pub fn finish(mut self, count: Option<u64>) -> Result<Checked, String> {
        let rest = std::mem::take(&mut self.last_line);
        if !rest.iter().all(u8::is_ascii_whitespace) {
            let complete = serde_json::from_slice::<IgnoredAny>(&rest).is_ok() || rest == b"}";
            if !complete {
                return Err("the last line is incomplete".into());
            }
            self.lines += 1;
        }
        if let Some(count) = count
            && count != self.lines
        {
            return Err(format!("{} lines, but the server announced {count}", self.lines));
        }
        let sha256 = self.digest.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Checked { bytes: self.bytes, lines: self.lines, sha256 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(chunks: &[&str], count: Option<u64>) -> Result<Checked, String> {
        let mut checker = LineChecker::new();
        chunks.iter().for_each(|chunk| checker.update(chunk.as_bytes()));
        checker.finish(count)
    }

    #[test]
    fn counts_lines_across_chunks() {
        for (chunks, lines) in [
            (vec![], 0),
            (vec!["{}\n"], 1),
            (vec!["{", "}", "\n", "{}", "\n"], 2),
            (vec!["{}\n{}"], 2),
            (vec!["{}\r\n\r\n{}\r\n"], 2),
            (vec!["\n\n"], 0),
        ] {
            let checked = check(&chunks, Some(lines)).expect("complete");
            assert_eq!(checked.lines, lines, "{chunks:?}");
            assert_eq!(checked.bytes, chunks.concat().len() as u64);
        }
        assert_eq!(check(&["abc"], None).map_err(|_| ()), Err(()),);
        assert_eq!(
            check(&["{}\n"], None).expect("complete").sha256,
            "ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356"
        );
    }

    #[test]
    fn reports_a_cut_file() {
        assert!(check(&["{}\n{\"a\":"], None).expect_err("cut").contains("last line"));
        assert!(check(&["{}\n"], Some(2)).expect_err("cut").contains("announced 2"));
        assert!(check(&["{}\n{}\n{}\n"], Some(2)).is_err());
    }

    #[test]
    fn continues_from_what_a_file_holds() {
        let mut checker = LineChecker::of(&b"{}\n{\"a\""[..]).expect("read");
        checker.update(b":1}\n");
        assert_eq!(checker.finish(Some(2)), check(&["{}\n{\"a\":1}\n"], None));
    }
}
