//! What oneup generates of itself: completions, which stand in `completions/` too and must not fall behind
//! (`just completions` writes them anew), and manual pages, which the real `man` reads. `shells` presses TAB.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{Home, Oneup, requires_program};

/// Each shell, and the name under which it looks for the file.
const SHELLS: [(&str, &str); 5] = [
    ("bash", "oneup.bash"),
    ("elvish", "oneup.elv"),
    ("fish", "oneup.fish"),
    ("powershell", "_oneup.ps1"),
    ("zsh", "_oneup"),
];

fn committed(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file)
}

#[test]
fn the_committed_completions_are_what_oneup_prints() {
    for (shell, file) in SHELLS {
        let script = Oneup::new().args(["completions", shell]).stderr("").run().stdout;
        if std::env::var_os("ONEUP_REGENERATE").is_some() {
            fs::create_dir_all(committed("")).expect("completions/");
            fs::write(committed(file), &script).expect("a completion script");
        }
        let kept = fs::read_to_string(committed(file)).unwrap_or_default().replace("\r\n", "\n");
        assert!(kept == script, "completions/{file} is not what oneup prints: run `just completions`");
    }
}

/// No PowerShell is at hand to press TAB in; what its script asks, oneup answers.
#[test]
fn powershell_is_offered_words_with_their_help_and_runs_none() {
    let script = Oneup::new().args(["completions", "powershell"]).run().stdout;
    assert!(!script.contains("Invoke-Expression"), "{script}");
    let asked =
        Oneup::new().env("COMPLETE", "powershell").args(["--", "oneup", "token", "show", "--format", ""]);
    asked.stdout_has("raw\tThe token\n").stdout_has("powershell\t").stderr("").run();
    Oneup::new()
        .env("COMPLETE", "powershell")
        .args(["--", "oneup", "log"])
        .stdout_has("login\tGet a token")
        .stdout_has("logout\t")
        .run();
}

#[test]
fn every_shell_can_read_its_completions() {
    for (shell, file, flags) in [
        ("bash", "oneup.bash", ["-n"].as_slice()),
        ("zsh", "_oneup", &["-f", "-n"]),
        ("fish", "oneup.fish", &["--no-config", "--no-execute"]),
    ] {
        if requires_program(shell) {
            let output =
                Command::new(shell).args(flags).arg(committed(file)).output().expect("the shell runs");
            assert_clean(shell, &output);
        }
    }
}

/// The sections that readers of manual pages look for, in man-pages(7)'s order.
const SECTIONS: [&str; 9] = [
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "OPTIONS",
    "EXAMPLES",
    "EXIT STATUS",
    "ENVIRONMENT",
    "FILES",
    "SEE ALSO",
];

/// A directory of all pages, and each page's file.
fn pages() -> (Home, Vec<PathBuf>) {
    let home = Home::new();
    home.oneup().args(["man", "--dir", "man1"]).stdout("").stderr("").run();
    let mut pages: Vec<PathBuf> =
        fs::read_dir(home.path("man1")).expect("man1").map(|entry| entry.expect("a page").path()).collect();
    pages.sort();
    assert_eq!(pages.len(), 19, "{pages:?}");
    (home, pages)
}

#[test]
fn man_renders_every_page_without_a_warning() {
    if !requires_program("man") {
        return;
    }
    let (_home, pages) = pages();
    for page in pages {
        let output = Command::new("man")
            .args(["--warnings", "-P", "cat", "-E", "UTF-8", "-l"])
            .arg(&page)
            .envs([("MANWIDTH", "80"), ("LC_ALL", "C.UTF-8")])
            .output()
            .expect("man runs");
        assert_clean("man", &output);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let name = page.file_stem().and_then(|name| name.to_str()).expect("a name");
        assert!(text.contains(&format!("{name} - ")), "{text}");
        let found = text.lines().filter(|line| SECTIONS.contains(line));
        assert!(found.eq(SECTIONS), "{name}: {text}");
    }
}

#[test]
fn mandoc_has_nothing_to_warn_of() {
    if !requires_program("mandoc") {
        return;
    }
    let (_home, pages) = pages();
    let output = Command::new("mandoc")
        .args(["-T", "lint", "-W", "warning"])
        .args(pages)
        .output()
        .expect("mandoc runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "");
    assert_clean("mandoc", &output);
}

#[test]
fn a_page_that_is_packaged_twice_is_the_same() {
    let day = |epoch: &str| Oneup::new().arg("man").env("SOURCE_DATE_EPOCH", epoch).run().stdout;
    assert!(day("0").contains(".TH ONEUP 1 1970-01-01 "), "{}", day("0"));
    assert_eq!(day("86400"), day("86401"));
}

#[test]
fn a_page_of_nothing_is_wrong_usage() {
    Oneup::new().args(["man", "frobnicate"]).status(2).stderr_has("frobnicate").run();
    let near = "error: there is no page of `token shwo`\nhint: did you mean `oneup man token-show`?\n";
    Oneup::new().args(["man", "token", "shwo"]).status(2).stderr(near).run();
}

#[test]
fn a_page_is_found_by_its_words_or_its_name() {
    let page =
        |words: &[&str]| Oneup::new().arg("man").args(words).env("SOURCE_DATE_EPOCH", "0").run().stdout;
    let wanted = page(&["token", "show"]);
    assert!(wanted.contains(".TH ONEUP-TOKEN-SHOW 1"), "{wanted}");
    assert_eq!(page(&["token-show"]), wanted);
    assert_eq!(page(&["oneup-token-show"]), wanted);
    assert_eq!(page(&["oneup"]), page(&[]));
}

#[track_caller]
fn assert_clean(program: &str, output: &Output) {
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && complaint.trim().is_empty(),
        "{program}: {} {complaint}",
        output.status
    );
}
