//! Files that are replaced whole or not at all, and files that only their owner can read.

mod open;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

#[cfg(unix)]
pub use open::check_parents;
#[cfg(windows)]
pub use open::windows::protect_dir;
pub use open::{MAX_LEN, Purpose, open, read, read_text};

use crate::error::{Error, Result};

/// Replaces a file by a private one (0600): a new file beside it is synced, then renamed. Missing directories are created,
/// private too. The caller holds the lock that the file belongs to.
///
/// # Errors
/// Failure, naming the file; the old file is then still there.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    try_replace(path, bytes).map_err(|error| io_error("write", path, error))
}

/// Replaces the target of a symbolic link, as [`replace`]; the link stays. Any other file is replaced itself.
///
/// # Errors
/// As [`replace`].
pub fn replace_target(path: &Path, bytes: &[u8]) -> Result<()> {
    let target = path.is_symlink().then(|| path.canonicalize().ok()).flatten();
    replace(target.as_deref().unwrap_or(path), bytes)
}

fn try_replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    create_private_dir(parent_of(path))?;
    let new = unfinished(path);
    let renamed = write_new(&new, bytes).and_then(|()| rename(&new, path));
    if renamed.is_err() {
        let _ = std::fs::remove_file(&new);
    }
    renamed
}

/// Renames a file within its directory, durably.
///
/// # Errors
/// As the system reports.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    std::fs::rename(from, to)?;
    // The rename is durable once the directory is; a file system that can't sync one is no reason to fail.
    #[cfg(unix)]
    let _ = File::open(parent_of(to)).and_then(|dir| dir.sync_all());
    Ok(())
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    }
}

/// The name of the new file until it is whole. It is always the same, so that the file that a killed process left is
/// replaced by the next one, and removed with the file itself.
fn unfinished(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".new");
    path.with_file_name(name)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    remove_if_exists(path)?;
    let mut file = create_private(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(windows)]
use open::windows::create_private;

/// Lets the system begin to write a range of a file to its disk, where it can be told so. Returns at once.
pub fn start_writeback(file: &File, offset: u64, length: u64) {
    // This is what the advice does for pages that were not written yet (posix_fadvise(2), "Notes"); they stay in memory.
    #[cfg(target_os = "linux")]
    let _ =
        rustix::fs::fadvise(file, offset, std::num::NonZeroU64::new(length), rustix::fs::Advice::DontNeed);
    #[cfg(not(target_os = "linux"))]
    let _ = (file, offset, length);
}

/// Creates a private file, unless it exists: of several processes that try, one succeeds and the others return false.
///
/// # Errors
/// Failure, naming the file.
pub fn create(path: &Path, bytes: &[u8]) -> Result<bool> {
    let dir = parent_of(path);
    create_private_dir(dir).map_err(|error| io_error("create", dir, error))?;
    // The directory is locked, so that no lock file stays. Where that is impossible, the last process succeeds.
    #[cfg(unix)]
    let _guard = File::open(dir).and_then(|dir| dir.lock().map(|()| dir));
    if path.exists() {
        return Ok(false);
    }
    replace(path, bytes).map(|()| true)
}

/// Returns the user's own directory in memory (`XDG_RUNTIME_DIR`), unless it belongs to another user, as after `sudo -E`,
/// or others can write into it.
pub fn runtime_dir() -> Option<PathBuf> {
    let dir = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|dir| dir.is_absolute())?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let user = rustix::process::geteuid().as_raw();
        let metadata = std::fs::metadata(&dir).ok()?;
        (metadata.is_dir() && metadata.uid() == user && metadata.mode() & 0o022 == 0).then_some(dir)
    }
    #[cfg(not(unix))]
    dir.is_dir().then_some(dir)
}

/// Checks that a file can be written into a directory, which is created if needed. Leaves nothing behind.
///
/// # Errors
/// Failure, naming the directory.
pub fn probe(dir: &Path) -> Result<()> {
    probe_file(dir).map(drop)
}

/// Checks as [`probe`], and that the file system keeps the file's permissions.
///
/// # Errors
/// Failure, naming the directory.
pub fn probe_private(dir: &Path) -> Result<()> {
    let file = probe_file(dir)?;
    let Some(found) = open_to_others(&file).map_err(|error| io_error("read", dir, error))? else {
        return Ok(());
    };
    let examples = if cfg!(windows) { "FAT" } else { "FAT and Windows drives" };
    Err(Error::failure(format!("files in {} can't be private: {found}", dir.display()))
        .with_detail(format!("the file system does not keep permissions, as {examples}"))
        .with_hint("give a directory on another file system with --state-dir DIR, or use another --store"))
}

/// What lets others open a file that was created as a private one.
fn open_to_others(file: &File) -> io::Result<Option<String>> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        // Whether this fails or is ignored, the mode tells.
        let _ = file.set_permissions(std::fs::Permissions::from_mode(0o600));
        let mode = file.metadata()?.mode() & 0o7777;
        Ok((mode & 0o077 != 0).then(|| format!("a file of mode 0600 has mode {mode:04o}")))
    }
    #[cfg(windows)]
    {
        Ok(open::windows::is_open_to_others(file)?
            .then(|| "an ACL that admits no one else has no effect".into()))
    }
}

fn probe_file(dir: &Path) -> Result<File> {
    let write = || {
        create_private_dir(dir)?;
        let mut file = private_temp_file(dir)?;
        file.write_all(&[0; 4096])?;
        file.sync_all().map(|()| file)
    };
    write().map_err(|error| io_error("write into", dir, error))
}

/// A temporary file of mode 0600, without a name where the file system can do that: then nothing is left of it, whatever
/// happens. `tempfile_in` would give it mode 0666.
fn private_temp_file(dir: &Path) -> std::io::Result<File> {
    #[cfg(target_os = "linux")]
    {
        use rustix::fs::{Mode, OFlags};
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        if let Ok(file) = rustix::fs::open(dir, flags, Mode::RUSR | Mode::WUSR) {
            return Ok(file.into());
        }
    }
    tempfile::Builder::new().make_in(dir, create_private).map(tempfile::NamedTempFile::into_file)
}

/// Checks that files can be removed from a directory: unlike [`probe`] it succeeds on a full disk.
///
/// # Errors
/// Failure, naming the directory.
pub fn require_writable(dir: &Path) -> Result<()> {
    #[cfg(unix)]
    rustix::fs::access(dir, rustix::fs::Access::WRITE_OK).map_err(|error| {
        io_error("write into", dir, error.into()).with_hint(format!("chmod u+w {}", quote(dir)))
    })?;
    #[cfg(not(unix))]
    let _ = dir;
    Ok(())
}

/// Creates a directory and its parents, readable by the user only.
///
/// # Errors
/// As the system reports.
pub fn create_private_dir(dir: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(dir)
    }
    #[cfg(windows)]
    {
        if dir.is_dir() {
            return Ok(());
        }
        create_private_dir(parent_of(dir))?;
        match std::fs::create_dir(dir) {
            // What others may have put into it meanwhile belongs to them, and is not used.
            Ok(()) => protect_dir(dir),
            Err(_) if dir.is_dir() => Ok(()),
            failed => failed,
        }
    }
}

/// Creates a directory if needed, and makes sure that it is the user's and that no one else can enter it.
///
/// # Errors
/// Failure, naming the directory.
pub fn restrict_dir(dir: &Path) -> Result<()> {
    create_private_dir(dir).map_err(|error| io_error("create", dir, error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::{MetadataExt, PermissionsExt};
        let metadata = std::fs::metadata(dir).map_err(|error| io_error("read", dir, error))?;
        open::check_owner(dir, metadata.uid())?;
        if metadata.mode() & 0o077 != 0 {
            std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700))
                .map_err(|error| io_error("protect", dir, error))?;
        }
    }
    #[cfg(windows)]
    open::windows::restrict_dir(dir)?;
    Ok(())
}

/// Removes a file, and one that a killed writer left beside it; true if the file existed.
///
/// # Errors
/// Failure, naming the file.
pub fn remove(path: &Path) -> Result<bool> {
    let removed = remove_if_exists(&unfinished(path)).and_then(|_| remove_if_exists(path));
    removed.map_err(|error| io_error("remove", path, error))
}

fn remove_if_exists(path: &Path) -> io::Result<bool> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Opens a lock file, which is created if needed. The kernel releases the lock when its process ends, however it ends.
///
/// # Errors
/// Failure, naming the file.
pub fn open_lock(path: &Path) -> Result<File> {
    open_private(path, Purpose::State)
}

/// Opens a private file (0600) for reading and writing, and creates it and its directories if needed.
///
/// # Errors
/// Failure, naming the file: as [`read`].
pub fn open_private(path: &Path, purpose: Purpose) -> Result<File> {
    let open = || {
        create_private_dir(parent_of(path))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
            let mut options = File::options();
            options.create(true).truncate(false).read(true).write(true);
            options.mode(0o600).custom_flags(flags.bits().cast_signed()).open(path)
        }
        #[cfg(windows)]
        open::windows::open_or_create_private(path)
    };
    let file = open().map_err(|error| io_error("open", path, error))?;
    open::check_file(path, &file, purpose)?;
    open::check_parents(path, purpose)?;
    Ok(file)
}

/// Returns the error of a file operation, with a hint where the cause is known.
pub fn io_error(verb: &str, path: &Path, error: io::Error) -> Error {
    let hint = hint(path, &error);
    let result = Error::failure(format!("can't {verb} {}", path.display())).with_cause(error);
    match hint {
        Some(hint) => result.with_hint(hint),
        None => result,
    }
}

fn hint(path: &Path, error: &io::Error) -> Option<String> {
    const OTHER_DIRS: &str = "give other directories with --config-dir and --state-dir";
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some("free some disk space".into()),
        io::ErrorKind::ReadOnlyFilesystem => {
            Some(format!("the file system is mounted read-only; {OTHER_DIRS}"))
        }
        io::ErrorKind::PermissionDenied => Some(match owner_of_nearest(path) {
            Some(owner) => format!("it belongs to another user (uid {owner}); {OTHER_DIRS}"),
            None if cfg!(windows) => format!("check its permissions: icacls \"{}\"", nearest(path).display()),
            None => format!("check its permissions: ls -ld {}", quote(nearest(path))),
        }),
        io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
            Some(format!("move away what is in its place: ls -ld {}", quote(path)))
        }
        io::ErrorKind::Unsupported => Some(format!("the file system does not support this; {OTHER_DIRS}")),
        io::ErrorKind::StaleNetworkFileHandle | io::ErrorKind::TimedOut => {
            Some(format!("the network file system does not respond; {OTHER_DIRS}"))
        }
        _ if is_without_locks(error) => {
            Some(format!("the file system has no locks (NFS without a lock service?); {OTHER_DIRS}"))
        }
        _ => None,
    }
}

#[cfg(unix)]
fn is_without_locks(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::NOLCK.raw_os_error())
}

#[cfg(not(unix))]
fn is_without_locks(_: &io::Error) -> bool {
    false
}

/// Returns the path, or the directory that it can't be made or seen in.
fn nearest(path: &Path) -> &Path {
    path.ancestors().find(|path| std::fs::symlink_metadata(path).is_ok()).unwrap_or(path)
}

/// The owner of a path, or of the directory that hides it, if that is another user.
#[cfg(unix)]
fn owner_of_nearest(path: &Path) -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::symlink_metadata(nearest(path)).ok()?;
    (metadata.uid() != rustix::process::geteuid().as_raw()).then_some(metadata.uid())
}

#[cfg(not(unix))]
fn owner_of_nearest(_: &Path) -> Option<u32> {
    None
}

/// Quotes a path for a POSIX shell.
pub fn quote(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', r"'\''"))
}

#[cfg(all(test, unix))]
mod tests;
