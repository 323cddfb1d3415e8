//! What every run promises before any command: help, version, wrong usage.

use crate::support::{Home, Oneup};

#[cfg(target_os = "linux")]
#[test]
fn a_stderr_that_is_full_changes_no_exit_code() {
    for (words, code) in [(&[][..], 2), (&["token"], 2), (&["token", "shwo"], 2)] {
        let full = std::fs::File::options().write(true).open("/dev/full").expect("it is there");
        let mut oneup = std::process::Command::new(env!("CARGO_BIN_EXE_oneup"));
        assert_eq!(oneup.args(words).stderr(full).status().expect("it runs").code(), Some(code), "{words:?}");
    }
}

#[test]
fn version_is_name_and_number() {
    Oneup::new().arg("--version").stdout(format!("oneup {}\n", env!("CARGO_PKG_VERSION"))).stderr("").run();
}

#[test]
fn help_goes_to_stdout_and_names_the_exit_codes() {
    for args in [&["--help"][..], &["help"], &["help", "token", "show"], &["curl", "--help"]] {
        Oneup::new().args(args).stdout_has("Usage: oneup").stdout_has("Exit codes:").stderr("").run();
    }
    Oneup::new().arg("-h").stdout_has("Usage: oneup").stdout_has("oneup sandbox demo").stderr("").run();
}

#[test]
fn oneup_alone_shows_the_way_and_is_wrong_usage() {
    Oneup::new().status(2).stderr_has("Commands:").stderr_has("oneup sandbox demo").run();
    Oneup::new().arg("token").status(2).stderr_has("inspect").run();
}

#[test]
fn wrong_usage_is_an_error_with_the_next_step() {
    let mistake = |args: &[&str], told: &str| Oneup::new().args(args).status(2).stderr(told).run();
    mistake(
        &["status", "--profle", "x"],
        "error: unexpected argument '--profle' found\nhint: did you mean `--profile`?\n",
    );
    mistake(&["show"], "error: there is no command `oneup show`\nhint: did you mean `oneup token show`?\n");
    mistake(&["teapot"], "error: there is no command `oneup teapot`\nhint: oneup --help\n");
    mistake(
        &["status", "--format", "jsn"],
        "error: invalid value 'jsn' for '--format <FORMAT>'\n  [possible values: text, json]\n\
         hint: did you mean `json`?\n",
    );
}

#[test]
fn a_wrong_value_from_the_environment_names_its_variable() {
    Oneup::new()
        .args(["login", "provider"])
        .env("ONEUP_STORE", "keychain")
        .status(2)
        .stderr(
            "error: invalid value 'keychain' for '--store <STORE>'\n  [possible values: auto, keyring, keyutils, file]\n\
             hint: the value is ONEUP_STORE's: unset it, or correct it\n",
        )
        .run();
    let flag = ["login", "provider", "--store", "keychain"];
    Oneup::new().args(flag).status(2).stderr_has("hint: did you mean `keyring`?").run();
}

#[test]
fn a_profile_that_is_nearly_there_is_named() {
    let home = Home::new();
    for name in ["acme", "beta"] {
        home.write(&format!("config/profiles/{name}.toml"), "");
    }
    home.oneup()
        .args(["token", "show", "--profile", "acm"])
        .status(4)
        .stderr("error: there is no profile acm\nhint: did you mean --profile acme? There are acme, beta\n")
        .run();
    home.oneup()
        .args(["status", "--profile", "teapot"])
        .status(4)
        .stderr_has("hint: the profiles are acme, beta; log in with: oneup login PRODUCT --profile teapot")
        .run();
}
