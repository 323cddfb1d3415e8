//! Places where no secret may appear: argument lists, environments of child processes, traces, files.
#![cfg(target_os = "linux")]

use std::fs;
use std::thread;
use std::time::Duration;

use crate::support::strace::{calls, requires_strace, traced};
use crate::support::{
    FaultReport, Home, Kind, Request, TokenEndpoint, html_response, json_response, path_with_oneup,
    requires_program,
};

const SECRET: &str = "s3cr3t-seen-nowhere";
const TOKEN: &str = "t0ken-seen-nowhere";
const CODE: &str = "c0de-seen-nowhere";

/// A token endpoint slow enough to observe the process meanwhile, and FHIR resources.
fn server() -> TokenEndpoint {
    let resources = |request: &Request| {
        if request.contains("/.well-known/") {
            return html_response("404 Not Found", "");
        }
        json_response("200 OK", r#"{"hello":"there"}"#)
    };
    TokenEndpoint::builder().token(TOKEN).delay(Duration::from_millis(400)).resources(resources).start()
}

/// Reads a file of `/proc/PID` of every process.
fn of_all_processes(file: &str) -> Vec<(String, String)> {
    let processes = fs::read_dir("/proc").expect("/proc").filter_map(Result::ok);
    processes
        .filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|entry| {
            let text = fs::read(entry.path().join(file)).ok()?;
            Some((entry.path().display().to_string(), String::from_utf8_lossy(&text).into_owned()))
        })
        .collect()
}

/// Returns the process group (proc(5)), which children share.
fn group(process: &str) -> Option<u32> {
    let stat = fs::read_to_string(format!("{process}/stat")).ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(2)?.parse().ok()
}

/// Reads the argument lists of the child and its children until the child ends; `name` must appear in one.
fn watch(child: std::process::Child, name: &str) {
    watch_for(child, name, &[SECRET, TOKEN]);
}

fn watch_for(mut child: std::process::Child, name: &str, secrets: &[&str]) {
    let mut looks = 0;
    while child.try_wait().expect("it is ours").is_none() {
        for (process, line) in of_all_processes("cmdline") {
            // Other tests pass the sandbox's secret to curl in its arguments.
            if group(&process) != Some(child.id()) {
                continue;
            }
            assert!(!secrets.iter().any(|secret| line.contains(secret)), "{process}: {line}");
            looks += usize::from(line.contains(name));
        }
        thread::sleep(Duration::from_millis(10));
    }
    assert!(looks > 0, "{name} was never seen");
    let output = child.wait_with_output().expect("it ended");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn no_argument_list_holds_a_secret() {
    let (home, server) = (Home::new(), server());
    let file = home.write("secret", SECRET);
    watch(server.login(&home).arg("--client-secret-file").arg(&file).spawn(), "login\0provider");
    watch(server.login(&home).env("ONEUP_CLIENT_SECRET", SECRET).spawn(), "login\0provider");
    let command = format!("cat {}", file.display());
    watch(server.login(&home).args(["--client-secret-command", &command]).spawn(), "login\0provider");
    watch(home.oneup().args(["exec", "--", "sleep", "0.3"]).spawn(), "sleep\x000.3");
    if requires_program("curl") {
        watch(home.oneup().args(["curl", "-sS", "/Patient"]).spawn(), "curl\0");
        assert!(server.requests().last().expect("a request").contains(&format!("Bearer {TOKEN}")));
    }
}

/// The sandbox passes its client secret in the environment.
#[test]
fn no_argument_list_holds_a_secret_in_the_sandbox() {
    let home = Home::new();
    let script = "oneup login provider && oneup exec -- sleep 0.3 && oneup token show --refresh > shown && \
                  oneup curl -sS /Patient > /dev/null; oneup logout; sleep 0.2";
    let run = home.oneup().args(["sandbox", "run", "--", "sh", "-c", script]).env("PATH", path_with_oneup());
    watch_for(run.spawn(), "sandbox\0run", &["not-a-secret", "eyJ"]);
    assert!(
        fs::read_to_string(home.path("shown")).expect("it was shown").starts_with("eyJ"),
        "its tokens are JWTs"
    );
}

#[test]
fn exec_passes_the_token_and_no_client_secret() {
    let (home, server) = (Home::new(), server());
    server.login(&home).env("ONEUP_CLIENT_SECRET", SECRET).run();
    home.oneup()
        .args(["exec", "--var", "BEARER", "--", "env"])
        .env("ONEUP_CLIENT_SECRET", SECRET)
        .stdout_has(format!("BEARER={TOKEN}\n"))
        .never(SECRET)
        .run();
}

#[test]
fn verbose_shows_the_exchange_and_no_secret() {
    let (home, server) = (Home::new(), server());
    server
        .login(&home)
        .arg("-v")
        .env("ONEUP_CLIENT_SECRET", SECRET)
        .stderr_has("client_secret=***")
        .stderr_has("access_token: ***")
        .never(SECRET)
        .never(TOKEN)
        .run();
}

/// Returns where the bytes of a system call go.
fn destination(line: &str, home: &Home) -> &'static str {
    let store = home.state().join("secrets").display().to_string();
    match line {
        line if line.contains("<socket:") || line.contains("<TCP:") => "server",
        line if line.contains(&store) => "store",
        line if line.starts_with("write(1<") => "stdout",
        line if line.contains("<pipe:") => "pipe",
        _ => "elsewhere",
    }
}

/// strace shows every byte that leaves the process: to the server, to the store, to stdout for `token show`, to curl, and
/// nowhere else.
#[test]
fn each_secret_is_written_only_where_it_is_needed() {
    if !(requires_strace() && requires_program("curl")) {
        return;
    }
    let mut report = FaultReport::new(Kind::Input, "commands whose every written byte was looked at");
    let (home, server) = (Home::new(), server());
    let token_url = server.realm_token_url();
    let fhir = format!("{}/r4", server.url());
    let login = ["login", "provider", "--client-id", "c", "--token-url", &token_url, "--fhir-base", &fhir];
    let patient = ["login", "patient", "--client-id", "c", "--token-url", &token_url, "--code", "-"];
    let patient = [&patient[..], &["--profile", "member"]].concat();
    let member = ["logout", "--profile", "member"];
    // Where the client secret, the token and the code are written.
    let rows: [(&[&str], &str, &str, &str); 7] = [
        (&login, "server store", "store", ""),
        (&["token", "show"], "", "stdout", ""),
        (&["token", "show", "--refresh"], "server store", "stdout store", ""),
        (&["curl", "-sS", "/Patient"], "", "pipe server", ""),
        (&patient, "server store", "store", "server"),
        (&member, "server", "server", ""),
        (&["logout"], "server", "server", ""),
    ];
    for (words, of_secret, of_token, of_code) in rows {
        let trace = home.path("trace");
        let run = traced(&home, &trace, "").args(words).env("ONEUP_CLIENT_SECRET", SECRET).stdin(CODE);
        run.never(SECRET).run();
        let calls = calls(&trace);
        let places = |text: &str| {
            let written = calls.iter().filter(|call| call.text.contains(text));
            let mut places: Vec<&str> = written.map(|call| destination(&call.text, &home)).collect();
            places.sort_unstable();
            places.dedup();
            places.join(" ")
        };
        report.tried(1);
        let found = (places(SECRET), places(TOKEN), places(CODE));
        if found != (of_secret.to_owned(), of_token.to_owned(), of_code.to_owned()) {
            report.failed(format!("{words:?}: {found:?}"));
        }
        let here = home.path("").display().to_string();
        let created = calls.iter().filter(|call| call.text.contains("O_CREAT") && call.text.contains(&here));
        for call in created.filter(|call| !call.text.contains("0600")) {
            report.failed(format!("{words:?}: {}", call.text));
        }
    }
    report.finish();
}

/// A command copied from the README or a help page is kept in the shell's history.
#[test]
fn no_documented_command_puts_a_secret_into_a_shells_history() {
    let man = Home::new().oneup().arg("man").run().stdout;
    let texts = [
        include_str!("../../README.md"),
        include_str!("../../CONTRIBUTING.md"),
        include_str!("../../docs/ci.md"),
        include_str!("../../docs/recipes.md"),
        &man,
    ];
    let mut seen = 0;
    for line in texts.into_iter().flat_map(str::lines) {
        for name in [
            "ONEUP_CLIENT_SECRET=",
            "ONEUP_CLIENT_SECRET: ",
            "ONEUP_TOKEN=",
            "--client-secret ",
            "--client-secret=",
        ] {
            let Some((_, value)) = line.split_once(name) else { continue };
            seen += 1;
            // A variable, a placeholder, or nothing.
            let harmless = value.trim_start_matches(['"', '\'']);
            let empty = harmless.is_empty() || harmless.starts_with(' ');
            assert!(empty || harmless.starts_with('$') || harmless.starts_with("TOKEN"), "{line}");
        }
    }
    assert!(seen >= 3, "only {seen} lines were looked at");
}
