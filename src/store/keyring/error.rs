//! Failures of the OS keyring. Each has its own fix, and none looks like an empty keyring.

use std::time::Duration;

use crate::error::{Error, StoreErrorKind};

/// Why the keyring could not be used. Holds no secret.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux has these failures"))]
pub(crate) enum KeyringError {
    /// No D-Bus session bus.
    NoBus(String),
    /// A bus without a Secret Service.
    NoService,
    /// Locked, and no prompt is possible.
    Locked,
    /// The user dismissed the prompt, or did not answer it in time.
    PromptDismissed,
    /// A Secret Service without a default collection.
    NoCollection,
    /// No response for this long.
    Timeout(Duration),
    /// Another process held the keyring's lock for this long.
    LockTimeout(Duration),
    /// Several items match the profile's ID.
    Ambiguous,
    /// Any other failure, in the service's own words.
    Failed(String),
}

impl KeyringError {
    /// A failure that the service describes: control characters are escaped, and 300 characters kept.
    pub(crate) fn failed(text: impl std::fmt::Display) -> Self {
        Self::Failed(printable(text))
    }

    /// The D-Bus session bus can't be reached.
    #[cfg(target_os = "linux")]
    pub(crate) fn no_bus(text: impl std::fmt::Display) -> Self {
        Self::NoBus(printable(text))
    }
}

fn printable(text: impl std::fmt::Display) -> String {
    text.to_string().chars().take(300).collect::<String>().escape_debug().to_string().replace("\\\"", "\"")
}

impl From<KeyringError> for Error {
    fn from(error: KeyringError) -> Self {
        use StoreErrorKind::{Failed, Locked, Timeout, Unavailable};
        let (kind, message, hint) = match &error {
            KeyringError::NoBus(_) => (
                Unavailable,
                "no keyring service found: no D-Bus session bus".to_owned(),
                "run oneup inside the desktop session (DBUS_SESSION_BUS_ADDRESS), or log in with --store file",
            ),
            KeyringError::NoService => (
                Unavailable,
                "no keyring service found: no Secret Service on the D-Bus session bus".into(),
                "start one (gnome-keyring, KWallet, KeePassXC), or log in with --store file",
            ),
            KeyringError::Locked => (
                Locked,
                "the keyring is locked, and no prompt is possible here".into(),
                "unlock it (log in to the desktop; without one: gnome-keyring-daemon --unlock), then try again",
            ),
            KeyringError::PromptDismissed => (
                Locked,
                "the keyring is locked: its prompt was dismissed or timed out".into(),
                "try again and enter the keyring's password, or log in with --store file",
            ),
            KeyringError::NoCollection => (
                Unavailable,
                "the keyring has no default collection".into(),
                "create a default keyring (Passwords and Keys, or KWalletManager), or log in with --store file",
            ),
            KeyringError::Timeout(waited) => (
                Timeout,
                format!("the keyring timed out after {}", seconds(*waited)),
                "restart the keyring service, log in with --store file, or use --no-store",
            ),
            KeyringError::LockTimeout(waited) => (
                Timeout,
                format!(
                    "timed out after {} waiting for another oneup process to use the keyring",
                    seconds(*waited)
                ),
                "answer the keyring's prompt if it shows one, or end that process; then try again",
            ),
            KeyringError::Ambiguous => (
                Failed,
                "the keyring holds several items for this profile".into(),
                "remove the items of the service `oneup` with the keyring's own program, then log in again",
            ),
            KeyringError::Failed(_) => {
                (Failed, "the keyring failed".into(), "log in with --store file, or use --no-store")
            }
        };
        let result = Error::store(kind, message).with_hint(hint);
        match error {
            KeyringError::NoBus(why) | KeyringError::Failed(why) => result.with_detail(why),
            _ => result,
        }
    }
}

fn seconds(duration: Duration) -> String {
    format!("{} s", duration.as_secs_f32().ceil())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_exit_6_with_its_own_message_and_a_hint() {
        let second = Duration::from_secs(1);
        let errors = [
            KeyringError::NoBus("why".into()),
            KeyringError::NoService,
            KeyringError::Locked,
            KeyringError::PromptDismissed,
            KeyringError::NoCollection,
            KeyringError::Timeout(second),
            KeyringError::LockTimeout(second),
            KeyringError::Ambiguous,
            KeyringError::failed("why"),
        ];
        let mut messages = std::collections::HashSet::new();
        for error in errors {
            let error = Error::from(error);
            assert_eq!(error.kind().exit().code(), 6);
            assert!(error.to_string().contains("\nhint: "), "{error}");
            assert!(messages.insert(error.to_string().lines().next().map(str::to_owned)), "{error}");
        }
    }

    #[test]
    fn text_of_the_service_is_escaped_and_cut() {
        let KeyringError::Failed(text) =
            KeyringError::failed(format!("\x1b[31m\u{202e}\"quoted\"\n{}", "x".repeat(5_000)))
        else {
            panic!("not KeyringError::Failed");
        };
        assert!(text.starts_with("\\u{1b}[31m\\u{202e}\"quoted\"\\n"), "{text}");
        assert!(text.len() < 400);
    }
}
