//! What is left after a kill, a full disk, a failing system call, a clock that jumps, or two commands at once: the old or
//! the new credentials, whole, and the next command works.
#![cfg(target_os = "linux")]

mod disk;
mod export;
mod races;
mod scenario;
mod steps;
mod time;
mod versions;
