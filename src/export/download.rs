//! One file: fetched into `NAME.part`, continued where it was cut off, checked, and renamed.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::lines::LineChecker;
use super::manifest::{Checked, ExportFile};
use super::progress::ExportProgress;
use super::remote::{MAX_ATTEMPTS, Remote, backoff, is_transient, unexpected};
use crate::error::{Error, ErrorKind, Result};
use crate::http::StreamingResponse;

/// Bytes read and written at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// What came of a file.
pub enum Fetched {
    /// It is complete.
    Complete(Checked),
    /// What the server sent is incomplete; why, as one line. It has been removed.
    Incomplete(String),
}

/// A file to fetch, and who is told of its `ETag` before its first byte is written.
pub struct Download<'a> {
    /// The servers.
    pub remote: &'a Remote<'a>,
    /// The file of the manifest.
    pub file: &'a ExportFile,
    /// Where it is at the server.
    pub url: &'a str,
    /// Whether it needs the token.
    pub with_token: bool,
    /// Where it goes.
    pub path: &'a Path,
    /// Records the strong `ETag` of what `NAME.part` is about to hold; `None` when there is none.
    pub record_etag: &'a dyn Fn(Option<String>) -> Result<()>,
    /// Shows how far it is.
    pub progress: &'a ExportProgress<'a>,
}

impl Download<'_> {
    /// Fetches the file, again after passing failures as long as it gets further.
    ///
    /// # Errors
    /// Network, after several failures in a row; authentication; failure, when the disk is full.
    pub fn run(&self) -> Result<Fetched> {
        if self.with_token {
            self.remote.require_allowed(self.url, &format!("the file {}", self.file.name))?;
        }
        let (mut etag, mut attempt, mut before) = (self.file.etag.clone(), 0, 0);
        loop {
            let (error, retry_after) = match self.attempt(&mut etag) {
                Ok(Attempt::Done(fetched)) => return Ok(fetched),
                Ok(Attempt::Later(error, retry_after)) => (error, retry_after),
                Err(error) if error.kind() == ErrorKind::Network => (error, None),
                Err(error) => return Err(error),
            };
            let bytes = self.part().metadata().map_or(0, |found| found.len());
            attempt = if bytes > before && etag.is_some() { 0 } else { attempt + 1 };
            before = bytes;
            if attempt == MAX_ATTEMPTS {
                return Err(error.with_hint("run the same command again; it continues where it was"));
            }
            std::thread::sleep(backoff(attempt, retry_after));
        }
    }

    fn part(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".part");
        name.into()
    }

    fn attempt(&self, etag: &mut Option<String>) -> Result<Attempt> {
        let written = |error| failed("write", &self.part(), error);
        let mut part = open_part(&self.part()).map_err(written)?;
        // Without a validator the bytes that are here may be another version's (RFC 9110 §13.1.5).
        let offset = if etag.is_some() { part.metadata().map_err(written)?.len() } else { 0 };
        let range = format!("bytes={offset}-");
        let mut headers = vec![("Accept", "application/fhir+ndjson")];
        if let Some(etag) = etag.as_deref().filter(|_| offset > 0) {
            headers.extend([("Range", range.as_str()), ("If-Range", etag)]);
        }
        let response = self.remote.get_file(self.url, self.with_token, &headers)?;
        let mut checker = match response.status() {
            200 => {
                *etag = response.header("etag").filter(|etag| etag.starts_with('"'));
                if response.is_decoded() {
                    // Offsets of a decoded body are not those of a range.
                    *etag = None;
                }
                part.set_len(0).map_err(written)?;
                (self.record_etag)(etag.clone())?;
                LineChecker::new()
            }
            206 if starts_at(&response, offset) => {
                part.seek(SeekFrom::Start(0)).map_err(written)?;
                LineChecker::of((&part).take(offset)).map_err(written)?
            }
            206 | 416 => {
                *etag = None;
                part.set_len(0).map_err(written)?;
                let error = Error::network("the server does not continue the file where it was cut off");
                return Ok(Attempt::Later(error, None));
            }
            status if is_transient(status) => {
                let retry_after = response.retry_after();
                return Ok(Attempt::Later(
                    unexpected(&format!("the file {}", self.file.name), response),
                    retry_after,
                ));
            }
            _ => return Err(unexpected(&format!("the file {}", self.file.name), response)),
        };
        part.seek(SeekFrom::Start(checker.bytes())).map_err(written)?;
        self.copy(response, &mut part, &mut checker)?;
        part.sync_all().map_err(written)?;
        self.finish(checker).map(Attempt::Done)
    }

    fn copy(&self, response: StreamingResponse, part: &mut File, checker: &mut LineChecker) -> Result<()> {
        let length = response.content_length().map(|length| checker.bytes() + length);
        let progress = self.progress.file(&self.file.name, checker.bytes(), length);
        let mut body = response.into_body();
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let count =
                body.read(&mut chunk).map_err(|error| self.remote.http.read_error(self.url, error))?;
            if count == 0 {
                return Ok(());
            }
            part.write_all(&chunk[..count]).map_err(|error| failed("write", &self.part(), error))?;
            checker.update(&chunk[..count]);
            progress.advance(count as u64);
        }
    }

    fn finish(&self, checker: LineChecker) -> Result<Fetched> {
        match checker.finish(self.file.count()) {
            Ok(checked) => {
                std::fs::rename(self.part(), self.path).map_err(|error| failed("write", self.path, error))?;
                #[cfg(unix)]
                if let Some(dir) = self.path.parent() {
                    // A file system that can't sync a directory is no reason to fail.
                    let _ = File::open(dir).and_then(|dir| dir.sync_all());
                }
                Ok(Fetched::Complete(checked))
            }
            Err(cause) => {
                (self.record_etag)(None)?;
                std::fs::remove_file(self.part()).map_err(|error| failed("remove", &self.part(), error))?;
                Ok(Fetched::Incomplete(cause))
            }
        }
    }
}

enum Attempt {
    Done(Fetched),
    /// A passing failure, and after how many seconds the server wants the next request.
    Later(Error, Option<u64>),
}

/// Whether a 206 begins where the file ends (RFC 9110 §14.4).
fn starts_at(response: &StreamingResponse, offset: u64) -> bool {
    let range = response.header("content-range");
    let start = range.as_deref().and_then(|range| range.strip_prefix("bytes ")?.split('-').next());
    start.and_then(|start| start.parse().ok()) == Some(offset)
}

fn open_part(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

fn failed(verb: &str, path: &Path, error: std::io::Error) -> Error {
    let full = error.kind() == std::io::ErrorKind::StorageFull;
    let what = Error::failure(format!("can't {verb} {}", path.display())).with_cause(error);
    let hint = if full { "free some disk space" } else { "check the directory" };
    what.with_hint(format!("{hint}, then run the same command again; it continues where it was"))
}
