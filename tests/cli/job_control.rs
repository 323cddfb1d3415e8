//! Job control, in real shells on a terminal: Ctrl-Z, `fg`, `bg`, background jobs, programs that stop themselves; and Ctrl-D
//! at each prompt.
#![cfg(target_os = "linux")]

use std::process::Command;
use std::time::Duration;

use expectrl::process::unix::WaitStatus;
use expectrl::session::OsSession;
use expectrl::{Expect, Regex, Session};

use crate::support::{CLIENT_SECRET, Home, Sandbox, TokenEndpoint, requires_program};

/// What a shell prints when it is ready for a command.
const PROMPT: &str = "ready> ";

/// The shells with job control, as they start without the user's files.
const SHELLS: [&[&str]; 3] =
    [&["dash", "-i"], &["bash", "--norc", "--noprofile", "-i"], &["zsh", "-f", "-i"]];

/// Prints `shown` or `hidden`: whether the terminal echoes. The quotes keep the words out of what is typed.
const SHOW_ECHO: &str = r#"case $(stty -a) in *" -echo "*) echo hid''den;; *) echo sho''wn;; esac"#;

/// A command in a home on a terminal: a shell, or oneup itself.
fn command(home: &Home, words: &[&str]) -> Command {
    let mut command = Command::new("sh");
    // The terminal of a test does not echo, unless it is told to before the shell looks.
    command.args(["-c", "stty echo; exec \"$0\" \"$@\""]).args(words).env_clear().current_dir(home.path(""));
    let oneup = std::path::Path::new(env!("CARGO_BIN_EXE_oneup")).parent().expect("a directory");
    command.env("PATH", format!("{}:/usr/bin:/bin", oneup.display()));
    // A dumb terminal: no line editor redraws what is typed.
    command.envs([("TERM", "dumb"), ("LC_ALL", "C.UTF-8"), ("PS1", PROMPT), ("ONEUP_STORE", "file")]);
    command.env("HOME", home.path("")).env("ONEUP_NO_CACHE", "1");
    command.env("ONEUP_CONFIG_DIR", home.config()).env("ONEUP_STATE_DIR", home.state());
    command
}

fn start(command: Command) -> OsSession {
    let mut terminal = Session::spawn(command).expect("a pty");
    terminal.set_expect_timeout(Some(Duration::from_secs(20)));
    // Wide enough that no line is wrapped.
    terminal.get_process_mut().set_window_size(500, 50).expect("a window");
    terminal
}

/// A shell on a terminal.
struct Shell {
    terminal: OsSession,
    name: &'static str,
}

impl Shell {
    /// Types a line.
    fn send_line(&mut self, line: &str) {
        self.terminal.send_line(line).expect("the shell reads");
    }

    /// Types a key together with Ctrl.
    fn send_ctrl(&mut self, letter: char) {
        self.terminal.send([letter as u8 & 0x1f]).expect("the shell reads");
    }

    /// Types a login, and waits for its hidden prompt.
    #[track_caller]
    fn start_login(&mut self, endpoint: &TokenEndpoint) {
        self.send_line(&login(endpoint));
        self.wait_for(HIDDEN_PROMPT);
    }

    /// Types Ctrl-Z, and waits for the shell's prompt.
    #[track_caller]
    fn suspend(&mut self) {
        self.send_ctrl('z');
        self.wait_for(PROMPT);
    }

    /// Sends a signal to the process that the shell waits for.
    fn send_signal_to_job(&self, signal: &str) {
        let shell = self.terminal.get_process().pid();
        let children = std::fs::read_to_string(format!("/proc/{shell}/task/{shell}/children"));
        let child = children.expect("a list of children").trim().to_owned();
        assert!(Command::new("kill").args([signal, &child]).status().expect("kill runs").success());
    }

    /// Waits for text on the screen, and returns what was printed before it.
    #[track_caller]
    fn wait_for(&mut self, text: &str) -> String {
        match self.terminal.expect(text) {
            Ok(found) => String::from_utf8_lossy(found.before()).into_owned(),
            Err(_) => {
                let screen = self.terminal.expect(Regex("(?s).*"));
                let screen = screen.map(|found| String::from_utf8_lossy(found.as_bytes()).into_owned());
                panic!("{}: no {text:?} on the screen: {screen:?}", self.name)
            }
        }
    }

    /// Waits until the shell's only job is in one of these states.
    #[track_caller]
    fn wait_for_job(&mut self, states: &[&str]) {
        let mut screen = String::new();
        for _ in 0..50 {
            self.send_line("jobs");
            screen = self.wait_for("oneup login");
            if states.iter().any(|state| screen.contains(state)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        panic!("{}: the job is not {states:?}: {screen:?}", self.name);
    }

    /// Types a line, and waits for what it prints and for the next prompt.
    #[track_caller]
    fn expect_line(&mut self, line: &str, printed: &str) {
        self.send_line(line);
        self.wait_for(printed);
        self.wait_for(PROMPT);
    }
}

/// Runs a scenario in each shell that is installed, in a home that is logged in at this endpoint.
fn in_each_shell(endpoint: &TokenEndpoint, scenario: impl Fn(&mut Shell)) {
    for words in SHELLS.into_iter().filter(|words| requires_program(words[0])) {
        let home = Home::logged_in(endpoint);
        let mut shell = Shell { terminal: start(command(&home, words)), name: words[0] };
        shell.wait_for(PROMPT);
        scenario(&mut shell);
    }
}

/// A login that prompts for the client secret: that of another client is not recalled.
fn login(endpoint: &TokenEndpoint) -> String {
    format!("oneup login provider --client-id other --token-url {}", endpoint.token_url())
}

const HIDDEN_PROMPT: &str = "(not shown): ";

#[test]
fn ctrl_z_at_a_prompt_restores_the_terminal_and_fg_continues() {
    let endpoint = TokenEndpoint::start();
    in_each_shell(&endpoint, |shell| {
        shell.start_login(&endpoint);
        for _ in 0..2 {
            shell.terminal.send("discarded").expect("oneup reads");
            shell.suspend();
            shell.expect_line(SHOW_ECHO, "shown");
            shell.send_line("fg");
            shell.wait_for(HIDDEN_PROMPT);
        }
        shell.send_line(CLIENT_SECRET);
        let screen = shell.wait_for("Logged in");
        assert!(!screen.contains(CLIENT_SECRET), "{}: {screen:?}", shell.name);
        shell.wait_for(PROMPT);
        shell.expect_line(SHOW_ECHO, "shown");
    });
    let sent = endpoint.requests().into_iter().filter(|request| request.contains("client_id=other"));
    assert!(sent.clone().count() > 0);
    sent.for_each(|request| {
        assert!(request.contains(&format!("client_secret={CLIENT_SECRET}")), "{request}")
    });
}

/// The shell turns the echo on for itself when a process stops that has not restored the terminal.
#[test]
fn secret_is_hidden_after_sigstop_and_fg() {
    let endpoint = TokenEndpoint::start();
    in_each_shell(&endpoint, |shell| {
        shell.start_login(&endpoint);
        shell.send_signal_to_job("-STOP");
        shell.wait_for(PROMPT);
        shell.send_line("stty echo icanon; fg");
        shell.wait_for("oneup login");
        // The shell continues the process right after it has named it.
        std::thread::sleep(Duration::from_millis(300));
        shell.send_line(CLIENT_SECRET);
        let screen = shell.wait_for("Logged in");
        assert!(!screen.contains(CLIENT_SECRET), "{}: {screen:?}", shell.name);
    });
}

#[test]
fn login_in_the_background_stops_at_its_prompt() {
    let endpoint = TokenEndpoint::start();
    in_each_shell(&endpoint, |shell| {
        shell.send_line(&format!("{} &", login(&endpoint)));
        shell.wait_for("oneup login");
        shell.wait_for_job(&["topped", "suspended"]);
        shell.send_line("fg");
        shell.wait_for(HIDDEN_PROMPT);
        // A job that goes on in the background stops again instead of reading what is typed for the shell.
        shell.suspend();
        shell.expect_line("bg; sleep 0.5; echo back''ground", "background");
        shell.expect_line(SHOW_ECHO, "shown");
        shell.send_line("fg");
        shell.wait_for(HIDDEN_PROMPT);
        shell.send_ctrl('c');
        shell.wait_for(PROMPT);
        shell.expect_line("echo exit code $?", "exit code 130");
        shell.expect_line(SHOW_ECHO, "shown");
    });
}

#[test]
fn stopped_login_ends_when_it_is_killed() {
    let endpoint = TokenEndpoint::start();
    in_each_shell(&endpoint, |shell| {
        shell.start_login(&endpoint);
        shell.suspend();
        shell.expect_line("kill %1; kill -CONT %1; wait; jobs; echo n''one", "none");
    });
}

#[test]
fn browser_login_in_the_background_waits_for_its_browser() {
    let (endpoint, sandbox) = (TokenEndpoint::start(), Sandbox::start(&[]));
    in_each_shell(&endpoint, |shell| {
        let plan = format!("{}/test", sandbox.url());
        shell.send_line(&format!(
            "ONEUP_CLIENT_SECRET=s oneup login patient --profile p --client-id oneup-sandbox --plan {plan} --no-browser \
             --redirect-uri http://localhost:0/callback &"
        ));
        shell.wait_for("continues automatically");
        std::thread::sleep(Duration::from_millis(500));
        shell.wait_for_job(&["unning"]);
        shell.expect_line("kill %1; wait; echo end''ed", "ended");
    });
}

#[test]
fn program_that_stops_gives_the_terminal_to_the_shell() {
    let endpoint = TokenEndpoint::start();
    in_each_shell(&endpoint, |shell| {
        for flag in ["", "--token-file "] {
            let script = "echo beg''un; kill -STOP $$; sleep 1; echo fin''ished; exit 3";
            shell.send_line(&format!("oneup exec {flag}-- sh -c '{}'", script.replace('\'', "'\\''")));
            shell.wait_for("begun");
            shell.wait_for(PROMPT);
            shell.send_line("fg");
            shell.wait_for("oneup exec");
            std::thread::sleep(Duration::from_millis(300));
            shell.suspend();
            shell.expect_line("fg; echo exit code $?", "finished\r\nexit code 3");
        }
    });
}

/// bash has the terminal to itself, in a process group of its own, as a full-screen program can.
#[test]
fn program_with_job_control_of_its_own_suspends_and_continues() {
    if !requires_program("bash") {
        return;
    }
    let endpoint = TokenEndpoint::start();
    in_each_shell(&endpoint, |shell| {
        shell.send_line("oneup exec --token-file -- env PS1=in''ner'> ' bash --norc --noprofile -i");
        shell.wait_for("inner> ");
        shell.send_line("suspend");
        shell.wait_for(PROMPT);
        shell.send_line("fg");
        shell.wait_for("inner> ");
        shell.send_line("echo got $ONEUP_TOKEN");
        shell.wait_for("got token-");
        shell.send_line("exit 5");
        shell.wait_for(PROMPT);
        shell.expect_line("echo exit code $?", "exit code 5");
        shell.expect_line(SHOW_ECHO, "shown");
    });
}

#[test]
fn ctrl_d_cancels_at_each_prompt() {
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    let patient = ["oneup", "login", "patient", "--no-browser", "--client-id", "oneup-sandbox"];
    let with = |more: &[&'static str]| [&patient[..], more].concat();
    for (words, prompt) in [
        (vec!["oneup", "login", "provider"], "Dev Portal): "),
        (vec!["oneup", "login", "provider", "--client-id", "c"], HIDDEN_PROMPT),
        (with(&["--no-listen"]), "Waiting for the login"),
        (with(&["--redirect-uri", "http://localhost:0/callback"]), "Waiting for the login"),
        (with(&["--code", "-"]), "browser ended: "),
    ] {
        let mut command = command(&home, &words);
        command.envs(sandbox.env().into_iter().filter(|(name, _)| name != "ONEUP_CLIENT_ID"));
        if words[2] == "provider" {
            command.env_remove("ONEUP_CLIENT_SECRET");
        }
        let mut terminal = start(command);
        terminal.expect(prompt).unwrap_or_else(|error| panic!("{words:?}: no {prompt:?}: {error}"));
        std::thread::sleep(Duration::from_millis(300));
        terminal.send([4]).expect("oneup reads");
        let rest = terminal.expect(expectrl::Eof).expect("it ends");
        let screen = String::from_utf8_lossy(rest.as_bytes()).into_owned();
        assert!(!screen.contains("error") && screen.ends_with('\n'), "{words:?}: {screen:?}");
        let status = terminal.get_process().wait().expect("it ended");
        assert!(matches!(status, WaitStatus::Exited(_, 130)), "{words:?}: {status:?}");
    }
}
