//! Questions to the person, on stderr. Ctrl-C at any of them gives the terminal back as it was.

use std::sync::Once;

use dialoguer::{Input, Password};

use crate::context::eprint_line;
use crate::error::{Error, ErrorKind, Result};
use crate::oauth::secret::Secret;
use crate::session::client_secret;

/// Asks for the client id.
///
/// # Errors
/// A terminal that went away.
pub fn client_id() -> Result<String> {
    let _guard = TerminalGuard::new();
    Input::<String>::new().with_prompt("Client id (from the 1up Dev Portal)").interact_text().map_err(gone)
}

/// Asks for the client secret, which is not shown.
///
/// # Errors
/// A terminal that went away; usage, when what was typed can't be a secret.
pub fn secret(client_id: &str) -> Result<Secret> {
    let _guard = TerminalGuard::new();
    let prompt = format!("Client secret of {} (not shown)", crate::text::sanitize(client_id, 64));
    let text = zeroize::Zeroizing::new(Password::new().with_prompt(prompt).interact().map_err(gone)?);
    client_secret::check(&text, "the prompt")
}

fn gone(error: dialoguer::Error) -> Error {
    let dialoguer::Error::IO(error) = error;
    match error.kind() {
        std::io::ErrorKind::Interrupted => {
            leave_line();
            Error::new(ErrorKind::Interrupted, "interrupted")
        }
        _ => Error::usage("nobody answered the prompt")
            .with_cause(error)
            .with_hint("oneup login --help names the flags"),
    }
}

/// Shows the cursor, and leaves the line of the question to it: once, whether the key or its signal is seen first.
/// Whoever comes second may end the process, and so waits.
fn leave_line() {
    static LEFT: Once = Once::new();
    LEFT.call_once(|| eprint_line("\x1b[?25h"));
}

/// Restores the terminal when a signal ends the process in the middle of a hidden prompt.
struct TerminalGuard {
    #[cfg(unix)]
    handle: Option<signal_hook::iterator::Handle>,
}

impl TerminalGuard {
    #[cfg(unix)]
    fn new() -> Self {
        use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
        let settings = rustix::termios::tcgetattr(rustix::stdio::stdin()).ok();
        let signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM, SIGHUP]).ok();
        let handle = settings.zip(signals).map(|(settings, mut signals)| {
            let handle = signals.handle();
            std::thread::spawn(move || {
                if let Some(signal) = signals.forever().next() {
                    let stdin = rustix::stdio::stdin();
                    let _ =
                        rustix::termios::tcsetattr(stdin, rustix::termios::OptionalActions::Now, &settings);
                    leave_line();
                    let _ = signal_hook::low_level::emulate_default_handler(signal);
                }
            });
            handle
        });
        Self { handle }
    }

    #[cfg(not(unix))]
    fn new() -> Self {
        Self {}
    }
}

impl Drop for TerminalGuard {
    fn drop(&mut self) {
        #[cfg(unix)]
        if let Some(handle) = &self.handle {
            handle.close();
        }
    }
}
