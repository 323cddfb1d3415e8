//! Prompts for the client ID and the client secret, on stderr. Ctrl-C and Ctrl-D cancel.

use zeroize::Zeroizing;

use crate::error::{Error, ErrorKind, Result};
use crate::oauth::secret::Secret;
use crate::profile::Profile;
use crate::session::client_secret;
use crate::text::sanitize;

/// Prompts for the client ID.
///
/// # Errors
/// [`ErrorKind::Interrupted`] when the user cancels; usage when the terminal was closed.
pub fn client_id() -> Result<String> {
    let typed = ask("Client ID (from the 1up Dev Portal)", Answer::Visible)?;
    Ok(client_secret::clean_typed(&typed).to_string())
}

/// Prompts for the client secret, which is not shown. An empty line stands for the `recalled` one.
///
/// # Errors
/// As [`client_id`]; usage, when it can't be a client secret.
pub fn secret(profile: &Profile, recalled: Option<Secret>) -> Result<Secret> {
    let recipient = match profile.unusual_host() {
        Some(host) => format!(", sent to {}", sanitize(&host, 200)),
        None => String::new(),
    };
    let client_id = sanitize(&profile.client_id, 64);
    let default = if recalled.is_some() { "; Enter keeps the stored one" } else { "" };
    let prompt = format!("Client secret for {client_id}{recipient} (not shown{default})");
    let answer = if recalled.is_some() { Answer::HiddenOrEmpty } else { Answer::Hidden };
    let typed = ask(&prompt, answer)?;
    if let Some(secret) = recalled.filter(|_| typed.trim().is_empty()) {
        return Ok(secret);
    }
    client_secret::check(&client_secret::clean_typed(&typed), "the prompt")
        .map_err(|error| error.with_hint("paste the client secret alone"))
}

/// Prompts for an authorization code, or for the URL at which the browser ended.
///
/// # Errors
/// As [`client_id`].
pub fn code() -> Result<Zeroizing<String>> {
    ask("Code, or URL at which the browser ended", Answer::Visible)
}

/// What a prompt accepts, and whether the terminal shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Answer {
    Visible,
    Hidden,
    HiddenOrEmpty,
}

/// Asks until there is an answer.
#[cfg(unix)]
fn ask(prompt: &str, answer: Answer) -> Result<Zeroizing<String>> {
    use crate::system::terminal::{Echo, LineReader};

    let echo = if answer == Answer::Visible { Echo::Visible } else { Echo::Hidden };
    let mut reader = LineReader::new(format!("{prompt}: "), echo).map_err(closed)?;
    loop {
        match reader.read_line().map_err(closed)? {
            Some(line) if line.trim().is_empty() && answer != Answer::HiddenOrEmpty => {}
            Some(line) => return Ok(line),
            None => {
                crate::context::eprint_line("");
                return Err(Error::new(ErrorKind::Interrupted, "canceled"));
            }
        }
    }
}

#[cfg(not(unix))]
fn ask(prompt: &str, answer: Answer) -> Result<Zeroizing<String>> {
    use dialoguer::{Input, Password};

    let line = if answer == Answer::Visible {
        Input::<String>::new().with_prompt(prompt).interact_text()
    } else {
        let may_be_empty = answer == Answer::HiddenOrEmpty;
        Password::new().with_prompt(prompt).allow_empty_password(may_be_empty).interact()
    };
    line.map(Zeroizing::new).map_err(|dialoguer::Error::IO(error)| match error.kind() {
        std::io::ErrorKind::Interrupted => Error::new(ErrorKind::Interrupted, "canceled"),
        _ => closed(error),
    })
}

fn closed(error: std::io::Error) -> Error {
    Error::usage("the terminal was closed").with_cause(error).with_hint("oneup login --help")
}
