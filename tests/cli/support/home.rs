//! A home directory for one test.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use oneup::profile;
use oneup::store::{self, StoreKind};
use tempfile::TempDir;

use super::{Oneup, TokenEndpoint, set_mode};

/// A temporary home directory with config and state directories; deleted with its last clone.
#[derive(Clone)]
pub(crate) struct Home(Rc<TempDir>);

impl Home {
    /// An empty home.
    pub(crate) fn new() -> Self {
        Self(Rc::new(
            tempfile::Builder::new().prefix("oneup-test-").tempdir().expect("a temporary directory"),
        ))
    }

    /// One with the profile `provider`, logged in at this endpoint as client `c`; the credentials are in the file store.
    pub(crate) fn logged_in(endpoint: &TokenEndpoint) -> Self {
        let home = Self::new();
        endpoint.login(&home).run();
        home
    }

    /// A path in it.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.0.path().join(name)
    }

    /// Its config directory; profiles are below it.
    pub(crate) fn config(&self) -> PathBuf {
        self.path("config")
    }

    /// Its state directory.
    pub(crate) fn state(&self) -> PathBuf {
        self.path("state")
    }

    /// The files of the file store: one for each login.
    pub(crate) fn stored_files(&self) -> Vec<PathBuf> {
        let dir = std::fs::read_dir(self.state().join("secrets")).into_iter().flatten();
        dir.map(|entry| entry.expect("an entry").path()).collect()
    }

    /// The file store's only file.
    pub(crate) fn stored_file(&self) -> PathBuf {
        let mut files = self.stored_files();
        assert_eq!(files.len(), 1, "{files:?}");
        files.remove(0)
    }

    /// Makes each token in the file store this many seconds older, as if time had passed.
    pub(crate) fn age_tokens(&self, seconds: i64) {
        let store = store::open(StoreKind::File, &self.state(), Duration::from_secs(5), false)
            .expect("a store on this machine");
        for name in profile::names(&self.config()).expect("a readable directory") {
            let profile = profile::load(&self.config(), &name).expect("a valid profile").expect("it exists");
            let key = profile.credential_key();
            let mut stored = store.read(&key).expect("a readable store").expect("a login");
            stored.token.as_mut().expect("a token").lifetime.issued_at -= seconds;
            store.write(&key, &stored).expect("a writable store");
        }
    }

    /// Gives the profile `provider` another token endpoint, as if its token were from there.
    pub(crate) fn move_token_endpoint(&self, token_url: &str) {
        let store = store::open(StoreKind::File, &self.state(), Duration::from_secs(5), false)
            .expect("a store on this machine");
        let mut profile =
            profile::load(&self.config(), "provider").expect("a valid profile").expect("it exists");
        let stored = store.read(&profile.credential_key()).expect("a readable store").expect("a login");
        token_url.clone_into(&mut profile.token_url);
        profile.save(&self.config()).expect("a writable profile");
        store.write(&profile.credential_key(), &stored).expect("a writable store");
    }

    /// Writes a file into it, and returns its path.
    pub(crate) fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("below the home")).expect("a directory in the home");
        std::fs::write(&path, bytes).expect("a file in the home");
        path
    }

    /// Writes an executable script of sh into it, and returns its path.
    pub(crate) fn write_script(&self, name: &str, script: &str) -> PathBuf {
        let path = self.write(name, format!("#!/bin/sh\n{script}\n"));
        set_mode(&path, 0o755);
        path
    }

    /// Writes a file that only its owner can read, and returns its path.
    pub(crate) fn write_private(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.write(name, bytes);
        set_mode(&path, 0o600);
        path
    }

    /// Writes the profile `p` of client `c` with this token endpoint and FHIR base, without a login; `more` is TOML.
    pub(crate) fn write_profile(&self, token_url: &str, fhir_base: &str, more: &str) {
        let id = "0123456789abcdef".repeat(2);
        self.write(
            "config/profiles/p.toml",
            format!(
                "schema = 1\nid = \"{id}\"\nproduct = \"provider\"\nclient_id = \"c\"\nscope = \"\"\n\
                 token_url = \"{token_url}\"\nfhir_base = \"{fhir_base}\"\nauth_method = \"post\"\n\
                 store = \"file\"\n{more}"
            ),
        );
    }

    /// The file of a profile.
    pub(crate) fn profile_file(&self, name: &str) -> PathBuf {
        profile::path(&self.config(), name)
    }

    /// A profile as `status --format json` shows it.
    pub(crate) fn status(&self, profile: &str) -> serde_json::Value {
        let run = self.oneup().args(["status", "--format", "json", "--profile", profile]).run();
        serde_json::from_str::<serde_json::Value>(&run.stdout).expect("JSON")[0].clone()
    }

    /// A run of oneup in this home.
    pub(crate) fn oneup(&self) -> Oneup {
        self.oneup_under(&[])
    }

    /// A run of oneup in this home that no inherited setting keeps from signals: a script's background job, as a CI job may
    /// be, ignores SIGINT and SIGQUIT, and so do its children.
    pub(crate) fn oneup_with_default_signals(&self) -> Oneup {
        // Other systems' env(1) can't do that.
        if cfg!(target_os = "linux") { self.oneup_under(&["env", "--default-signal"]) } else { self.oneup() }
    }

    /// A run of oneup in this home by another program, such as strace, with its own arguments first.
    pub(crate) fn oneup_under(&self, program: &[&str]) -> Oneup {
        Oneup::at(self.clone(), program)
    }
}
