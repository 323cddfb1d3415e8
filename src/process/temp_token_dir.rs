//! A private directory, removed when its process exits; after `kill -9`, by the next process that needs such a
//! directory.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::system::files;

const PREFIX: &str = "oneup-token-";

/// A directory that only this user can enter, in memory if the system has such a place. Removed when dropped.
pub struct TempTokenDir {
    dir: tempfile::TempDir,
    /// The directory itself, locked while its owner runs.
    _lock: Option<File>,
}

impl TempTokenDir {
    /// Creates a directory, and removes those whose owners were killed.
    ///
    /// # Errors
    /// Failure: neither the runtime directory nor the temporary directory can be written.
    pub fn new() -> Result<Self> {
        Self::new_in(None)
    }

    /// Creates it in this directory if possible, else as [`TempTokenDir::new`].
    ///
    /// # Errors
    /// As [`TempTokenDir::new`].
    pub fn new_in(preferred: Option<PathBuf>) -> Result<Self> {
        let parents = preferred.into_iter().chain(files::runtime_dir()).chain([std::env::temp_dir()]);
        let mut result = Err(io::ErrorKind::NotFound.into());
        for parent in parents {
            sweep(&parent);
            if result.is_err() {
                result = create(&parent);
            }
        }
        result.map_err(|error| Error::failure("could not create a private directory").with_cause(error))
    }

    /// The path of the directory.
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
fn create(parent: &Path) -> io::Result<TempTokenDir> {
    use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
    loop {
        let dir = builder().tempdir_in(parent)?;
        let lock = match File::open(dir.path()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            opened => opened?,
        };
        lock.lock()?;
        let inode = lock.metadata()?.ino();
        if std::fs::metadata(dir.path()).is_ok_and(|metadata| metadata.ino() == inode) {
            File::options().write(true).create_new(true).mode(0o600).open(dir.path().join(MARKER))?;
            return Ok(TempTokenDir { dir, _lock: Some(lock) });
        }
    }
}

#[cfg(not(unix))]
fn create(parent: &Path) -> io::Result<TempTokenDir> {
    let dir = builder().tempdir_in(parent)?;
    files::protect_dir(dir.path())?;
    Ok(TempTokenDir { dir, _lock: None })
}

/// Removes directories that a killed oneup left: those with our name, owner, mode and marker that no process has locked.
#[cfg(unix)]
fn sweep(parent: &Path) {
    use std::os::unix::fs::MetadataExt;
    let user = rustix::process::geteuid().as_raw();
    for entry in std::fs::read_dir(parent).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes())
            && entry.metadata().is_ok_and(|metadata| {
                metadata.is_dir() && metadata.uid() == user && metadata.mode() & 0o7777 == 0o700
            })
            && path
                .join(MARKER)
                .symlink_metadata()
                .is_ok_and(|marker| marker.is_file() && marker.uid() == user)
            && let Ok(dir) = File::open(&path)
            && dir.try_lock().is_ok()
        {
            // The lock is held meanwhile: a process that is just creating this directory waits, and creates another.
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
        let parent = tempfile::tempdir().expect("a temporary directory");
        let in_use = create(parent.path()).expect("a directory");
        let path = |name: &str| parent.path().join(name);
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
        sweep(parent.path());
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
