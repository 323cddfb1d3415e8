//! What the operating system gives: directories, files, locks between processes, the wall clock.

#[cfg(windows)]
mod acl;
pub mod clock;
pub mod deadline;
pub mod dirs;
pub mod files;
pub mod lock;
#[cfg(unix)]
pub mod terminal;
