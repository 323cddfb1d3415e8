//! `token show`: refreshing, formats, concurrency.

use std::fs;
use std::thread;
use std::time::Duration;

use crate::support::{CLIENT_SECRET, Fault, Home, Oneup, TokenEndpoint, requires_program, wait_until};

#[test]
fn valid_token_needs_no_request_and_expired_token_is_refreshed_first() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    home.oneup().args(["token", "show"]).stdout("token-0\n").stderr("").run();
    home.oneup()
        .args(["token", "show", "--format", "header"])
        .stdout("Authorization: Bearer token-0\n")
        .run();
    assert_eq!(server.count(), 1);
    home.age_tokens(3600);
    home.oneup().args(["token", "show"]).stdout("token-1\n").stderr("").run();
    home.oneup().args(["token", "show", "--refresh"]).stdout("token-2\n").run();
    assert_eq!(server.count(), 3);
}

#[test]
fn concurrent_show_refreshes_once() {
    let server = TokenEndpoint::builder().delay(Duration::from_millis(500)).start();
    let home = Home::logged_in(&server);
    home.age_tokens(3600);
    let children: Vec<_> = (0..100).map(|_| home.oneup().args(["token", "show"]).spawn()).collect();
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "token-1\n");
        assert!(output.status.success());
    }
    assert_eq!(server.count(), 2);
}

#[test]
fn killed_process_releases_its_lock() {
    let server = TokenEndpoint::builder().fault(1, Fault::Hang).start();
    let home = Home::logged_in(&server);
    home.age_tokens(3600);
    let mut first = home.oneup().args(["token", "show"]).spawn();
    wait_until("a refresh", || server.count() == 2);
    let rest: Vec<_> = (0..20).map(|_| home.oneup().args(["token", "show"]).spawn()).collect();
    thread::sleep(Duration::from_millis(100));
    first.kill().expect("SIGKILL");
    first.wait().expect("it is gone");
    for child in rest {
        let output = child.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "token-2\n");
    }
    assert_eq!(server.count(), 3);
}

#[test]
fn unusable_store_loses_neither_token_nor_profile() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    let item = home.stored_file();
    let kept = fs::read(&item).expect("an item");
    fs::write(&item, &kept[..20]).expect("an incomplete item");
    home.oneup().args(["token", "show"]).status(6).never(CLIENT_SECRET).run();
    home.oneup().args(["logout"]).status(6).run();
    fs::write(&item, &kept).expect("an item");
    home.oneup().args(["token", "show"]).stdout("token-0\n").run();
    // Without revocation, logout does not read the credentials.
    fs::write(&item, &kept[..20]).expect("an incomplete item");
    home.oneup().args(["logout", "--no-revoke"]).run();
    assert!(!item.exists());
}

#[test]
fn malformed_profile_is_named_and_kept() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    let file = home.profile_file("provider");
    let kept = fs::read_to_string(&file).expect("a profile");
    for broken in [&kept[..40], "", "schema = 2\n", "\0\0\0"] {
        fs::write(&file, broken).expect("a writable profile");
        home.oneup().args(["token", "show"]).status(1).stderr_has("provider.toml").run();
        home.oneup()
            .args(["login", "provider", "--client-secret-stdin"])
            .stdin("x")
            .status(1)
            .stderr_has("provider.toml")
            .run();
        assert_eq!(fs::read_to_string(&file).expect("still there"), broken);
    }
}

#[test]
fn ci_formats_mask_before_they_export() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    let env = home.write("github_env", "A=1\n");
    home.oneup()
        .args(["token", "show", "--format", "github"])
        .env("GITHUB_ENV", &env)
        .stdout("::add-mask::token-0\n")
        .run();
    assert_eq!(fs::read_to_string(&env).expect("it"), "A=1\nONEUP_TOKEN=token-0\n");
    home.oneup()
        .args(["token", "show", "--format", "github"])
        .status(2)
        .stderr_has("GITHUB_ENV is not set")
        .run();
    home.oneup()
        .args(["token", "show", "--format", "azure"])
        .stdout("##vso[task.setvariable variable=ONEUP_TOKEN;issecret=true]token-0\n")
        .run();
}

#[test]
fn oneup_token_is_the_token_unless_a_profile_is_named() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    home.oneup().args(["token", "show"]).env("ONEUP_TOKEN", "given").stdout("given\n").run();
    home.oneup()
        .args(["token", "show", "--profile", "provider"])
        .env("ONEUP_TOKEN", "given")
        .stdout("token-0\n")
        .run();
    home.oneup()
        .args(["token", "show"])
        .env("ONEUP_TOKEN", "given")
        .env("ONEUP_PROFILE", "provider")
        .stdout("given\n")
        .run();
}

#[test]
fn oneup_token_excludes_flags_that_need_a_profile() {
    for flags in [&["--refresh"][..], &["--min-ttl", "60"]] {
        let show = Oneup::new().args(["token", "show"]).args(flags).env("ONEUP_TOKEN", "given");
        show.status(2).stdout("").stderr_has("has no effect on the token in ONEUP_TOKEN").run();
    }
    for token in ["$(id)", "a'b", "a b", "a%0Ab"] {
        Oneup::new().args(["token", "show"]).env("ONEUP_TOKEN", token).status(2).stdout("").run();
    }
    // {"exp":60}
    let expired = "e30.eyJleHAiOjYwfQ.c2ln";
    Oneup::new()
        .args(["token", "show"])
        .env("ONEUP_TOKEN", expired)
        .stdout(format!("{expired}\n"))
        .stderr_has("warning: the token in ONEUP_TOKEN has expired")
        .run();
}

/// Tokens with every character that RFC 6750 allows, at each place.
fn b64_tokens() -> Vec<String> {
    let all = "-._~+/ABCXYZabcxyz0189";
    let rotations = (0..all.len()).map(|at| format!("{}{}", &all[at..], &all[..at]));
    rotations.chain(["a==".into(), "-".into(), "~root/x".into(), "-n".into(), "a=".into()]).collect()
}

#[test]
fn each_shell_reads_back_every_token() {
    for (shell, format) in [
        ("sh", "export"),
        ("dash", "export"),
        ("bash", "export"),
        ("zsh", "export"),
        ("sh", "env"),
        ("zsh", "env"),
        ("fish", "fish"),
    ] {
        if !requires_program(shell) {
            continue;
        }
        for token in b64_tokens() {
            let show = Oneup::new().args(["token", "show", "--format", format]).env("ONEUP_TOKEN", &token);
            if format == "env" && token.starts_with('~') {
                show.status(2).stderr_has("hint: oneup token show --format export").run();
                continue;
            }
            let line = show.run().stdout;
            let script = match shell {
                "fish" => "eval $argv[1]; printf %s $ONEUP_TOKEN",
                _ => "eval \"$1\"; printf %s \"$ONEUP_TOKEN\"",
            };
            let mut command = std::process::Command::new(shell);
            command.env_remove("ONEUP_TOKEN").args(["-c", script]);
            if shell != "fish" {
                command.arg("sh");
            }
            let output = command.arg(&line).output().expect("the shell runs");
            assert_eq!(String::from_utf8_lossy(&output.stdout), token, "{shell} read {line:?}");
        }
    }
}

/// Each start of it takes half a second, so one evaluates the lines of all tokens.
#[test]
fn powershell_reads_back_every_token() {
    if !crate::support::has_program("pwsh") {
        return;
    }
    let show = |token| {
        Oneup::new().args(["token", "show", "--format", "powershell"]).env("ONEUP_TOKEN", token).run().stdout
    };
    let script: String =
        b64_tokens().iter().map(|token| show(token) + "Write-Output $env:ONEUP_TOKEN\n").collect();
    let output = std::process::Command::new("pwsh").args(["-NoProfile", "-Command", &script]).output();
    let printed = output.expect("PowerShell runs").stdout;
    let printed: Vec<String> = String::from_utf8_lossy(&printed).lines().map(str::to_owned).collect();
    assert_eq!(printed, b64_tokens());
}

#[test]
fn inspect_reads_every_output_of_show() {
    let server = TokenEndpoint::start();
    let home = Home::logged_in(&server);
    let env = home.write("github_env", "");
    for format in ["raw", "header", "json", "env", "export", "fish", "powershell", "github", "azure"] {
        let show = home.oneup().args(["token", "show", "--format", format]).env("GITHUB_ENV", &env);
        let inspect = home.oneup().args(["token", "inspect", "-"]).stdin(show.run().stdout);
        inspect.stdout_has("opaque token (not a JWT)").stderr("").run();
    }
}
