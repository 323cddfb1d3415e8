//! Help, version, usage errors and directories: all that does not depend on a command.

use crate::support::{Home, Oneup};
#[cfg(target_os = "linux")]
use crate::support::{is_root, requires};

#[test]
fn version_prints_name_and_number() {
    Oneup::new().arg("--version").stdout(format!("oneup {}\n", env!("CARGO_PKG_VERSION"))).stderr("").run();
}

#[test]
fn help_goes_to_stdout_with_examples_and_exit_codes() {
    for args in [&["--help"][..], &["help"], &["help", "token", "show"], &["curl", "--help"]] {
        Oneup::new()
            .args(args)
            .stdout_has("Usage: oneup")
            .stdout_has("Examples:")
            .stdout_has("Exit codes:")
            .stderr("")
            .run();
    }
    Oneup::new().arg("-h").stdout_has("Usage: oneup").stdout_has("oneup sandbox demo").stderr("").run();
}

#[test]
fn missing_subcommand_prints_help_on_stderr() {
    Oneup::new().status(2).stdout("").stderr_has("Commands:").stderr_has("oneup sandbox demo").run();
    Oneup::new().arg("token").status(2).stdout("").stderr_has("inspect").run();
}

#[test]
fn usage_errors_end_with_a_hint() {
    let expect = |args: &[&str], error: &str| Oneup::new().args(args).status(2).stderr(error).run();
    expect(
        &["status", "--profle", "x"],
        "error: unexpected argument '--profle'\nhint: did you mean `--profile`?\n",
    );
    expect(&["show"], "error: unknown command `oneup show`\nhint: did you mean `oneup token show`?\n");
    expect(&["teapot"], "error: unknown command `oneup teapot`\nhint: oneup --help\n");
    expect(
        &["status", "--format", "jsn"],
        "error: invalid value 'jsn' for '--format <FORMAT>'\n  [possible values: text, json]\n\
         hint: did you mean `json`?\n",
    );
}

#[test]
fn client_secret_in_an_argument_is_an_error_and_not_repeated() {
    for args in [
        &["login", "S3CRET-of-mine"][..],
        &["login", "provider", "S3CRET-of-mine"],
        &["login", "provider", "--client-secret", "S3CRET-of-mine"],
        &["login", "provider", "--client-secret=S3CRET-of-mine"],
        &["login", "provider", "--client-secret-stdin=S3CRET-of-mine"],
        &["login", "patient", "--code", "S3CRET-of-mine"],
        &["login", "patient", "--code=S3CRET-of-mine"],
        &["token", "S3CRET-of-mine"],
        &["token", "inspect", "S3CRET-of-mine"],
    ] {
        Oneup::new().args(args).status(2).stdout("").stderr_has("\nhint: ").never("S3CRET-of-mine").run();
    }
}

#[test]
fn invalid_value_from_the_environment_names_the_variable() {
    Oneup::new()
        .args(["login", "provider"])
        .env("ONEUP_STORE", "keychain")
        .status(2)
        .stderr(
            "error: invalid value 'keychain' for '--store <STORE>'\n  [possible values: auto, keyring, keyutils, file, vault]\n\
             hint: the value comes from ONEUP_STORE; correct or unset it\n",
        )
        .run();
    let flag = ["login", "provider", "--store", "keychain"];
    Oneup::new().args(flag).status(2).stderr_has("hint: did you mean `keyring`?").run();
}

#[test]
fn empty_variables_count_as_unset() {
    for name in ["ONEUP_PROFILE", "ONEUP_STORE", "ONEUP_TIMEOUT", "ONEUP_CLIENT_ID", "ONEUP_NO_INPUT"] {
        Oneup::new()
            .args(["login", "provider"])
            .env(name, "")
            .status(2)
            .stderr_has("hint: pass --client-id ID")
            .run();
    }
}

#[test]
fn missing_setting_names_ci_when_ci_forbids_the_prompt() {
    let login = || Oneup::new().args(["login", "provider"]).env("CI", "true").status(2);
    login().stderr_has("error: missing client ID\n  no prompt, because CI is set\nhint: ").run();
    let secret = login().env("ONEUP_CLIENT_ID", "c");
    secret.stderr_has("error: missing client secret\n  no prompt, because CI is set\nhint: ").run();
}

#[test]
fn mistyped_profile_is_suggested() {
    let home = Home::new();
    for name in ["acme", "beta"] {
        home.write(&format!("config/profiles/{name}.toml"), "");
    }
    home.oneup()
        .args(["token", "show", "--profile", "acm"])
        .status(4)
        .stderr_has("hint: did you mean acme? Profiles: acme, beta\n")
        .run();
    for args in [&["token", "show"][..], &["status"]] {
        home.oneup()
            .args(args)
            .env("ONEUP_PROFILE", "acm")
            .status(4)
            .stderr_has("error: no profile acm\n  ONEUP_PROFILE selects it\nhint: did you mean acme?")
            .run();
    }
    home.oneup().args(["use", "acm"]).status(4).stderr_has("hint: did you mean acme? Profiles: ").run();
    home.oneup()
        .args(["status", "--profile", "teapot"])
        .status(4)
        .stderr_has("acme, beta")
        .stderr_has("oneup login PRODUCT --profile teapot")
        .run();
}

/// Without a home directory and without an entry in passwd(5).
#[cfg(target_os = "linux")]
#[test]
fn works_without_a_home_directory() {
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Output, Stdio};
    let run = |args: &[&str], variables: &[(&str, &str)]| -> Output {
        let mut oneup = Command::new(env!("CARGO_BIN_EXE_oneup"));
        oneup.args(args).env_clear().envs(variables.iter().copied()).stdin(Stdio::null());
        oneup.env("PATH", "/usr/bin:/bin").uid(UNKNOWN_UID).current_dir("/");
        oneup.output().expect("it runs")
    };
    if !requires("root, to become another user", is_root()) {
        return;
    }
    let stdout = |output: &Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = |output: &Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let token = run(&["token", "show"], &[("ONEUP_TOKEN", "abc")]);
    assert_eq!(stdout(&token), "abc\n", "{}", stderr(&token));
    assert!(run(&["completions", "bash"], &[]).status.success());
    assert!(run(&["--", "oneup", "st"], &[("COMPLETE", "fish")]).status.success());
    let doctor = run(&["doctor", "--timeout", "5"], &[]);
    assert!(stdout(&doctor).contains("home directory"), "{}{}", stdout(&doctor), stderr(&doctor));
    let status = run(&["status"], &[]);
    assert_eq!(status.status.code(), Some(2));
    assert_eq!(
        stderr(&status),
        "error: could not determine the home directory\n\
         hint: set HOME, or use --config-dir DIR and --state-dir DIR\n"
    );
}

/// A user ID that no passwd(5) entry has.
#[cfg(target_os = "linux")]
const UNKNOWN_UID: u32 = 48_321;
