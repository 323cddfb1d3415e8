//! Lines that the user pastes while the login goes on in a browser elsewhere (over SSH, on a phone).

use std::io::{BufRead, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use super::Event;

/// The longest line that is read from a pipe, in bytes.
const MAX_LINE_BYTES: u64 = 64 * 1024;
/// The longest time between two lines of one paste.
const PASTE_WINDOW: Duration = Duration::from_millis(150);

/// Reads lines from the terminal at stdin, or from a pipe, in a thread. It ends with the input or the process. The
/// terminal gets its settings back when the process ends or the returned guard is dropped.
#[cfg(unix)]
pub(super) fn watch_stdin(sender: Sender<Event>) -> Guard {
    use crate::system::terminal::{Echo, LineReader};

    match LineReader::new("", Echo::Visible) {
        Ok(mut reader) => forward(sender, move || match reader.read_line() {
            Ok(Some(line)) => Event::Pasted(line),
            Ok(None) => Event::Canceled,
            Err(_) => Event::InputEnded,
        }),
        Err(_) => watch(std::io::BufReader::new(std::io::stdin()), sender),
    }
    Guard
}

#[cfg(not(unix))]
pub(super) fn watch_stdin(sender: Sender<Event>) -> Guard {
    watch(std::io::BufReader::new(std::io::stdin()), sender);
    Guard
}

/// Restores the terminal when dropped: the reading thread may wait for a line forever.
pub(super) struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        #[cfg(unix)]
        crate::system::terminal::restore();
    }
}

/// Reads lines in a thread, which ends with the input or the process.
pub(super) fn watch(mut input: impl BufRead + Send + 'static, sender: Sender<Event>) {
    forward(sender, move || {
        let mut line = Zeroizing::new(Vec::new());
        match input.by_ref().take(MAX_LINE_BYTES).read_until(b'\n', &mut line) {
            Ok(1..) => Event::Pasted(Zeroizing::new(String::from_utf8_lossy(&line).into_owned())),
            _ => Event::InputEnded,
        }
    });
}

/// Sends events from a thread, up to one that is not a line.
fn forward(sender: Sender<Event>, mut next: impl FnMut() -> Event + Send + 'static) {
    thread::spawn(move || {
        loop {
            let event = next();
            let is_last = !matches!(event, Event::Pasted(_));
            if sender.send(event).is_err() || is_last {
                return;
            }
        }
    });
}

/// Appends the lines that belong to the same paste: a wrapped URL arrives as several lines in quick succession, of which
/// the first may look complete. Also returns the event that ended the paste, if any.
pub(super) fn gather(
    first: Zeroizing<String>,
    events: &Receiver<Event>,
) -> (Zeroizing<String>, Option<Event>) {
    let mut text = first;
    loop {
        match events.recv_timeout(PASTE_WINDOW) {
            Ok(Event::Pasted(line)) if text.len() as u64 <= MAX_LINE_BYTES => {
                if !text.ends_with('\n') {
                    text.push('\n');
                }
                text.push_str(&line);
            }
            Ok(Event::Pasted(_)) => {}
            Ok(other) => return (text, Some(other)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return (text, None),
        }
    }
}
