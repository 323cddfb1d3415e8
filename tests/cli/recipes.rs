//! The recipes of the README and of docs/, taken from there and run in the shells and programs they are for.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Home, Sandbox, code_after, document, requires_program};

/// Runs a script in a shell that finds oneup, with the sandbox's client in its environment.
fn shell(home: &Home, sandbox: &Sandbox, program: &[&str], script: &str) -> Output {
    let bin = Path::new(env!("CARGO_BIN_EXE_oneup")).parent().expect("a directory");
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").expect("PATH"));
    Command::new(program[0])
        .args(&program[1..])
        .args(["-c", script])
        .env_remove("ONEUP_TOKEN")
        .envs(sandbox.env())
        .envs([("PATH", path), ("CI", "true".into()), ("ONEUP_STORE", "file".into())])
        .env("HOME", home.path(""))
        .env("ONEUP_CONFIG_DIR", home.config())
        .env("ONEUP_STATE_DIR", home.state())
        .env("GITHUB_ENV", home.path("github_env"))
        .output()
        .expect("the shell runs")
}

#[track_caller]
fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The README's line for scripts with this comment, without it.
fn line_for(comment: &str) -> String {
    let block = code_after(&document("README.md"), "## In scripts");
    let mut lines = block.lines().filter_map(|line| line.split_once("  # "));
    let found =
        lines.find(|(_, about)| *about == comment).unwrap_or_else(|| panic!("no line for {comment:?}"));
    found.0.trim_end().to_owned()
}

#[test]
fn each_shell_gets_the_variable_that_token_show_prints() {
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    text(&shell(&home, &sandbox, &["sh"], "oneup login provider"));
    let token = text(&shell(&home, &sandbox, &["sh"], "oneup token show"));
    let export = line_for("bash, zsh, dash");
    for (program, recipe) in [
        (&["bash", "--norc"][..], &export),
        (&["dash"], &export),
        (&["zsh", "-f"], &export),
        (&["fish", "--no-config"], &line_for("fish")),
    ] {
        if requires_program(program[0]) {
            let output = shell(&home, &sandbox, program, &format!("{recipe}\nsh -c 'echo $ONEUP_TOKEN'"));
            assert_eq!(text(&output), token, "{program:?}");
        }
    }
}

/// No token looks so; a server that is hostile may make one.
#[test]
fn no_token_breaks_out_of_its_quotes() {
    let home = Home::new();
    let token = r##"a'b"c\d$HOME`id`$(id);e|f&g>h!i*j~k#l%m'$x''"##;
    for (program, format, run) in [
        (&["bash", "--norc"][..], "export", "eval \"$line\""),
        (&["bash", "--norc", "--posix"], "export", "eval \"$line\""),
        (&["dash"], "export", "eval \"$line\""),
        (&["zsh", "-f"], "export", "eval \"$line\""),
        (&["fish", "--no-config"], "fish", "eval $line"),
    ] {
        if requires_program(program[0]) {
            let line =
                home.oneup().args(["token", "show", "--format", format]).env("ONEUP_TOKEN", token).run();
            let script = format!("{run}\nprintf %s \"$ONEUP_TOKEN\"");
            let output = Command::new(program[0])
                .args(&program[1..])
                .args(["-c", &script])
                .env("line", line.stdout.trim_end())
                .env_remove("ONEUP_TOKEN")
                .output()
                .expect("the shell runs");
            assert_eq!(text(&output), token, "{program:?}");
        }
    }
}

/// A line break would be a second header, a second variable of the job, a second command.
#[test]
fn what_no_token_can_be_is_printed_in_no_format() {
    for token in ["a\nGITHUB_PATH=/tmp", "a b", "a\u{2019}b", "a\u{1b}[2J"] {
        for format in ["raw", "header", "env", "export", "fish", "powershell", "azure", "json"] {
            let run =
                Home::new().oneup().args(["token", "show", "--format", format]).env("ONEUP_TOKEN", token);
            run.status(2).stderr_has("ONEUP_TOKEN").run();
        }
    }
}

#[test]
fn curl_takes_the_header_from_a_descriptor() {
    if !(requires_program("curl") && requires_program("bash")) {
        return;
    }
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    let recipe =
        line_for("not in any argument list").replace("https://api.1up.health/r4", "$ONEUP_FHIR_BASE");
    let script = format!("oneup login provider -q\n{recipe} -fsS -o /dev/null -w '%{{http_code}}'");
    assert_eq!(text(&shell(&home, &sandbox, &["bash", "--norc"], &script)), "200");
}

#[test]
fn status_decides_whether_somebody_must_log_in() {
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    let recipe = line_for("0: live or renewable").replace("oneup login patient", "oneup login provider");
    let script = format!("{recipe}\n{recipe}\n{}", line_for("at least ten minutes left"));
    let output = shell(&home, &sandbox, &["sh"], &script.replace("--min-ttl 600", "--min-ttl 60"));
    assert!(text(&output).lines().last().is_some_and(|token| token.starts_with("ey")));
    assert_eq!(sandbox.count("/token"), 1, "logged in once, and the token serves");
}

/// The recipes of docs/recipes.md that are marked as run by every test.
#[test]
fn other_programs_take_the_token() {
    let recipes = document("docs/recipes.md");
    for (heading, program, shown) in [
        ("## HTTPie", "http", "\"resourceType\":\"Bundle\""),
        ("## curl, without", "curl", "\"resourceType\": \"Bundle\""),
        ("## Python", "python3", "200"),
    ] {
        if requires_program(program) && requires_program("bash") {
            let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
            let script = format!("oneup login provider -q\n{}", code_after(&recipes, heading));
            let shown_text = text(&shell(&home, &sandbox, &["bash", "--norc"], &script));
            let squeezed = |text: &str| text.replace([' ', '\n'], "");
            assert!(squeezed(&shown_text).contains(&squeezed(shown)), "{heading}: {shown_text}");
        }
    }
}

#[test]
fn direnv_chooses_the_profile_of_a_directory() {
    if !requires_program("direnv") {
        return;
    }
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    home.write("project/.envrc", code_after(&document("docs/recipes.md"), "## direnv"));
    let script = "oneup login provider -q --profile acme; oneup login provider -q --profile other
        cd \"$HOME/project\" && direnv allow . && direnv exec . oneup token show --format json";
    let shown = text(&shell(&home, &sandbox, &["bash", "--norc"], script));
    assert!(shown.contains("\"profile\": \"acme\""), "{shown}");
}

/// `${PS1@P}` needs bash 4.4; macOS has 3.2.
#[cfg(target_os = "linux")]
#[test]
fn a_prompt_shows_whether_somebody_is_logged_in() {
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    let prompt = code_after(&document("docs/recipes.md"), "## A prompt");
    for (program, option) in [(&["bash", "--norc"][..], ""), (&["zsh", "-f"], "setopt PROMPT_SUBST;")] {
        if requires_program(program[0]) {
            let shown = if program[0] == "zsh" { "print -P \"$PS1\"" } else { "echo \"${PS1@P}\"" };
            let script = format!(
                "{option} PS1='> '\n{prompt}\n{shown}; oneup login provider -q; {shown}; oneup logout -q"
            );
            assert_eq!(text(&shell(&home, &sandbox, program, &script)), "> \n1up > \n", "{program:?}");
        }
    }
    let starship = code_after(&document("docs/recipes.md"), "For starship");
    let command = starship.split("\"\"\"").nth(1).expect("its command").to_owned();
    if requires_program("jq") {
        let script = format!("oneup login provider -q\n{command}");
        let shown = text(&shell(&home, &sandbox, &["sh"], &script));
        let left = shown.strip_prefix("provider ").and_then(|left| left.strip_suffix(" s\n"));
        let left: u32 = left.and_then(|left| left.parse().ok()).unwrap_or_else(|| panic!("{shown}"));
        assert!((200..=300).contains(&left), "{shown}");
    }
}

/// The HL7 Bulk Data guide, step by step: kick-off, status, manifest, files, deletion.
#[test]
fn a_bulk_export_runs_through_oneup_curl() {
    if !requires_program("curl") {
        return;
    }
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    let script = r#"
        oneup login provider --quiet
        status=$(oneup curl -fsS -D - -o /dev/null -H 'Prefer: respond-async' '/$export?_type=Patient,Coverage' |
            tr -d '\r' | sed -n 's/^[Cc]ontent-[Ll]ocation: //p')
        until [ "$(oneup curl -fsS -o manifest -w '%{http_code}' "$status")" = 200 ]; do sleep 0.3; done
        grep -q '"requiresAccessToken" *: *true' manifest
        for file in $(grep -o 'http[^"]*ndjson' manifest); do oneup curl -fsS "$file"; done > resources
        oneup curl -sS -X DELETE -o /dev/null -w '%{http_code}' "$status""#;
    let script = format!("cd \"$HOME\"\n{script}");
    let output = shell(&home, &sandbox, &["sh", "-e"], &script);
    assert_eq!(text(&output), "403", "{}", String::from_utf8_lossy(&output.stderr));
    let resources = fs::read_to_string(home.path("resources")).expect("the files");
    assert!(resources.lines().count() > 2);
    for line in resources.lines() {
        let resource: serde_json::Value = serde_json::from_str(line).expect("NDJSON");
        assert!(
            ["Patient", "Coverage"].contains(&resource["resourceType"].as_str().expect("a type")),
            "{line}"
        );
    }
}
