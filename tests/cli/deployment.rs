//! The manifests, the unit and the action of `packaging/`. Their command lines run as plain processes, with the variables
//! and directories that Kubernetes, systemd and GitHub would give them.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{
    Home, JWT_CLIENT, OpenBao, Sandbox, TokenEndpoint, client_key, document, mode, path_with_oneup,
    requires_program, send_signal, set_mode,
};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A YAML file as JSON; `None` without yq.
fn yaml(path: &str) -> Option<Value> {
    if !requires_program("yq") {
        return None;
    }
    let output = Command::new("yq").arg(".").arg(repository(path)).output().expect("yq runs");
    assert!(output.status.success(), "{path}: {}", String::from_utf8_lossy(&output.stderr));
    Some(serde_json::from_slice(&output.stdout).expect("JSON"))
}

/// A container of a manifest, in a directory that stands for the pod's volumes.
struct Container {
    home: Home,
    spec: Value,
    variables: BTreeMap<String, String>,
}

impl Container {
    /// `kind` is `initContainers` or `containers`.
    fn new(home: &Home, pod: &Value, kind: &str, variables: &[(&str, &str)]) -> Self {
        let spec = pod["spec"][kind][0].clone();
        let own = spec["env"].as_array().expect("variables").iter();
        let mut all: BTreeMap<String, String> = own
            .map(|variable| {
                let text = |name: &str| variable[name].as_str().expect("a text").to_owned();
                (text("name"), text("value"))
            })
            .collect();
        all.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Self { home: home.clone(), spec, variables: all }
    }

    /// The volume `/run/oneup` is a directory of the home.
    fn locate(&self, text: &str) -> String {
        text.replace("/run/oneup", self.home.path("run").to_str().expect("UTF-8"))
    }

    fn command(&self, words: &Value) -> Command {
        let words: Vec<String> = words
            .as_array()
            .expect("words")
            .iter()
            .map(|word| self.locate(word.as_str().expect("text")))
            .collect();
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).env_clear().env("PATH", path_with_oneup()).env("HOME", "/nonexistent");
        command.envs(self.variables.iter().map(|(name, value)| (name, self.locate(value))));
        command.stdin(Stdio::null()).current_dir(self.home.path("")).process_group(0);
        command
    }

    /// Starts it and waits for its startup probe.
    fn start(&self) -> Child {
        let mut child = self.command(&self.spec["command"]).spawn().expect("it starts");
        let delay = self.spec["startupProbe"]["initialDelaySeconds"].as_u64().expect("a delay");
        std::thread::sleep(Duration::from_secs(delay));
        let begun = Instant::now();
        let probe = &self.spec["startupProbe"]["exec"]["command"];
        while !self.command(probe).status().expect("a probe").success() {
            assert!(begun.elapsed() < Duration::from_secs(60), "the startup probe fails");
            assert!(child.try_wait().expect("a child").is_none(), "it has ended");
            std::thread::sleep(Duration::from_millis(100));
        }
        child
    }
}

/// Sends SIGTERM to a container; returns its exit code.
fn terminate(mut child: Child) -> Option<i32> {
    send_signal(&child, "TERM");
    child.wait().expect("it ends").code()
}

/// Kills the processes of a container, as Kubernetes does.
fn kill(mut child: Child) {
    let group = format!("-{}", child.id());
    let sent = Command::new("kill").args(["-KILL", "--", &group]).status();
    assert!(sent.expect("kill runs").success());
    child.wait().expect("it ends");
}

/// A home whose `run` is like an `emptyDir`: everyone can write it.
fn pod_home() -> Home {
    let home = Home::new();
    fs::create_dir(home.path("run")).expect("a directory");
    set_mode(&home.path("run"), 0o777);
    home
}

#[test]
fn token_file_sidecar_joins_restarts_and_ends_with_sigterm() {
    let Some(pod) = yaml("packaging/kubernetes/token-file.yaml") else { return };
    let Some(bao) = OpenBao::start() else { return };
    let endpoint = TokenEndpoint::start();
    let first = Home::new();
    let login = endpoint.login(&first).env_remove("ONEUP_STORE").args(["--store", "vault", "--vault-path"]);
    bao.configure(login.arg("secret/oneup/acme")).run();

    let home = pod_home();
    let variables = [("VAULT_ADDR", &*bao.url()), ("VAULT_TOKEN", bao.root_token()), ("VAULT_CACERT", "")];
    let sidecar = Container::new(&home, &pod, "initContainers", &variables);
    let token = home.path("run/token");
    for _ in 0..2 {
        let child = sidecar.start();
        assert_eq!(fs::read_to_string(&token).expect("a token").trim(), "token-0");
        assert_eq!(mode(&token), 0o600);
        assert_eq!(terminate(child), Some(143));
        assert!(!token.exists(), "no token outlives the sidecar");
    }
    // After kill -9 Kubernetes starts it again, and the old token is removed.
    kill(sidecar.start());
    assert_eq!(terminate(sidecar.start()), Some(143));
    let kept = fs::read_dir(home.path("run")).expect("a directory").filter_map(Result::ok);
    assert_eq!(
        kept.filter(|entry| entry.file_name().to_string_lossy().starts_with("oneup-token-")).count(),
        0
    );
    assert_eq!(endpoint.count(), 1, "the pod joined the login in Vault");
}

#[test]
fn proxy_sidecar_serves_a_socket_and_ends_with_sigterm() {
    if !requires_program("curl") {
        return;
    }
    let Some(pod) = yaml("packaging/kubernetes/proxy.yaml") else { return };
    let sandbox = Sandbox::start_with_client_keys();
    let home = pod_home();
    let key = home.write_client_key("es384.pem");
    let variables = [
        ("ONEUP_CLIENT_ID", JWT_CLIENT),
        ("ONEUP_KEY_FILE", &*key),
        ("ONEUP_GATEWAY", sandbox.url()),
        ("ONEUP_FHIR_BASE", &format!("{}/r4", sandbox.url())),
        ("ONEUP_NO_CACHE", "1"),
    ];
    let sidecar = Container::new(&home, &pod, "initContainers", &variables);
    let program = Container::new(&home, &pod, "containers", &[]);
    for _ in 0..2 {
        let child = sidecar.start();
        let output = program.command(&program.spec["command"]).output().expect("curl runs");
        let bundle: Value = serde_json::from_slice(&output.stdout).expect("a bundle");
        assert_eq!(bundle["resourceType"], "Bundle", "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(terminate(child), Some(143));
        assert!(!home.path("run/private/run/proxy.sock").exists());
    }
    kill(sidecar.start());
    assert_eq!(terminate(sidecar.start()), Some(143));
}

#[test]
fn unit_is_valid_and_its_commands_export() {
    let unit = document("packaging/systemd/oneup-export.service");
    if requires_program("systemd-analyze") {
        let home = Home::new();
        let verified = unit.replace("/usr/bin/oneup", env!("CARGO_BIN_EXE_oneup"));
        let service = home.write("oneup-export.service", verified);
        let timer = home.write("oneup-export.timer", document("packaging/systemd/oneup-export.timer"));
        let output = Command::new("systemd-analyze")
            .args(["verify", "--man=no"])
            .args([&service, &timer])
            .env("SYSTEMD_LOG_LEVEL", "warning")
            .output()
            .expect("systemd-analyze runs");
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        let own: Vec<_> = complaints.lines().filter(|line| line.contains("oneup-export")).collect();
        assert!(output.status.success() && own.is_empty(), "{complaints}");
    }
    let sandbox = Sandbox::start_with_client_keys();
    let home = Home::new();
    home.write_private("credentials/key.pem", fs::read(client_key("es384.pem")).expect("a key"));
    let directory = |name: &str| home.path(name).to_str().expect("UTF-8").to_owned();
    // The specifiers as systemd expands them, and the setting that has to be filled in.
    let located = unit
        .replace("%d", &directory("credentials"))
        .replace("%S", &directory("state"))
        .replace("CLIENT-ID", JWT_CLIENT);
    let values = |name: &str| -> Vec<&str> {
        located.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('=')).collect()
    };
    let variables = values("Environment").into_iter().map(|text| text.split_once('=').expect("a variable"));
    let night: Vec<_> = values("ExecStartPre").into_iter().chain(values("ExecStart")).collect();
    for line in night.repeat(2) {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words[0], "/usr/bin/oneup");
        let output = Command::new(env!("CARGO_BIN_EXE_oneup"))
            .args(&words[1..])
            .env_clear()
            .env("PATH", path_with_oneup())
            .envs(variables.clone())
            .env("ONEUP_GATEWAY", sandbox.url())
            .output()
            .expect("oneup runs");
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let state = fs::read_to_string(home.path("state/oneup-export/data/export.json")).expect("export.json");
    let state: Value = serde_json::from_str(&state).expect("JSON");
    assert!(state["since"].is_string(), "the second night fetches what has changed: {state}");
}

/// Runs a step of the action as GitHub does; returns whether it succeeded, its log, and the variables that it set.
fn run_step(home: &Home, step: &Value, inputs: &[(&str, &str)], gateway: &str) -> (bool, String, String) {
    let evaluate = |expression: &str| {
        let name = expression.strip_prefix("${{ inputs.").and_then(|rest| rest.strip_suffix(" }}"));
        let input = name.and_then(|name| inputs.iter().find(|(input, _)| *input == name));
        input.map_or_else(String::new, |(_, value)| (*value).to_owned())
    };
    let variables = step["env"].as_object().expect("variables").iter();
    let variables = variables.map(|(name, value)| (name.clone(), evaluate(value.as_str().expect("text"))));
    let script = home.write("step.sh", step["run"].as_str().expect("a script"));
    let environment = home.write("github_env", "");
    let output = Command::new("bash")
        .args(["--noprofile", "--norc", "-eo", "pipefail"])
        .arg(script)
        .env_clear()
        .env("PATH", path_with_oneup())
        .envs([("CI", "true"), ("ONEUP_GATEWAY", gateway)])
        .env("GITHUB_ENV", &environment)
        .envs(variables)
        .output()
        .expect("bash runs");
    let log =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), log, fs::read_to_string(environment).expect("a file"))
}

#[test]
fn action_sets_a_masked_token() {
    let Some(action) = yaml("packaging/action/action.yml") else { return };
    let steps = action["runs"]["steps"].as_array().expect("steps");
    let sandbox = Sandbox::start_with_client_keys();
    let key = fs::read_to_string(client_key("es384.pem")).expect("a key");
    let with_secret =
        [("client-id", "oneup-sandbox"), ("client-secret", "not-a-secret"), ("product", "provider")];
    let with_key = [("client-id", JWT_CLIENT), ("private-key", &*key), ("product", "provider")];
    for inputs in [with_secret, with_key] {
        let home = Home::new();
        let (installed, log, _) = run_step(&home, &steps[0], &inputs, sandbox.url());
        assert!(installed, "{log}");
        let (succeeded, log, variables) = run_step(&home, &steps[1], &inputs, sandbox.url());
        assert!(succeeded, "{log}");
        let token = variables.trim().strip_prefix("ONEUP_TOKEN=").expect("a token").to_owned();
        assert!(log.contains(&format!("::add-mask::{token}")), "{log}");
        assert!(!log.contains("not-a-secret") && !log.contains("iijarCZGM0B7"), "{log}");
    }
    let wrong = [("client-id", "oneup-sandbox"), ("client-secret", "wrong"), ("product", "provider")];
    let (succeeded, log, variables) = run_step(&Home::new(), &steps[1], &wrong, sandbox.url());
    assert!(!succeeded && variables.is_empty(), "{log}");
}

#[test]
fn action_installs_archives_that_a_release_has() {
    let action = document("packaging/action/action.yml");
    let workflow = document(".github/workflows/release.yml");
    let targets: Vec<&str> = action
        .lines()
        .filter_map(|line| line.split("target=").nth(1)?.split(' ').next())
        .filter(|t| !t.is_empty())
        .collect();
    assert_eq!(targets.len(), 4, "{targets:?}");
    for target in targets {
        assert!(workflow.contains(&format!("target: {target},")), "{target}");
    }
    assert!(action.contains(&format!("default: {}\n", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn container_runs_the_program_that_it_builds() {
    let dockerfile = document("packaging/container/Dockerfile");
    let words = |name: &str| -> Vec<Vec<&str>> {
        let lines = dockerfile.lines().filter(|line| line.starts_with(name));
        lines.map(|line| line.split_whitespace().collect()).collect()
    };
    let built = words("RUN").iter().find_map(|line| line.last().copied()).expect("a build");
    let copied = words("COPY").into_iter().find(|line| line.contains(&built)).expect("it is copied");
    assert_eq!(words("ENTRYPOINT"), [["ENTRYPOINT", &*format!("[\"{}\"]", copied.last().expect("a path"))]]);
    assert!(dockerfile.contains("$(packaging/static)") && repository("packaging/static").exists());
    assert_eq!(words("FROM").len(), 2);
    for manifest in ["token-file", "proxy"] {
        let text = document(&format!("packaging/kubernetes/{manifest}.yaml"));
        assert!(text.contains(&format!("image: oneup:{}\n", env!("CARGO_PKG_VERSION"))));
        assert!(text.contains("runAsUser: 65532"), "the user of the container");
    }
}
