//! What a user sees of an export: bars on a terminal, a line a minute elsewhere, nothing with `--quiet`.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::context::Context;

/// How often a log gets a line.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// The progress of one export. Shared by the threads that download.
pub struct ExportProgress<'a> {
    context: &'a Context,
    bars: Option<MultiProgress>,
    total: ProgressBar,
    started: Instant,
    logged: Mutex<Instant>,
    bytes: AtomicU64,
    files: AtomicUsize,
    finished: AtomicUsize,
}

/// The progress of one file.
pub struct FileProgress<'a> {
    export: &'a ExportProgress<'a>,
    bar: Option<ProgressBar>,
}

impl<'a> ExportProgress<'a> {
    /// Shows nothing yet.
    pub fn new(context: &'a Context) -> Self {
        let terminal = std::io::stderr().is_terminal() && !context.quiet && !context.verbose;
        let bars =
            (terminal && std::env::var_os("TERM").is_none_or(|term| term != "dumb")).then(MultiProgress::new);
        let total = match &bars {
            Some(bars) => bars.add(ProgressBar::new_spinner()),
            None => ProgressBar::hidden(),
        };
        total.set_style(style("{spinner} {msg}"));
        Self {
            context,
            bars,
            total,
            started: Instant::now(),
            logged: Mutex::new(Instant::now()),
            bytes: AtomicU64::new(0),
            files: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
        }
    }

    /// Shows what the export waits for, such as the server's `X-Progress`.
    pub fn message(&self, text: &str) {
        self.total.set_message(text.to_owned());
        self.total.tick();
        self.log(|| text.to_owned());
    }

    /// Sets how many files there are, and how many of them are complete already.
    pub fn set_files(&self, files: usize, finished: usize) {
        self.files.store(files, Ordering::Relaxed);
        self.finished.store(finished, Ordering::Relaxed);
        self.show_total();
    }

    /// A bar for a file; `length` is its size in bytes, where the server announces it.
    pub fn file(&'a self, name: &str, offset: u64, length: Option<u64>) -> FileProgress<'a> {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = match length {
                // The time that is left can be told from a known length only.
                Some(length) => ProgressBar::new(length)
                    .with_style(style("  {msg} {bytes}/{total_bytes} {bytes_per_sec}, {eta} left")),
                None => ProgressBar::new_spinner().with_style(style("  {msg} {bytes} {bytes_per_sec}")),
            };
            let bar = bars.insert_before(&self.total, bar).with_message(name.to_owned());
            bar.set_position(offset);
            bar
        });
        FileProgress { export: self, bar }
    }

    /// Counts a finished file.
    pub fn finish_file(&self) {
        self.finished.fetch_add(1, Ordering::Relaxed);
        self.show_total();
    }

    /// Removes the bars and returns bytes downloaded by this process and the time that it took.
    pub fn finish(&self) -> (u64, Duration) {
        self.total.finish_and_clear();
        (self.bytes.load(Ordering::Relaxed), self.started.elapsed())
    }

    fn show_total(&self) {
        if self.bars.is_some() {
            self.total.set_message(self.summary());
        }
    }

    fn summary(&self) -> String {
        format!(
            "{} of {} files, {} downloaded",
            self.finished.load(Ordering::Relaxed),
            self.files.load(Ordering::Relaxed),
            indicatif::HumanBytes(self.bytes.load(Ordering::Relaxed))
        )
    }

    fn log(&self, text: impl FnOnce() -> String) {
        if self.bars.is_some() {
            return;
        }
        let Ok(mut logged) = self.logged.try_lock() else { return };
        if logged.elapsed() >= LOG_INTERVAL {
            *logged = Instant::now();
            self.context.info(text());
        }
    }
}

impl FileProgress<'_> {
    /// Counts downloaded bytes.
    pub fn advance(&self, bytes: u64) {
        self.export.bytes.fetch_add(bytes, Ordering::Relaxed);
        match &self.bar {
            Some(bar) => bar.inc(bytes),
            None => self.export.log(|| self.export.summary()),
        }
    }
}

impl Drop for FileProgress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.export.show_total();
    }
}

/// The templates are constants: one that indicatif can't parse is shown by its default style.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
