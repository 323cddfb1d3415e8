//! Bytes that a child process reads from an inherited pipe: not from an argument, a variable or a file on disk.
//!
//! The child opens the pipe as `/dev/fd/N`. Bytes that were read are gone, so that nothing reads them a second time.
//! Windows has no such names: there the pipe is the child's stdin, named `-`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::{Error, Result};

/// Whether the pipe takes the place of the child's stdin.
pub const IS_STDIN: bool = !cfg!(unix);

/// Bytes that a child process can read once, by file name. Those not read are gone when this is dropped.
#[derive(Debug)]
pub struct InheritedPipe {
    reader: imp::Reader,
    path: PathBuf,
}

impl InheritedPipe {
    /// Makes the bytes readable for the children that are started from now on. Their end of file is the end of the bytes.
    ///
    /// # Errors
    /// Failure: the bytes don't fit into a pipe, or `/dev/fd` does not exist.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        let pipe = imp::open(bytes).map_err(|error| failed().with_cause(error))?;
        if IS_STDIN || pipe.path.exists() {
            return Ok(pipe);
        }
        Err(failed().with_detail(format!("{} does not exist", pipe.path.display())).with_hint("mount /proc"))
    }

    /// Lets this command read the bytes, and returns the file name for it.
    ///
    /// # Errors
    /// Failure: the operating system's.
    pub fn pass_to(&self, command: &mut Command) -> Result<&Path> {
        imp::pass(&self.reader, command).map_err(|error| failed().with_cause(error))?;
        Ok(&self.path)
    }
}

fn failed() -> Error {
    Error::failure("could not pass the token through a pipe")
}

#[cfg(unix)]
mod imp {
    use std::io;
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::path::PathBuf;
    use std::process::Command;

    use super::InheritedPipe;

    pub(super) type Reader = OwnedFd;

    pub(super) fn open(bytes: &[u8]) -> io::Result<InheritedPipe> {
        let (reader, mut writer) = io::pipe()?;
        #[cfg(target_os = "linux")]
        if rustix::pipe::fcntl_getpipe_size(&writer)? < bytes.len() {
            rustix::pipe::fcntl_setpipe_size(&writer, bytes.len())?;
        }
        // Nothing reads yet, so bytes that don't fit must be an error.
        rustix::io::ioctl_fionbio(&writer, true)?;
        io::Write::write_all(&mut writer, bytes)?;
        let reader = OwnedFd::from(reader);
        rustix::io::fcntl_setfd(&reader, rustix::io::FdFlags::empty())?;
        let path = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
        Ok(InheritedPipe { reader, path })
    }

    /// Every child has the descriptor.
    pub(super) fn pass(_: &Reader, _: &mut Command) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(not(unix))]
mod imp {
    use std::io;
    use std::process::Command;

    use super::InheritedPipe;
    use crate::oauth::secret::SecretBuf;

    pub(super) type Reader = io::PipeReader;

    pub(super) fn open(bytes: &[u8]) -> io::Result<InheritedPipe> {
        let (reader, mut writer) = io::pipe()?;
        let bytes = SecretBuf::from(bytes.to_vec());
        // The pipe is small: the thread ends when the child has read the bytes.
        std::thread::Builder::new().spawn(move || io::Write::write_all(&mut writer, &bytes))?;
        Ok(InheritedPipe { reader, path: "-".into() })
    }

    pub(super) fn pass(reader: &Reader, command: &mut Command) -> io::Result<()> {
        command.stdin(reader.try_clone()?);
        Ok(())
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn cat(pipe: &InheritedPipe) -> Vec<u8> {
        let mut command = Command::new("cat");
        let path = pipe.pass_to(&mut command).expect("a file name");
        command.arg(path).output().expect("cat runs").stdout
    }

    #[test]
    fn bytes_can_be_read_once() {
        let pipe = InheritedPipe::new(b"secret").expect("a pipe");
        assert_eq!(cat(&pipe), b"secret");
        assert_eq!(cat(&pipe), b"");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn pipe_grows_to_its_content() {
        let bytes = vec![b'x'; 300_000];
        let pipe = InheritedPipe::new(&bytes).expect("a pipe");
        assert!(cat(&pipe) == bytes);
    }

    #[test]
    fn more_than_fits_is_an_error() {
        assert!(InheritedPipe::new(&vec![0; 100_000_000]).is_err());
    }
}
