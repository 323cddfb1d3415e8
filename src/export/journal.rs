//! What became known of files since `export.json` was written: a line each, appended, so that an export of thousands of
//! files does not write its whole state for every one of them.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::manifest::{Checked, ExportFile};
use crate::error::Result;
use crate::system::files::{self, Purpose};

/// A journal, whether it exists or not.
pub struct Journal {
    path: PathBuf,
    file: Mutex<Option<File>>,
}

/// One line: what is known of a file from now on.
#[derive(Serialize, Deserialize)]
struct Record {
    /// The place of the file in the manifest.
    index: usize,
    name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checked: Option<Checked>,
}

impl Journal {
    /// The journal in this file.
    pub fn new(path: PathBuf) -> Self {
        Self { path, file: Mutex::default() }
    }

    /// Appends what is known of a file. It is on the disk when this returns.
    ///
    /// # Errors
    /// Failure, naming the journal.
    pub fn append(&self, index: usize, file: &ExportFile) -> Result<()> {
        let (name, etag, checked) = (file.name.clone(), file.etag.clone(), file.checked.clone());
        let failed = |error| files::io_error("write", &self.path, error);
        let mut line = serde_json::to_vec(&Record { index, name, etag, checked })
            .map_err(|error| failed(error.into()))?;
        line.push(b'\n');
        let mut journal = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let journal = match &mut *journal {
            Some(journal) => journal,
            closed => {
                let mut opened = files::open_private(&self.path, Purpose::Export)?;
                opened.seek(SeekFrom::End(0)).map_err(failed)?;
                closed.insert(opened)
            }
        };
        journal.write_all(&line).and_then(|()| journal.sync_data()).map_err(failed)
    }

    /// Applies the journal to the files of the manifest that it was written for; true if there is one. A line that a
    /// killed process left incomplete counts as not written, and so does one for another manifest.
    ///
    /// # Errors
    /// Failure, when it can't be read.
    pub fn apply(&self, known: &mut [ExportFile]) -> Result<bool> {
        let Some(bytes) = files::read(&self.path, Purpose::Export)? else { return Ok(false) };
        for record in bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok())
        {
            let Record { index, name, etag, checked } = record;
            if let Some(file) = known.get_mut(index).filter(|file| file.name == name) {
                (file.etag, file.checked) = (etag, checked);
            }
        }
        Ok(true)
    }

    /// Removes the journal: `export.json` has all of it now.
    ///
    /// # Errors
    /// Failure, naming the journal.
    pub fn remove(&self) -> Result<()> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).take();
        files::remove(&self.path).map(drop)
    }
}
