//! A Unix socket of mode 0600, which is this process's alone.

use std::fs::File;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use rustix::fs::Mode;

use crate::error::{Error, Result};
use crate::system::files::{self, Purpose};

/// A socket that listens.
pub struct UnixSocket {
    /// The socket, which does not block.
    pub listener: UnixListener,
    /// Its file.
    pub file: SocketFile,
}

/// The file of a socket, removed when this is dropped, unless it was replaced.
pub struct SocketFile {
    path: PathBuf,
    id: (u64, u64),
}

impl UnixSocket {
    /// Begins to listen. A socket that a killed process left is replaced.
    ///
    /// # Errors
    /// Usage: another process listens there, or it is no socket. Failure: the system's, or a directory in which other
    /// users could replace the socket.
    pub fn bind(path: &Path) -> Result<Self> {
        let dir = match path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => dir,
            _ => Path::new("."),
        };
        files::check_parents(path, Purpose::State)?;
        // Two processes that start together: the second finds the first one's socket.
        let _guard = File::open(dir).and_then(|dir| dir.lock().map(|()| dir));
        remove_abandoned(path)?;
        let listen = || {
            let mask = rustix::process::umask(Mode::from_raw_mode(0o177));
            let listener = UnixListener::bind(path);
            rustix::process::umask(mask);
            let listener = listener?;
            listener.set_nonblocking(true)?;
            let id = id(path)?;
            Ok(Self { listener, file: SocketFile { path: path.to_owned(), id } })
        };
        listen().map_err(|error: io::Error| match error.kind() {
            io::ErrorKind::InvalidInput => {
                Error::usage(format!("the path {} is too long for a socket", path.display()))
                    .with_hint("use a shorter path, such as one in $XDG_RUNTIME_DIR")
            }
            _ => files::io_error("listen on", path, error),
        })
    }
}

/// Removes a socket on which no process listens.
fn remove_abandoned(path: &Path) -> Result<()> {
    let file_type = match std::fs::symlink_metadata(path) {
        Ok(metadata) => metadata.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(files::io_error("read", path, error)),
    };
    if !file_type.is_socket() {
        return Err(Error::usage(format!("{} exists and is not a socket", path.display()))
            .with_hint("give another path with --socket PATH"));
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
            std::fs::remove_file(path).map_err(|error| files::io_error("remove", path, error))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // Connected, or it listens and is busy or of another user.
        _ => Err(Error::usage(format!("another process listens on {}", path.display()))
            .with_hint("stop it, or give another path with --socket PATH")),
    }
}

fn id(path: &Path) -> io::Result<(u64, u64)> {
    std::fs::symlink_metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if id(&self.path).is_ok_and(|id| id == self.id) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn socket_is_private_and_gone_at_the_end() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("s");
        let socket = UnixSocket::bind(&path).expect("bound");
        let mode = std::fs::symlink_metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = UnixSocket::bind(&path).err().expect("in use");
        assert!(second.to_string().contains("another process listens"), "{second}");
        drop(socket);
        assert!(!path.exists());
    }

    #[test]
    fn one_of_many_that_start_together_listens() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("s");
        drop(UnixListener::bind(&path).expect("an abandoned one"));
        let start = std::sync::Barrier::new(8);
        let sockets: Vec<_> = std::thread::scope(|threads| {
            let bind = || {
                start.wait();
                UnixSocket::bind(&path)
            };
            let all: Vec<_> = (0..8).map(|_| threads.spawn(bind)).collect();
            all.into_iter().map(|thread| thread.join().expect("no panic")).collect()
        });
        assert_eq!(sockets.iter().filter(|socket| socket.is_ok()).count(), 1);
        assert!(UnixStream::connect(&path).is_ok());
    }

    #[test]
    fn abandoned_socket_is_replaced_and_other_files_are_not() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("s");
        drop(UnixListener::bind(&path).expect("bound"));
        assert!(path.exists());
        UnixSocket::bind(&path).expect("replaces it");
        std::fs::write(&path, "precious").expect("a file");
        assert!(UnixSocket::bind(&path).is_err());
        assert_eq!(std::fs::read(&path).expect("still there"), b"precious");
    }

    #[test]
    fn directory_that_others_can_write_is_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o777)).expect("chmod");
        assert!(UnixSocket::bind(&dir.path().join("s")).is_err());
    }
}
