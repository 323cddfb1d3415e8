//! Nothing gets lost: what is left when oneup is killed, when the disk fills up, when a call fails, when clocks jump,
//! and when two do opposite things at once. The old token or the new one, whole, and the next command works.
#![cfg(target_os = "linux")]

mod disk;
mod races;
mod realm;
mod scenario;
mod steps;
mod time;
mod versions;
