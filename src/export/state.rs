//! What an export directory remembers: `export.json`, which holds no secret, with `.journal.jsonl` while files are fetched;
//! and `.job.json` with the job's URLs, which can be secrets and are removed when the export is complete.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::journal::Journal;
use super::manifest::{self, ExportFile};
use super::parameters::Parameters;
use crate::error::{Error, ErrorKind, Result};
use crate::system::files::{self, Purpose};

/// The layout of `export.json` that this version writes.
const SCHEMA: u32 = 1;

const STATE_FILE: &str = "export.json";
const JOURNAL_FILE: &str = ".journal.jsonl";
const JOB_FILE: &str = ".job.json";
const LOCK_FILE: &str = ".lock";

/// `export.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct State {
    schema: u32,
    /// What the export asks for.
    pub parameters: Parameters,
    /// The instant that `_since` was sent with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Whether every file is here and checked.
    pub complete: bool,
    /// The manifest's members, apart from its lists of files; empty until the server has finished the job.
    #[serde(default)]
    pub members: Map<String, Value>,
    /// The files of the manifest.
    #[serde(default)]
    pub files: Vec<ExportFile>,
    /// The directory below, into which the files are being moved before the next export begins (`--since last`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    archiving: Option<String>,
}

/// `.job.json`: where the job and its files are at the server.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// `Content-Location` of the kick-off; absent where the manifest came with the first response.
    pub status_url: Option<String>,
    /// Whether the files need the token.
    #[serde(default)]
    pub requires_access_token: bool,
    /// The URLs of [`State::files`], in the same order; empty until the manifest has arrived.
    #[serde(default)]
    pub file_urls: Vec<String>,
}

/// An export directory, locked for this process.
pub struct ExportDir {
    path: PathBuf,
    /// What becomes known of files until the state is saved.
    pub journal: Journal,
    _lock: File,
}

impl State {
    /// An export that has just been started.
    pub fn new(parameters: Parameters, since: Option<String>) -> Self {
        Self {
            schema: SCHEMA,
            parameters,
            since,
            complete: false,
            members: Map::new(),
            files: Vec::new(),
            archiving: None,
        }
    }

    /// The manifest with local names, bytes and SHA-256.
    pub fn manifest(&self) -> Value {
        manifest::local(&self.members, &self.files)
    }

    /// `transactionTime`, where the manifest has arrived.
    pub fn transaction_time(&self) -> Option<&str> {
        self.members.get("transactionTime").and_then(Value::as_str)
    }
}

impl ExportDir {
    /// Opens a directory for an export, and makes it, private, if it does not exist.
    ///
    /// # Errors
    /// Usage, when it holds other files than an export's; [`ErrorKind::LockTimeout`], when another process exports into
    /// it; failure, when it can't be created or locked.
    pub fn open(path: &Path) -> Result<Self> {
        let failed = |error| files::io_error("use", path, error);
        files::create_private_dir(path).map_err(failed)?;
        if !path.join(LOCK_FILE).exists() && std::fs::read_dir(path).map_err(failed)?.next().is_some() {
            return Err(Error::usage(format!("{} is not empty and holds no export", path.display()))
                .with_hint("give the name of a new directory: oneup export DIR"));
        }
        files::restrict_dir(path)?;
        let lock = files::open_private(&path.join(LOCK_FILE), Purpose::Export)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                journal: Journal::new(path.join(JOURNAL_FILE)),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(Error::new(
                ErrorKind::LockTimeout,
                format!("another oneup process is exporting into {}", path.display()),
            )
            .with_hint("wait until it has finished, or export into another directory")),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Whether a directory holds an export.
    pub fn holds_export(path: &Path) -> bool {
        path.join(STATE_FILE).exists()
    }

    /// The path of a file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Loads the state; `None` where no export has been started.
    ///
    /// # Errors
    /// Failure, when it can't be read or understood.
    pub fn load(&self) -> Result<Option<State>> {
        let Some(mut state) = self.read::<State>(STATE_FILE)? else { return Ok(None) };
        if state.schema != SCHEMA {
            return Err(Error::failure(format!(
                "{} was written by another version of oneup",
                self.file(STATE_FILE).display()
            ))
            .with_hint("update oneup, or export into a new directory"));
        }
        if self.journal.apply(&mut state.files)? {
            self.save(&state)?;
        }
        match &state.archiving {
            // The process ended while it moved the files of a finished export away.
            Some(name) => self.move_into(name, &state).map(|()| None),
            None => Ok(Some(state)),
        }
    }

    /// Loads where the job is at the server.
    ///
    /// # Errors
    /// As [`ExportDir::load`].
    pub fn load_job(&self) -> Result<Option<Job>> {
        self.read(JOB_FILE)
    }

    fn read<T: for<'de> Deserialize<'de>>(&self, name: &str) -> Result<Option<T>> {
        let path = self.file(name);
        let Some(bytes) = files::read(&path, Purpose::Export)? else { return Ok(None) };
        serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            Error::failure(format!("{} is damaged", path.display()))
                // The message of serde_json quotes values, and a URL can be a secret.
                .with_detail(format!("line {}, column {}", error.line(), error.column()))
                .with_hint("start again with --restart")
        })
    }

    /// Saves the state.
    ///
    /// # Errors
    /// Failure; what was saved before is still there.
    pub fn save(&self, state: &State) -> Result<()> {
        write(&self.file(STATE_FILE), state)?;
        self.journal.remove()
    }

    /// Saves where the job is at the server.
    ///
    /// # Errors
    /// As [`ExportDir::save`].
    pub fn save_job(&self, job: &Job) -> Result<()> {
        write(&self.file(JOB_FILE), job)
    }

    /// Forgets the job's URLs.
    ///
    /// # Errors
    /// Failure, when the file can't be removed.
    pub fn remove_job(&self) -> Result<()> {
        files::remove(&self.file(JOB_FILE)).map(drop)
    }

    /// Removes the export: its files, partial files and state.
    ///
    /// # Errors
    /// Failure, when a file can't be removed.
    pub fn clear(&self) -> Result<()> {
        self.remove_files()?;
        self.remove_job()?;
        files::remove(&self.file(STATE_FILE))?;
        self.journal.remove()
    }

    /// Removes the files and partial files of any export; others stay.
    ///
    /// # Errors
    /// Failure, when one can't be removed.
    pub fn remove_files(&self) -> Result<()> {
        // A state that can't be read names no files; those of an export are named alike.
        let entries =
            std::fs::read_dir(&self.path).map_err(|error| files::io_error("read", &self.path, error))?;
        for entry in entries.flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if manifest::is_local_name(name.strip_suffix(".part").unwrap_or(&name)) && !is_dir {
                files::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Moves a finished export into a directory below that is named after its `transactionTime`. A server
    /// may export the same snapshot for days: each further export with that `transactionTime` gets a number.
    ///
    /// # Errors
    /// Failure; the next run continues.
    pub fn archive(&self, mut state: State) -> Result<()> {
        let time = state.transaction_time().unwrap_or("previous").to_owned();
        let stem: String = time
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || c == '-' || c == '.' { c } else { '-' })
            .collect();
        let mut names =
            std::iter::once(stem.clone()).chain((2..).map(|number: u64| format!("{stem}.{number}")));
        let name = names.find(|name| !self.file(name).exists()).unwrap_or(stem);
        state.archiving = Some(name.clone());
        self.save(&state)?;
        self.move_into(&name, &state)
    }

    fn move_into(&self, name: &str, state: &State) -> Result<()> {
        let dir = self.path.join(name);
        let failed = |error| files::io_error("move the finished export to", &dir, error);
        files::create_private_dir(&dir).map_err(failed)?;
        for file in &state.files {
            match std::fs::rename(self.file(&file.name), dir.join(&file.name)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
        }
        let archived = State { archiving: None, ..state.clone() };
        write(&dir.join(STATE_FILE), &archived)?;
        files::remove(&self.file(STATE_FILE)).map(drop)
    }
}

fn write(path: &Path, value: &impl Serialize) -> Result<()> {
    let bytes =
        serde_json::to_vec_pretty(value).map_err(|error| files::io_error("write", path, error.into()))?;
    files::replace(path, &bytes)
}

#[cfg(test)]
mod tests;
