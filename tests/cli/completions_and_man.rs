//! Generated files: completion scripts, which `completions/` must match (`just completions` writes them), and manual
//! pages, which the real `man` renders. `shells` tests the scripts in the shells.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::support::{Home, Oneup, requires_program};

/// Shells, and the file name that each looks for.
const SHELLS: [(&str, &str); 5] = [
    ("bash", "oneup.bash"),
    ("elvish", "oneup.elv"),
    ("fish", "oneup.fish"),
    ("powershell", "_oneup.ps1"),
    ("zsh", "_oneup"),
];

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(file)
}

#[test]
fn committed_completions_are_up_to_date() {
    for (shell, file) in SHELLS {
        let script = Oneup::new().args(["completions", shell]).stderr("").run().stdout;
        if std::env::var_os("ONEUP_REGENERATE").is_some() {
            fs::create_dir_all(path("")).expect("completions/");
            fs::write(path(file), &script).expect("a completion script");
        }
        let committed = fs::read_to_string(path(file)).unwrap_or_default().replace("\r\n", "\n");
        assert!(committed == script, "completions/{file} is out of date: run `just completions`");
    }
}

/// Without PowerShell: oneup's side of the completion.
#[test]
fn powershell_completions_have_help_and_evaluate_nothing() {
    let script = Oneup::new().args(["completions", "powershell"]).run().stdout;
    assert!(!script.contains("Invoke-Expression"), "{script}");
    let asked =
        Oneup::new().env("COMPLETE", "powershell").args(["--", "oneup", "token", "show", "--format", ""]);
    asked.stdout_has("raw\tThe token alone\n").stdout_has("powershell\t").stderr("").run();
    Oneup::new()
        .env("COMPLETE", "powershell")
        .args(["--", "oneup", "log"])
        .stdout_has("login\tGet a token")
        .stdout_has("logout\t")
        .run();
}

#[test]
fn every_shell_parses_its_completions() {
    for (shell, file, flags) in [
        ("bash", "oneup.bash", ["-n"].as_slice()),
        ("zsh", "_oneup", &["-f", "-n"]),
        ("fish", "oneup.fish", &["--no-config", "--no-execute"]),
    ] {
        if requires_program(shell) {
            let output = Command::new(shell).args(flags).arg(path(file)).output().expect("the shell runs");
            assert_clean(shell, &output);
        }
    }
}

/// The sections of every page, in this order. The options have sections by topic.
const SECTIONS: [&str; 8] =
    ["NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "EXIT STATUS", "ENVIRONMENT", "FILES", "SEE ALSO"];

/// Writes all pages; returns their directory and files.
fn pages() -> (Home, Vec<PathBuf>) {
    let home = Home::new();
    home.oneup().args(["man", "--dir", "man1"]).stdout("").stderr("").run();
    let mut pages: Vec<PathBuf> =
        fs::read_dir(home.path("man1")).expect("man1").map(|entry| entry.expect("a page").path()).collect();
    pages.sort();
    assert!(pages.len() >= 19, "{pages:?}");
    (home, pages)
}

#[test]
fn man_renders_every_page_without_warnings() {
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
fn mandoc_lint_is_clean() {
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
fn source_date_epoch_sets_the_date() {
    let day = |epoch: &str| Oneup::new().arg("man").env("SOURCE_DATE_EPOCH", epoch).run().stdout;
    assert!(day("0").contains(".TH ONEUP 1 1970-01-01 "), "{}", day("0"));
    assert_eq!(day("86400"), day("86401"));
}

#[test]
fn unknown_page_is_a_usage_error() {
    Oneup::new().args(["man", "frobnicate"]).status(2).stderr_has("frobnicate").run();
    let error = "error: no manual page for `token shwo`\nhint: did you mean `oneup man token-show`?\n";
    Oneup::new().args(["man", "token", "shwo"]).status(2).stderr(error).run();
}

#[test]
fn page_is_found_by_command_or_by_name() {
    let page =
        |words: &[&str]| Oneup::new().arg("man").args(words).env("SOURCE_DATE_EPOCH", "0").run().stdout;
    let expected = page(&["token", "show"]);
    assert!(expected.contains(".TH ONEUP-TOKEN-SHOW 1"), "{expected}");
    assert_eq!(page(&["token-show"]), expected);
    assert_eq!(page(&["oneup-token-show"]), expected);
    assert_eq!(page(&["oneup"]), page(&[]));
}

#[track_caller]
fn assert_clean(program: &str, output: &Output) {
    let warnings = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && warnings.trim().is_empty(), "{program}: {} {warnings}", output.status);
}
