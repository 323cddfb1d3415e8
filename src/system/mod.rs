//! What the operating system gives: files, locks between processes, the wall clock.

pub mod clock;
pub mod files;
pub mod lock;
