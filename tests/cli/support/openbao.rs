//! A real OpenBao (Vault's API) for one test: its own data, initialized, unsealed, with KV version 2 at `secret/`.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Oneup, requires_variable, unused_address, wait_until};

/// A running server; killed when dropped.
pub(crate) struct OpenBao {
    program: PathBuf,
    dir: TempDir,
    port: u16,
    server: Option<Child>,
    unseal_key: String,
    root_token: String,
}

impl OpenBao {
    /// Starts one; `None` without the program, as [`super::requires`] does.
    pub(crate) fn start() -> Option<Self> {
        let program = requires_variable("OpenBao", "ONEUP_OPENBAO")?.into();
        let dir = tempfile::Builder::new().prefix("oneup-openbao-").tempdir().expect("a temporary directory");
        let (port, cluster_port) = (unused_address().port(), unused_address().port());
        let data = dir.path().join("data");
        std::fs::create_dir(&data).expect("a directory");
        let config = format!(
            "storage \"raft\" {{\n path = \"{}\"\n node_id = \"one\"\n performance_multiplier = 1\n}}\n\
             listener \"tcp\" {{\n address = \"127.0.0.1:{port}\"\n cluster_address = \"127.0.0.1:{cluster_port}\"\n \
             tls_disable = true\n}}\n\
             api_addr = \"http://127.0.0.1:{port}\"\ncluster_addr = \"http://127.0.0.1:{cluster_port}\"\n",
            data.display()
        );
        std::fs::write(dir.path().join("config.hcl"), config).expect("a file");
        let mut bao =
            Self { program, dir, port, server: None, unseal_key: String::new(), root_token: String::new() };
        bao.restart_sealed();
        let shares = json!({"secret_shares": 1, "secret_threshold": 1});
        let keys = bao.eventually("POST", "sys/init", Some(&shares));
        bao.unseal_key = keys["keys"][0].as_str().expect("a key").to_owned();
        bao.root_token = keys["root_token"].as_str().expect("a token").to_owned();
        bao.unseal();
        bao.mount("secret");
        Some(bao)
    }

    /// Makes a KV version 2 engine.
    pub(crate) fn mount(&self, path: &str) {
        let engine = json!({"type": "kv", "options": {"version": "2"}});
        self.eventually("POST", &format!("sys/mounts/{path}"), Some(&engine));
        self.eventually("GET", &format!("{path}/config"), None);
    }

    /// The base URL.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// A token that may do everything.
    pub(crate) fn root_token(&self) -> &str {
        &self.root_token
    }

    /// Points a run of oneup at it, with the root's token.
    pub(crate) fn configure(&self, oneup: Oneup) -> Oneup {
        oneup.env("VAULT_ADDR", self.url()).env("VAULT_TOKEN", &self.root_token)
    }

    /// Sends a request as root.
    pub(crate) fn try_admin(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        let client = reqwest::blocking::Client::builder().no_proxy().build().expect("a client");
        let method = method.parse().expect("a method");
        let mut request = client.request(method, format!("{}/v1/{path}", self.url()));
        request = request.header("X-Vault-Token", &self.root_token).timeout(Duration::from_secs(10));
        if let Some(body) = body {
            request = request.body(body.to_string());
        }
        let response = request.send().map_err(|error| error.to_string())?;
        let is_success = response.status().is_success();
        let text = response.text().map_err(|error| error.to_string())?;
        if is_success { Ok(serde_json::from_str(&text).unwrap_or_default()) } else { Err(text) }
    }

    /// Sends a request as root that must succeed.
    #[track_caller]
    pub(crate) fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        self.try_admin(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// As [`OpenBao::admin`], trying again while the server starts.
    #[track_caller]
    pub(crate) fn eventually(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let begun = Instant::now();
        loop {
            match self.try_admin(method, path, body) {
                Ok(value) => return value,
                Err(error) => {
                    assert!(begun.elapsed() < Duration::from_secs(60), "{method} {path}: {error}");
                }
            }
            sleep(Duration::from_millis(200));
        }
    }

    /// The data of an item below `secret/`.
    pub(crate) fn item(&self, path: &str) -> Value {
        self.admin("GET", &format!("secret/data/{path}"), None)["data"]["data"].clone()
    }

    /// Makes the item's token older, as if time had passed.
    pub(crate) fn expire_token(&self, path: &str) {
        let mut item = self.item(path);
        let token = &mut item["credentials"]["token"];
        token["issued_at"] = (token["issued_at"].as_i64().expect("a time") - 100_000).into();
        self.admin("POST", &format!("secret/data/{path}"), Some(&json!({ "data": item })));
    }

    /// A token with this policy text, valid for `ttl`.
    pub(crate) fn token_with_policy(&self, name: &str, policy: &str, ttl: &str) -> String {
        self.admin("PUT", &format!("sys/policies/acl/{name}"), Some(&json!({ "policy": policy })));
        let created = self.admin("POST", "auth/token/create", Some(&json!({"policies": [name], "ttl": ttl})));
        created["auth"]["client_token"].as_str().expect("a token").to_owned()
    }

    /// Seals it.
    pub(crate) fn seal(&self) {
        self.admin("PUT", "sys/seal", None);
    }

    /// Unseals it, and waits until it serves requests.
    pub(crate) fn unseal(&self) {
        self.eventually("POST", "sys/unseal", Some(&json!({"key": self.unseal_key})));
        self.eventually("GET", "sys/mounts", None);
        if self.try_admin("GET", "sys/mounts/secret", None).is_ok() {
            self.eventually("GET", "secret/config", None);
        }
    }

    /// Stops the process; its data stays.
    pub(crate) fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }

    /// Starts the process again, and unseals it.
    pub(crate) fn restart(&mut self) {
        self.restart_sealed();
        self.unseal();
    }

    fn restart_sealed(&mut self) {
        self.stop();
        let log = std::fs::File::create(self.dir.path().join("log")).expect("a log");
        let server = Command::new(&self.program)
            .args(["server", "-config"])
            .arg(self.dir.path().join("config.hcl"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a descriptor"))
            .stderr(log)
            .spawn()
            .expect("OpenBao starts");
        self.server = Some(server);
        wait_until("OpenBao listens", || std::net::TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }
}

impl Drop for OpenBao {
    fn drop(&mut self) {
        self.stop();
    }
}
