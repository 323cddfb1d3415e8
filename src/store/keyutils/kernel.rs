//! The kernel keyring of the user (`@u`), which the keyutils store and the token cache share.
//!
//! Keys are linked to `@u`, not to a session, so that cron, containers and a second terminal see the same ones. They can
//! be read by the user, not only by a possessor: a process without a login session possesses nothing.

/// Why the kernel keyring could not be used.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "only Linux has these failures"))]
pub(crate) enum KeyctlError {
    /// The user's quota of keys or bytes is used up.
    Full,
    /// Not allowed (a container's seccomp profile) or not supported (a kernel without it).
    Unavailable(String),
    /// This is not Linux.
    #[cfg(not(target_os = "linux"))]
    NotLinux,
}

#[cfg(target_os = "linux")]
pub(crate) use linux::{read, remove, remove_all, write};

#[cfg(target_os = "linux")]
mod linux {
    use super::KeyctlError;
    use crate::oauth::secret::SecretBuf;
    use linux_keyutils::{Key, KeyError, KeyPermissions, KeyRing, KeyRingIdentifier};

    /// All permissions for a possessor and for the user, none for others.
    const PERMISSIONS: u32 = 0x3f3f_0000;

    /// The capacity of a key of type `user`.
    const MAX_KEY_LEN: usize = 32_767;

    /// Enough for nearly every key; a larger buffer costs more to clear than the kernel takes to fill it.
    const USUAL_KEY_LEN: usize = 4_096;

    /// More keys than an ordinary user may have (200 by default).
    const MAX_KEYS: usize = 4_096;

    /// Returns the key's bytes, or `None` if it does not exist or has expired.
    pub(crate) fn read(description: &str) -> Result<Option<SecretBuf>, KeyctlError> {
        let Some(key) = find(ring()?, description)? else { return Ok(None) };
        for capacity in [USUAL_KEY_LEN, MAX_KEY_LEN] {
            let mut bytes = SecretBuf::from(vec![0; capacity]);
            match key.read(&mut &mut bytes[..]) {
                // The kernel returns the key's length even if the buffer is too short.
                Ok(length) if length <= capacity => {
                    bytes.truncate(length);
                    return Ok(Some(bytes));
                }
                Ok(_) => {}
                Err(error) => return absent(error).map(|()| None),
            }
        }
        Ok(None)
    }

    /// Adds or replaces the key. The kernel removes it after `timeout` seconds.
    pub(crate) fn write(description: &str, bytes: &[u8], timeout: Option<u32>) -> Result<(), KeyctlError> {
        if bytes.len() > MAX_KEY_LEN {
            return Err(KeyctlError::Full);
        }
        let ring = ring()?;
        // Only a possessor may set permissions, and without a login session no process possesses @u.
        KeyRing::from_special_id(KeyRingIdentifier::Process, true)
            .and_then(|process| process.link_keyring(ring))
            .map_err(into_error)?;
        let existed = find(ring, description)?.is_some();
        let key = ring.add_key(description, bytes).map_err(into_error)?;
        let permitted = key.set_perms(KeyPermissions::from_u32(PERMISSIONS));
        // An update clears the timeout, so it is set each time.
        permitted.and_then(|()| key.set_timeout(timeout.map_or(0, |seconds| seconds as usize))).map_err(
            |error| {
                // A key that existed before is protected already, and may be the only copy of a login.
                if !existed {
                    let _ = ring.unlink_key(key);
                }
                into_error(error)
            },
        )
    }

    /// Removes the key; false if it did not exist.
    pub(crate) fn remove(description: &str) -> Result<bool, KeyctlError> {
        let ring = ring()?;
        let Some(key) = find(ring, description)? else { return Ok(false) };
        ring.unlink_key(key).map(|()| true).or_else(|error| absent(error).map(|()| false))
    }

    /// Removes the keys whose description begins with `prefix`.
    pub(crate) fn remove_all(prefix: &str) -> Result<(), KeyctlError> {
        let ring = ring()?;
        for node in ring.get_links(MAX_KEYS).map_err(into_error)?.iter() {
            if let Some(key) = node.as_key()
                && key.metadata().is_ok_and(|metadata| metadata.get_description().starts_with(prefix))
            {
                ring.unlink_key(key).or_else(absent)?;
            }
        }
        Ok(())
    }

    fn ring() -> Result<KeyRing, KeyctlError> {
        KeyRing::from_special_id(KeyRingIdentifier::User, false).map_err(into_error)
    }

    fn find(ring: KeyRing, description: &str) -> Result<Option<Key>, KeyctlError> {
        ring.search(description).map(Some).or_else(|error| absent(error).map(|()| None))
    }

    fn absent(error: KeyError) -> Result<(), KeyctlError> {
        match error {
            KeyError::KeyDoesNotExist | KeyError::KeyExpired | KeyError::KeyRevoked => Ok(()),
            other => Err(into_error(other)),
        }
    }

    fn into_error(error: KeyError) -> KeyctlError {
        match error {
            KeyError::QuotaExceeded => KeyctlError::Full,
            other => KeyctlError::Unavailable(describe(other)),
        }
    }

    /// Describes the error in words: the library's own text is the name of a variant, or a number. No bytes of a key
    /// are in it.
    fn describe(error: KeyError) -> String {
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
        fn errors_are_described_in_words() {
            for (error, text) in [
                (KeyError::Unknown(38), "Function not implemented (os error 38)"),
                (KeyError::PermissionDenied, "permission denied"),
                (KeyError::OperationNotSupported, "operation not supported"),
            ] {
                assert_eq!(into_error(error), KeyctlError::Unavailable(text.into()));
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod unsupported {
    use super::KeyctlError;
    use crate::oauth::secret::SecretBuf;

    pub(crate) fn read(_: &str) -> Result<Option<SecretBuf>, KeyctlError> {
        Err(KeyctlError::NotLinux)
    }

    pub(crate) fn write(_: &str, _: &[u8], _: Option<u32>) -> Result<(), KeyctlError> {
        Err(KeyctlError::NotLinux)
    }

    pub(crate) fn remove(_: &str) -> Result<bool, KeyctlError> {
        Err(KeyctlError::NotLinux)
    }

    pub(crate) fn remove_all(_: &str) -> Result<(), KeyctlError> {
        Err(KeyctlError::NotLinux)
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) use unsupported::{read, remove, remove_all, write};
