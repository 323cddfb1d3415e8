//! Bytes that a child process reads from an inherited pipe: not from an argument, a variable or a file on disk.
//!
//! The child opens the pipe as `/dev/fd/N`. Bytes that were read are gone, so that nothing reads them a second time.
//! Windows has no such names: there it is a temporary file, removed after the child has exited.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Bytes that a child process can read once, by file name. Those not read are gone when this is dropped.
#[derive(Debug)]
pub struct InheritedPipe {
    #[cfg(unix)]
    _reader: std::os::fd::OwnedFd,
    #[cfg(not(unix))]
    _file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl InheritedPipe {
    /// Makes the bytes readable for the children that are started from now on. Their end of file is the end of the bytes.
    ///
    /// # Errors
    /// Failure: the bytes don't fit into a pipe, or `/dev/fd` does not exist.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        let failed = || Error::failure("could not pass the token through a pipe");
        let pipe = Self::open(bytes).map_err(|error| failed().with_cause(error))?;
        if pipe.path.exists() {
            return Ok(pipe);
        }
        Err(failed().with_detail(format!("{} does not exist", pipe.path.display())).with_hint("mount /proc"))
    }

    /// The file name for the child.
    pub fn path(&self) -> &Path {
        &self.path
    }

    #[cfg(unix)]
    fn open(bytes: &[u8]) -> std::io::Result<Self> {
        use std::os::fd::{AsRawFd, OwnedFd};
        let (reader, mut writer) = std::io::pipe()?;
        #[cfg(target_os = "linux")]
        if rustix::pipe::fcntl_getpipe_size(&writer)? < bytes.len() {
            rustix::pipe::fcntl_setpipe_size(&writer, bytes.len())?;
        }
        // Nothing reads yet, so bytes that don't fit must be an error.
        rustix::io::ioctl_fionbio(&writer, true)?;
        std::io::Write::write_all(&mut writer, bytes)?;
        let reader = OwnedFd::from(reader);
        rustix::io::fcntl_setfd(&reader, rustix::io::FdFlags::empty())?;
        let path = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
        Ok(Self { _reader: reader, path })
    }

    #[cfg(not(unix))]
    fn open(bytes: &[u8]) -> std::io::Result<Self> {
        let mut file = tempfile::NamedTempFile::new()?;
        std::io::Write::write_all(&mut file, bytes)?;
        let path = file.path().to_owned();
        Ok(Self { _file: file, path })
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn cat(path: &Path) -> Vec<u8> {
        std::process::Command::new("cat").arg(path).output().expect("cat runs").stdout
    }

    #[test]
    fn bytes_can_be_read_once() {
        let pipe = InheritedPipe::new(b"secret").expect("a pipe");
        assert_eq!(cat(pipe.path()), b"secret");
        assert_eq!(cat(pipe.path()), b"");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn pipe_grows_to_its_content() {
        let bytes = vec![b'x'; 300_000];
        let pipe = InheritedPipe::new(&bytes).expect("a pipe");
        assert!(cat(pipe.path()) == bytes);
    }

    #[test]
    fn more_than_fits_is_an_error() {
        assert!(InheritedPipe::new(&vec![0; 100_000_000]).is_err());
    }
}
