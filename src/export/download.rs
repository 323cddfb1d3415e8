//! One file: fetched into `NAME.part`, continued where it was cut off, checked, and renamed.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use bytes::Bytes;

use super::job::gone;
use super::lines::LineChecker;
use super::manifest::{Checked, ExportFile};
use super::progress::FileProgress;
use super::remote::{MAX_ATTEMPTS, MAX_RETRY_AFTER, Rejection, Remote, backoff};
use crate::error::{Error, ErrorKind, Result};
use crate::http::StreamingResponse;
use crate::system::files::{self, Purpose};

/// How many bytes the system may keep before it begins to write them to the disk: the sync at the end is short then.
const WRITEBACK_BYTES: u64 = 8 * 1024 * 1024;

/// How many chunks may wait to be written.
const CHUNKS_AHEAD: usize = 2;

/// No byte follows those that are here already.
const RANGE_NOT_SATISFIABLE: u16 = 416;

/// How a download ended.
pub enum Fetched {
    /// It is complete.
    Complete(Checked),
    /// What the server sent is incomplete; why, as one line. It has been removed.
    Incomplete(String),
}

/// A file to fetch.
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
                Err(error) => return Err(error),
            };
            let bytes = self.part().metadata().map_or(0, |found| found.len());
            attempt = if bytes > before && etag.is_some() { 0 } else { attempt + 1 };
            before = bytes;
            if attempt == MAX_ATTEMPTS {
                return Err(error.with_hint("run the same command again; it continues where it was"));
            }
            self.remote.progress.wait(&error.summary(), backoff(attempt, retry_after));
        }
    }

    fn part(&self) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(".part");
        name.into()
    }

    fn attempt(&self, etag: &mut Option<String>) -> Result<Attempt> {
        let written = |error| self.write_error(error);
        let mut part = files::open_private(&self.part(), Purpose::Export)?;
        // Without a validator the bytes that are here may be another version's (RFC 9110 §13.1.5).
        let offset = if etag.is_some() { part.metadata().map_err(written)?.len() } else { 0 };
        let response = match self.request(etag.as_deref(), offset) {
            Ok(response) => response,
            Err(error) => return Attempt::after(error),
        };
        let Some(mut checker) = self.accept(&response, etag, &mut part, offset)? else {
            return self.reject(response, etag, &part);
        };
        part.seek(SeekFrom::Start(checker.bytes())).map_err(written)?;
        if response.status() != RANGE_NOT_SATISFIABLE
            && let Err(error) = self.copy(response, &mut part, &mut checker)
        {
            return Attempt::after(error);
        }
        part.sync_all().map_err(written)?;
        self.finish(checker).map(Attempt::Done)
    }

    fn request(&self, etag: Option<&str>, offset: u64) -> Result<StreamingResponse> {
        let range = format!("bytes={offset}-");
        let mut headers = vec![("Accept", "application/fhir+ndjson")];
        if let Some(etag) = etag.filter(|_| offset > 0) {
            headers.extend([("Range", range.as_str()), ("If-Range", etag)]);
        }
        self.remote.get_file(&format!("the file {}", self.file.name), self.url, self.with_token, &headers)
    }

    /// Prepares the file for the body of a response; `None` if the response has nothing of the file.
    fn accept(
        &self,
        response: &StreamingResponse,
        etag: &mut Option<String>,
        part: &mut File,
        offset: u64,
    ) -> Result<Option<LineChecker>> {
        let written = |error| self.write_error(error);
        let range = response.header("content-range").unwrap_or_default();
        match response.status() {
            200 => {
                // Offsets of a decoded body are not those of a range.
                let strong = |etag: &String| etag.starts_with('"') && !response.is_decoded();
                *etag = response.header("etag").filter(strong);
                part.set_len(0).map_err(written)?;
                (self.record_etag)(etag.clone())?;
                Ok(Some(LineChecker::new()))
            }
            // RFC 9110 §14.4; a file that was whole when the process was killed has no bytes to continue with.
            206 if range.starts_with(&format!("bytes {offset}-")) => self.check_part(part, offset).map(Some),
            RANGE_NOT_SATISFIABLE if range == format!("bytes */{offset}") => {
                self.check_part(part, offset).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn check_part(&self, part: &mut File, length: u64) -> Result<LineChecker> {
        let read = part.seek(SeekFrom::Start(0)).and_then(|_| LineChecker::of((&*part).take(length)));
        read.map_err(|error| self.write_error(error))
    }

    /// Decides whether another request can have a better response.
    fn reject(&self, response: StreamingResponse, etag: &mut Option<String>, part: &File) -> Result<Attempt> {
        let (status, what) = (response.status(), format!("the file {}", self.file.name));
        match status {
            206 | RANGE_NOT_SATISFIABLE => {
                *etag = None;
                part.set_len(0).map_err(|error| self.write_error(error))?;
                let error = Error::network("the server does not continue the file where it was cut off");
                return Ok(Attempt::Later(error, None));
            }
            404 | 410 => return Err(gone(&what, status)),
            _ => {}
        }
        let rejection = Rejection::read(response);
        let (is_transient, retry_after) = (rejection.is_transient(), rejection.retry_after);
        let error = rejection.into_error(&what);
        if is_transient && retry_after.is_none_or(|seconds| seconds <= MAX_RETRY_AFTER.as_secs()) {
            return Ok(Attempt::Later(error, retry_after));
        }
        // A URL that needs no token is signed for a limited time.
        Err(if status == 403 && !self.with_token {
            let hint = "its URL may have expired; run the same command again, which gets new URLs, or with --restart";
            error.with_kind(ErrorKind::Network).with_hint(hint)
        } else {
            error
        })
    }

    fn copy(&self, response: StreamingResponse, part: &mut File, checker: &mut LineChecker) -> Result<()> {
        let length = response.content_length().map(|length| checker.bytes() + length);
        let progress = self.remote.progress.file(&self.file.name, checker.bytes(), length);
        std::thread::scope(|scope| {
            // Writing takes as long as receiving and checking, and so has a thread of its own.
            let (sender, chunks) = sync_channel(CHUNKS_AHEAD);
            let offset = checker.bytes();
            let writer = scope.spawn(move || write_chunks(part, offset, chunks));
            let received = self.receive(response, checker, &progress, sender);
            let written = writer.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            written.map_err(|error| self.write_error(error)).and(received)
        })
    }

    /// Receives and checks the body, as long as the writer takes the chunks.
    fn receive(
        &self,
        response: StreamingResponse,
        checker: &mut LineChecker,
        progress: &FileProgress<'_>,
        writer: SyncSender<Bytes>,
    ) -> Result<()> {
        let mut body = response.into_body();
        loop {
            let chunk = body.chunk().map_err(|error| self.remote.http.read_error(self.url, error))?;
            if chunk.is_empty() || writer.send(chunk.clone()).is_err() {
                return Ok(());
            }
            checker.update(&chunk);
            progress.advance(chunk.len() as u64);
        }
    }

    fn finish(&self, checker: LineChecker) -> Result<Fetched> {
        match checker.finish(self.file.count()) {
            Ok(checked) => {
                files::rename(&self.part(), self.path).map_err(|error| self.write_error(error))?;
                Ok(Fetched::Complete(checked))
            }
            Err(cause) => {
                (self.record_etag)(None)?;
                files::remove(&self.part())?;
                Ok(Fetched::Incomplete(cause))
            }
        }
    }

    fn write_error(&self, error: std::io::Error) -> Error {
        files::io_error("write", &self.part(), error)
    }
}

/// Appends chunks to a file from `offset` on, and lets the system write them to the disk meanwhile.
fn write_chunks(file: &mut File, mut offset: u64, chunks: Receiver<Bytes>) -> std::io::Result<()> {
    let mut synced = offset;
    for chunk in chunks {
        file.write_all(&chunk)?;
        offset += chunk.len() as u64;
        if offset - synced >= WRITEBACK_BYTES {
            files::start_writeback(file, synced, offset - synced);
            synced = offset;
        }
    }
    Ok(())
}

enum Attempt {
    Done(Fetched),
    /// A passing failure, and after how many seconds the server wants the next request.
    Later(Error, Option<u64>),
}

impl Attempt {
    /// The network fails for a while; everything else for good.
    fn after(error: Error) -> Result<Self> {
        if error.kind() == ErrorKind::Network { Ok(Self::Later(error, None)) } else { Err(error) }
    }
}
