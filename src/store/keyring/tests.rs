//! The keyring against the real gnome-keyring, for what the command line can't show: the test binary runs itself on a
//! session bus of its own, as `driver`, with what to do in the environment.

use std::process::Command;

use super::super::tests::{item, missing};
use super::super::{StoreKind, open};
use super::*;
use crate::system::files;

/// It goes on when the daemon is on the bus: a call before that would start a second one, which is locked.
const UNLOCK: &str = "unlock";

/// A home of its own, and what it takes to run a shell script on a session bus of its own.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Option<Self> {
        let here = |program: &str| {
            std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
                .any(|dir| dir.join(program).is_file())
        };
        if !["dbus-run-session", "dbus-send", "gnome-keyring-daemon", "secret-tool"].into_iter().all(here) {
            missing("gnome-keyring");
            return None;
        }
        let desk = Self(tempfile::tempdir().expect("a temporary directory"));
        for dir in ["run", "share"] {
            files::create_private_dir(&desk.0.path().join(dir)).expect("a directory");
        }
        Some(desk)
    }

    /// The script's stdout. `do_` in it is the driver.
    fn run(&self, script: &str) -> String {
        let home = self.0.path();
        let driver = "do_() { DO=\"$*\" \"$SELF\" --exact store::keyring::tests::driver --nocapture \
            | sed -n 's/.*SAID: //p'; }
            unlock() {
                gnome-keyring-daemon --unlock --components=secrets >/dev/null
                for _ in {1..200}; do
                    dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus /org/freedesktop/DBus \
                        org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets | grep -q true && return
                    sleep 0.05
                done
            }";
        let output = Command::new("dbus-run-session")
            .args(["--", "bash", "-c", &format!("{driver}; {script}")])
            .env("SELF", std::env::current_exe().expect("its own path"))
            .envs([("HOME", home.into()), ("STATE", home.join("state"))])
            .envs([("XDG_RUNTIME_DIR", home.join("run")), ("XDG_DATA_HOME", home.join("share"))])
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .output()
            .expect("dbus-run-session runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

/// Not a test of its own: does what `DO` says and tells how it went in one line.
#[test]
fn driver() {
    let Ok(task) = std::env::var("DO") else { return };
    let state = PathBuf::from(std::env::var_os("STATE").expect("the caller sets it"));
    let store = open(StoreKind::Keyring, &state, Duration::from_secs(10), false);
    let said = match task.split(' ').collect::<Vec<_>>()[..] {
        ["write", id] => store.write(id, &item(4_000)).map(|()| "written".to_owned()),
        ["read", id] => store.read(id).map(|found| format!("{}", found == Some(item(4_000)))),
        ["absent", id] => store.read(id).map(|found| format!("{}", found.is_none())),
        ["delete", id] => store.delete(id).map(|gone| format!("{gone}")),
        ["prompt", id] => open(StoreKind::Keyring, &state, Duration::from_secs(10), true)
            .read(id)
            .map(|found| format!("{}", found == Some(item(4_000)))),
        _ => panic!("no such task"),
    };
    let said = said.unwrap_or_else(|error| format!("{} {error}", error.kind().exit().code()));
    println!("\nSAID: {}", said.replace('\n', " | "));
}

#[test]
fn an_unlocked_keyring_keeps_an_item_that_other_programs_see() {
    let Some(desk) = Desk::new() else { return };
    let said = desk.run(&format!(
        "printf pw | {UNLOCK}; do_ absent p; do_ write p; do_ write p; do_ read p; do_ absent q
         secret-tool lookup service oneup username p | head -c 12; echo; do_ delete p; do_ delete p; do_ absent p"
    ));
    assert_eq!(said, "true\nwritten\nwritten\ntrue\ntrue\n{\"schema\":1,\ntrue\nfalse\ntrue\n");
}

#[test]
fn a_prompt_that_nobody_sees_or_that_fails_ends_and_says_locked() {
    let Some(desk) = Desk::new() else { return };
    desk.run(&format!("printf pw | {UNLOCK}; do_ write p"));
    let said = desk.run("do_ prompt p; DISPLAY=:99 do_ prompt p; DISPLAY=:99 do_ prompt q");
    assert_eq!(said.lines().count(), 3, "{said}");
    for line in said.lines() {
        assert!(line.starts_with("6 the keyring is locked"), "{said}");
    }
}

#[test]
fn whoever_holds_the_lock_is_waited_for_until_the_deadline() {
    let state = tempfile::tempdir().expect("a temporary directory");
    let held = lock(state.path(), Duration::ZERO).expect("it is free");
    let error = lock(state.path(), Duration::from_millis(50)).expect_err("it is taken");
    assert!(error.to_string().starts_with("another oneup has held the keyring for 1 s"), "{error}");
    drop(held);
    // Whoever gave up may still get it, and lets go at once.
    lock(state.path(), Duration::from_secs(5)).expect("it is free again");
}

#[test]
fn a_use_is_tried_again_when_the_service_failed_and_only_then() {
    let tried = std::cell::Cell::new(0);
    let failing = |times: u32, fault: fn() -> KeyringError| {
        tried.set(0);
        try_again(|| {
            tried.set(tried.get() + 1);
            if tried.get() > times { Ok(()) } else { Err(fault()) }
        })
    };
    let failed = || KeyringError::failed("Method SearchItems is not implemented");
    assert_eq!((failing(0, failed), tried.get()), (Ok(()), 1));
    assert_eq!((failing(2, failed), tried.get()), (Ok(()), 3));
    assert_eq!((failing(9, failed), tried.get()), (Err(failed()), TRIES));
    assert_eq!((failing(9, || KeyringError::Locked), tried.get()), (Err(KeyringError::Locked), 1));
    assert_eq!((failing(9, || KeyringError::Dismissed), tried.get()), (Err(KeyringError::Dismissed), 1));
}
