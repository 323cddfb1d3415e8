//! A private directory that goes with the process that made it: when it ends, or, where it was killed, when the next
//! one needs such a directory.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

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
        Self::new_in(None)
    }

    /// Makes one in this directory if possible, else as [`TempTokenDir::new`].
    ///
    /// # Errors
    /// As [`TempTokenDir::new`].
    pub fn new_in(preferred: Option<PathBuf>) -> Result<Self> {
        let places = preferred.into_iter().chain(files::runtime_dir()).chain([std::env::temp_dir()]);
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

/// The file in each directory that oneup made: the sweep removes no other directory.
#[cfg(unix)]
const MARKER: &str = ".oneup-token-dir";

/// Creates the directory and locks it, again if another process removed it before it was locked.
#[cfg(unix)]
fn make(place: &Path) -> io::Result<TempTokenDir> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
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
            File::options().write(true).create_new(true).mode(0o600).open(dir.path().join(MARKER))?;
            return Ok(TempTokenDir { dir, _held: Some(held) });
        }
    }
}

#[cfg(not(unix))]
fn make(place: &Path) -> io::Result<TempTokenDir> {
    builder().tempdir_in(place).map(|dir| TempTokenDir { dir, _held: None })
}

/// Removes directories that a killed oneup left: those with our name, owner, mode and marker that no process has locked.
#[cfg(unix)]
fn sweep(place: &Path) {
    use std::os::unix::fs::MetadataExt;
    let own = rustix::process::geteuid().as_raw();
    for entry in std::fs::read_dir(place).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes())
            && entry.metadata().is_ok_and(|metadata| {
                metadata.is_dir() && metadata.uid() == own && metadata.mode() & 0o7777 == 0o700
            })
            && path
                .join(MARKER)
                .symlink_metadata()
                .is_ok_and(|marker| marker.is_file() && marker.uid() == own)
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
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn dir_with_mode(path: &Path, mode: u32) {
        std::fs::create_dir(path).expect("a directory");
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("owned by us");
    }

    #[test]
    fn sweep_removes_only_unlocked_directories_that_oneup_made() {
        let place = tempfile::tempdir().expect("a temporary directory");
        let in_use = make(place.path()).expect("a directory");
        let path = |name: &str| place.path().join(name);
        let named = |name: &str| path(&format!("{PREFIX}{name}"));
        dir_with_mode(&named("abandoned"), 0o700);
        for (dir, mode) in [(named("open"), 0o755), (path("other"), 0o700)] {
            dir_with_mode(&dir, mode);
        }
        for dir in [named("abandoned"), named("open"), path("other")] {
            std::fs::write(dir.join(MARKER), "").expect("a file");
            std::fs::write(dir.join("token"), "t0ken").expect("a file");
        }
        dir_with_mode(&named("unmarked"), 0o700);
        let elsewhere = tempfile::tempdir().expect("a temporary directory");
        std::fs::write(elsewhere.path().join(MARKER), "").expect("a file");
        std::os::unix::fs::symlink(elsewhere.path(), named("link")).expect("a link");
        sweep(place.path());
        assert!(!named("abandoned").exists());
        for kept in [in_use.path().to_owned(), named("open"), path("other"), named("unmarked"), named("link")]
        {
            assert!(kept.exists(), "{} was removed", kept.display());
        }
        assert!(elsewhere.path().join(MARKER).exists());
        let path = in_use.path().to_owned();
        drop(in_use);
        assert!(!path.exists());
    }
}
