//! What a user sees of an export: bars on a terminal, a line a minute elsewhere, nothing with `--quiet`.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::context::Context;
use crate::output::duration;

/// How often a log gets a line.
const LOG_INTERVAL: Duration = Duration::from_secs(60);

/// How often the time is shown that passes while nothing else changes.
const TICK_INTERVAL: Duration = Duration::from_millis(200);

/// The progress of one export. Shared by the threads that download.
pub struct ExportProgress<'a> {
    context: &'a Context,
    bars: Option<MultiProgress>,
    /// Counts the bytes downloaded, and the time that it takes.
    total: ProgressBar,
    logged: Mutex<Instant>,
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
        total.set_style(style("{spinner} {msg} ({elapsed})"));
        Self {
            context,
            bars,
            total,
            logged: Mutex::new(Instant::now()),
            files: AtomicUsize::new(0),
            finished: AtomicUsize::new(0),
        }
    }

    /// Shows what the export waits for, such as the server's `X-Progress`.
    pub fn message(&self, text: &str) {
        self.show(text.to_owned());
        self.log(|| text.to_owned());
    }

    /// Waits before a request is repeated, and shows why.
    pub fn wait(&self, cause: &str, pause: Duration) {
        let text = format!("{cause}; trying again in {}", duration(pause.as_secs().max(1)));
        self.show(text.clone());
        if pause >= LOG_INTERVAL && self.bars.is_none() {
            self.context.info(text);
        } else {
            self.log(|| text);
        }
        std::thread::sleep(pause);
        if self.files.load(Ordering::Relaxed) > 0 {
            self.show(self.finished_files());
        }
    }

    /// Sets how many files there are, and how many of them are complete already.
    pub fn set_files(&self, files: usize, finished: usize) {
        self.files.store(files, Ordering::Relaxed);
        self.finished.store(finished, Ordering::Relaxed);
        self.total.reset();
        self.total.set_style(style("{spinner} {msg}, {bytes} ({bytes_per_sec})"));
        self.show(self.finished_files());
    }

    /// A bar for a file; `length` is its size in bytes, where the server announces it.
    pub fn file(&'a self, name: &str, offset: u64, length: Option<u64>) -> FileProgress<'a> {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = match length {
                // The time that is left can be told from a known length only. The name is cut at the terminal's width.
                Some(length) => {
                    ProgressBar::new(length).with_style(style("{percent:>5}% {eta:>5} left  {wide_msg}"))
                }
                None => ProgressBar::new_spinner().with_style(style("{bytes:>17}  {wide_msg}")),
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
        self.show(self.finished_files());
    }

    /// Removes the bars and returns bytes downloaded by this process and the time that it took.
    pub fn finish(&self) -> (u64, Duration) {
        self.total.finish_and_clear();
        (self.total.position(), self.total.elapsed())
    }

    fn show(&self, text: String) {
        if self.bars.is_some() {
            self.total.set_message(text);
            self.total.enable_steady_tick(TICK_INTERVAL);
        }
    }

    fn finished_files(&self) -> String {
        let [finished, files] = [&self.finished, &self.files].map(|count| count.load(Ordering::Relaxed));
        format!("{finished} of {files} files")
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
        let total = &self.export.total;
        total.inc(bytes);
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
        self.export.log(|| {
            let bytes = indicatif::HumanBytes(total.position());
            format!("{}, {bytes} downloaded", self.export.finished_files())
        });
    }
}

impl Drop for FileProgress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// The templates are constants: one that indicatif can't parse is shown by its default style.
fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
}
