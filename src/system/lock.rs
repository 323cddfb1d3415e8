//! Locks between processes: the kernel's, on a file, released when the process ends.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::mpsc;

use crate::error::{Error, ErrorKind, Result};
use crate::system::deadline::Deadline;
use crate::system::files;

/// Takes the lock of a file, waiting for the process or thread that holds it. Dropping the file releases it.
///
/// # Errors
/// [`ErrorKind::LockTimeout`] at the deadline; failure when the file can't be opened.
pub fn acquire(path: &Path, deadline: Deadline) -> Result<File> {
    let file = files::open_lock(path)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(files::io_error("lock", path, error)),
    }
    // Polling would wake all waiters again and again; the kernel wakes exactly one.
    let (tx, rx) = mpsc::channel();
    let thread = std::thread::Builder::new().spawn(move || tx.send(file.lock().map(|()| file)));
    thread.map_err(|error| files::io_error("lock", path, error))?;
    match rx.recv_timeout(deadline.remaining()) {
        Ok(Ok(file)) => Ok(file),
        Ok(Err(error)) => Err(files::io_error("lock", path, error)),
        Err(_) => Err(Error::new(
            ErrorKind::LockTimeout,
            format!("timed out after {} s waiting for another oneup process", deadline.timeout().as_secs()),
        )
        .with_hint("try again, or allow more time with --timeout SECS")),
    }
}
