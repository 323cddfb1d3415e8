//! The person's browser (RFC 8252 §6): opened where there is one, and no failure where there isn't.

use std::thread;

use crate::context::nonempty;

/// Whether a browser can appear before the person. Over SSH without a display the system's opener would start a
/// text browser inside their terminal, or a graphical one on the wrong desk.
pub(super) fn is_there() -> bool {
    if nonempty("BROWSER").is_some() {
        return true;
    }
    let remote = nonempty("SSH_CONNECTION").is_some() || nonempty("SSH_TTY").is_some();
    if cfg!(any(target_os = "macos", windows)) {
        return !remote;
    }
    let display = nonempty("DISPLAY").is_some() || nonempty("WAYLAND_DISPLAY").is_some();
    display || nonempty("WSL_DISTRO_NAME").is_some()
}

/// Opens the URL, in a thread: some openers return only when the browser ends.
pub(super) fn open(url: &str) {
    let url = url.to_owned();
    thread::spawn(move || {
        // The URL is on stderr already, and the person is told what to do with it.
        let _ = webbrowser::open(&url);
    });
}
