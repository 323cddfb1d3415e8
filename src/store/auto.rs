//! `--store auto`: decided once, at login, and recorded in the profile, so that reads never probe or switch.

use super::StoreKind;
#[cfg(target_os = "linux")]
use super::{keyring, keyring::error::KeyringError, keyutils::Keyutils};
#[cfg(target_os = "linux")]
use crate::error::Error;
use crate::error::Result;

/// Returns the store for a new login, and a notice for the user. `requested` is the value of `--store`, `None` for
/// `auto`; `can_prompt` is whether the user can be asked to unlock the keyring.
///
/// `auto` chooses the OS keyring if it responds within a second and has a default collection; on Linux without a Secret
/// Service, the kernel keyring.
///
/// # Errors
/// Store: a locked keyring that can't be unlocked here, or no suitable store. `auto` never falls back to a weaker one.
pub fn choose(requested: Option<StoreKind>, can_prompt: bool) -> Result<(StoreKind, Option<String>)> {
    match requested {
        Some(kind) => Ok((kind, None)),
        None => auto(can_prompt),
    }
}

#[cfg(target_os = "linux")]
fn auto(can_prompt: bool) -> Result<(StoreKind, Option<String>)> {
    const PROBE_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(1);
    const ALTERNATIVES: &str =
        "--store file stores the credentials in a private file; --no-store does not store them";
    match keyring::probe(PROBE_TIMEOUT) {
        Ok(true) if !(can_prompt && keyring::has_display()) => Err(KeyringError::Locked.into()),
        Ok(_) => Ok((StoreKind::Keyring, None)),
        Err(error @ (KeyringError::NoBus(_) | KeyringError::NoService)) => match Keyutils::probe() {
            Ok(()) => Ok((
                StoreKind::Keyutils,
                Some("no keyring service found; using the kernel keyring (--store keyutils)".into()),
            )),
            Err(kernel) => Err(Error::from(error).with_detail(kernel.summary()).with_hint(ALTERNATIVES)),
        },
        Err(error @ KeyringError::Timeout(_)) => {
            Err(Error::from(error).with_hint(format!("--store keyring waits longer; {ALTERNATIVES}")))
        }
        Err(error) => Err(Error::from(error).with_hint(format!("repair the keyring; {ALTERNATIVES}"))),
    }
}

/// Keychain and Credential Manager always exist.
#[cfg(not(target_os = "linux"))]
fn auto(_: bool) -> Result<(StoreKind, Option<String>)> {
    Ok((StoreKind::Keyring, None))
}
