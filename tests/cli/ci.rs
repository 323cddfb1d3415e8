//! The recipes of docs/ci.md, run as each CI system runs them: its variables, its shell, its workflow commands and its log;
//! and the same with a login that fails.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use crate::support::{Home, Sandbox, code_after, document, path_with_oneup, requires_program};

type Variables = BTreeMap<String, String>;

/// A job on a machine of its own: what the CI system knows, and what its log shows.
struct Job {
    home: Home,
    sandbox: Sandbox,
    /// The settings of the project; a step gets those that it names.
    settings: Variables,
    masks: Vec<String>,
    log: String,
    /// Whether the credentials are right, so that each step succeeds.
    login_succeeds: bool,
}

impl Job {
    fn start() -> Self {
        let home = Home::new();
        let sandbox = Sandbox::start(&[]);
        let fetch = "curl -fsS -o /dev/null -w 'fetched %{http_code}\\n' \
                     -H \"Authorization: Bearer $ONEUP_TOKEN\" \"$ONEUP_FHIR_BASE/Patient?_count=1\"\n\
                     echo \"careless: $ONEUP_TOKEN\"";
        home.write_script("fetch.sh", fetch);
        let settings = sandbox.env().into_iter().filter(|(name, _)| name.starts_with("ONEUP_CLIENT"));
        Self {
            settings: settings.collect(),
            home,
            sandbox,
            masks: Vec::new(),
            log: String::new(),
            login_succeeds: true,
        }
    }

    /// A job whose client secret is wrong.
    fn with_wrong_secret() -> Self {
        let mut job = Self { login_succeeds: false, ..Self::start() };
        job.settings.insert("ONEUP_CLIENT_SECRET".into(), "wrong".into());
        job
    }

    /// The step failed, and nothing after the login ran.
    #[track_caller]
    fn stops(&self) {
        assert!(self.log.contains("error: "), "{}", self.log);
        assert!(!self.log.contains("fetched") && !self.log.contains("careless"), "{}", self.log);
        assert_eq!(self.sandbox.count("/Patient"), 0);
    }

    /// Runs a script with these variables; its output goes to the log, line by line, as the system treats lines.
    fn step(&mut self, shell: &[&str], script: &str, variables: &Variables, line: impl Fn(&mut Self, &str)) {
        let served = self.sandbox.env().into_iter().filter(|(name, _)| !name.starts_with("ONEUP_CLIENT"));
        let output = Command::new(shell[0])
            .args(&shell[1..])
            .args(["-c", &format!("{{ {script}\n}} 2>&1")])
            .env_clear()
            .current_dir(self.home.path(""))
            .env("PATH", path_with_oneup())
            .env("CI", "true")
            .envs(served)
            .env("HOME", self.home.path(""))
            .env("GITHUB_ENV", self.home.path("github_env"))
            .envs(variables)
            .output()
            .expect("the shell runs");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert_eq!(output.status.success(), self.login_succeeds, "{script}: {text}");
        text.lines().for_each(|text| line(self, text));
    }

    /// The variables that a step names; `name` parses an expression of the system.
    fn settings_for(&self, wanted: &Variables, name: impl Fn(&str) -> Option<&str>) -> Variables {
        let value = |expression: &str| {
            let name = name(expression).unwrap_or_else(|| panic!("unknown expression: {expression}"));
            self.settings.get(name).unwrap_or_else(|| panic!("no such setting: {name}")).clone()
        };
        wanted.iter().map(|(name, expression)| (name.clone(), value(expression))).collect()
    }

    /// Writes a line of the log, masked.
    fn write(&mut self, line: &str) {
        let masked = self.masks.iter().fold(line.to_owned(), |line, mask| line.replace(mask, "***"));
        self.log += &format!("{masked}\n");
    }

    /// The log is what the step printed, without the token; nothing of the login stays on the machine.
    #[track_caller]
    fn ends_well(&self, token: &str, log: &str) {
        assert!(token.starts_with("ey") && token.len() > 500, "{token}");
        assert!(!self.log.contains(token), "the token is in the log");
        assert_eq!(self.log, log);
        assert_eq!(self.sandbox.count("/token"), 1);
        assert!(!self.home.path(".config/oneup").exists(), "--no-store saves nothing");
    }
}

/// `- KEY: COMMAND` and the variables of its `env:`, of a list of steps.
fn steps(yaml: &str, key: &str) -> Vec<(String, Variables)> {
    let mut steps: Vec<(String, Variables)> = Vec::new();
    for line in yaml.lines() {
        if let Some(command) = line.strip_prefix(&format!("- {key}: ")) {
            steps.push((command.to_owned(), Variables::new()));
        } else if let Some((name, value)) = line.strip_prefix("    ").and_then(|line| line.split_once(": ")) {
            let step = steps.last_mut().expect("a step before its variables");
            step.1.insert(name.to_owned(), value.to_owned());
        } else {
            assert_eq!(line.trim(), "env:", "an unexpected line");
        }
    }
    assert_eq!(steps.len(), 2, "{yaml}");
    steps
}

/// The recipe of docs/ci.md below this heading.
fn recipe(heading: &str) -> String {
    code_after(&document("docs/ci.md"), &format!("## {heading}"))
}

#[test]
fn github_actions_masks_the_token_and_passes_it_to_the_next_step() {
    if !requires_program("curl") {
        return;
    }
    let mut job = Job::start();
    for (command, wanted) in steps(&recipe("GitHub Actions"), "run") {
        let mut variables = job.settings_for(&wanted, |value| {
            let inner = value.strip_prefix("${{ ")?.strip_suffix(" }}")?;
            inner.strip_prefix("vars.").or(inner.strip_prefix("secrets."))
        });
        let exported = fs::read_to_string(job.home.path("github_env")).unwrap_or_default();
        variables.extend(exported.lines().filter_map(|line| line.split_once('=')).map(owned));
        job.step(&["bash", "--noprofile", "--norc", "-eo", "pipefail"], &command, &variables, |job, line| {
            match line.strip_prefix("::add-mask::") {
                Some(mask) => job.masks.push(mask.to_owned()),
                None => job.write(line),
            }
        });
    }
    let exported = fs::read_to_string(job.home.path("github_env")).expect("exported");
    let token = exported.trim_end().strip_prefix("ONEUP_TOKEN=").expect("one variable").to_owned();
    assert_eq!(job.masks, [token.as_str()]);
    job.ends_well(&token, "fetched 200\ncareless: ***\n");
}

#[test]
fn azure_pipelines_passes_the_token_as_a_secret_variable() {
    if !requires_program("curl") {
        return;
    }
    let mut job = Job::start();
    for (command, wanted) in steps(&recipe("Azure Pipelines"), "script") {
        let variables = job.settings_for(&wanted, |value| value.strip_prefix("$(")?.strip_suffix(')'));
        job.step(&["bash", "--noprofile", "--norc"], &command, &variables, |job, line| {
            let secret = line.strip_prefix("##vso[task.setvariable variable=");
            match secret.and_then(|line| line.split_once(";issecret=true]")) {
                Some((name, value)) => {
                    job.masks.push(value.to_owned());
                    job.settings.insert(name.to_owned(), value.to_owned());
                }
                None => job.write(line),
            }
        });
    }
    let token = job.settings["ONEUP_TOKEN"].clone();
    job.ends_well(&token, "fetched 200\ncareless: ***\n");
}

/// GitLab runs the lines of a job in one shell, shows each of them unexpanded, and masks what the settings list.
#[test]
fn gitlab_exports_the_token_in_the_shell_of_the_job() {
    if !requires_program("curl") {
        return;
    }
    let mut job = Job::start();
    let script: String = recipe("GitLab CI")
        .lines()
        .filter_map(|line| line.strip_prefix("    - "))
        .map(|line| {
            format!(
                "cat <<'LINE'\n$ {line}\nLINE\n{}\n",
                line.replace("./fetch.sh", "./fetch.sh | sed -n 1p")
            )
        })
        .collect();
    let script = format!("{script}printf %s \"$ONEUP_TOKEN\" > token");
    let variables = job.settings.clone();
    job.step(&["bash", "-eo", "pipefail"], &script, &variables, |job, line| job.write(line));
    let token = fs::read_to_string(job.home.path("token")).expect("exported");
    let log = "$ ONEUP_TOKEN=\"$(oneup login provider --no-store)\"\n$ export ONEUP_TOKEN\n$ ./fetch.sh\nfetched 200\n";
    job.ends_well(&token, log);
}

#[test]
fn plain_sh_exports_the_token() {
    if !requires_program("curl") {
        return;
    }
    let mut job = Job::start();
    let recipe = recipe("Plain sh").replace("./fetch.sh", "./fetch.sh | sed -n 1p");
    let script = format!("{recipe}\nprintf %s \"$ONEUP_TOKEN\" > token");
    let variables = job.settings.clone();
    job.step(&["sh", "-e"], &script, &variables, |job, line| job.write(line));
    let token = fs::read_to_string(job.home.path("token")).expect("exported");
    job.ends_well(&token, "fetched 200\n");
}

#[test]
fn every_recipe_stops_after_a_failed_login() {
    let (first, _) = steps(&recipe("GitHub Actions"), "run").swap_remove(0);
    let (azure, _) = steps(&recipe("Azure Pipelines"), "script").swap_remove(0);
    let gitlab: Vec<String> = recipe("GitLab CI")
        .lines()
        .filter_map(|line| line.strip_prefix("    - "))
        .map(str::to_owned)
        .collect();
    let strict = ["bash", "--noprofile", "--norc", "-eo", "pipefail"];
    for (shell, script) in [
        (&strict[..], first),
        (&["bash", "--noprofile", "--norc"], azure),
        (&["bash", "-eo", "pipefail"], gitlab.join("\n")),
        (&["sh"], recipe("Plain sh")),
    ] {
        let mut job = Job::with_wrong_secret();
        let variables = job.settings.clone();
        job.step(shell, &script, &variables, |job, line| job.write(line));
        job.stops();
    }
}

#[test]
fn readme_shows_the_github_actions_of_docs_ci() {
    assert_eq!(
        code_after(&document("README.md"), "## GitHub Actions").replace("; the log masks it", ""),
        recipe("GitHub Actions")
    );
}

fn owned((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}
