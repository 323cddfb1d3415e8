//! Files that are replaced whole or not at all, and that only their owner can read.

use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Replaces a file: a private (0600) new one beside it, synced, renamed over it. Directories are made as needed,
/// private too. Whoever replaces a file holds the lock that it belongs to.
///
/// # Errors
/// Failure, naming the file; what was there is still there.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    try_replace(path, bytes).map_err(|error| failed("write", path, error))
}

fn try_replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    create_private_dir(dir)?;
    let new = beside(path);
    let renamed = write_new(&new, bytes).and_then(|()| std::fs::rename(&new, path));
    if renamed.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    renamed?;
    // The rename itself is durable once the directory is; a file system that can't sync one is no reason to fail.
    #[cfg(unix)]
    let _ = File::open(dir).and_then(|dir| dir.sync_all());
    Ok(())
}

/// Where the new file stands until it is whole. Always the same place, so that what a killed process left there is
/// replaced by the next, and removed with the file.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

fn write_new(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    remove_if_there(path)?;
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// The user's own directory in memory (`XDG_RUNTIME_DIR`), where there is one: not another user's, as `sudo -E` has it.
pub fn runtime_dir() -> Option<PathBuf> {
    let dir = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_absolute())?;
    #[cfg(unix)]
    {
        let own = rustix::process::geteuid().as_raw();
        let found = std::fs::metadata(&dir).ok()?;
        (found.is_dir() && std::os::unix::fs::MetadataExt::uid(&found) == own).then_some(dir)
    }
    #[cfg(not(unix))]
    dir.is_dir().then_some(dir)
}

/// Whether a file can be written into a directory now, which is made as needed. Leaves nothing behind.
///
/// # Errors
/// Failure, naming the directory.
pub fn probe(dir: &Path) -> Result<()> {
    let write = || {
        create_private_dir(dir)?;
        let mut file = tempfile::tempfile_in(dir)?;
        file.write_all(&[0; 4096])?;
        file.sync_all()
    };
    write().map_err(|error| failed("write into", dir, error))
}

/// Whether files can be removed from a directory: a full disk is no obstacle, as it is to [`probe`].
///
/// # Errors
/// Failure, naming the directory.
pub fn require_writable(dir: &Path) -> Result<()> {
    #[cfg(unix)]
    rustix::fs::access(dir, rustix::fs::Access::WRITE_OK).map_err(|error| {
        failed("write into", dir, error.into()).with_hint(format!("chmod u+w '{}'", dir.display()))
    })?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

/// Makes a directory and its parents, readable by nobody else.
///
/// # Errors
/// As the system says.
pub fn create_private_dir(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

/// Removes a file, and what was to become it; true if it was there.
///
/// # Errors
/// Failure, naming the file.
pub fn remove(path: &Path) -> Result<bool> {
    let removed = remove_if_there(&beside(path)).and_then(|_| remove_if_there(path));
    removed.map_err(|error| failed("remove", path, error))
}

fn remove_if_there(path: &Path) -> std::io::Result<bool> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Opens a lock file, made as needed. The kernel drops the lock when its process ends, however it ends.
///
/// # Errors
/// Failure, naming the file.
pub fn open_lock(path: &Path) -> Result<File> {
    let open = || {
        create_private_dir(path.parent().unwrap_or(Path::new(".")))?;
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(path)
    };
    open().map_err(|error| failed("open", path, error))
}

fn failed(verb: &str, path: &Path, error: std::io::Error) -> Error {
    let full = matches!(error.kind(), std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded);
    let what = Error::failure(format!("can\'t {verb} {}", path.display())).with_cause(error);
    if full { what.with_hint("make room on that disk") } else { what }
}
