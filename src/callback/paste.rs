//! Lines that the person pastes while the browser is elsewhere: on SSH, or on a phone, no callback ever comes.

use std::io::{BufRead, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

use zeroize::Zeroizing;

use super::Event;

/// The longest line that is read; a terminal hands over 4096 bytes at most.
const LONGEST: u64 = 64 * 1024;
/// Lines of one paste follow each other this closely.
const BURST: Duration = Duration::from_millis(150);

/// Reads lines in a thread, which ends with the input or the process.
pub(super) fn watch(mut input: impl BufRead + Send + 'static, sender: Sender<Event>) {
    thread::spawn(move || {
        loop {
            let mut line = Zeroizing::new(Vec::new());
            let read = input.by_ref().take(LONGEST).read_until(b'\n', &mut line);
            let event = match read {
                Ok(1..) => Event::Pasted(Zeroizing::new(String::from_utf8_lossy(&line).into_owned())),
                _ => Event::InputEnded,
            };
            let ended = matches!(event, Event::InputEnded);
            if sender.send(event).is_err() || ended {
                return;
            }
        }
    });
}

/// The lines that belong to the same paste as the first: an address that was wrapped arrives as several, at once,
/// and its first line alone may look whole. Also returns the event that ended the paste, if one did.
pub(super) fn rest_of(
    first: Zeroizing<String>,
    events: &Receiver<Event>,
) -> (Zeroizing<String>, Option<Event>) {
    let mut text = first;
    loop {
        match events.recv_timeout(BURST) {
            Ok(Event::Pasted(line)) if text.len() as u64 <= LONGEST => text.push_str(&line),
            Ok(Event::Pasted(_)) => {}
            Ok(other) => return (text, Some(other)),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return (text, None),
        }
    }
}
