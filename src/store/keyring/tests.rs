//! The keyring against the real gnome-keyring, for what the command line can't show: the test binary runs itself on a
//! session bus of its own, as `driver`, with a command in the environment.

use std::process::Command;

use super::super::tests::{credentials, key, skip};
use super::super::{StoreKind, open};
use super::*;
use crate::system::files;

/// A home of its own, and a way to run a shell script on a session bus of its own.
struct KeyringFixture(tempfile::TempDir);

impl KeyringFixture {
    fn new() -> Option<Self> {
        let is_installed = |program: &str| {
            std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
                .any(|dir| dir.join(program).is_file())
        };
        if !["dbus-run-session", "dbus-send", "gnome-keyring-daemon", "secret-tool"]
            .into_iter()
            .all(is_installed)
        {
            skip("gnome-keyring");
            return None;
        }
        let fixture = Self(tempfile::tempdir().expect("a temporary directory"));
        for dir in ["run", "share"] {
            files::create_private_dir(&fixture.0.path().join(dir)).expect("a directory");
        }
        Some(fixture)
    }

    /// Returns the script's stdout. In the script `driver` runs a command, and `unlock` starts the daemon with the
    /// password on stdin. It returns when the daemon is on the bus: a call before that would start a second one, which
    /// is locked.
    fn run(&self, script: &str) -> String {
        let home = self.0.path();
        let functions = "driver() {
                COMMAND=\"$*\" \"$SELF\" --exact store::keyring::tests::driver --nocapture | sed -n 's/.*RESULT: //p'
            }
            unlock() {
                gnome-keyring-daemon --unlock --components=secrets >/dev/null
                for _ in {1..200}; do
                    dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus /org/freedesktop/DBus \
                        org.freedesktop.DBus.NameHasOwner string:org.freedesktop.secrets | grep -q true && return
                    sleep 0.05
                done
            }";
        let output = Command::new("dbus-run-session")
            .args(["--", "bash", "-c", &format!("{functions}; {script}")])
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

/// Not a test of its own: runs the command in `COMMAND` and prints its result on one line.
#[test]
fn driver() {
    let Ok(command) = std::env::var("COMMAND") else { return };
    let state = PathBuf::from(std::env::var_os("STATE").expect("the caller sets it"));
    let timeout = Duration::from_secs(10);
    let store = open(StoreKind::Keyring, &state, timeout, false).expect("a store");
    let is_expected = |found: Option<StoredCredentials>| format!("{}", found == Some(credentials(4_000)));
    let result = match command.split(' ').collect::<Vec<_>>()[..] {
        ["write", id] => store.write(&key(id), &credentials(4_000)).map(|()| "written".to_owned()),
        ["read", id] => store.read(&key(id)).map(is_expected),
        ["absent", id] => store.read(&key(id)).map(|found| format!("{}", found.is_none())),
        ["delete", id] => store.delete(id).map(|existed| format!("{existed}")),
        ["prompt", id] => {
            open(StoreKind::Keyring, &state, timeout, true).expect("a store").read(&key(id)).map(is_expected)
        }
        _ => panic!("unknown command"),
    };
    let result = result.unwrap_or_else(|error| format!("{} {error}", error.kind().exit().code()));
    println!("\nRESULT: {}", result.replace('\n', " | "));
}

#[test]
fn unlocked_keyring_keeps_an_item_that_other_programs_see() {
    let Some(fixture) = KeyringFixture::new() else { return };
    let stdout = fixture.run(
        "printf pw | unlock; driver absent p; driver write p; driver write p; driver read p; driver absent q
         secret-tool lookup service oneup username p | head -c 12; echo
         driver delete p; driver delete p; driver absent p",
    );
    assert_eq!(stdout, "true\nwritten\nwritten\ntrue\ntrue\n{\"schema\":1,\ntrue\nfalse\ntrue\n");
}

#[test]
fn prompt_that_is_not_seen_or_fails_ends_as_locked() {
    let Some(fixture) = KeyringFixture::new() else { return };
    fixture.run("printf pw | unlock; driver write p");
    let stdout = fixture.run("driver prompt p; DISPLAY=:99 driver prompt p; DISPLAY=:99 driver prompt q");
    assert_eq!(stdout.lines().count(), 3, "{stdout}");
    for line in stdout.lines() {
        assert!(line.starts_with("6 the keyring is locked"), "{stdout}");
    }
}

#[test]
fn lock_is_waited_for_until_the_timeout() {
    let state = tempfile::tempdir().expect("a temporary directory");
    let guard = lock(state.path(), Duration::ZERO).expect("it is free");
    let error = lock(state.path(), Duration::from_millis(50)).expect_err("it is taken");
    assert!(error.to_string().starts_with("timed out after 1 s waiting for another oneup"), "{error}");
    drop(guard);
    // The waiter that gave up may still get the lock, and releases it.
    lock(state.path(), Duration::from_secs(5)).expect("it is free again");
}

#[test]
fn operation_is_retried_only_when_the_service_failed() {
    let attempts = std::cell::Cell::new(0);
    let fail = |times: u32, error: fn() -> KeyringError| {
        attempts.set(0);
        with_retries(|| {
            attempts.set(attempts.get() + 1);
            if attempts.get() > times { Ok(()) } else { Err(error()) }
        })
    };
    let failed = || KeyringError::failed("Method SearchItems is not implemented");
    assert_eq!((fail(0, failed), attempts.get()), (Ok(()), 1));
    assert_eq!((fail(2, failed), attempts.get()), (Ok(()), 3));
    assert_eq!((fail(9, failed), attempts.get()), (Err(failed()), MAX_ATTEMPTS));
    for error in [|| KeyringError::Locked, || KeyringError::PromptDismissed] {
        assert_eq!((fail(9, error), attempts.get()), (Err(error()), 1));
    }
}
