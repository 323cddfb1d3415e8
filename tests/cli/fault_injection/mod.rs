//! A kill, a full disk, a failing system call, a clock that jumps, concurrent commands: after each the old or the new
//! credentials are complete, and the next command works.
#![cfg(target_os = "linux")]

mod disk;
mod export;
mod races;
mod scenario;
mod steps;
mod time;
mod versions;
