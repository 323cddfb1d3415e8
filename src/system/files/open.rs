//! The one way to open files that decide something: what a profile runs, which keys verify a token, which secret is sent.
//!
//! A file is used if it is a regular file of the user or of root that no one else can write, in directories of which the
//! same is true: its own and the one above. Directories higher up need no check: a user who controls those can only put
//! files of another owner in place, and these are not used. Opening never blocks (a FIFO, a device), and reading ends at
//! [`MAX_LEN`].

#[cfg(windows)]
pub(super) mod windows;

use std::fs::File;
use std::path::Path;

use super::io_error;
use crate::error::{Error, Result};
use crate::oauth::secret::SecretBuf;

/// The size limit, in bytes: more than any of these files needs.
pub const MAX_LEN: usize = 4 * 1024 * 1024;

/// The same for what an export records of up to 100,000 files and their URLs.
const MAX_EXPORT_LEN: usize = 256 * 1024 * 1024;

/// What a file is used for, which decides what is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Secrets that oneup wrote. No one else can read them, and the file is no symbolic link.
    Secret,
    /// Other files that oneup wrote: no symbolic links.
    State,
    /// Files that the user manages: profiles, CA certificates. The target of a symbolic link is checked too.
    Config,
    /// A secret that the user manages, such as a private key. No one else can read it, except the group of a file of root:
    /// that is how systemd and Kubernetes give one to a service. Symbolic links are followed.
    PrivateKey,
    /// Files that oneup wrote into a directory of the user's choice: as [`Purpose::State`], but the directory above may be
    /// anyone's, such as the volume of a container.
    Export,
}

impl Purpose {
    fn max_len(self) -> usize {
        if self == Self::Export { MAX_EXPORT_LEN } else { MAX_LEN }
    }

    fn checked_dirs(self) -> usize {
        if self == Self::Export { 1 } else { 2 }
    }

    fn follows_links(self) -> bool {
        matches!(self, Self::Config | Self::PrivateKey)
    }

    fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::PrivateKey)
    }

    #[cfg(unix)]
    fn forbidden_mode(self, owner: u32) -> u32 {
        match self {
            Self::PrivateKey if owner == 0 => 0o037,
            Self::Secret | Self::PrivateKey => 0o077,
            Self::State | Self::Config | Self::Export => 0o022,
        }
    }
}

/// Reads a file, or returns `None` if it does not exist.
///
/// # Errors
/// A file that can't be read, or must not be used; the message names it, and the hint says how to correct it.
pub fn read(path: &Path, purpose: Purpose) -> Result<Option<SecretBuf>> {
    let Some((file, length)) = open_with_length(path, purpose)? else { return Ok(None) };
    let too_large = || {
        let reason = format!("is larger than {} MiB", purpose.max_len() >> 20);
        unusable(path, &reason, remove_hint(path))
    };
    let expected = usize::try_from(length).unwrap_or(usize::MAX);
    if expected > purpose.max_len() {
        return Err(too_large());
    }
    SecretBuf::read_from(file, expected, purpose.max_len()).map(Some).map_err(|error| match error.kind() {
        std::io::ErrorKind::FileTooLarge => too_large(),
        _ => io_error("read", path, error),
    })
}

/// Reads a UTF-8 text, or returns `None` if the file does not exist.
///
/// # Errors
/// As [`read`]; a file that is not UTF-8.
pub fn read_text(path: &Path, purpose: Purpose) -> Result<Option<String>> {
    let Some(bytes) = read(path, purpose)? else { return Ok(None) };
    std::str::from_utf8(&bytes)
        .map(|text| Some(text.to_owned()))
        .map_err(|_| unusable(path, "is not UTF-8", "save the file as UTF-8 text, without UTF-16".into()))
}

/// Opens a file of any length for reading, or returns `None` if it does not exist.
///
/// # Errors
/// As [`read`].
pub fn open(path: &Path, purpose: Purpose) -> Result<Option<File>> {
    Ok(open_with_length(path, purpose)?.map(|(file, _)| file))
}

fn open_with_length(path: &Path, purpose: Purpose) -> Result<Option<(File, u64)>> {
    let Some(file) = open_unchecked(path, purpose)? else { return Ok(None) };
    let length = check_file(path, &file, purpose)?;
    check_parents(path, purpose)?;
    if purpose.follows_links() && path.is_symlink() {
        let target = path.canonicalize().map_err(|error| io_error("open", path, error))?;
        check_parents(&target, purpose)?;
    }
    Ok(Some((file, length)))
}

#[cfg(unix)]
fn open_unchecked(path: &Path, purpose: Purpose) -> Result<Option<File>> {
    use rustix::fs::{Mode, OFlags};
    let mut flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    if !purpose.follows_links() {
        flags |= OFlags::NOFOLLOW;
    }
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => Ok(Some(File::from(descriptor))),
        Err(rustix::io::Errno::NOENT) if !path.is_symlink() => Ok(None),
        Err(rustix::io::Errno::LOOP) if !purpose.follows_links() => {
            Err(unusable(path, "is a symbolic link", remove_hint(path)))
        }
        // A socket, or a device without a driver.
        Err(rustix::io::Errno::NXIO) => Err(unusable(path, "is not a regular file", remove_hint(path))),
        Err(error) => Err(io_error("open", path, error.into())),
    }
}

#[cfg(windows)]
fn open_unchecked(path: &Path, purpose: Purpose) -> Result<Option<File>> {
    if !purpose.follows_links() && path.is_symlink() {
        return Err(unusable(path, "is a symbolic link", remove_hint(path)));
    }
    match File::open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_error("open", path, error)),
    }
}

/// Checks the file that was opened, and returns its length.
pub(super) fn check_file(path: &Path, file: &File, purpose: Purpose) -> Result<u64> {
    let metadata = file.metadata().map_err(|error| io_error("open", path, error))?;
    if !metadata.is_file() {
        return Err(unusable(path, "is not a regular file", remove_hint(path)));
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        check_owner(path, metadata.uid())?;
        let mode = metadata.mode() & 0o7777;
        if mode & purpose.forbidden_mode(metadata.uid()) != 0 {
            let command = if purpose.is_secret() { "chmod 600" } else { "chmod go-w" };
            return Err(too_open(path, mode, command));
        }
    }
    #[cfg(windows)]
    windows::check(path, file, if purpose.is_secret() { windows::ANY } else { windows::CHANGE_FILE })?;
    Ok(metadata.len())
}

/// Checks the directory of a file, and the one above.
///
/// # Errors
/// Failure: another user could exchange the file.
pub fn check_parents(path: &Path, purpose: Purpose) -> Result<()> {
    path.ancestors()
        .skip(1)
        .take(purpose.checked_dirs())
        .try_for_each(|dir| check_dir(if dir.as_os_str().is_empty() { Path::new(".") } else { dir }))
}

#[cfg(windows)]
use windows::check_dir;

/// Checks that no other user can exchange the files of a directory.
#[cfg(unix)]
fn check_dir(dir: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(dir).map_err(|error| io_error("open", dir, error))?;
    check_owner(dir, metadata.uid())?;
    let mode = metadata.mode() & 0o7777;
    // Others can add files to a sticky directory, such as /tmp, but can't replace those of their owner.
    if mode & 0o022 != 0 && mode & 0o1000 == 0 {
        return Err(too_open(dir, mode, "chmod go-w"));
    }
    Ok(())
}

#[cfg(unix)]
pub(super) fn check_owner(path: &Path, owner: u32) -> Result<()> {
    let user = rustix::process::geteuid().as_raw();
    if owner == user || owner == 0 {
        return Ok(());
    }
    let hint = if user == 0 {
        "run oneup as that user instead of root, or give root's own directories with --config-dir and --state-dir"
    } else {
        "give directories of your own with --config-dir and --state-dir"
    };
    Err(unusable(path, &format!("belongs to another user (uid {owner})"), hint.into()))
}

#[cfg(unix)]
fn too_open(path: &Path, mode: u32, command: &str) -> Error {
    let hint = format!("{command} {}", super::quote(path));
    unusable(path, &format!("has permissions too open ({mode:04o})"), hint)
}

fn unusable(path: &Path, reason: &str, hint: String) -> Error {
    Error::failure(format!("{} {reason}", path.display())).with_hint(hint)
}

fn remove_hint(path: &Path) -> String {
    let path = super::quote(path);
    format!("move it away (mv {path} {path}.old), then log in again")
}
