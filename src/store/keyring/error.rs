//! What can be wrong with the OS keyring, told apart: each has another fix, and none looks like an empty keyring.

use std::time::Duration;

use crate::error::{Error, StoreErrorKind};

/// Why the keyring did not do what was asked. Holds no secret.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeyringError {
    /// No D-Bus session bus, and so nobody to ask.
    NoBus(String),
    /// A bus, and no Secret Service on it.
    NoService,
    /// Locked, and nobody there to unlock it.
    Locked,
    /// The person closed the prompt, or didn't answer it.
    Dismissed,
    /// A Secret Service without a default collection.
    NoCollection,
    /// No answer for this long.
    Hanging(Duration),
    /// Another process had the keyring for this long.
    Busy(Duration),
    /// Several items answer to the profile's id.
    Several,
    /// Anything else, in the service's own words.
    Failed(String),
}

impl KeyringError {
    /// A failure in somebody else's words: one line, no control characters, of a sane length.
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

const ELSEWHERE: &str = "log in with --store file, or use --no-store";

impl From<KeyringError> for Error {
    fn from(fault: KeyringError) -> Self {
        match fault {
            KeyringError::NoBus(why) => Error::store(StoreErrorKind::Unavailable, "there is no keyring here: no D-Bus session bus")
                .with_detail(why)
                .with_hint("run it inside the desktop's session (DBUS_SESSION_BUS_ADDRESS), or log in with --store file"),
            KeyringError::NoService => Error::store(StoreErrorKind::Unavailable, "there is no keyring here: no Secret Service on the D-Bus session bus")
                .with_hint("start one (gnome-keyring, KWallet, KeePassXC), or log in with --store file"),
            KeyringError::Locked => Error::store(StoreErrorKind::Locked, "the keyring is locked, and nobody is there to unlock it").with_hint(
                "unlock it (log in to the desktop; without one: gnome-keyring-daemon --unlock), then try again",
            ),
            KeyringError::Dismissed => Error::store(StoreErrorKind::Locked, "the keyring is locked: its prompt was not answered")
                .with_hint("try again and give the keyring's password, or log in with --store file"),
            KeyringError::NoCollection => Error::store(StoreErrorKind::Unavailable, "the keyring has no default collection to keep a login in")
                .with_hint("create a default keyring (Passwords and Keys, or KWalletManager), or log in with --store file"),
            KeyringError::Hanging(waited) => {
                Error::store(StoreErrorKind::Timeout, format!("the keyring did not answer within {}", seconds(waited)))
                    .with_hint(format!("restart the keyring service, or {ELSEWHERE}"))
            }
            KeyringError::Busy(waited) => {
                Error::store(StoreErrorKind::Timeout, format!("another oneup has held the keyring for {}", seconds(waited)))
                    .with_hint("answer the keyring's prompt if it shows one, or end that process; then try again")
            }
            KeyringError::Several => Error::store(StoreErrorKind::Failed, "the keyring holds several items for this profile")
                .with_hint("remove those of the service `oneup` with the keyring's own program, then log in again"),
            KeyringError::Failed(why) => Error::store(StoreErrorKind::Failed, "the keyring failed").with_detail(why).with_hint(ELSEWHERE),
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
    fn every_fault_is_exit_6_with_a_hint_and_a_line_of_its_own() {
        let second = Duration::from_secs(1);
        let faults = [
            KeyringError::NoBus("why".into()),
            KeyringError::NoService,
            KeyringError::Locked,
            KeyringError::Dismissed,
            KeyringError::NoCollection,
            KeyringError::Hanging(second),
            KeyringError::Busy(second),
            KeyringError::Several,
            KeyringError::failed("why"),
        ];
        let mut seen = std::collections::HashSet::new();
        for fault in faults {
            let error = Error::from(fault);
            assert_eq!(error.kind().exit().code(), 6);
            assert!(error.to_string().contains("\nhint: "), "{error}");
            assert!(seen.insert(error.to_string().lines().next().map(str::to_owned)), "{error}");
        }
    }

    #[test]
    fn words_of_the_service_are_escaped_and_cut() {
        let KeyringError::Failed(text) =
            KeyringError::failed(format!("\x1b[31m\u{202e}\"quoted\"\n{}", "x".repeat(5_000)))
        else {
            panic!("it is Failed");
        };
        assert!(text.starts_with("\\u{1b}[31m\\u{202e}\"quoted\"\\n"), "{text}");
        assert!(text.len() < 400);
    }
}
