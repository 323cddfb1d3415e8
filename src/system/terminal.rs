//! Lines typed or pasted at the terminal, of any length: in its own line mode a terminal cuts them at 4,095 bytes (1,023 on
//! macOS) without a word.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::{Mutex, Once, PoisonError};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use zeroize::Zeroizing;

use crate::oauth::secret::SecretBuf;

/// The longest line, in bytes; the rest of a longer one is discarded.
const MAX_LINE_BYTES: usize = 256 * 1024;

const END_OF_INPUT: u8 = 0x04;
const BACKSPACE: [u8; 2] = [0x08, 0x7f];
const KILL_LINE: u8 = 0x15;

/// The settings to restore, while they are changed.
static ORIGINAL: Mutex<Option<Termios>> = Mutex::new(None);

/// How typed characters appear.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// As they are.
    Visible,
    /// Not at all.
    Hidden,
}

/// Reads lines from the terminal at stdin, with backspace and Ctrl-U. The terminal gets its settings back when this is
/// dropped, and when a signal ends the process.
pub struct LineReader {
    echo: Option<File>,
    chunk: Zeroizing<Vec<u8>>,
    position: usize,
}

impl LineReader {
    /// Changes the settings of the terminal.
    ///
    /// # Errors
    /// Stdin is not a terminal.
    pub fn new(echo: Echo) -> io::Result<Self> {
        let settings = tcgetattr(rustix::stdio::stdin())?;
        let mut changed = settings.clone();
        *ORIGINAL.lock().unwrap_or_else(PoisonError::into_inner) = Some(settings);
        restore_on_signals();
        changed.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
        changed.special_codes[SpecialCodeIndex::VMIN] = 1;
        changed.special_codes[SpecialCodeIndex::VTIME] = 0;
        if echo == Echo::Hidden {
            // A shell that stops and continues the process would turn the terminal's echo on again.
            changed.special_codes[SpecialCodeIndex::VSUSP] = 0;
        }
        tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &changed)?;
        let stderr = io::stderr();
        let echo = (echo == Echo::Visible && stderr.is_terminal())
            .then(|| stderr.as_fd().try_clone_to_owned().map(File::from))
            .transpose()?;
        Ok(Self { echo, chunk: Zeroizing::new(Vec::new()), position: 0 })
    }

    /// Reads a line; returns `None` when the user cancels with Ctrl-D, or the terminal is closed.
    ///
    /// # Errors
    /// The terminal's.
    pub fn read_line(&mut self) -> io::Result<Option<Zeroizing<String>>> {
        let mut line = SecretBuf::with_capacity(4096);
        loop {
            match self.next_byte()? {
                None | Some(END_OF_INPUT) => return Ok(None),
                Some(b'\n' | b'\r') => {
                    let _ = io::stderr().write_all(b"\n");
                    return Ok(Some(Zeroizing::new(String::from_utf8_lossy(&line).into_owned())));
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

/// Gives the terminal its settings back before a signal ends the process.
fn restore_on_signals() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else { return };
        // It runs to the end of the process: a signal that was caught once has no default action any more.
        std::thread::spawn(move || {
            if let Some(signal) = signals.forever().next() {
                if restore() {
                    let _ = io::stderr().write_all(b"\n");
                }
                let _ = signal_hook::low_level::emulate_default_handler(signal);
            }
        });
    });
}

/// Restores the settings of the terminal; returns whether they were changed.
pub fn restore() -> bool {
    let settings = ORIGINAL.lock().unwrap_or_else(PoisonError::into_inner).take();
    settings
        .is_some_and(|settings| tcsetattr(rustix::stdio::stdin(), OptionalActions::Now, &settings).is_ok())
}
