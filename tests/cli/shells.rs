//! The committed completions in real shells on a terminal. On Linux only: bash 3.2 of macOS lacks much of what they need.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use expectrl::session::OsSession;
use expectrl::{Expect, Session};

use crate::support::{Home, path_with_oneup, requires_program};

/// What is typed before TAB, and the candidates that must then be on the screen.
const CANDIDATES: [(&str, &[&str]); 8] = [
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

/// Files whose names would do something if a shell evaluated them, each with the letters that are typed
/// before TAB, and the argument that must be passed.
const HOSTILE: [(&str, &str, &str); 14] = [
    ("Za$(touch PWNED)x", "Za", "Za$(touch PWNED)x"),
    ("Zb`touch PWNED`x", "Zb", "Zb`touch PWNED`x"),
    ("Zc with  spaces", "Zc", "Zc with  spaces"),
    ("Zd'$(touch PWNED)", "Zd", "Zd'$(touch PWNED)"),
    ("Ze\"$(touch PWNED)", "Ze", "Ze\"$(touch PWNED)"),
    ("Zf;touch PWNED", "Zf", "Zf;touch PWNED"),
    ("Zg&touch PWNED|cat>PWNED", "Zg", "Zg&touch PWNED|cat>PWNED"),
    ("Zh\\$(touch PWNED)", "Zh", "Zh\\$(touch PWNED)"),
    ("Zi*?[a]{b,c}~#!x", "Zi", "Zi*?[a]{b,c}~#!x"),
    ("Zj$HOME", "Zj", "Zj$HOME"),
    ("Zk:touch é", "Zk", "Zk:touch é"),
    // Control characters separate candidates: such names are not offered.
    ("Zl\ntouch PWNED\n", "Zl", "Zl"),
    ("Zm\ttouch PWNED\u{b}touch PWNED", "Zm", "Zm"),
    ("-rf", "./-", "./-rf"),
];

/// Creates a home with two profiles, a file and a program, and the command of a shell in it that finds oneup.
fn command(program: &str, args: &[&str]) -> (Home, Command) {
    let home = Home::new();
    for name in ["acme", "beta"] {
        home.write(&format!("config/profiles/{name}.toml"), "");
    }
    home.write("body.json", "{}");
    home.write("bin/oneup-test-program", "");
    let mut command = Command::new(program);
    command.args(args).env_clear().current_dir(home.path(""));
    command
        .env("PATH", format!("{}:{}", home.path("bin").display(), path_with_oneup().display()))
        .envs([("TERM", "xterm"), ("LC_ALL", "C.UTF-8"), ("COLUMNS", "200"), ("LINES", "50")])
        .env("HOME", home.path(""))
        .env("XDG_CONFIG_HOME", home.path("xdg"))
        .env("ONEUP_CONFIG_DIR", home.config());
    (home, command)
}

fn script(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file);
    fs::read_to_string(path).expect("a completion script")
}

fn start(command: Command) -> OsSession {
    let mut shell = Session::spawn(command).expect("a pty");
    shell.set_expect_timeout(Some(Duration::from_secs(20)));
    shell.get_process_mut().set_window_size(200, 50).expect("a window");
    shell
}

/// Types each line and TAB (twice where the first only rings the bell) and waits for the candidates.
fn expect_candidates(shell: &mut OsSession, program: &str, tabs: &str) {
    shell.set_expect_timeout(Some(Duration::from_millis(300)));
    for (line, candidates) in CANDIDATES {
        shell.send(format!("{line}{tabs}")).expect("it reads");
        let (mut screen, typed_at) = (String::new(), Instant::now());
        // A shell that is still drawing would lose the next line, so this waits until it is quiet.
        loop {
            let missing = candidates.iter().find(|word| !screen.contains(**word));
            match (shell.expect(expectrl::Regex("(?s).+")), missing) {
                (Ok(output), _) => screen.push_str(&String::from_utf8_lossy(output.as_bytes())),
                (Err(_), None) => break,
                (Err(_), Some(word)) => {
                    let in_time = typed_at.elapsed() < Duration::from_secs(20);
                    assert!(in_time, "{program}: {line}<TAB> lacks {word}: {screen:?}");
                }
            }
            // elvish moves the cursor before each letter.
            screen = anstream::adapter::strip_str(&screen).to_string().replace('\r', "");
        }
        // Ctrl-U clears the line.
        shell.send("\u{15}").expect("it reads");
    }
}

/// Puts a program before oneup on the PATH that completes as oneup does, and otherwise writes its last argument to `argument`.
fn record_arguments(home: &Home) {
    let oneup = env!("CARGO_BIN_EXE_oneup");
    let script = format!(
        "[ -n \"$COMPLETE\" ] && exec '{oneup}' \"$@\"\n\
         for last; do :; done\nprintf %s \"$last\" > '{0}/new' && mv '{0}/new' '{0}/argument'",
        home.path("").display()
    );
    home.write_script("bin/oneup", &script);
    for (name, ..) in HOSTILE {
        home.write(name, "");
    }
    // Not a valid profile name.
    home.write("config/profiles/Zo$(touch PWNED).toml", "");
}

/// Completes each hostile name after `before`, runs the line, and compares the argument that the program got.
fn expect_quoted(home: &Home, shell: &mut OsSession, program: &str, before: &str) {
    let profile = ("", "Zo", "Zo");
    for (index, (name, typed, expected)) in HOSTILE.into_iter().chain([profile]).enumerate() {
        let flag = if index == HOSTILE.len() { "status --profile" } else { "exec -- cat" };
        // History expansion would change it within double quotes.
        let expected = if before == "\"" && name.contains('!') { typed } else { expected };
        let argument = home.path("argument");
        let _ = fs::remove_file(&argument);
        shell.send(format!("oneup {flag} {before}{typed}\t")).expect("it reads");
        drain(shell);
        // The shell closes the quote of a completed name.
        let quote = if expected == typed { before } else { "" };
        shell.send(quote).expect("it reads");
        let typed_at = Instant::now();
        while !argument.exists() {
            // elvish takes the first Enter as the choice of the candidate.
            shell.send("\r").expect("it reads");
            drain(shell);
            assert!(
                typed_at.elapsed() < Duration::from_secs(20),
                "{program}: {before}{typed}<TAB> did not run"
            );
        }
        drain(shell);
        let passed = fs::read_to_string(&argument).expect("it is UTF-8");
        assert_eq!(passed, expected, "{program}: {before}{typed}<TAB>");
        assert!(!home.path("PWNED").exists(), "{program}: {before}{typed}<TAB>");
    }
}

/// Reads until the shell is quiet.
fn drain(shell: &mut OsSession) {
    shell.set_expect_timeout(Some(Duration::from_millis(300)));
    while shell.expect(expectrl::Regex("(?s).+")).is_ok() {}
}

fn bash() -> (Home, OsSession) {
    let (home, mut bash) = command("bash", &["--norc", "--noprofile", "-i"]);
    home.write("oneup.bash", script("oneup.bash"));
    bash.env("PS1", PROMPT);
    let mut bash = start(bash);
    bash.expect(PROMPT).expect("a prompt");
    // Where the terminal doesn't echo, as expectrl makes it, bash's line editor doesn't either.
    let settings = "stty echo; bind 'set bell-style none'; bind 'set enable-bracketed-paste off'";
    bash.send_line(format!("{settings}; source oneup.bash; echo load''ed")).expect("it reads");
    bash.expect("loaded").expect("it loads");
    bash.expect(PROMPT).expect("a prompt");
    (home, bash)
}

#[test]
fn bash_completes() {
    if requires_program("bash") {
        expect_candidates(&mut bash().1, "bash", "\t\t");
    }
}

#[test]
fn bash_quotes_names() {
    if requires_program("bash") {
        let (home, mut bash) = bash();
        record_arguments(&home);
        expect_quoted(&home, &mut bash, "bash", "");
        expect_quoted(&home, &mut bash, "bash", "'");
        expect_quoted(&home, &mut bash, "bash", "\"");
    }
}

/// zsh, with the completions on the fpath, as a package installs them.
fn zsh() -> (Home, OsSession) {
    let (home, mut zsh) = command("zsh", &["-f", "-i"]);
    home.write("functions/_oneup", script("_oneup"));
    zsh.env("PS1", PROMPT);
    let mut zsh = start(zsh);
    zsh.expect(PROMPT).expect("a prompt");
    zsh.send_line(
        "fpath=($HOME/functions $fpath); autoload -Uz compinit; compinit -u -D; unsetopt beep; echo load''ed",
    )
    .expect("it reads");
    zsh.expect("loaded").expect("it loads");
    zsh.expect(PROMPT).expect("a prompt");
    (home, zsh)
}

#[test]
fn zsh_completes() {
    if requires_program("zsh") {
        expect_candidates(&mut zsh().1, "zsh", "\t");
    }
}

#[test]
fn zsh_quotes_names() {
    if requires_program("zsh") {
        let (home, mut zsh) = zsh();
        record_arguments(&home);
        zsh.send_line("rehash").expect("it reads");
        drain(&mut zsh);
        expect_quoted(&home, &mut zsh, "zsh", "");
    }
}

/// fish, with the completions in its own directory, as in the README.
fn fish() -> (Home, OsSession) {
    let (home, fish) = command("fish", &["-i"]);
    home.write("xdg/fish/completions/oneup.fish", script("oneup.fish"));
    home.write(
        "xdg/fish/config.fish",
        format!("function fish_prompt; echo -n '{PROMPT}'; end\nset -g fish_greeting\n"),
    );
    let mut fish = start(fish);
    fish.expect(PROMPT).expect("a prompt");
    (home, fish)
}

#[test]
fn fish_completes() {
    if requires_program("fish") {
        expect_candidates(&mut fish().1, "fish", "\t");
    }
}

#[test]
fn fish_quotes_names() {
    if requires_program("fish") {
        let (home, mut fish) = fish();
        record_arguments(&home);
        expect_quoted(&home, &mut fish, "fish", "");
    }
}

/// elvish, which reads the completions at its start, as in the README.
fn elvish() -> (Home, OsSession) {
    let (home, elvish) = command("elvish", &[]);
    // Where a list of candidates is open, Ctrl-U leaves the line as it is.
    let settings = format!(
        "set edit:prompt = {{ put '{PROMPT}' }}\nset edit:rprompt = {{ }}\n\
         set edit:completion:binding[Ctrl-U] = {{ edit:close-mode; edit:kill-line-left }}\n"
    );
    home.write("xdg/elvish/rc.elv", format!("{settings}{}", script("oneup.elv")));
    let mut elvish = start(elvish);
    elvish.expect(PROMPT).expect("a prompt");
    (home, elvish)
}

#[test]
fn elvish_completes() {
    if requires_program("elvish") {
        expect_candidates(&mut elvish().1, "elvish", "\t");
    }
}

#[test]
fn elvish_quotes_names() {
    if requires_program("elvish") {
        let (home, mut elvish) = elvish();
        record_arguments(&home);
        expect_quoted(&home, &mut elvish, "elvish", "");
    }
}
