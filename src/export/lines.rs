//! Checking NDJSON while it is written: bytes, lines, SHA-256, and whether the last line is complete.

use std::io::Read;

use aws_lc_rs::digest::{Context, SHA256};
use serde::de::IgnoredAny;

use super::manifest::Checked;
use crate::text::hex;

/// The longest last line that is checked, in bytes. Of a longer one only the ends are.
const MAX_LAST_LINE: usize = 16 * 1024 * 1024;

/// How many bytes of a file are read at once.
const CHUNK_BYTES: usize = 512 * 1024;

/// What has been seen of a file.
pub struct LineChecker {
    digest: Context,
    bytes: u64,
    lines: u64,
    last_line: Vec<u8>,
    /// Whether `last_line` has only the first and the last byte.
    is_long: bool,
    /// The number of the first line that can't be a resource.
    invalid_line: Option<u64>,
}

impl LineChecker {
    /// Nothing has been seen.
    pub fn new() -> Self {
        Self {
            digest: Context::new(&SHA256),
            bytes: 0,
            lines: 0,
            last_line: Vec::new(),
            is_long: false,
            invalid_line: None,
        }
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
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', bytes) {
            self.end_line(&bytes[start..end]);
            start = end + 1;
        }
        let rest = &bytes[start..];
        if !self.is_long && self.last_line.len() + rest.len() <= MAX_LAST_LINE {
            self.last_line.extend_from_slice(rest);
        } else if let Some(last) = rest.last() {
            // Of such a line only its ends are kept.
            let first = self.last_line.trim_ascii_start().first().or(rest.first()).unwrap_or(last);
            self.last_line = vec![*first, *last];
            self.is_long = true;
        }
    }

    fn end_line(&mut self, end: &[u8]) {
        let line = [self.last_line.trim_ascii_start(), end].map(<[u8]>::trim_ascii_end);
        let first = line[0].first().or(line[1].trim_ascii_start().first());
        if let Some(first) = first {
            self.lines += 1;
            let last = line[1].last().or(line[0].last());
            // A page of a proxy or a login is no line of resources. Whether the JSON is valid is not checked.
            if (first, last) != (&b'{', Some(&b'}')) {
                self.invalid_line.get_or_insert(self.lines);
            }
        }
        self.last_line.clear();
        self.is_long = false;
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
            if serde_json::from_slice::<IgnoredAny>(&rest).is_err() {
                return Err("the last line is incomplete".into());
            }
            self.lines += 1;
        }
        if let Some(number) = self.invalid_line {
            return Err(format!("line {number} is not a JSON object"));
        }
        if let Some(count) = count
            && count != self.lines
        {
            return Err(format!("{} lines, but the server announced {count}", self.lines));
        }
        let sha256 = hex(self.digest.finish().as_ref());
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
    fn reports_what_is_no_line_of_json_objects() {
        for (chunks, number) in [
            (vec!["abc\n"], 1),
            (vec!["{}\n<!doctype html>\n"], 2),
            (vec!["{\"a\"", ":1}\n", "{\"b\"\n"], 2),
            (vec!["\n{}\n \x1f\u{8b}\n"], 2),
            (vec!["{}", "x\n"], 1),
        ] {
            let error = check(&chunks, None).expect_err("not NDJSON");
            assert_eq!(error, format!("line {number} is not a JSON object"), "{chunks:?}");
        }
        assert!(check(&["abc"], None).is_err());
        assert!(check(&[" {}", " \n", " ", "\n{ ", "}"], Some(2)).is_ok());
    }

    #[test]
    fn checks_the_ends_of_a_line_that_is_too_long_to_keep() {
        for (last, complete) in [("}", true), ("x", false), ("}\n", true), ("x\n", false)] {
            let mut checker = LineChecker::new();
            checker.update(b" {");
            let chunk = vec![b'x'; MAX_LAST_LINE / 2];
            (0..3).for_each(|_| checker.update(&chunk));
            checker.update(last.as_bytes());
            assert_eq!(checker.finish(Some(1)).is_ok(), complete, "{last:?}");
        }
    }

    #[test]
    fn continues_from_what_a_file_holds() {
        let mut checker = LineChecker::of(&b"{}\n{\"a\""[..]).expect("read");
        checker.update(b":1}\n");
        assert_eq!(checker.finish(Some(2)), check(&["{}\n{\"a\":1}\n"], None));
    }
}
