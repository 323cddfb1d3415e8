//! The keyring store against the real gnome-keyring, each test on a session bus of its own: a shell script in
//! `dbus-run-session` starts the daemon and runs oneup.
#![cfg(target_os = "linux")]

use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{
    Fault, FaultReport, Home, Kind, TokenEndpoint, json_response, requires_program, set_mode, size,
};

const SECRET: &str = "kr-s3cr3t";
const TOKEN: &str = "kr-t0k3n";

/// A home and a token endpoint.
struct KeyringFixture {
    home: Home,
    server: TokenEndpoint,
}

/// The output of a script.
struct ScriptOutput {
    stdout: String,
    stderr: String,
}

impl KeyringFixture {
    fn start() -> Option<Self> {
        let programs = ["dbus-run-session", "gnome-keyring-daemon", "secret-tool", "dbus-send"];
        if !programs.into_iter().all(requires_program) {
            return None;
        }
        let server = TokenEndpoint::builder().token(TOKEN).start();
        Some(Self { home: Home::new(), server })
    }

    /// Runs the script on a new session bus. Functions in it: `oneup` and `login`, which print an exit code other than 0
    /// as `exit N`; `query_bus`, which asks the bus about the service; `unlock`, which starts the daemon and unlocks the
    /// default keyring with the password on stdin (an empty one makes no keyring). `unlock` returns when the daemon is
    /// on the bus: a call before that would start a second one, which is locked.
    fn run(&self, bus: &[&str], script: &str) -> ScriptOutput {
        let functions = "
            oneup() { \"$ONEUP\" \"$@\"; local code=$?; test $code = 0 || echo \"exit $code\"; }
            unlock() {
                gnome-keyring-daemon --unlock --components=secrets >/dev/null 2>&1
                for _ in {1..200}; do query_bus NameHasOwner | grep -q true && return; sleep 0.05; done
            }
            login() { oneup login provider \"$@\"; }
            query_bus() { dbus-send --session --print-reply=literal --dest=org.freedesktop.DBus /org/freedesktop/DBus \
                org.freedesktop.DBus.$1 string:org.freedesktop.secrets; }";
        let mut command = Command::new("dbus-run-session");
        command.args(bus).args(["--", "bash", "-c", &format!("{functions}\n{script}")]);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        for (name, dir) in [("XDG_RUNTIME_DIR", "run"), ("XDG_DATA_HOME", "share"), ("HOME", "home")] {
            let dir = self.home.path(dir);
            std::fs::create_dir_all(&dir).expect("a directory");
            set_mode(&dir, 0o700);
            command.env(name, dir);
        }
        command
            .env("ONEUP", env!("CARGO_BIN_EXE_oneup"))
            .env("ONEUP_CONFIG_DIR", self.home.config())
            .env("ONEUP_STATE_DIR", self.home.state())
            .env("ONEUP_NO_CACHE", "1")
            .env("ONEUP_TOKEN_URL", self.server.token_url())
            .env("ONEUP_CLIENT_ID", "id")
            .env("ONEUP_CLIENT_SECRET", SECRET);
        let output = command.stdin(std::process::Stdio::null()).output().expect("dbus-run-session runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        ScriptOutput { stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Returns whether a file of oneup's contains the text.
    fn on_disk(&self, text: &str) -> bool {
        let found =
            Command::new("grep").args(["-rqa", text]).args([self.home.config(), self.home.state()]).status();
        found.expect("grep runs").success()
    }
}

#[test]
fn auto_chooses_an_unlocked_keyring_and_writes_no_secret_to_disk() {
    let Some(fixture) = KeyringFixture::start() else { return };
    let output = fixture.run(
        &[],
        &format!(
            "printf pw | unlock; login; unset ONEUP_CLIENT_SECRET; oneup token show
         secret-tool search --all service oneup 2>/dev/null | grep -c {SECRET}
         oneup status --format json | grep -o keyring; oneup logout --no-revoke
         secret-tool search --all service oneup 2>/dev/null | grep -c {SECRET}"
        ),
    );
    assert_eq!(output.stdout, format!("{TOKEN}\n1\nkeyring\n0\n"), "{}", output.stderr);
    assert!(!fixture.on_disk(SECRET) && !fixture.on_disk(TOKEN));
}

#[test]
fn item_is_replaced_visible_to_other_programs_and_missed_when_they_delete_it() {
    let Some(fixture) = KeyringFixture::start() else { return };
    let output = fixture.run(
        &[],
        "printf pw | unlock; login --store keyring; login
         secret-tool search --all service oneup 2>/dev/null | grep -o '{\"schema\":1,'; oneup token show
         secret-tool clear service oneup; oneup token show; oneup logout --no-revoke",
    );
    assert_eq!(output.stdout, format!("{{\"schema\":1,\n{TOKEN}\nexit 4\n"), "{}", output.stderr);
}

#[test]
fn prompt_that_is_not_seen_or_fails_ends_as_locked() {
    let Some(fixture) = KeyringFixture::start() else { return };
    if !requires_program("script") {
        return;
    }
    fixture.run(&[], "printf pw | unlock; login --store keyring");
    // script(1) gives it a terminal: without one it would not prompt.
    let prompt = "script -qec '\"$ONEUP\" token show' /dev/null; echo $?";
    for (variable, cause) in [
        ("", "the keyring is locked, and no prompt is possible here"),
        ("DISPLAY=:99 ", "the keyring is locked: its prompt was dismissed or timed out"),
    ] {
        let output = fixture.run(&[], &format!("{variable}{prompt}"));
        assert!(output.stdout.contains(cause) && output.stdout.ends_with("\n6\n"), "{}", output.stdout);
    }
}

#[test]
fn locked_keyring_is_exit_6_and_never_looks_like_no_login() {
    let Some(fixture) = KeyringFixture::start() else { return };
    fixture.run(&[], "printf pw | unlock; login --store keyring");
    let script =
        "printf wrong | unlock; oneup token show; login; login --profile new; oneup status; oneup doctor";
    let output = fixture.run(&[], script);
    let check = "failure  store      the keyring is locked, and no prompt is possible here; fix: unlock it";
    assert!(output.stdout.contains(check), "{}", output.stdout);
    assert!(output.stdout.starts_with("exit 6\nexit 6\nexit 6\n"), "{}{}", output.stdout, output.stderr);
    assert!(output.stdout.contains("keyring"), "status needs no unlocking: {}", output.stdout);
    assert_eq!(output.stderr.matches("error: the keyring is locked").count(), 3, "{}", output.stderr);
    assert!(output.stderr.contains("hint: unlock it"), "{}", output.stderr);
    assert!(!fixture.on_disk(SECRET), "no fallback to plaintext");
    let output = fixture.run(&[], "printf pw | unlock; oneup token show");
    assert_eq!(output.stdout, format!("{TOKEN}\n"), "{}", output.stderr);
}

#[test]
fn keyring_without_a_collection_is_exit_6_and_names_the_other_stores() {
    let Some(fixture) = KeyringFixture::start() else { return };
    let output = fixture.run(&[], "printf '' | unlock; login; login --store keyring; oneup status --check");
    assert!(output.stdout.starts_with("exit 6\nexit 6\n"), "{}{}", output.stdout, output.stderr);
    assert_eq!(
        output.stderr.matches("the keyring has no default collection").count(),
        2,
        "{}",
        output.stderr
    );
    assert!(
        output.stderr.contains("--store file") && output.stderr.contains("--no-store"),
        "{}",
        output.stderr
    );
}

#[test]
fn auto_without_a_secret_service_reports_that_the_login_lasts_until_reboot() {
    let Some(fixture) = KeyringFixture::start() else { return };
    let bus = "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy context='default'>\
        <allow send_destination='*'/><allow receive_sender='*'/><allow own='*'/></policy></busconfig>";
    let bus = format!("--config-file={}", fixture.home.write("bus.conf", bus).display());
    for reach in ["", "unset DBUS_SESSION_BUS_ADDRESS; "] {
        let output =
            fixture.run(&[&bus], &format!("{reach}login; oneup token show; oneup logout --no-revoke"));
        assert_eq!(output.stdout, format!("{TOKEN}\n"), "{}", output.stderr);
        assert_eq!(output.stderr.matches("until reboot").count(), 1, "{}", output.stderr);
        let output = fixture.run(&[&bus], &format!("{reach}login --store keyring"));
        assert_eq!(output.stdout, "exit 6\n", "{}", output.stderr);
        assert!(output.stderr.contains("error: no keyring service found: no "), "{}", output.stderr);
    }
    assert!(!fixture.on_disk(SECRET) && !fixture.on_disk(TOKEN));
}

#[test]
fn hanging_service_times_out() {
    let Some(fixture) = KeyringFixture::start() else { return };
    fixture.run(&[], "printf pw | unlock; login --store keyring");
    // A stopped daemon keeps its name on the bus.
    let start = Instant::now();
    let output = fixture.run(&[], "printf pw | unlock
         pid=$(query_bus GetConnectionUnixProcessID | grep -o '[0-9]*$'); kill -STOP $pid; oneup token show --timeout 2; login --profile new; kill -CONT $pid");
    assert_eq!(output.stdout, "exit 6\nexit 6\n", "{}", output.stderr);
    assert!(output.stderr.contains("the keyring timed out after 2 s"), "{}", output.stderr);
    assert!(output.stderr.contains("the keyring timed out after 1 s"), "{}", output.stderr);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

/// The bus starts the daemon again, locked: the error must say so.
#[test]
fn operation_is_repeated_after_a_crash_of_the_service() {
    let Some(fixture) = KeyringFixture::start() else { return };
    fixture.run(&[], "printf pw | unlock; login --store keyring");
    let output = fixture.run(
        &[],
        "printf pw | unlock; pid=$(query_bus GetConnectionUnixProcessID | grep -o '[0-9]*$'); kill -STOP $pid
         oneup token show & sleep 0.5; kill -KILL $pid; wait $!",
    );
    assert_eq!(output.stdout, "exit 6\n", "{}", output.stderr);
    assert!(output.stderr.contains("the keyring is locked"), "{}", output.stderr);
}

/// There is one complete item, the daemon still runs, and no lock is left.
#[test]
fn kill_at_any_moment_leaves_one_working_login() {
    let Some(fixture) = KeyringFixture::start() else { return };
    let mut report = FaultReport::new(Kind::Fault, "kill -9 at any moment: refresh and login, keyring");
    let count = size(10, 60);
    let output = fixture.run(
        &[],
        &format!(
            "printf pw | unlock; login --store keyring; before=$(query_bus GetNameOwner)
         killed() {{ \"$ONEUP\" \"$@\" >/dev/null 2>&1 & sleep 0.$(printf %03d $delay); kill -9 $!; wait $! 2>/dev/null; test $? = 137; }}
         killed_count=0
         for i in $(seq {count}); do
             delay=$((i * 120 / {count}))
             killed token show --refresh && : $((killed_count += 1)); oneup token show >> \"$HOME/shown\"
             killed login provider && : $((killed_count += 1)); oneup token show --refresh >> \"$HOME/shown\"
         done
         sort \"$HOME/shown\" | uniq -c | tr -d ' '; oneup login provider
         secret-tool search --all service oneup 2>/dev/null | grep -c {SECRET}
         test -n \"$before\" -a \"$before\" = \"$(query_bus GetNameOwner)\" && echo alive; echo $killed_count"
        ),
    );
    let (rest, killed) = output.stdout.trim_end().rsplit_once('\n').expect("lines");
    let killed: usize = killed.parse().expect("a number");
    report.tried(killed);
    assert!(killed > count / 2, "only {killed} were killed: {}", output.stderr);
    if rest != format!("{}{TOKEN}\n1\nalive", 2 * count) {
        report.failed(format!("{}{}", output.stdout, output.stderr));
    }
    report.finish();
}

/// All state directories of a user share one gnome-keyring, and so one lock.
#[test]
fn concurrent_logins_in_many_state_directories_leave_the_daemon_running() {
    let Some(fixture) = KeyringFixture::start() else { return };
    let count = size(12, 30);
    let mut report =
        FaultReport::new(Kind::Load, "keyring: concurrent login and refresh in many state directories");
    let output = fixture.run(
        &[],
        &format!(
            "printf pw | unlock; before=$(query_bus GetNameOwner); base=$ONEUP_STATE_DIR
         each() {{ for i in $(seq {count}); do
             ONEUP_STATE_DIR=$base/$i ONEUP_CONFIG_DIR=$base/$i/c \"$@\" & done; wait; }}
         each oneup login provider --store keyring --timeout 60; each oneup token show --refresh --timeout 60 | sort | uniq -c | tr -d ' '
         each oneup logout --no-revoke --timeout 60; secret-tool search --all service oneup 2>/dev/null | grep -c {SECRET}
         test -n \"$before\" -a \"$before\" = \"$(query_bus GetNameOwner)\" && echo alive"
        ),
    );
    report.tried(3 * count);
    if output.stdout != format!("{count}{TOKEN}\n0\nalive\n") {
        report.failed(format!("{}{}", output.stdout, output.stderr));
    }
    report.finish();
}

/// The credentials are in the keyring, which all state directories share.
#[test]
fn concurrent_show_in_many_state_directories_refreshes_once() {
    let Some(fixture) = KeyringFixture::start() else { return };
    let expired = r#"{"access_token":"expired","token_type":"Bearer","expires_in":1}"#;
    let expired = json_response("200 OK", expired);
    let endpoint = TokenEndpoint::builder().fault(0, Fault::Response(expired)).start();
    let output = fixture.run(
        &[],
        &format!(
            "export ONEUP_TOKEN_URL={}; printf pw | unlock; login --store keyring; sleep 1.1; base=$ONEUP_STATE_DIR
             for i in $(seq 6); do ONEUP_STATE_DIR=$base/$i oneup token show --timeout 60 & done; wait",
            endpoint.token_url()
        ),
    );
    assert_eq!(output.stdout, "token-1\n".repeat(6), "{}", output.stderr);
    assert_eq!(endpoint.count(), 2, "the login and one refresh");
}

#[test]
fn keyring_item_is_labeled_with_the_profile() {
    let Some(fixture) = KeyringFixture::start() else { return };
    let output = fixture.run(
        &[],
        "printf pw | unlock; login --store keyring --profile partner
         secret-tool search --all service oneup 2>/dev/null | grep '^label'",
    );
    assert_eq!(output.stdout, "label = oneup: partner\n", "{}", output.stderr);
}

/// Each waits for the others, at most 30 s: on a busy machine, that is too short for a hundred.
#[test]
fn many_concurrent_processes_all_get_the_token() {
    let Some(fixture) = KeyringFixture::start() else { return };
    let count = size(30, 100);
    let output = fixture.run(
        &[],
        &format!(
            "printf pw | unlock; login --store keyring; before=$(query_bus GetNameOwner)
         for i in $(seq {count}); do oneup token show & done | sort | uniq -c | tr -d ' '
         test -n \"$before\" -a \"$before\" = \"$(query_bus GetNameOwner)\" && echo alive"
        ),
    );
    assert_eq!(output.stdout, format!("{count}{TOKEN}\nalive\n"), "{}", output.stderr);
}
