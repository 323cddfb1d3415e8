//! Files that are replaced whole or not at all, and that only their owner can read.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use crate::error::{Error, Result};

/// Replaces a file: a private (0600) temporary file in the same directory, synced, renamed over it. Directories are
/// made as needed, private too.
///
/// # Errors
/// Failure, naming the file; what was there is still there.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    try_replace(path, bytes).map_err(|error| failed("write", path, &error))
}

fn try_replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let dir = path.parent().unwrap_or(Path::new("."));
    create_private_dir(dir)?;
    let mut file = tempfile::NamedTempFile::new_in(dir)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    // The rename itself is durable once the directory is; a file system that can't sync one is no reason to fail.
    #[cfg(unix)]
    let _ = File::open(dir).and_then(|dir| dir.sync_all());
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

/// Removes a file; true if it was there.
///
/// # Errors
/// Failure, naming the file.
pub fn remove(path: &Path) -> Result<bool> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed("remove", path, &error)),
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
    open().map_err(|error| failed("open", path, &error))
}

fn failed(verb: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::failure(format!("can't {verb} {}", path.display())).because(error)
}
