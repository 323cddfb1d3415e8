//! The kernel keyring of the user (`@u`): what [`super::keyutils`] and [`super::cache`] share.
//!
//! Keys hang on `@u`, not on a session, so that cron, containers and a second terminal see the same ones. Reading
//! takes permissions for the user, not only for a possessor: a process without a login session possesses nothing.

/// Why the kernel keyring did not do what was asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum KeyctlError {
    /// The user's quota of keys or bytes is used up.
    Full,
    /// Not allowed, or not there: a container's seccomp profile, a kernel without it.
    Denied(String),
    /// This is not Linux.
    #[cfg(not(target_os = "linux"))]
    NotLinux,
}

#[cfg(target_os = "linux")]
pub(crate) use linux::{read, remove, write};

#[cfg(target_os = "linux")]
mod linux {
    use linux_keyutils::{Key, KeyError, KeyPermissions, KeyRing, KeyRingIdentifier};
    use zeroize::Zeroizing;

    use super::KeyctlError;

    /// Everything for a possessor and for the user, nothing for anybody else.
    const PERMISSIONS: u32 = 0x3f3f_0000;

    /// The most that a key of type `user` holds.
    const LONGEST: usize = 32_767;

    /// What nearly every key fits into; a larger buffer costs more to clear than the kernel takes to fill it.
    const USUAL: usize = 4_096;

    /// The key's bytes; none when there is no such key, or it has expired.
    pub(crate) fn read(description: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyctlError> {
        let Some(key) = find(ring()?, description)? else { return Ok(None) };
        for room in [USUAL, LONGEST] {
            let mut bytes = Zeroizing::new(vec![0; room]);
            match key.read(&mut *bytes) {
                // The kernel answers the key's length, whether it fitted or not.
                Ok(length) if length <= room => {
                    bytes.truncate(length);
                    return Ok(Some(bytes));
                }
                Ok(_) => {}
                Err(error) => return absent(error).map(|()| None),
            }
        }
        Ok(None)
    }

    /// Adds or replaces the key. With `timeout` (seconds) the kernel forgets it by itself.
    pub(crate) fn write(description: &str, bytes: &[u8], timeout: Option<u32>) -> Result<(), KeyctlError> {
        if bytes.len() > LONGEST {
            return Err(KeyctlError::Full);
        }
        let ring = ring()?;
        // Only a possessor may set permissions, and without a login session nobody possesses @u.
        KeyRing::from_special_id(KeyRingIdentifier::Process, true)
            .and_then(|process| process.link_keyring(ring))
            .map_err(refusal)?;
        let known = find(ring, description)?.is_some();
        let key = ring.add_key(description, bytes).map_err(refusal)?;
        let protected = key.set_perms(KeyPermissions::from_u32(PERMISSIONS));
        // An update clears the timeout, so it is set each time.
        protected.and_then(|()| key.set_timeout(timeout.map_or(0, |seconds| seconds as usize))).map_err(
            |error| {
                // One that was there before is protected already, and may be somebody's only login.
                if !known {
                    let _ = ring.unlink_key(key);
                }
                refusal(error)
            },
        )
    }

    /// Removes the key; false when there was none.
    pub(crate) fn remove(description: &str) -> Result<bool, KeyctlError> {
        let ring = ring()?;
        let Some(key) = find(ring, description)? else { return Ok(false) };
        ring.unlink_key(key).map(|()| true).or_else(|error| absent(error).map(|()| false))
    }

    fn ring() -> Result<KeyRing, KeyctlError> {
        KeyRing::from_special_id(KeyRingIdentifier::User, false).map_err(refusal)
    }

    fn find(ring: KeyRing, description: &str) -> Result<Option<Key>, KeyctlError> {
        ring.search(description).map(Some).or_else(|error| absent(error).map(|()| None))
    }

    fn absent(error: KeyError) -> Result<(), KeyctlError> {
        match error {
            KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked => Ok(()),
            other => Err(refusal(other)),
        }
    }

    fn refusal(error: KeyError) -> KeyctlError {
        match error {
            KeyError::QuotaExceeded => KeyctlError::Full,
            other => KeyctlError::Denied(words(other)),
        }
    }

    /// What a person can read of it; no bytes of a key are in it. The library's text is the name of a variant, or a
    /// number.
    fn words(error: KeyError) -> String {
        if let KeyError::Unknown(number) = error {
            return std::io::Error::from_raw_os_error(number).to_string();
        }
        let name = error.to_string();
        let spaced = name.chars().flat_map(|c| c.is_uppercase().then_some(' ').into_iter().chain([c]));
        spaced.collect::<String>().trim().to_lowercase()
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn a_refusal_is_told_in_words() {
            for (error, told) in [
                (KeyError::Unknown(38), "Function not implemented (os error 38)"),
                (KeyError::PermissionDenied, "permission denied"),
                (KeyError::OperationNotSupported, "operation not supported"),
            ] {
                assert_eq!(refusal(error), KeyctlError::Denied(told.into()));
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod elsewhere {
    use zeroize::Zeroizing;

    use super::KeyctlError;

    pub(crate) fn read(_: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeyctlError> {
        Err(KeyctlError::NotLinux)
    }

    pub(crate) fn write(_: &str, _: &[u8], _: Option<u32>) -> Result<(), KeyctlError> {
        Err(KeyctlError::NotLinux)
    }

    pub(crate) fn remove(_: &str) -> Result<bool, KeyctlError> {
        Err(KeyctlError::NotLinux)
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) use elsewhere::{read, remove, write};
