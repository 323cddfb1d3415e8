//! The user's browser (RFC 8252 §6).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;

use crate::context::nonempty;
use crate::error::Result;
use crate::process::temp_token_dir::TempTokenDir;
use crate::system::files;

/// Returns whether a browser can open on the user's screen. Over SSH without a display, the system's opener would start
/// a text browser in the terminal, or a graphical one on another screen.
pub(super) fn is_available() -> bool {
    if nonempty("BROWSER").is_some() {
        return true;
    }
    let is_remote = nonempty("SSH_CONNECTION").is_some() || nonempty("SSH_TTY").is_some();
    if cfg!(any(target_os = "macos", windows)) {
        return !is_remote;
    }
    let has_display = nonempty("DISPLAY").is_some() || nonempty("WAYLAND_DISPLAY").is_some();
    has_display || nonempty("WSL_DISTRO_NAME").is_some()
}

/// The private page that leads the browser to the authorization server; deleted when dropped.
pub(super) struct RedirectPage {
    _dir: TempTokenDir,
    path: PathBuf,
}

impl RedirectPage {
    /// Writes the page. The URL itself must not be in an argument list: other users could read its `state` there, and
    /// finish the login with an account of theirs.
    ///
    /// # Errors
    /// Failure, when no private directory can be created.
    pub(super) fn new(url: &str) -> Result<Self> {
        let dir = TempTokenDir::new_in(snap_dir())?;
        let path = dir.path().join("login.html");
        files::replace(&path, page(url).as_bytes())?;
        Ok(Self { _dir: dir, path })
    }

    /// Opens the page in a thread: some openers return only when the browser ends.
    pub(super) fn open(&self) {
        let path = self.path.clone();
        // The URL is on stderr as well, with what to do with it.
        let _ = thread::Builder::new().spawn(move || {
            openers(&path).into_iter().any(|opener| run(opener).is_ok_and(|status| status.success()))
        });
    }
}

/// A browser from snap can read neither hidden nor temporary directories, only visible ones in the home directory.
fn snap_dir() -> Option<PathBuf> {
    Path::new("/snap/bin").exists().then(|| nonempty("HOME").map(PathBuf::from)).flatten()
}

fn page(url: &str) -> String {
    let url = url.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta http-equiv=\"refresh\" content=\"0;url={url}\">\n<title>oneup</title>\n\
         <p><a href=\"{url}\">Continue to the login page</a></p>\n"
    )
}

/// `BROWSER` (commands separated by `:`, `%s` for the page), then the system's openers.
fn openers(page: &Path) -> Vec<Command> {
    let configured = nonempty("BROWSER").unwrap_or_default();
    let mut openers: Vec<Command> =
        configured.split(':').filter_map(|command| configured_opener(command, page)).collect();
    openers.extend(open::commands(page));
    openers
}

fn configured_opener(command: &str, page: &Path) -> Option<Command> {
    let mut words = command.split_whitespace();
    let mut opener = Command::new(words.next()?);
    let page = page.to_str()?;
    opener.args(words.map(|word| word.replace("%s", page)));
    if !command.contains("%s") {
        opener.arg(page);
    }
    Some(opener)
}

/// The browser outlives oneup: it gets neither the secrets in the environment nor the terminal.
fn run(mut opener: Command) -> std::io::Result<std::process::ExitStatus> {
    crate::process::remove_secrets(&mut opener);
    opener.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_is_private_escaped_and_deleted() {
        let page =
            RedirectPage::new("https://auth.example/a?x=\"<b>&state=s").expect("a temporary directory");
        let path = page.path.clone();
        let text = std::fs::read_to_string(&path).expect("a page");
        assert!(text.contains("0;url=https://auth.example/a?x=&quot;&lt;b>&amp;state=s\""), "{text}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        }
        drop(page);
        assert!(!path.exists());
    }

    #[test]
    fn openers_get_the_page_not_the_url() {
        let opener = configured_opener("firefox --new-tab %s", Path::new("/run/x.html")).expect("a command");
        let args: Vec<_> = opener.get_args().collect();
        assert_eq!(args, ["--new-tab", "/run/x.html"]);
        assert!(configured_opener(" ", Path::new("/run/x.html")).is_none());
    }
}
