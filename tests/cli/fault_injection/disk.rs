//! A disk that is really full, and one that is really read-only.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::realm::{Realm, shown};
use super::scenario::leftovers;
use crate::support::strace::is_root;
use crate::support::{FaultReport, Home, Kind, requires};

/// A file system in memory, of this size; gone when dropped.
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

    fn make_room(&self) {
        std::fs::remove_file(self.0.join("fill")).expect("it is there");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

/// What makes a disk take nothing, and what undoes that.
struct Spoil {
    spoil: fn(&Disk),
    mend: fn(&Disk),
}

/// What a command does on a disk that takes nothing: the exit code, and no loss.
fn on_a_disk_that_takes_nothing(what: &'static str, Spoil { spoil, mend }: Spoil, words: &str, renewal: i32) {
    for dir in ["state", "config"] {
        let (home, realm) = (Home::new(), Realm::new(3600));
        let Some(disk) = Disk::mount(home.path(dir)) else { return };
        let mut report = FaultReport::new(Kind::Fault, what);
        realm.login(home.oneup(), "old", "file").run();
        spoil(&disk);
        let asked = realm.asked();
        realm
            .login(home.oneup(), "new", "file")
            .status(if dir == "state" { 6 } else { 1 })
            .stderr_has(words)
            .run();
        let patient = realm.login_with_code(home.oneup(), "new", "file");
        patient.status(if dir == "state" { 6 } else { 1 }).stderr_has(words).run();
        assert_eq!(realm.asked(), asked, "neither a secret nor a code was spent");
        // What is stored can be read; what is renewed can't be kept where the store is on that disk.
        realm.set_down(true);
        if shown(&home) != Ok(Some("old-token-0".into())) {
            report.failed(format!("{dir}: the old token: {:?}", shown(&home)));
        }
        realm.set_down(false);
        let code = if dir == "state" { renewal } else { 0 };
        home.oneup().args(["token", "show", "--refresh"]).status(code).stdout_has("").run();
        home.oneup().arg("status").stdout_has("renewed by itself").run();
        mend(&disk);
        home.oneup().args(["token", "show", "--refresh"]).run();
        home.oneup().arg("logout").run();
        leftovers_of(&home, &disk.0).into_iter().for_each(|left| report.failed(left));
        report.tried(5);
        report.finish();
    }
}

fn leftovers_of(home: &Home, disk: &Path) -> Vec<String> {
    let own = format!("{}", disk.join("fill").display());
    leftovers(home).into_iter().filter(|left| !left.ends_with(&own)).collect()
}

#[test]
fn a_full_disk_loses_nothing_and_is_said_plainly() {
    let spoil = Spoil { spoil: Disk::fill, mend: Disk::make_room };
    on_a_disk_that_takes_nothing("a full disk", spoil, "No space left on device", 6);
}

#[test]
fn a_read_only_disk_loses_nothing_and_is_said_plainly() {
    let spoil = Spoil { spoil: |disk| disk.set_read_only(true), mend: |disk| disk.set_read_only(false) };
    // Not even the lock can be taken there.
    on_a_disk_that_takes_nothing("a read-only disk", spoil, "Read-only file system", 1);
}
