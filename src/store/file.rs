//! The store of last resort: a private file a profile, not encrypted, for machines without any keyring.
//!
//! Whoever can read the file has the login, so a file that others can read, that is not ours, or that is a link is
//! refused. It is replaced whole or not at all: temporary file, fsync, rename.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{CredentialStore, StoredCredentials, decode, encode};
use crate::error::{Error, Result, StoreErrorKind};
use crate::oauth::secret::SecretBuf;
use crate::system::files;

/// More than any credentials need.
const MAX_LEN: usize = 4 * 1024 * 1024;

/// `STATE/secrets/ID.json`.
pub(super) struct FileStore {
    dir: PathBuf,
}

impl FileStore {
    /// The store below this state directory.
    pub(super) fn new(state_dir: &Path) -> Self {
        Self { dir: state_dir.join("secrets") }
    }

    /// The id comes from a file that a person can edit: it must not lead out of the directory.
    fn path(&self, id: &str) -> Result<PathBuf> {
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if id.is_empty() || id.len() > 64 || !id.chars().all(fits) {
            return Err(Error::store(StoreErrorKind::Corrupt, "the profile's id can't name a file"));
        }
        Ok(self.dir.join(format!("{id}.json")))
    }
}

impl CredentialStore for FileStore {
    fn read(&self, id: &str) -> Result<Option<StoredCredentials>> {
        let path = self.path(id)?;
        let Some((file, length)) = open_private(&path)? else { return Ok(None) };
        let bytes = SecretBuf::read_from(file, usize::try_from(length).unwrap_or(0), MAX_LEN)
            .map_err(|error| failed("read", &path, error))?;
        decode(&bytes, &path.display().to_string(), "move that file away, then log in again").map(Some)
    }

    fn write(&self, id: &str, credentials: &StoredCredentials) -> Result<()> {
        let path = self.path(id)?;
        files::create_private_dir(&self.dir).map_err(|error| failed("create", &self.dir, error))?;
        check_dir(&self.dir)?;
        // What can't be understood may be somebody's only copy: it is never overwritten.
        self.read(id)?;
        files::replace(&path, &encode(credentials)?)
            .map_err(|error| error.with_kind(crate::error::ErrorKind::Store(StoreErrorKind::Failed)))
    }

    fn delete(&self, id: &str) -> Result<bool> {
        files::remove(&self.path(id)?)
            .map_err(|error| error.with_kind(crate::error::ErrorKind::Store(StoreErrorKind::Failed)))
    }

    fn probe(&self, _: &str) -> Result<()> {
        files::probe(&self.dir)
            .map_err(|error| error.with_kind(crate::error::ErrorKind::Store(StoreErrorKind::Failed)))?;
        check_dir(&self.dir)
    }
}

fn failed(verb: &str, path: &Path, error: std::io::Error) -> Error {
    let full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
    let hint = if full { "make room on that disk" } else { "give a directory of yours with --state-dir DIR" };
    Error::store(StoreErrorKind::Failed, format!("can't {verb} {}", path.display()))
        .with_cause(error)
        .with_hint(hint)
}

fn refused(path: &Path, why: &str, hint: String) -> Error {
    Error::store(StoreErrorKind::Failed, format!("{} is not used: {why}", path.display())).with_hint(hint)
}

/// A directory of somebody else's could have its files exchanged; one of ours that is too open is closed.
#[cfg(unix)]
fn check_dir(dir: &Path) -> Result<()> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let found = fs::metadata(dir).map_err(|error| failed("read", dir, error))?;
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused(
            dir,
            "it belongs to another user",
            "give a directory with --state-dir DIR".into(),
        ));
    }
    if found.mode() & 0o077 == 0 {
        return Ok(());
    }
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(|error| failed("protect", dir, error))
}

#[cfg(not(unix))]
fn check_dir(_: &Path) -> Result<()> {
    Ok(())
}

/// The file and its length, if it is there and nobody else can read it. What is checked is the file that was opened.
#[cfg(unix)]
fn open_private(path: &Path) -> Result<Option<(File, u64)>> {
    use rustix::fs::{Mode, OFlags};
    use std::os::unix::fs::MetadataExt;
    // NONBLOCK: a pipe put in its place would hold the open for ever.
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        Err(rustix::io::Errno::NOENT) => return Ok(None),
        Err(rustix::io::Errno::LOOP) => return Err(refused(path, "it is a symbolic link", move_away())),
        Err(errno) => return Err(failed("open", path, errno.into())),
    };
    let found = file.metadata().map_err(|error| failed("read", path, error))?;
    if !found.is_file() {
        return Err(refused(path, "it is no regular file", move_away()));
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(refused(path, "it belongs to another user", move_away()));
    }
    if found.mode() & 0o077 != 0 {
        let why = format!("others can get at it (mode {:04o})", found.mode() & 0o7777);
        return Err(refused(path, &why, format!("chmod 600 '{}'", path.display())));
    }
    Ok(Some((file, found.len())))
}

#[cfg(unix)]
fn move_away() -> String {
    "move it away, then log in again".into()
}

#[cfg(not(unix))]
fn open_private(path: &Path) -> Result<Option<(File, u64)>> {
    match File::open(path) {
        Ok(file) => Ok(Some((file, 0))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("open", path, error)),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::super::tests::credentials;
    use super::*;

    fn store() -> (tempfile::TempDir, FileStore) {
        let state = tempfile::tempdir().expect("a temporary directory");
        let files = FileStore::new(&state.path().join("not/yet/there"));
        (state, files)
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o7777
    }

    #[test]
    fn it_is_private_and_comes_back() {
        let (_state, files) = store();
        assert_eq!(files.read("a").expect("nothing is no error"), None);
        assert!(!files.delete("a").expect("nothing is no error"));
        for length in [1, 100_000, 10] {
            files.write("a", &credentials(length)).expect("it is written");
            assert_eq!(files.read("a").expect("it is read"), Some(credentials(length)));
        }
        assert_eq!((mode(&files.dir), mode(&files.dir.join("a.json"))), (0o700, 0o600));
        assert_eq!(fs::read_dir(&files.dir).expect("a directory").count(), 1, "no temporary file is left");
        assert!(files.delete("a").expect("it is deleted"));
        assert_eq!(files.read("a").expect("nothing is no error"), None);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_the_fix() {
        let (_state, files) = store();
        files.write("a", &credentials(1)).expect("it is written");
        let path = files.dir.join("a.json");
        for open in [0o640, 0o604, 0o620, 0o777] {
            fs::set_permissions(&path, fs::Permissions::from_mode(open)).expect("it is ours");
            for error in [files.read("a").err(), files.write("a", &credentials(2)).err()] {
                let error = error.expect("it is refused");
                assert_eq!(error.kind().exit().code(), 6);
                assert!(error.to_string().contains("hint: chmod 600 '"), "{error}");
            }
        }
    }

    #[test]
    fn what_is_no_file_of_ours_is_refused() {
        let (state, files) = store();
        files.write("a", &credentials(1)).expect("it is written");
        symlink(files.dir.join("a.json"), files.dir.join("link.json")).expect("a link");
        symlink("/nowhere", files.dir.join("dangling.json")).expect("a link");
        fs::create_dir(files.dir.join("dir.json")).expect("a directory");
        let status = std::process::Command::new("mkfifo").arg(files.dir.join("pipe.json")).status();
        assert!(status.expect("mkfifo runs").success());
        for id in ["link", "dangling", "dir", "pipe"] {
            assert_eq!(files.read(id).expect_err(id).kind().exit().code(), 6);
            assert_eq!(files.write(id, &credentials(2)).expect_err(id).kind().exit().code(), 6);
        }
        for id in ["", "..", "../a", "a/b", "a.json", &"a".repeat(65)] {
            assert_eq!(files.read(id).expect_err(id).kind().exit().code(), 6);
        }
        drop(state);
    }

    #[test]
    fn a_broken_file_is_named_and_kept() {
        let (_state, files) = store();
        files.write("a", &credentials(1)).expect("it is written");
        let path = files.dir.join("a.json");
        fs::write(&path, "{\"schema\":1,\"client_secret\":\"half").expect("it is ours");
        for error in [files.read("a").err(), files.write("a", &credentials(2)).err()] {
            assert!(error.expect("it is refused").to_string().contains("a.json"));
        }
        assert!(fs::read_to_string(&path).expect("it is kept").ends_with("half"));
        assert!(files.delete("a").expect("a logout still works"));
    }

    #[test]
    fn a_directory_that_is_too_open_is_closed_and_leftovers_go_with_the_login() {
        let (_state, files) = store();
        files.write("a", &credentials(1)).expect("it is written");
        fs::set_permissions(&files.dir, fs::Permissions::from_mode(0o755)).expect("it is ours");
        let leftover = files.dir.join(".a.json.new");
        fs::write(&leftover, "half").expect("it is ours");
        files.write("a", &credentials(2)).expect("it is written");
        assert_eq!(mode(&files.dir), 0o700);
        assert!(!leftover.exists() && files.read("a").expect("it is read") == Some(credentials(2)));
        fs::write(&leftover, "half").expect("it is ours");
        assert!(files.delete("a").expect("it is deleted"));
        assert_eq!(fs::read_dir(&files.dir).expect("a directory").count(), 0);
    }
}
