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
    // The URL is on stderr already, and the person is told what to do with it.
    let _ = thread::Builder::new().spawn(move || {
        let _ = show(&url);
    });
}

/// The system starts its browser itself: nothing of our environment goes there.
#[cfg(any(target_os = "macos", windows))]
fn show(url: &str) -> std::io::Result<()> {
    webbrowser::open(url)
}

/// The last is of Windows, for a Linux within it.
#[cfg(not(any(target_os = "macos", windows)))]
const DESKTOPS: [&str; 5] =
    ["wslview", "xdg-open", "gio open", "x-www-browser", "rundll32.exe url.dll,FileProtocolHandler"];

/// The browser is a child of ours, and lives long: it gets neither our secrets nor our terminal. The person's
/// `BROWSER` (words, several with `:` between, `%s` for the URL), then what desktops have.
#[cfg(not(any(target_os = "macos", windows)))]
fn show(url: &str) -> std::io::Result<()> {
    use std::process::Stdio;
    let own = nonempty("BROWSER").unwrap_or_default();
    let openers = own.split(':').chain(DESKTOPS);
    for opener in openers.filter(|opener| !opener.trim().is_empty()) {
        let mut words: Vec<String> = opener.split_whitespace().map(|word| word.replace("%s", url)).collect();
        if !opener.contains("%s") {
            words.push(url.to_owned());
        }
        let mut command = crate::process::command(words[0].as_ref());
        command.args(&words[1..]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().is_ok_and(|status| status.success()) {
            return Ok(());
        }
    }
    Err(std::io::ErrorKind::NotFound.into())
}
