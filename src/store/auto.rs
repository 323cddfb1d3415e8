//! `--store auto`: decided once, at login, and recorded in the profile, so that reads never probe or switch.

use super::StoreKind;
#[cfg(target_os = "linux")]
use super::{keyring, keyring::error::KeyringError, keyutils::Keyutils};
#[cfg(target_os = "linux")]
use crate::error::Error;
use crate::error::Result;

/// The store for a new login, and what to tell the person about it. `asked` is what `--store` names, none for `auto`;
/// `can_prompt` is whether a person is there to unlock the keyring.
///
/// `auto` takes the OS keyring if it answers within a second and has a default collection; on Linux without any
/// Secret Service, the kernel keyring.
///
/// # Errors
/// Exit 6: a locked keyring that nobody can unlock, or no store that `auto` may take. Never a silent fallback to a
/// weaker one.
pub fn choose(asked: Option<StoreKind>, can_prompt: bool) -> Result<(StoreKind, Option<String>)> {
    match asked {
        Some(kind) => Ok((kind, None)),
        None => auto(can_prompt),
    }
}

#[cfg(target_os = "linux")]
fn auto(can_prompt: bool) -> Result<(StoreKind, Option<String>)> {
    const DEADLINE: std::time::Duration = std::time::Duration::from_secs(1);
    match keyring::probe(DEADLINE) {
        Ok(true) if !(can_prompt && keyring::has_display()) => Err(KeyringError::Locked.into()),
        Ok(_) => Ok((StoreKind::Keyring, None)),
        Err(fault @ (KeyringError::NoBus(_) | KeyringError::NoService)) => match Keyutils::probe() {
            Ok(()) => Ok((
                StoreKind::Keyutils,
                Some("there is no keyring service here: auto takes the kernel keyring".into()),
            )),
            Err(kernel) => Err(Error::from(fault).with_detail(kernel.summary()).with_hint(
                "--store file keeps the login in a private file; --no-store remembers nothing",
            )),
        },
        Err(KeyringError::Hanging(waited)) => Err(Error::from(KeyringError::Hanging(waited))
            .with_hint("--store keyring waits longer; --store file does without it; --no-store remembers nothing")),
        Err(fault) => Err(Error::from(fault).with_hint(
            "--store file keeps the login in a private file; --no-store remembers nothing; or repair the keyring",
        )),
    }
}

/// Keychain and Credential Manager are always there.
#[cfg(not(target_os = "linux"))]
fn auto(_: bool) -> Result<(StoreKind, Option<String>)> {
    Ok((StoreKind::Keyring, None))
}
