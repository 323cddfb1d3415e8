//! Locks between processes: the kernel's, on a file, gone with the process that holds them.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::system::files;

/// Takes the lock of a file, waiting for whoever holds it. Dropping the file releases it.
///
/// # Errors
/// [`ErrorKind::LockTimeout`] when it isn't free within `patience`; failure when it can't be opened.
pub fn acquire(path: &Path, patience: Duration) -> Result<File> {
    let file = files::open_lock(path)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(error)) => return Err(unlockable(path, error)),
    }
    // The kernel wakes exactly one waiter; polling would wake them all, again and again.
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::Builder::new().spawn(move || sender.send(file.lock().map(|()| file)));
    thread.map_err(|error| unlockable(path, error))?;
    match receiver.recv_timeout(patience) {
        Ok(Ok(file)) => Ok(file),
        Ok(Err(error)) => Err(unlockable(path, error)),
        Err(_) => Err(Error::new(
            ErrorKind::LockTimeout,
            format!(
                "another oneup is at work on this profile and did not finish within {} s",
                patience.as_secs()
            ),
        )
        .with_hint("try again, or wait longer with --timeout SECS")),
    }
}

fn unlockable(path: &Path, error: std::io::Error) -> Error {
    Error::failure(format!("can't lock {}", path.display())).with_cause(error)
}
