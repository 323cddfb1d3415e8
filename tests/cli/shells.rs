//! The committed completions in the real shells, as a person meets them: a terminal, some letters, TAB. On Linux: the
//! bash 3.2 of macOS lacks half of what is asked of it here.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use expectrl::session::OsSession;
use expectrl::{Expect, Session};

use crate::support::{Home, requires_program};

/// What is typed before TAB, and what must then be on the screen.
const OFFERED: [(&str, &[&str]); 8] = [
    ("oneup log", &["login", "logout"]),
    ("oneup token show --", &["--format", "--min-ttl", "--refresh", "--profile"]),
    ("oneup token show --format ", &["github", "powershell"]),
    ("oneup login provider --store ", &["keyring", "keyutils", "file"]),
    ("oneup status --profile ", &["acme", "beta"]),
    ("oneup man token", &["token-show", "token-inspect"]),
    ("oneup exec -- oneup-test-pro", &["oneup-test-program"]),
    ("oneup curl -d @bod", &["@body.json"]),
];

const PROMPT: &str = "ready> ";

/// A home with two profiles, a file and a program, and a shell in it that finds oneup.
fn command(program: &str, args: &[&str]) -> (Home, Command) {
    let home = Home::new();
    for name in ["acme", "beta"] {
        home.write(&format!("config/profiles/{name}.toml"), "");
    }
    home.write("body.json", "{}");
    home.write("bin/oneup-test-program", "");
    let oneup = Path::new(env!("CARGO_BIN_EXE_oneup")).parent().expect("a directory");
    let mut command = Command::new(program);
    command.args(args).env_clear().current_dir(home.path(""));
    command
        .env("PATH", format!("{}:{}:/usr/bin:/bin", oneup.display(), home.path("bin").display()))
        .envs([("TERM", "xterm"), ("LC_ALL", "C.UTF-8"), ("COLUMNS", "200"), ("LINES", "50")])
        .env("HOME", home.path(""))
        .env("XDG_CONFIG_HOME", home.path("xdg"))
        .env("ONEUP_CONFIG_DIR", home.config());
    (home, command)
}

fn committed(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file);
    fs::read_to_string(path).expect("a completion script")
}

fn start(command: Command) -> OsSession {
    let mut shell = Session::spawn(command).expect("a pty");
    shell.set_expect_timeout(Some(Duration::from_secs(20)));
    shell.get_process_mut().set_window_size(200, 50).expect("a window");
    shell
}

/// Types each line and TAB, twice where the first one only rings, and waits for what is offered.
fn tab(shell: &mut OsSession, program: &str, tabs: &str) {
    shell.set_expect_timeout(Some(Duration::from_millis(300)));
    for (line, offered) in OFFERED {
        shell.send(format!("{line}{tabs}")).expect("it reads");
        let (mut screen, typed_at) = (String::new(), Instant::now());
        // A shell that still draws would lose what is typed, so the next line waits until it is quiet.
        loop {
            let missing = offered.iter().find(|word| !screen.contains(**word));
            match (shell.expect(expectrl::Regex("(?s).+")), missing) {
                (Ok(shown), _) => screen.push_str(&String::from_utf8_lossy(shown.as_bytes())),
                (Err(_), None) => break,
                (Err(_), Some(word)) => {
                    let in_time = typed_at.elapsed() < Duration::from_secs(20);
                    assert!(in_time, "{program}: {line}<TAB> lacks {word}: {screen:?}");
                }
            }
            // elvish goes to where it writes before each letter.
            screen = anstream::adapter::strip_str(&screen).to_string().replace('\r', "");
        }
        // Ctrl-U gives the line up.
        shell.send("\u{15}").expect("it reads");
    }
}

#[test]
fn bash_offers_what_oneup_has() {
    if !requires_program("bash") {
        return;
    }
    let (home, mut bash) = command("bash", &["--norc", "--noprofile", "-i"]);
    home.write("oneup.bash", committed("oneup.bash"));
    bash.env("PS1", PROMPT);
    let mut bash = start(bash);
    bash.expect(PROMPT).expect("a prompt");
    // Where the terminal doesn't echo, as expectrl makes it, bash's line editor doesn't either.
    let settings = "stty echo; bind 'set bell-style none'; bind 'set enable-bracketed-paste off'";
    bash.send_line(format!("{settings}; source oneup.bash; echo load''ed")).expect("it reads");
    bash.expect("loaded").expect("it loads");
    bash.expect(PROMPT).expect("a prompt");
    tab(&mut bash, "bash", "\t\t");
}

/// Found on the fpath, as a package installs it, and completing from the first TAB on.
#[test]
fn zsh_offers_what_oneup_has() {
    if !requires_program("zsh") {
        return;
    }
    let (home, mut zsh) = command("zsh", &["-f", "-i"]);
    home.write("functions/_oneup", committed("_oneup"));
    zsh.env("PS1", PROMPT);
    let mut zsh = start(zsh);
    zsh.expect(PROMPT).expect("a prompt");
    zsh.send_line(
        "fpath=($HOME/functions $fpath); autoload -Uz compinit; compinit -u -D; unsetopt beep; echo load''ed",
    )
    .expect("it reads");
    zsh.expect("loaded").expect("it loads");
    zsh.expect(PROMPT).expect("a prompt");
    tab(&mut zsh, "zsh", "\t");
}

/// Found in fish's own directory, as the README says.
#[test]
fn fish_offers_what_oneup_has() {
    if !requires_program("fish") {
        return;
    }
    let (home, fish) = command("fish", &["-i"]);
    home.write("xdg/fish/completions/oneup.fish", committed("oneup.fish"));
    home.write(
        "xdg/fish/config.fish",
        format!("function fish_prompt; echo -n '{PROMPT}'; end\nset -g fish_greeting\n"),
    );
    let mut fish = start(fish);
    fish.expect(PROMPT).expect("a prompt");
    tab(&mut fish, "fish", "\t");
}

/// Read at its start, as the README says.
#[test]
fn elvish_offers_what_oneup_has() {
    if !requires_program("elvish") {
        return;
    }
    let (home, elvish) = command("elvish", &[]);
    // Where a list of candidates is open, Ctrl-U leaves the line as it is.
    let settings = format!(
        "set edit:prompt = {{ put '{PROMPT}' }}\nset edit:rprompt = {{ }}\n\
         set edit:completion:binding[Ctrl-U] = {{ edit:close-mode; edit:kill-line-left }}\n"
    );
    home.write("xdg/elvish/rc.elv", format!("{settings}{}", committed("oneup.elv")));
    let mut elvish = start(elvish);
    elvish.expect(PROMPT).expect("a prompt");
    tab(&mut elvish, "elvish", "\t");
}
