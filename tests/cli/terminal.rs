//! Output on terminals: width, ASCII, color, Ctrl-C.

use crate::support::{Home, Oneup, TokenEndpoint};

fn width(text: &str) -> usize {
    text.lines().map(|line| line.chars().count()).max().unwrap_or(0)
}

#[test]
fn demo_is_ascii_and_fits_80_columns() {
    let run = Oneup::new().args(["sandbox", "demo"]).env("LC_ALL", "C").run();
    assert!(run.stdout.is_ascii(), "{}", run.stdout);
    assert!(width(&run.stdout) <= 80, "{}", run.stdout);
}

#[test]
fn help_and_manual_pages_are_ascii() {
    let home = Home::new();
    home.oneup().args(["man", "--dir", "man1"]).run();
    for page in std::fs::read_dir(home.path("man1")).expect("man1") {
        let page = std::fs::read_to_string(page.expect("a page").path()).expect("a page");
        assert!(page.is_ascii(), "{page}");
    }
    for command in ["--help", "help login patient", "help token show", "help sandbox run", "curl --help"] {
        assert!(Oneup::new().args(command.split(' ')).run().stdout.is_ascii(), "{command}");
    }
}

#[test]
fn long_arguments_are_cut_in_messages() {
    let name = "x".repeat(200);
    let run = Oneup::new().args(["man", &name]).status(2).stderr_has("xxx...").run();
    assert!(run.stderr.is_ascii(), "{}", run.stderr);
}

/// The basic colors are the terminal's own, chosen to be readable on its background; black, white, bright ones and a background
/// are not, on every theme.
#[test]
fn colors_are_readable_on_light_and_dark_backgrounds() {
    let endpoint = TokenEndpoint::start();
    let home = Home::logged_in(&endpoint);
    let mut sequences = 0;
    for args in ["sandbox demo", "token inspect", "status", "doctor", "--help", "token shwo", "token show"] {
        let run = home.oneup().args(args.split(' ')).arg("--color=always").outcome();
        let screen = run.stdout + &run.stderr;
        for sequence in screen.split("\u{1b}[").skip(1) {
            sequences += 1;
            let parameters = sequence.split('m').next().unwrap_or_default();
            for parameter in parameters.split(';') {
                let is_basic = ["", "0", "1", "2", "4", "31", "32", "33", "36"].contains(&parameter);
                assert!(is_basic, "{args}: {parameters:?} in {screen:?}");
            }
        }
    }
    assert!(sequences > 20, "{sequences}");
}

#[test]
fn color_follows_the_variables_and_the_flag() {
    let demo = |name: &str, value: &str| {
        let run = Oneup::new().args(["sandbox", "demo"]).env(name, value).run();
        run.stdout.contains('\u{1b}')
    };
    assert!(!demo("NO_COLOR", ""), "a pipe");
    assert!(demo("CLICOLOR_FORCE", "1"));
    let error = |args: &[&str]| Oneup::new().args(args).status(4).run().stderr.contains('\u{1b}');
    assert!(error(&["token", "show", "--color", "always"]));
    assert!(!error(&["token", "show"]));
}

/// The shell's prompt must not be on the line of ^C.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_line() {
    use expectrl::{Expect, Session};
    for (args, waits) in [
        (&["login", "provider"][..], "Dev Portal"),
        (&["login", "provider", "--client-id", "c"], "(not shown)"),
        (&["sandbox", "serve"], "/sandbox/journal\r\n"),
    ] {
        let home = Home::new();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_oneup"));
        command.args(args).env_clear().env("HOME", home.path("")).env("TERM", "xterm");
        let mut terminal = Session::spawn(command).expect("a pty");
        terminal.set_expect_timeout(Some(std::time::Duration::from_secs(20)));
        terminal.expect(waits).expect(waits);
        // A prompt sets the terminal's mode first.
        std::thread::sleep(std::time::Duration::from_millis(300));
        terminal.send("\u{3}").expect("it reads");
        let rest = terminal.expect(expectrl::Eof).expect("it ends");
        let rest = String::from_utf8_lossy(rest.as_bytes()).into_owned();
        let lines = anstream::adapter::strip_str(&rest).to_string();
        assert!(lines.ends_with('\n'), "{args:?}: {rest:?}");
    }
}

#[cfg(unix)]
#[test]
fn terminal_gets_color_unless_dumb_or_disabled() {
    use expectrl::{Expect, Session};
    let has_color = |name: &str, value: &str| {
        let home = Home::new();
        let run = home.oneup().args(["token", "show"]).env("TERM", "xterm").env(name, value);
        let mut terminal = Session::spawn(run.into_command()).expect("a pty");
        let screen = terminal.expect("logged in").expect("an error");
        String::from_utf8_lossy(screen.as_bytes()).contains('\u{1b}')
    };
    assert!(has_color("TERM", "xterm"));
    assert!(!has_color("TERM", "dumb"));
    assert!(!has_color("NO_COLOR", "1"));
}

/// Runs a command on a terminal of this many columns; returns what it prints.
#[cfg(unix)]
fn on_terminal(run: Oneup, columns: u16) -> String {
    use expectrl::{Expect, Session};
    let oneup = run.into_command();
    let mut command = std::process::Command::new("sh");
    // oneup reads the width at its start, which is here when the width is set.
    command.args(["-c", r#"read -r line && exec "$@""#, "sh"]);
    command.arg(oneup.get_program()).args(oneup.get_args());
    command.current_dir(oneup.get_current_dir().expect("a home"));
    for (name, value) in oneup.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut terminal = Session::spawn(command).expect("a pty");
    terminal.get_process_mut().set_window_size(columns, 50).expect("a window");
    terminal.send_line("").expect("the shell reads");
    terminal.set_expect_timeout(Some(std::time::Duration::from_secs(60)));
    let screen = terminal.expect(expectrl::Eof).expect("it ends");
    String::from_utf8_lossy(screen.as_bytes()).replace('\r', "")
}

#[cfg(unix)]
#[test]
fn output_fits_the_terminal() {
    let endpoint = TokenEndpoint::builder().lifetime(300).start();
    let home = Home::logged_in(&endpoint);
    for (columns, widest) in [(40, 40), (60, 60), (80, 80), (200, 100)] {
        for args in
            [&["token", "inspect"][..], &["sandbox", "demo"], &["--help"], &["login", "provider", "--help"]]
        {
            let run = home.oneup().args(args).env("TERM", "xterm").env("LC_ALL", "C");
            let screen = on_terminal(run, columns);
            let screen = anstream::adapter::strip_str(&screen).to_string();
            assert!(screen.is_ascii(), "{args:?}: {screen}");
            for line in screen.lines().filter(|line| line.chars().count() > widest) {
                // A word that does not fit beside a label, such as a URL, is not broken; a command is not wrapped.
                let longest = line.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
                let fits = longest + 13 <= widest;
                assert!(!fits || line.contains("oneup "), "{args:?} at {columns} columns: {line:?}");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn wait_is_shown_once_and_not_on_a_dumb_terminal() {
    let delay = std::time::Duration::from_millis(900);
    let endpoint = TokenEndpoint::builder().delay(delay).start();
    let home = Home::logged_in(&endpoint);
    let screen = |term| on_terminal(home.oneup().args(["token", "show", "--refresh"]).env("TERM", term), 80);
    let drawn = screen("xterm");
    assert_eq!(drawn.matches("requesting a token").count(), 1, "{drawn:?}");
    assert_eq!(screen("dumb"), "token-2\n");
}
