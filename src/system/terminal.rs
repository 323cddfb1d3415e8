//! Lines typed or pasted at the terminal, of any length: in its own line mode a terminal cuts them at 4,095 bytes (1,023 on
//! macOS) without a word.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex, Once, PoisonError};
use std::time::Duration;

use rustix::process::{Pid, Signal, getpgrp, kill_current_process_group};
use rustix::termios::{
    LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcdrain, tcgetattr, tcgetpgrp, tcsetattr,
};
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use zeroize::Zeroizing;

use crate::oauth::secret::SecretBuf;

/// The longest line, in bytes; the rest of a longer one is discarded.
const MAX_LINE_BYTES: usize = 256 * 1024;

const END_OF_INPUT: u8 = 0x04;
const BACKSPACE: [u8; 2] = [0x08, 0x7f];
const KILL_LINE: u8 = 0x15;
const SUSPEND: u8 = 0x1a;

/// How long another thread of this process may take until it has stopped all of them.
const STOP_DELAY: Duration = Duration::from_millis(50);

/// The settings while they are changed.
static SETTINGS: Mutex<Option<Settings>> = Mutex::new(None);

/// Whether Ctrl-Z has stopped the process, which then leaves the terminal alone: a signal ends it at once.
static IS_SUSPENDED: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// Settings of the terminal.
struct Settings {
    original: Termios,
    changed: Termios,
}

/// How typed characters appear.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// As they are.
    Visible,
    /// Not at all.
    Hidden,
}

/// Reads lines from the terminal at stdin, with backspace and Ctrl-U. The terminal gets its settings back when this is
/// dropped, when Ctrl-Z stops the process, and when a signal ends it.
pub struct LineReader {
    prompt: String,
    echo: Option<File>,
    chunk: Zeroizing<Vec<u8>>,
    position: usize,
}

impl LineReader {
    /// Changes the settings of the terminal, as soon as this process is in the foreground. `prompt` is written to stderr
    /// before each line.
    ///
    /// # Errors
    /// Stdin is not a terminal, or no shell can bring this process into the foreground.
    pub fn new(prompt: impl Into<String>, echo: Echo) -> io::Result<Self> {
        // Stops a process in the background. The settings that it would find there are those of the shell's line editor.
        tcdrain(rustix::stdio::stdin())?;
        let original = tcgetattr(rustix::stdio::stdin())?;
        let mut changed = original.clone();
        changed.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        changed.special_codes[SpecialCodeIndex::VMIN] = 1;
        changed.special_codes[SpecialCodeIndex::VTIME] = 0;
        // Ctrl-Z is read as a character: the settings are restored before the process stops.
        changed.special_codes[SpecialCodeIndex::VSUSP] = 0;
        *SETTINGS.lock().unwrap_or_else(PoisonError::into_inner) = Some(Settings { original, changed });
        handle_signals();
        apply(|settings| &settings.changed);
        let stderr = io::stderr();
        let echo = (echo == Echo::Visible && stderr.is_terminal())
            .then(|| stderr.as_fd().try_clone_to_owned().map(File::from))
            .transpose()?;
        Ok(Self { prompt: prompt.into(), echo, chunk: Zeroizing::new(Vec::new()), position: 0 })
    }

    /// Reads a line; returns `None` when the user cancels with Ctrl-D, or the terminal is closed.
    ///
    /// # Errors
    /// The terminal's.
    pub fn read_line(&mut self) -> io::Result<Option<Zeroizing<String>>> {
        let mut line = SecretBuf::with_capacity(4096);
        self.write_prompt();
        loop {
            match self.next_byte()? {
                None | Some(END_OF_INPUT) => return Ok(None),
                Some(b'\n' | b'\r') => {
                    let _ = io::stderr().write_all(b"\n");
                    return Ok(Some(Zeroizing::new(String::from_utf8_lossy(&line).into_owned())));
                }
                Some(SUSPEND) => {
                    suspend();
                    // As a terminal does in its own line mode.
                    line.truncate(0);
                    self.write_prompt();
                }
                Some(KILL_LINE) => self.erase(&mut line, usize::MAX),
                Some(byte) if BACKSPACE.contains(&byte) => self.erase(&mut line, 1),
                Some(byte) if line.len() < MAX_LINE_BYTES => {
                    line.extend(&[byte]);
                    if byte >= 0x20 {
                        self.print(&[byte]);
                    }
                }
                Some(_) => {}
            }
        }
    }

    fn write_prompt(&self) {
        // A terminal that was closed is reported by the next read.
        let _ = io::stderr().write_all(self.prompt.as_bytes());
    }

    fn next_byte(&mut self) -> io::Result<Option<u8>> {
        if self.position == self.chunk.len() {
            self.chunk.resize(4096, 0);
            let count = loop {
                match rustix::io::read(rustix::stdio::stdin(), &mut self.chunk[..]) {
                    Err(rustix::io::Errno::INTR) => {}
                    result => break result?,
                }
            };
            self.chunk.truncate(count);
            self.position = 0;
        }
        let byte = self.chunk.get(self.position).copied();
        self.position += 1;
        Ok(byte)
    }

    /// Removes characters from the end of the line, and from the screen.
    fn erase(&self, line: &mut SecretBuf, characters: usize) {
        for _ in 0..characters {
            let Some(start) = line.iter().rposition(|byte| byte & 0xc0 != 0x80) else { return };
            line.truncate(start);
            self.print(b"\x08 \x08");
        }
    }

    fn print(&self, bytes: &[u8]) {
        if let Some(mut file) = self.echo.as_ref() {
            // A terminal that was closed is reported by the next read.
            let _ = file.write_all(bytes);
        }
    }
}

impl Drop for LineReader {
    fn drop(&mut self) {
        restore();
    }
}

/// Stops the process group, as Ctrl-Z does elsewhere, with the terminal's own settings. Returns when it is in the foreground
/// again, or at once without a shell that could continue it.
fn suspend() {
    apply(|settings| &settings.original);
    let _ = io::stderr().write_all(b"\n");
    IS_SUSPENDED.store(true, Ordering::SeqCst);
    let _ = kill_current_process_group(Signal::TSTP);
    std::thread::sleep(STOP_DELAY);
    let _ = tcdrain(rustix::stdio::stdin());
    IS_SUSPENDED.store(false, Ordering::SeqCst);
    apply(|settings| &settings.changed);
}

/// Gives the terminal its settings back before a signal ends the process. Changes them again when it was stopped by other
/// means than Ctrl-Z and is continued: the shell has turned the echo on.
fn handle_signals() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let ending = [SIGINT, SIGTERM, SIGHUP];
        for signal in ending {
            let _ = signal_hook::flag::register_conditional_default(signal, Arc::clone(&IS_SUSPENDED));
        }
        let Ok(mut signals) = Signals::new(ending.iter().chain([&SIGCONT])) else { return };
        // It runs to the end of the process: a signal that was caught once has no default action any more.
        std::thread::spawn(move || {
            for signal in signals.forever() {
                if signal != SIGCONT {
                    if restore() {
                        let _ = io::stderr().write_all(b"\n");
                    }
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                } else if !IS_SUSPENDED.load(Ordering::SeqCst) {
                    apply(|settings| &settings.changed);
                }
            }
        });
    });
}

/// Gives the terminal one of the settings, while they are changed.
fn apply(which: impl Fn(&Settings) -> &Termios) {
    let settings = SETTINGS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(settings) = settings.as_ref() {
        // A terminal that was closed is reported by the next read.
        let _ = set(which(settings));
    }
}

/// Restores the settings of the terminal; returns whether they were changed.
pub fn restore() -> bool {
    let settings = SETTINGS.lock().unwrap_or_else(PoisonError::into_inner).take();
    settings.is_some_and(|settings| set(&settings.original))
}

/// Sets the terminal, unless it is another process's now: then this one would stop.
fn set(settings: &Termios) -> bool {
    is_in_foreground() && tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, settings).is_ok()
}

/// Returns whether this process is in the foreground process group of its terminal.
pub fn is_in_foreground() -> bool {
    let group = getpgrp();
    let owns = |is_terminal: bool, owner: rustix::io::Result<Pid>| is_terminal && owner == Ok(group);
    let (stdin, stderr) = (io::stdin(), io::stderr());
    owns(stdin.is_terminal(), tcgetpgrp(&stdin)) || owns(stderr.is_terminal(), tcgetpgrp(&stderr))
}
