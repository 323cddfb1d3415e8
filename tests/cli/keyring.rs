//! Logins in the real gnome-keyring, each test on a session bus of its own, as without a desktop: a shell script in
//! `dbus-run-session` starts the daemon and runs oneup.
#![cfg(target_os = "linux")]

use std::process::Command;
use std::time::{Duration, Instant};

use httpmock::MockServer;

use crate::support::{Home, Kind, Tally, requires_program, size};

const SECRET: &str = "kr-s3cr3t";
const TOKEN: &str = "kr-t0k3n";

/// Starts the daemon, and unlocks the default keyring with the password on stdin; with an empty one there is none.
/// It goes on when the daemon is on the bus: a call before that would start a second one, which is locked.
const UNLOCK: &str = "unlock";

/// A home and a token endpoint whose tokens live this many seconds.
struct Desk {
    home: Home,
    server: MockServer,
}

/// What a script printed.
struct Said {
    stdout: String,
    stderr: String,
}

impl Desk {
    fn new(lifetime: u64) -> Option<Self> {
        let programs = ["dbus-run-session", "gnome-keyring-daemon", "secret-tool", "dbus-send"];
        if !programs.into_iter().all(requires_program) {
            return None;
        }
        let server = MockServer::start();
        server.mock(|when, then| {
            when.method("POST");
            let body =
                format!(r#"{{"access_token":"{TOKEN}","token_type":"Bearer","expires_in":{lifetime}}}"#);
            then.status(200).header("content-type", "application/json").body(body);
        });
        Some(Self { home: Home::new(), server })
    }

    /// Runs the script on a new session bus. `oneup`, `login`, `unlock` and `ask` (the bus, about the service) are
    /// functions in it; an exit code other than 0 of `oneup` is printed as `exit N`.
    fn run(&self, bus: &[&str], script: &str) -> Said {
        let functions = "
            oneup() { \"$ONEUP\" \"$@\"; local code=$?; test $code = 0 || echo \"exit $code\"; }
            unlock() {
                gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
                for _ in {1..200}; do ask NameHasOwner | grep -q true && return; sleep 0.05; done
            }
            login() { oneup login provider \"$@\"; }
            ask() { dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus /org/freedesktop/DBus \
                org.freedesktop.DBus.$1 string:org.freedesktop.secrets; }";
        let mut command = Command::new("dbus-run-session");
        command.args(bus).args(["--", "bash", "-c", &format!("{functions}\n{script}")]);
        for name in ["DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "ONEUP_STORE", "ONEUP_TOKEN"] {
            command.env_remove(name);
        }
        for (name, dir) in [("XDG_RUNTIME_DIR", "run"), ("XDG_DATA_HOME", "share"), ("HOME", "home")] {
            let dir = self.home.path(dir);
            std::fs::create_dir_all(&dir).expect("a directory");
            std::fs::set_permissions(&dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))
                .expect("it is ours");
            command.env(name, dir);
        }
        command
            .env("ONEUP", env!("CARGO_BIN_EXE_oneup"))
            .env("ONEUP_CONFIG_DIR", self.home.config())
            .env("ONEUP_STATE_DIR", self.home.state())
            .env("ONEUP_NO_CACHE", "1")
            .env("ONEUP_TOKEN_URL", self.server.url("/token"))
            .env("ONEUP_CLIENT_ID", "id")
            .env("ONEUP_CLIENT_SECRET", SECRET);
        let output = command.stdin(std::process::Stdio::null()).output().expect("dbus-run-session runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Said { stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Whether a file of the home, outside the keyring's own, holds the text.
    fn on_disk(&self, text: &str) -> bool {
        let found =
            Command::new("grep").args(["-rqa", text]).args([self.home.config(), self.home.state()]).status();
        found.expect("grep runs").success()
    }
}

#[test]
fn auto_takes_an_unlocked_keyring_and_no_secret_is_on_disk() {
    let Some(desk) = Desk::new(3_600) else { return };
    let said = desk.run(
        &[],
        &format!(
            "printf pw | {UNLOCK}; login; unset ONEUP_CLIENT_SECRET; oneup token show
         secret-tool search --all service oneup 2>/dev/null | grep -c {SECRET}
         oneup status --format json | grep -o keyring; oneup logout --no-revoke
         secret-tool search --all service oneup 2>/dev/null | grep -c {SECRET}"
        ),
    );
    assert_eq!(said.stdout, format!("{TOKEN}\n1\nkeyring\n0\n"), "{}", said.stderr);
    assert!(!desk.on_disk(SECRET) && !desk.on_disk(TOKEN));
}

#[test]
fn a_locked_keyring_is_exit_6_and_never_looks_like_no_login() {
    let Some(desk) = Desk::new(3_600) else { return };
    desk.run(&[], &format!("printf pw | {UNLOCK}; login --store keyring"));
    let script = format!(
        "printf wrong | {UNLOCK}; oneup token show; login; login --profile new; oneup status; oneup doctor"
    );
    let said = desk.run(&[], &script);
    let found = "failure  store      the keyring is locked, and nobody is there to unlock it; fix: unlock it";
    assert!(said.stdout.contains(found), "{}", said.stdout);
    assert!(said.stdout.starts_with("exit 6\nexit 6\nexit 6\n"), "{}{}", said.stdout, said.stderr);
    assert!(said.stdout.contains("keyring"), "status needs no unlocking: {}", said.stdout);
    assert_eq!(said.stderr.matches("error: the keyring is locked").count(), 3, "{}", said.stderr);
    assert!(said.stderr.contains("hint: unlock it"), "{}", said.stderr);
    assert!(!desk.on_disk(SECRET), "never a reason to write plaintext");
    let said = desk.run(&[], &format!("printf pw | {UNLOCK}; oneup token show"));
    assert_eq!(said.stdout, format!("{TOKEN}\n"), "{}", said.stderr);
}

#[test]
fn a_keyring_without_a_collection_is_exit_6_and_names_the_other_stores() {
    let Some(desk) = Desk::new(3_600) else { return };
    let said =
        desk.run(&[], &format!("printf '' | {UNLOCK}; login; login --store keyring; oneup status --check"));
    assert!(said.stdout.starts_with("exit 6\nexit 6\n"), "{}{}", said.stdout, said.stderr);
    assert_eq!(said.stderr.matches("the keyring has no default collection").count(), 2, "{}", said.stderr);
    assert!(said.stderr.contains("--store file") && said.stderr.contains("--no-store"), "{}", said.stderr);
}

#[test]
fn without_a_secret_service_auto_says_once_that_the_login_lasts_until_reboot() {
    let Some(desk) = Desk::new(3_600) else { return };
    let bus = "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context='default'>\
        <allow send_destination='*'/><allow receive_sender='*'/><allow own='*'/></policy></busconfig>";
    let bus = format!("--config-file={}", desk.home.write("bus.conf", bus).display());
    for reach in ["", "unset DBUS_SESSION_BUS_ADDRESS; "] {
        let said = desk.run(&[&bus], &format!("{reach}login; oneup token show; oneup logout --no-revoke"));
        assert_eq!(said.stdout, format!("{TOKEN}\n"), "{}", said.stderr);
        assert_eq!(said.stderr.matches("until reboot").count(), 1, "{}", said.stderr);
        let said = desk.run(&[&bus], &format!("{reach}login --store keyring"));
        assert_eq!(said.stdout, "exit 6\n", "{}", said.stderr);
        assert!(said.stderr.contains("error: there is no keyring here: no "), "{}", said.stderr);
    }
    assert!(!desk.on_disk(SECRET) && !desk.on_disk(TOKEN));
}

#[test]
fn a_service_that_never_answers_ends_at_the_deadline() {
    let Some(desk) = Desk::new(3_600) else { return };
    desk.run(&[], &format!("printf pw | {UNLOCK}; login --store keyring"));
    // A stopped daemon still owns the name.
    let start = Instant::now();
    let said = desk.run(&[], &format!(
        "printf pw | {UNLOCK}
         pid=$(ask GetConnectionUnixProcessID | grep -o '[0-9]*$'); kill -STOP $pid; oneup token show --timeout 2; login --profile new; kill -CONT $pid"
    ));
    assert_eq!(said.stdout, "exit 6\nexit 6\n", "{}", said.stderr);
    assert!(said.stderr.contains("the keyring did not answer within 2 s"), "{}", said.stderr);
    assert!(said.stderr.contains("the keyring did not answer within 1 s"), "{}", said.stderr);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// The bus starts the daemon anew, and locked: that is what the person must know.
#[test]
fn a_service_that_dies_while_it_is_asked_is_asked_again() {
    let Some(desk) = Desk::new(3_600) else { return };
    desk.run(&[], &format!("printf pw | {UNLOCK}; login --store keyring"));
    let said = desk.run(
        &[],
        &format!(
            "printf pw | {UNLOCK}; pid=$(ask GetConnectionUnixProcessID | grep -o '[0-9]*$'); kill -STOP $pid
         oneup token show & sleep 0.5; kill -KILL $pid; wait $!"
        ),
    );
    assert_eq!(said.stdout, "exit 6\n", "{}", said.stderr);
    assert!(said.stderr.contains("the keyring is locked"), "{}", said.stderr);
}

/// Whatever moment a kill strikes: the login is whole, there is one of it, the daemon lives, and nobody waits.
#[test]
fn a_kill_at_any_moment_leaves_one_login_that_works() {
    let Some(desk) = Desk::new(3_600) else { return };
    let mut tally = Tally::new(Kind::Fault, "kill -9 at any moment: refresh and login, keyring");
    let count = size(10, 60);
    let said = desk.run(
        &[],
        &format!(
            "printf pw | {UNLOCK}; login --store keyring; before=$(ask GetNameOwner)
         struck() {{ \"$ONEUP\" \"$@\" >/dev/null 2>&1 & sleep 0.$(printf %03d $delay); kill -9 $!; wait $! 2>/dev/null; test $? = 137; }}
         struck_in_all=0
         for i in $(seq {count}); do
             delay=$((i * 120 / {count}))
             struck token show --refresh && : $((struck_in_all += 1)); oneup token show >> \"$HOME/shown\"
             struck login provider && : $((struck_in_all += 1)); oneup token show --refresh >> \"$HOME/shown\"
         done
         sort \"$HOME/shown\" | uniq -c | tr -d ' '; oneup login provider
         secret-tool search --all service oneup 2>/dev/null | grep -c {SECRET}
         test -n \"$before\" -a \"$before\" = \"$(ask GetNameOwner)\" && echo alive; echo $struck_in_all"
        ),
    );
    let (rest, struck) = said.stdout.trim_end().rsplit_once('\n').expect("lines");
    let struck: usize = struck.parse().expect("a number");
    tally.tried(struck);
    assert!(struck > count / 2, "only {struck} were struck: {}", said.stderr);
    if rest != format!("{}{TOKEN}\n1\nalive", 2 * count) {
        tally.lost(format!("{}{}", said.stdout, said.stderr));
    }
}

/// gnome-keyring is one for all state directories of a user: so is the lock before it.
#[test]
fn logins_and_renewals_in_many_state_directories_at_once_leave_the_daemon_alive() {
    let Some(desk) = Desk::new(3_600) else { return };
    let count = size(12, 30);
    let mut tally = Tally::new(Kind::Load, "keyring: state directories at once, login and refresh");
    let said = desk.run(
        &[],
        &format!(
            "printf pw | {UNLOCK}; before=$(ask GetNameOwner); base=$ONEUP_STATE_DIR
         each() {{ for i in $(seq {count}); do
             ONEUP_STATE_DIR=$base/$i ONEUP_CONFIG_DIR=$base/$i/c \"$@\" & done; wait; }}
         each oneup login provider --store keyring --timeout 60; each oneup token show --refresh --timeout 60 | sort | uniq -c | tr -d ' '
         each oneup logout --no-revoke --timeout 60; secret-tool search --all service oneup 2>/dev/null | grep -c {SECRET}
         test -n \"$before\" -a \"$before\" = \"$(ask GetNameOwner)\" && echo alive"
        ),
    );
    tally.tried(3 * count);
    if said.stdout != format!("{count}{TOKEN}\n0\nalive\n") {
        tally.lost(format!("{}{}", said.stdout, said.stderr));
    }
}

#[test]
fn a_hundred_processes_at_once_all_get_the_token_and_the_daemon_lives() {
    let Some(desk) = Desk::new(3_600) else { return };
    let said = desk.run(
        &[],
        &format!(
            "printf pw | {UNLOCK}; login --store keyring; before=$(ask GetNameOwner)
         for i in $(seq 100); do oneup token show & done | sort | uniq -c | tr -d ' '
         test -n \"$before\" -a \"$before\" = \"$(ask GetNameOwner)\" && echo alive"
        ),
    );
    assert_eq!(said.stdout, format!("100{TOKEN}\nalive\n"), "{}", said.stderr);
}
