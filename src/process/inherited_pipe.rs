//! What a child is to read and nobody else: no argument, no variable, no file on disk, but an inherited descriptor.
//!
//! A file in memory (Linux) or a pipe, which the child opens as `/dev/fd/N`. Windows has neither: there it is a
//! temporary file, removed when the child has ended.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// Bytes that a child can read once, under a name. They are gone when this is dropped.
#[derive(Debug)]
pub struct InheritedPipe {
    #[cfg(unix)]
    _descriptor: std::os::fd::OwnedFd,
    #[cfg(not(unix))]
    _file: tempfile::NamedTempFile,
    path: PathBuf,
}

impl InheritedPipe {
    /// Holds the bytes for children that are started from now on.
    ///
    /// # Errors
    /// Failure, when the system has no place for them.
    pub fn new(bytes: &[u8]) -> Result<Self> {
        Self::hold(bytes).map_err(|error| Error::failure("can't hand the token over").with_cause(error))
    }

    /// The name that the child opens.
    pub fn path(&self) -> &Path {
        &self.path
    }

    #[cfg(unix)]
    fn hold(bytes: &[u8]) -> std::io::Result<Self> {
        use std::os::fd::AsRawFd;
        let descriptor = match in_memory(bytes) {
            Ok(descriptor) => descriptor,
            Err(_) => in_pipe(bytes)?,
        };
        rustix::io::fcntl_setfd(&descriptor, rustix::io::FdFlags::empty())?;
        let path = PathBuf::from(format!("/dev/fd/{}", descriptor.as_raw_fd()));
        Ok(Self { _descriptor: descriptor, path })
    }

    #[cfg(not(unix))]
    fn hold(bytes: &[u8]) -> std::io::Result<Self> {
        let mut file = tempfile::NamedTempFile::new()?;
        std::io::Write::write_all(&mut file, bytes)?;
        let path = file.path().to_owned();
        Ok(Self { _file: file, path })
    }
}

#[cfg(target_os = "linux")]
fn in_memory(bytes: &[u8]) -> std::io::Result<std::os::fd::OwnedFd> {
    let flags = rustix::fs::MemfdFlags::CLOEXEC;
    let mut file = std::fs::File::from(rustix::fs::memfd_create("oneup", flags)?);
    std::io::Write::write_all(&mut file, bytes)?;
    std::io::Seek::rewind(&mut file)?;
    Ok(file.into())
}

#[cfg(all(unix, not(target_os = "linux")))]
fn in_memory(_: &[u8]) -> std::io::Result<std::os::fd::OwnedFd> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// A pipe that already holds the bytes; more than fit are an error, since nobody reads yet.
#[cfg(unix)]
fn in_pipe(bytes: &[u8]) -> std::io::Result<std::os::fd::OwnedFd> {
    let (reader, mut writer) = std::io::pipe()?;
    rustix::io::ioctl_fionbio(&writer, true)?;
    std::io::Write::write_all(&mut writer, bytes)?;
    Ok(reader.into())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn cat(path: &Path) -> Vec<u8> {
        std::process::Command::new("cat").arg(path).output().expect("cat runs").stdout
    }

    #[test]
    fn a_child_reads_what_is_held() {
        let private = InheritedPipe::new(b"secret").expect("held");
        assert_eq!(cat(private.path()), b"secret");
    }

    #[test]
    fn a_pipe_holds_it_too_and_refuses_more_than_fits() {
        let reader = in_pipe(b"secret").expect("held");
        let mut text = String::new();
        std::io::Read::read_to_string(&mut std::fs::File::from(reader), &mut text).expect("readable");
        assert_eq!(text, "secret");
        assert!(in_pipe(&vec![0; 10_000_000]).is_err());
    }
}
