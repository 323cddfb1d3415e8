//! A FHIR bulk export into a directory (HL7 Bulk Data Access 2.0), which continues after anything that interrupts it.
//!
//! Whatever ends the process, `export.json` with its journal names the files that are complete, and a `.part` file is
//! continued only with the `ETag` that was recorded before its first byte.

mod download;
mod fetch;
mod job;
mod journal;
mod lines;
mod manifest;
pub mod parameters;
pub mod progress;
pub mod remote;
mod state;

use std::collections::HashMap;
use std::io;
use std::path::Path;

use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};
use crate::system::files::{self, Purpose};
use job::Started;
use lines::LineChecker;
use manifest::{ExportFile, Manifest};
use parameters::{Parameters, Since};
use remote::Remote;
use state::{ExportDir, Job, State};

/// What to export, where, and how.
pub struct Options<'a> {
    /// The directory.
    pub dir: &'a Path,
    /// What to export.
    pub parameters: Parameters,
    /// How many files are fetched at a time.
    pub jobs: usize,
    /// Whether to discard what the directory holds.
    pub restart: bool,
}

/// An export that has ended.
pub struct Finished {
    /// The manifest with local names, bytes and SHA-256.
    pub manifest: Value,
    /// The names of the complete files.
    pub files: Vec<String>,
    /// Files that are not complete, and why.
    pub incomplete: Vec<(String, String)>,
    /// What to do about incomplete files.
    pub next_step: &'static str,
}

/// Exports, or continues an export.
///
/// # Errors
/// Usage, when the directory holds something else; network, authentication, protocol as the server responds; failure,
/// when the directory can't be written. What is complete stays.
pub fn run(remote: &Remote<'_>, options: &Options<'_>) -> Result<Finished> {
    try_run(remote, options).map_err(|error| match io_error_kind(&error) {
        Some(kind) => error.with_hint(format!(
            "{}, then run the same command again; it continues where it was",
            if kind == io::ErrorKind::StorageFull { "free some disk space" } else { "check the directory" }
        )),
        None => error,
    })
}

/// The kind of a failure to read or write a file.
fn io_error_kind(error: &Error) -> Option<io::ErrorKind> {
    let cause = std::error::Error::source(error)?.downcast_ref::<io::Error>()?;
    (error.kind() == ErrorKind::Other).then(|| cause.kind())
}

fn try_run(remote: &Remote<'_>, options: &Options<'_>) -> Result<Finished> {
    let dir = ExportDir::open(options.dir)?;
    if options.restart {
        dir.clear()?;
    }
    let (mut state, mut job) = match resume(&dir, &options.parameters)? {
        Resumed::Done(state) => {
            // The process may have been killed before it did.
            dir.remove_job()?;
            return verify_all(&dir, *state);
        }
        Resumed::Unfinished(state, job) => (*state, job),
        Resumed::New(state) => (*state, Job::default()),
    };
    fetch_manifest(remote, &dir, &mut state, &mut job)?;
    let altered = verify(&dir, &mut state, remote.progress)?;
    if altered {
        dir.save(&state)?;
    }
    let result = fetch::fetch_files(remote, &dir, &mut state, &job, options.jobs);
    state.complete = result.as_ref().is_ok_and(Vec::is_empty);
    let saved = dir.save(&state);
    let incomplete = result?;
    saved?;
    if state.complete {
        dir.remove_job()?;
    }
    Ok(finished(&state, incomplete, "run the same command again; it fetches these files again"))
}

/// Deletes the job of an unfinished export at the server. Files that are complete stay.
///
/// # Errors
/// Usage, when the directory holds no unfinished export; as the server responds.
pub fn cancel(remote: &Remote<'_>, path: &Path) -> Result<()> {
    let nothing = || Error::usage(format!("{} holds no unfinished export", path.display()));
    if !ExportDir::holds_export(path) {
        return Err(nothing());
    }
    let dir = ExportDir::open(path)?;
    let (Some(state), Some(job)) = (dir.load()?, dir.load_job()?) else { return Err(nothing()) };
    job::cancel(remote, &dir, &job)?;
    dir.save(&State::new(state.parameters, state.since))
}

enum Resumed {
    New(Box<State>),
    Unfinished(Box<State>, Job),
    Done(Box<State>),
}

fn resume(dir: &ExportDir, parameters: &Parameters) -> Result<Resumed> {
    let new = |since: Option<String>| Resumed::New(Box::new(State::new(parameters.clone(), since)));
    let given = match &parameters.since {
        Some(Since::Instant(instant)) => Some(instant.clone()),
        Some(Since::Last) | None => None,
    };
    let Some(state) = dir.load()? else { return Ok(new(given)) };
    let last = parameters.since == Some(Since::Last);
    let comparable = Parameters { since: state.parameters.since.clone(), ..parameters.clone() };
    let differences = state.parameters.differences(if last { &comparable } else { parameters });
    let job = if state.complete { None } else { dir.load_job()? };
    // Nothing was started, and `state.since` is of no export before: an option that the server rejected can be corrected.
    let is_replaceable = !state.complete
        && job.is_none()
        && (state.since.is_none() || state.parameters.since != Some(Since::Last));
    if !differences.is_empty() && is_replaceable {
        return Ok(new(given));
    }
    if !differences.is_empty() {
        return Err(Error::usage(format!("{} holds another export", dir.path().display()))
            .with_detail(format!("it differs in {}", differences.join(", ")))
            .with_hint("export into another directory, or discard that export with --restart"));
    }
    if state.complete && last {
        let since = state.transaction_time().map(str::to_owned);
        dir.archive(state)?;
        return Ok(new(since));
    }
    if state.complete {
        return Ok(Resumed::Done(Box::new(state)));
    }
    match job {
        Some(job) => Ok(Resumed::Unfinished(Box::new(state), job)),
        // Killed before the job was recorded, or cancelled.
        None => Ok(new(state.since)),
    }
}

/// Makes sure that the state has the manifest and the job its URLs.
fn fetch_manifest(remote: &Remote<'_>, dir: &ExportDir, state: &mut State, job: &mut Job) -> Result<()> {
    let known = !job.file_urls.is_empty() && job.file_urls.len() == state.files.len();
    let manifest = match &job.status_url {
        // URLs of files can expire: those of now are better. Without a response, the recorded ones have to do.
        Some(url) if known => match job::wait(remote, url) {
            Ok(manifest) => {
                let Some(urls) = renewed_urls(state, job, &manifest) else { return Ok(()) };
                (job.file_urls, job.requires_access_token) = (urls, manifest.requires_access_token);
                return dir.save_job(job);
            }
            Err(_) => return Ok(()),
        },
        Some(url) => job::wait(remote, url)?,
        None if known => return Ok(()),
        None => {
            dir.save(state)?;
            match job::start(remote, &state.parameters.kick_off_url(state.since.as_deref())?)? {
                Started::Finished(manifest) => *manifest,
                Started::Accepted(url) => {
                    job.status_url = Some(url.clone());
                    dir.save_job(job)?;
                    job::wait(remote, &url)?
                }
            }
        }
    };
    adopt(dir, state, job, manifest)
}

/// The URLs that the files have now, in the order of the files; `None` if the manifest is of other data, or does not show
/// which URL is of which file. A signature is in the query, so the rest of the URL names the file.
fn renewed_urls(state: &State, job: &Job, manifest: &Manifest) -> Option<Vec<String>> {
    let keys: [fn(&str) -> &str; 2] = [|url| url, |url| url.split('?').next().unwrap_or_default()];
    let is_same = state.transaction_time() == Some(&manifest.transaction_time)
        && state.files.len() == manifest.files.len();
    keys.into_iter().filter(|_| is_same).find_map(|key| {
        let urls: HashMap<&str, &String> = manifest.files.iter().map(|(_, url)| (key(url), url)).collect();
        let is_unique = urls.len() == state.files.len();
        let renewed = job.file_urls.iter().map(|url| urls.get(key(url)).copied().cloned());
        renewed.collect::<Option<Vec<String>>>().filter(|_| is_unique)
    })
}

/// Records a manifest. Files of another one are removed: a cancelled job can have left some.
fn adopt(dir: &ExportDir, state: &mut State, job: &mut Job, manifest: Manifest) -> Result<()> {
    (state.files, job.file_urls) = manifest.files.into_iter().unzip();
    job.requires_access_token = manifest.requires_access_token;
    state.members = manifest.members;
    dir.remove_files()?;
    dir.save_job(job)?;
    dir.save(state)
}

/// Forgets complete files that are no longer what they were; true if there are any.
fn verify(dir: &ExportDir, state: &mut State, progress: &progress::ExportProgress<'_>) -> Result<bool> {
    let mut altered = false;
    for file in &mut state.files {
        if file.checked.is_some() && !is_unaltered(dir, file)? {
            file.checked = None;
            file.etag = None;
            altered = true;
        }
    }
    progress.set_files(state.files.len(), state.files.iter().filter(|file| file.checked.is_some()).count());
    Ok(altered)
}

fn is_unaltered(dir: &ExportDir, file: &ExportFile) -> Result<bool> {
    let path = dir.file(&file.name);
    let Some(opened) = files::open(&path, Purpose::Export)? else { return Ok(false) };
    let read = LineChecker::of(opened).map_err(|error| files::io_error("read", &path, error))?;
    Ok(read.finish(None).ok() == file.checked)
}

/// Checks an export that was complete before: its URLs are gone, so that nothing can be fetched again.
fn verify_all(dir: &ExportDir, state: State) -> Result<Finished> {
    let mut incomplete = Vec::new();
    for file in &state.files {
        if !is_unaltered(dir, file)? {
            let is_there = dir.file(&file.name).exists();
            let why = if is_there { "it has changed since it was exported" } else { "it is missing" };
            incomplete.push((file.name.clone(), why.to_owned()));
        }
    }
    Ok(finished(&state, incomplete, "start the export again, with the same options and --restart"))
}

fn finished(state: &State, incomplete: Vec<(String, String)>, next_step: &'static str) -> Finished {
    let is_incomplete = |name: &String| incomplete.iter().any(|(other, _)| other == name);
    let complete = |file: &&ExportFile| file.checked.is_some() && !is_incomplete(&file.name);
    let files = state.files.iter().filter(complete).map(|file| file.name.clone());
    Finished { manifest: state.manifest(), files: files.collect(), incomplete, next_step }
}
