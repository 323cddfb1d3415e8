//! strace: the system calls of a run of oneup, and faults at each of them.

use std::collections::HashMap;
use std::path::Path;

use super::{Home, Oneup, is_root, requires, requires_program};

/// Calls that write, lock, or send.
const CALLS: &str = "openat,mkdir,write,pwrite64,writev,sendto,sendmsg,connect,fsync,fdatasync,rename,renameat,renameat2,\
                     unlink,unlinkat,rmdir,flock,fchmod,chmod,ftruncate,add_key,keyctl";

/// One call of one thread.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `fsync`
    pub(crate) name: String,
    /// Its number among the calls of this name in its thread, from 1, as strace counts.
    pub(crate) number: usize,
    /// With its arguments, as strace shows it.
    pub(crate) text: String,
}

/// Whether strace is installed, and can trace a process that is not dumpable; as [`requires`] does.
pub(crate) fn requires_strace() -> bool {
    requires_program("strace") && requires("root, so that strace can trace oneup", is_root())
}

/// oneup in this home under strace, which writes to `trace`; `inject` is strace's own expression, or nothing.
pub(crate) fn traced(home: &Home, trace: &Path, inject: &str) -> Oneup {
    let trace = trace.to_str().expect("UTF-8").to_owned();
    // strace injects faults into traced calls only.
    let calls = format!("trace={CALLS},{}", inject.split(':').next().unwrap_or_default());
    let calls = calls.trim_end_matches(',').to_owned();
    let mut words: Vec<&str> =
        vec!["strace", "-f", "-y", "-s", "65536", "--signal=none", "-e", &calls, "-o", &trace];
    let inject = format!("inject={inject}");
    if inject != "inject=" {
        words.extend(["-e", &inject]);
    }
    home.oneup_under(&words)
}

/// The calls of a trace, in order; those that were never entered are not among them.
pub(crate) fn calls(trace: &Path) -> Vec<Call> {
    let text = String::from_utf8_lossy(&std::fs::read(trace).expect("a trace")).into_owned();
    let mut counts: HashMap<(String, String), usize> = HashMap::new();
    let mut all = Vec::new();
    for line in text.lines() {
        let Some((thread, text)) = line.split_once(' ') else { continue };
        let Some((name, _)) = text.trim_start().split_once('(') else { continue };
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            continue;
        }
        let number = counts.entry((thread.to_owned(), name.to_owned())).or_default();
        *number += 1;
        all.push(Call { name: name.to_owned(), number: *number, text: text.trim_start().to_owned() });
    }
    all
}
