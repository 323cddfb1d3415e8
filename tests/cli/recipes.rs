//! The recipes of the README and of docs/, read from there and run in their shells and programs.
#![cfg(unix)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use crate::support::{Home, Sandbox, code_after, document, path_with_oneup, requires_program};

/// Runs a script in a shell that finds oneup, with the sandbox's client in its environment.
fn shell(home: &Home, sandbox: &Sandbox, program: &[&str], script: &str) -> Output {
    Command::new(program[0])
        .args(&program[1..])
        .args(["-c", script])
        .env_remove("ONEUP_TOKEN")
        .envs(sandbox.env())
        .env("PATH", path_with_oneup())
        .envs([("CI", "true"), ("ONEUP_STORE", "file")])
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

/// The README's paragraphs for scripts: the token as a variable, plain curl, further lines.
fn paragraphs() -> Vec<String> {
    code_after(&document("README.md"), "## Scripts").split("\n\n").map(str::to_owned).collect()
}

/// The README's line for scripts with this comment, without it.
fn line_for(comment: &str) -> String {
    let block = code_after(&document("README.md"), "## Scripts");
    let mut lines = block.lines().filter_map(|line| line.split_once("  # "));
    let line =
        lines.find(|(_, about)| *about == comment).unwrap_or_else(|| panic!("no line for {comment:?}"));
    line.0.trim_end().to_owned()
}

/// The line of docs/recipes.md that sets the variable in this shell.
fn variable_recipe(shell: &str) -> String {
    let recipes = document("docs/recipes.md");
    let row = recipes.lines().find_map(|line| line.strip_prefix(&format!("| {shell} | `")));
    row.and_then(|rest| rest.strip_suffix("` |")).unwrap_or_else(|| panic!("no row for {shell}")).to_owned()
}

#[test]
fn each_shell_sets_the_variable_again_when_the_token_has_changed() {
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    text(&shell(&home, &sandbox, &["sh"], "oneup login provider -q"));
    let (posix, fish) = (variable_recipe("sh, bash, zsh"), variable_recipe("fish"));
    let (elvish, nushell) = (variable_recipe("elvish"), variable_recipe("Nushell"));
    for (program, recipe) in [
        (&["bash", "--norc"][..], &paragraphs()[0]),
        (&["dash"], &paragraphs()[0]),
        (&["zsh", "-f"], &paragraphs()[0]),
        (&["zsh", "-f"], &posix),
        (&["fish", "--no-config"], &fish),
        (&["elvish", "-norc"], &elvish),
        (&["nu", "--no-config-file"], &nushell),
    ] {
        if requires_program(program[0]) {
            let show = "sh -c 'echo $ONEUP_TOKEN'";
            let refresh = "env -u ONEUP_TOKEN oneup token show --refresh";
            let output =
                shell(&home, &sandbox, program, &format!("{recipe}\n{show}\n{refresh}\n{recipe}\n{show}"));
            let lines: Vec<String> = text(&output).lines().map(str::to_owned).collect();
            let [first, refreshed, second] = lines.as_slice() else { panic!("{program:?}: {lines:?}") };
            assert!(
                first.starts_with("ey") && first != refreshed && second == refreshed,
                "{program:?}: {lines:?}"
            );
        }
    }
}

#[test]
fn scripts_stop_when_there_is_no_token() {
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    for recipe in paragraphs().iter().take(2) {
        for program in [&["sh"][..], &["bash", "--norc"], &["zsh", "-f"]] {
            if requires_program(program[0]) {
                let output = shell(&home, &sandbox, program, &format!("{recipe}\necho reached"));
                assert_eq!(output.status.code(), Some(4), "{program:?}: {recipe}");
                assert_eq!(output.stdout, b"", "{program:?}: {recipe}");
            }
        }
    }
    assert_eq!(sandbox.journal()["total"], 0, "nothing was requested without a token");
}

/// A line break would be a second header, a second variable of the job, a second command.
#[test]
fn invalid_token_is_printed_in_no_format() {
    for token in ["a\nGITHUB_PATH=/tmp", "a b", "a\u{2019}b", "a\u{1b}[2J"] {
        for format in ["raw", "header", "env", "export", "fish", "powershell", "azure", "json"] {
            let run =
                Home::new().oneup().args(["token", "show", "--format", format]).env("ONEUP_TOKEN", token);
            run.status(2).stderr_has("ONEUP_TOKEN").run();
        }
    }
}

#[test]
fn plain_curl_reads_the_header_from_its_stdin() {
    if !(requires_program("curl") && requires_program("bash")) {
        return;
    }
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    let script = format!("oneup login provider -q\n{} -o /dev/null -w '%{{http_code}}'", paragraphs()[1]);
    assert_eq!(text(&shell(&home, &sandbox, &["bash", "--norc"], &script)), "200");
}

#[test]
fn status_decides_whether_a_login_is_needed() {
    let (home, sandbox) = (Home::new(), Sandbox::start(&[]));
    let recipe = line_for("0: valid, or can be refreshed without a user")
        .replace("oneup login patient", "oneup login provider");
    let script = format!("{recipe}\n{recipe}\n{}", line_for("valid for at least ten more minutes"));
    let output = shell(&home, &sandbox, &["sh"], &script.replace("--min-ttl 600", "--min-ttl 60"));
    assert!(text(&output).lines().last().is_some_and(|token| token.starts_with("ey")));
    assert_eq!(sandbox.count("/token"), 1, "one login, whose token is still valid");
}

/// The recipes of docs/recipes.md that are marked as run by every test.
#[test]
fn other_programs_take_the_token() {
    let recipes = document("docs/recipes.md");
    for (heading, program, shown) in [
        ("## HTTPie", "http", "\"resourceType\":\"Patient\""),
        ("## curl, without", "curl", "\"resourceType\": \"Patient\""),
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
fn prompt_shows_whether_a_user_is_logged_in() {
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

/// The headings of docs/troubleshooting.md quote messages: each part of them is in the source.
#[test]
fn troubleshooting_quotes_messages_that_exist() {
    fn read(dir: &Path, source: &mut String) {
        for entry in fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path()) {
            if entry.is_dir() {
                read(&entry, source);
            } else if entry.extension().is_some_and(|extension| extension == "rs") {
                *source += &fs::read_to_string(&entry).expect("source");
            }
        }
    }
    let mut source = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut source);
    let document = document("docs/troubleshooting.md");
    let mut seen = 0;
    for heading in document.lines().filter_map(|line| line.strip_prefix("## ")) {
        for quoted in heading.split('`').skip(1).step_by(2) {
            for part in quoted.split('…').map(str::trim).filter(|part| part.len() > 3) {
                seen += 1;
                let part = part.trim_start_matches(", ");
                assert!(source.contains(part), "{part:?} of {heading:?} is in no message");
            }
        }
    }
    assert!(seen > 10, "only {seen}");
}

/// The nightly exports of docs/export.md: the commands of cron, systemd and Airflow, and the script of a CI job.
#[test]
fn nightly_exports_of_each_scheduler_work() {
    let (home, sandbox) = (Home::new(), Sandbox::start(&["--fail", "manifest-200"]));
    let document = document("docs/export.md");
    let (_, night) = document.split_once("## Every night").expect("a section");
    let command = |start: &str, end: &str| {
        let rest = night.split_once(start).unwrap_or_else(|| panic!("no {start}")).1;
        rest.split_once(end).unwrap_or_else(|| panic!("no {end}")).0.to_owned()
    };
    let unset = "unset ONEUP_FHIR_BASE; export RUNNER_TEMP=$HOME/runner; ";
    let script = command("  run: |\n", "```");
    assert_eq!(
        text(&shell(&home, &sandbox, &["bash", "-e"], &format!("{unset}{script}"))).lines().count(),
        1
    );
    for line in [command("15 2 * * *  ", "\n"), command("ExecStart=", "\n"), command("bash_command=\"", "\"")]
    {
        let here = line.replace("/var/lib/export/", "$HOME/systemd-").replace("/data/", "$HOME/airflow-");
        let here = here.trim_end_matches(" >/dev/null");
        // The second night, nothing has changed.
        for files in [3, 0] {
            let output = shell(&home, &sandbox, &["sh"], &format!("{unset}{here}"));
            assert_eq!((text(&output).lines().count(), &*output.stderr), (files, &b""[..]), "{line}");
        }
    }
}
