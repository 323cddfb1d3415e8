//! A private directory that goes with the process that made it: when it ends, or, where it was killed, when the next
//! one needs such a directory.

use std::fs::File;
use std::io;
use std::path::Path;

use crate::error::{Error, Result};
use crate::system::files;

const PREFIX: &str = "oneup-token-";

/// A directory that only this user enters; in memory where the system offers that. Removed when dropped.
pub struct TempTokenDir {
    dir: tempfile::TempDir,
    /// The directory itself, locked for as long as its owner lives.
    _held: Option<File>,
}

impl TempTokenDir {
    /// Makes one, and removes those whose owners were killed.
    ///
    /// # Errors
    /// Failure, when no place takes it.
    pub fn new() -> Result<Self> {
        let places = files::runtime_dir().into_iter().chain([std::env::temp_dir()]);
        let mut made = Err(io::ErrorKind::NotFound.into());
        for place in places {
            sweep(&place);
            if made.is_err() {
                made = make(&place);
            }
        }
        made.map_err(|error| Error::failure("can't make a private directory for the token").with_cause(error))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.dir.path()
    }
}

fn builder() -> tempfile::Builder<'static, 'static> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder
}

/// One that another process took for abandoned, before it was held, is made anew.
#[cfg(unix)]
fn make(place: &Path) -> io::Result<TempTokenDir> {
    use std::os::unix::fs::MetadataExt;
    loop {
        let dir = builder().tempdir_in(place)?;
        let held = match File::open(dir.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened?,
        };
        held.lock()?;
        if std::fs::metadata(dir.path())
            .is_ok_and(|there| held.metadata().is_ok_and(|ours| there.ino() == ours.ino()))
        {
            return Ok(TempTokenDir { dir, _held: Some(held) });
        }
    }
}

#[cfg(not(unix))]
fn make(place: &Path) -> io::Result<TempTokenDir> {
    builder().tempdir_in(place).map(|dir| TempTokenDir { dir, _held: None })
}

/// Removes directories of ours that nobody holds. In a directory that all may write to, others' are left alone.
#[cfg(unix)]
fn sweep(place: &Path) {
    use std::os::unix::fs::MetadataExt;
    let own = rustix::process::geteuid().as_raw();
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes())
            && entry.metadata().is_ok_and(|found| found.is_dir() && found.uid() == own)
            && let Ok(dir) = File::open(&path)
            && dir.try_lock().is_ok()
        {
            // Still locked: whoever has just made it waits, and finds it gone.
            let _ = std::fs::remove_dir_all(&path);
        }
    }
}

#[cfg(not(unix))]
fn sweep(_: &Path) {}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_stays_and_what_is_abandoned_goes() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let held = make(place.path()).expect("a room");
        let abandoned = place.path().join(format!("{PREFIX}old"));
        std::fs::create_dir(&abandoned).expect("a directory");
        std::fs::write(abandoned.join("token"), "t0ken").expect("a file");
        let elsewhere = tempfile::tempdir().expect("a temporary directory");
        let link = place.path().join(format!("{PREFIX}link"));
        std::os::unix::fs::symlink(elsewhere.path(), &link).expect("a link");
        std::fs::create_dir(place.path().join("other")).expect("a directory");
        sweep(place.path());
        assert!(held.path().is_dir() && !abandoned.exists());
        assert!(elsewhere.path().is_dir() && link.exists() && place.path().join("other").is_dir());
        let path = held.path().to_owned();
        drop(held);
        assert!(!path.exists());
    }
}
