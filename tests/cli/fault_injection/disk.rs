//! A disk that is full, and one that is read-only.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::scenario::{checking_clients, remaining_files, shown};
use crate::support::{FaultReport, Home, Kind, Sandbox, is_root, requires, size};

/// A file system in memory; unmounted when dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&at).expect("a directory");
        let mount = || {
            let mut command = Command::new("mount");
            command.args(["-t", "tmpfs", "-o", "size=256k,mode=700", "none"]).arg(&at);
            command.stderr(std::process::Stdio::null()).status().is_ok_and(|status| status.success())
        };
        requires("root, to mount a small disk", is_root() && mount()).then(|| Self(at))
    }

    fn set_read_only(&self, read_only: bool) {
        let options = if read_only { "remount,ro" } else { "remount,rw" };
        let done = Command::new("mount").args(["-o", options]).arg(&self.0).status();
        assert!(done.expect("mount runs").success());
    }

    fn fill(&self) {
        let _ = std::fs::write(self.0.join("fill"), vec![0; 1 << 20]);
    }

    fn free_space(&self) {
        std::fs::remove_file(self.0.join("fill")).expect("it is there");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// How a disk becomes unwritable, and writable again.
struct Failure {
    cause: fn(&Disk),
    repair: fn(&Disk),
}

/// Checks the exit codes on a disk that can't be written, and that nothing is lost.
fn check_unwritable_disk(what: &'static str, Failure { cause, repair }: Failure, words: &str, renewal: i32) {
    for dir in ["state", "config"] {
        let (home, endpoint) = (Home::new(), checking_clients().start());
        let Some(disk) = Disk::mount(home.path(dir)) else { return };
        let mut report = FaultReport::new(Kind::Fault, what);
        endpoint.login_as(home.oneup(), "old", "file").run();
        cause(&disk);
        let count = endpoint.count();
        endpoint
            .login_as(home.oneup(), "new", "file")
            .status(if dir == "state" { 6 } else { 1 })
            .stderr_has(words)
            .run();
        let patient = endpoint.login_with_code(home.oneup(), "new", "file");
        patient.status(if dir == "state" { 6 } else { 1 }).stderr_has(words).run();
        assert_eq!(endpoint.count(), count, "neither a secret nor a code was sent");
        // The stored token can be read; a new one can't be stored if the store is on that disk.
        endpoint.set_down(true);
        if shown(&home) != Ok(Some("old-token-0".into())) {
            report.failed(format!("{dir}: the old token: {:?}", shown(&home)));
        }
        endpoint.set_down(false);
        let code = if dir == "state" { renewal } else { 0 };
        home.oneup().args(["token", "show", "--refresh"]).status(code).stdout_has("").run();
        home.oneup().arg("status").stdout_has("refreshed automatically").run();
        repair(&disk);
        home.oneup().args(["token", "show", "--refresh"]).run();
        home.oneup().arg("logout").run();
        remaining_on(&home, &disk.0).into_iter().for_each(|left| report.failed(left));
        report.tried(5);
        report.finish();
    }
}

fn remaining_on(home: &Home, disk: &Path) -> Vec<String> {
    let own = format!("{}", disk.join("fill").display());
    remaining_files(home).into_iter().filter(|left| !left.ends_with(&own)).collect()
}

#[test]
fn full_disk_is_reported_and_loses_nothing() {
    let failure = Failure { cause: Disk::fill, repair: Disk::free_space };
    check_unwritable_disk("a full disk", failure, "No space left on device", 6);
}

#[test]
fn read_only_disk_is_reported_and_loses_nothing() {
    let failure =
        Failure { cause: |disk| disk.set_read_only(true), repair: |disk| disk.set_read_only(false) };
    check_unwritable_disk("a read-only disk", failure, "Read-only file system", 6);
}

#[test]
fn export_onto_a_full_disk_continues_once_there_is_space() {
    let (home, sandbox) =
        (Home::new(), Sandbox::start(&["--export-size", "120kB", "--fail", "manifest-200"]));
    let env = || sandbox.env().into_iter().filter(|(name, _)| name != "ONEUP_FHIR_BASE");
    let Some(disk) = Disk::mount(home.path("disk")) else { return };
    home.oneup().args(["login", "provider", "--quiet"]).envs(env()).run();
    let export = || home.oneup().args(["export", "disk/members"]).envs(env());
    // One page less each time, so that another write is the first that fails.
    for pages in size(vec![40, 60], (28..=63).collect()) {
        std::fs::write(disk.0.join("fill"), vec![0; pages * 4096]).expect("there is space");
        export()
            .status(1)
            .stderr_has("No space left on device")
            .stderr_has("hint: free some disk space")
            .run();
        disk.free_space();
        export().status(0).stdout_has("disk/members/ExplanationOfBenefit.1.ndjson").run();
        let state = std::fs::read_to_string(home.path("disk/members/export.json")).expect("export.json");
        assert!(state.contains("\"complete\": true"), "{state}");
        std::fs::remove_dir_all(home.path("disk/members")).expect("removed");
    }
}
