//! Fetching the files of an export by several threads, and recording what becomes known of each.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::download::{Download, Fetched};
use super::manifest::ExportFile;
use super::remote::Remote;
use super::state::{ExportDir, Job, State};
use crate::error::{Error, Result};

/// What the threads share.
struct SharedState<'a> {
    dir: &'a ExportDir,
    state: Mutex<&'a mut State>,
    queue: Mutex<VecDeque<usize>>,
    incomplete: Mutex<Vec<(String, String)>>,
    error: Mutex<Option<Error>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Fetches the files that are not complete, several at a time, and returns those that are incomplete at the server.
///
/// # Errors
/// That of the first file that fails for good; the others that have begun are finished.
pub fn fetch_files(
    remote: &Remote<'_>,
    dir: &ExportDir,
    state: &mut State,
    job: &Job,
    jobs: usize,
) -> Result<Vec<(String, String)>> {
    let missing: VecDeque<usize> =
        (0..state.files.len()).filter(|index| state.files[*index].checked.is_none()).collect();
    let threads = jobs.min(missing.len());
    let shared = SharedState {
        dir,
        state: Mutex::new(state),
        queue: Mutex::new(missing),
        incomplete: Mutex::default(),
        error: Mutex::default(),
    };
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| work(remote, &shared, job));
        }
        work(remote, &shared, job);
    });
    match lock(&shared.error).take() {
        Some(error) => Err(error),
        None => {
            let mut incomplete = std::mem::take(&mut *lock(&shared.incomplete));
            incomplete.sort();
            Ok(incomplete)
        }
    }
}

/// Fetches files until there are none, or one fails for good.
fn work(remote: &Remote<'_>, shared: &SharedState<'_>, job: &Job) {
    loop {
        let Some(index) = lock(&shared.queue).pop_front() else { return };
        if let Err(error) = fetch(remote, shared, job, index) {
            // The other threads finish what they have begun.
            lock(&shared.queue).clear();
            lock(&shared.error).get_or_insert(error);
        }
    }
}

fn fetch(remote: &Remote<'_>, shared: &SharedState<'_>, job: &Job, index: usize) -> Result<()> {
    let change = |change: &dyn Fn(&mut ExportFile)| {
        let mut state = lock(&shared.state);
        change(&mut state.files[index]);
        let file = state.files[index].clone();
        drop(state);
        shared.dir.journal.append(index, &file)
    };
    let file = lock(&shared.state).files[index].clone();
    let fetched = Download {
        remote,
        file: &file,
        url: &job.file_urls[index],
        with_token: job.requires_access_token,
        path: &shared.dir.file(&file.name),
        record_etag: &|etag| change(&|file| file.etag.clone_from(&etag)),
    }
    .run()?;
    match fetched {
        Fetched::Complete(checked) => {
            change(&|file| file.checked = Some(checked.clone()))?;
            remote.progress.finish_file();
        }
        Fetched::Incomplete(cause) => lock(&shared.incomplete).push((file.name, cause)),
    }
    Ok(())
}
