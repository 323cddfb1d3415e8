//! Keys of the kernel keyring, encrypted and authenticated with a key file in the state directory.
//!
//! Without a user namespace, all containers of a uid share one kernel keyring. They can read and replace each other's
//! keys, but not each other's files: to a process without the key file, an entry is ciphertext, and what it writes is no
//! entry to others.

use std::path::{Path, PathBuf};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

use super::kernel;
use crate::error::{Error, Result, StoreErrorKind};
use crate::oauth::secret::SecretBuf;
use crate::store::CredentialKey;
use crate::system::files::{self, Purpose};

/// The first bytes of every entry; the last one is the version of the layout.
const MAGIC: [u8; 4] = *b"1up\x02";

/// [`MAGIC`], then the nonce; the ciphertext and its tag follow.
const HEADER_LEN: usize = MAGIC.len() + NONCE_LEN;

/// The kernel keyring, with the key file that seals its entries.
pub(crate) struct SealedKeyring {
    key_file: PathBuf,
}

impl SealedKeyring {
    /// The keyring as sealed with the key file of this state directory, which is created by the first write.
    pub(crate) fn new(state_dir: &Path) -> Self {
        Self { key_file: state_dir.join("kernel-keyring.key") }
    }

    /// Parses an entry, or returns `None` if it does not exist, or was not sealed for this name and login.
    ///
    /// # Errors
    /// Store: the kernel keyring or the key file can't be used.
    pub(crate) fn read<T>(
        &self,
        name: &str,
        login: &CredentialKey,
        parse: impl FnOnce(&[u8]) -> T,
    ) -> Result<Option<T>> {
        let Some(mut entry) = kernel::read(name).map_err(super::into_error)? else { return Ok(None) };
        let Some(key) = self.key()? else { return Ok(None) };
        let Some((header, sealed)) = entry.split_at_mut_checked(HEADER_LEN) else { return Ok(None) };
        let Some(nonce) = header.strip_prefix(&MAGIC) else { return Ok(None) };
        let Ok(nonce) = Nonce::try_assume_unique_for_key(nonce) else { return Ok(None) };
        let Ok(plaintext) = key.open_in_place(nonce, associated_data(name, login), sealed) else {
            return Ok(None);
        };
        Ok(Some(parse(plaintext)))
    }

    /// Adds or replaces an entry, which is the concatenation of `parts`. The kernel removes it after `timeout` seconds.
    ///
    /// # Errors
    /// Store: the kernel keyring or the key file can't be used.
    pub(crate) fn write(
        &self,
        name: &str,
        login: &CredentialKey,
        parts: &[&[u8]],
        timeout: Option<u32>,
    ) -> Result<()> {
        let key = match self.key()? {
            Some(key) => key,
            None => self.create_key()?,
        };
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut entry = SecretBuf::with_capacity(HEADER_LEN + length + AES_256_GCM.tag_len());
        entry.extend(&[0; HEADER_LEN]);
        for part in parts {
            entry.extend(part);
        }
        let mut nonce = [0; NONCE_LEN];
        fill_random(&mut nonce)?;
        entry[..MAGIC.len()].copy_from_slice(&MAGIC);
        entry[MAGIC.len()..HEADER_LEN].copy_from_slice(&nonce);
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = key
            .seal_in_place_separate_tag(nonce, associated_data(name, login), &mut entry[HEADER_LEN..])
            .map_err(|_| Error::store(StoreErrorKind::Failed, "can't encrypt the credentials"))?;
        entry.extend(tag.as_ref());
        kernel::write(name, &entry, timeout).map_err(super::into_error)
    }

    /// Reads the key, or returns `None` if there is no key file yet.
    fn key(&self) -> Result<Option<LessSafeKey>> {
        let Some(bytes) = files::read(&self.key_file, Purpose::Secret).map_err(into_store_error)? else {
            return Ok(None);
        };
        UnboundKey::new(&AES_256_GCM, &bytes).map(|key| Some(LessSafeKey::new(key))).map_err(|_| {
            let path = self.key_file.display();
            Error::store(StoreErrorKind::Corrupt, format!("{path} is not a key of 32 bytes"))
                .with_hint(format!("rm {}, then log in again", files::quote(&self.key_file)))
        })
    }

    fn create_key(&self) -> Result<LessSafeKey> {
        let mut bytes = SecretBuf::from(vec![0; AES_256_GCM.key_len()]);
        fill_random(&mut bytes)?;
        // If another process creates it at the same time, that one is the key.
        files::create(&self.key_file, &bytes).map_err(into_store_error)?;
        self.key()?.ok_or_else(|| {
            Error::store(StoreErrorKind::Failed, format!("{} disappeared", self.key_file.display()))
        })
    }
}

/// Fills a buffer from the kernel's generator. That of aws-lc would first be seeded, which takes longer than all the rest.
fn fill_random(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|error| {
        Error::store(StoreErrorKind::Failed, "the system has no source of randomness").with_cause(error)
    })
}

/// What an entry is sealed for: another name, client, token endpoint or host is another entry. Each part is preceded by
/// its length.
fn associated_data(name: &str, login: &CredentialKey) -> Aad<Vec<u8>> {
    let binding = &login.binding;
    let parts = [name, &login.id, &binding.client_id, &binding.token_url];
    let parts = parts.into_iter().chain(binding.hosts.iter().map(String::as_str));
    let mut bytes = Vec::with_capacity(512);
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part.as_bytes());
    }
    Aad::from(bytes)
}

fn into_store_error(error: Error) -> Error {
    error.with_kind(crate::error::ErrorKind::Store(StoreErrorKind::Failed))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::super::super::tests::{key, skip};
    use super::*;

    fn read(sealed: &SealedKeyring, name: &str, login: &CredentialKey) -> Option<Vec<u8>> {
        sealed.read(name, login, <[u8]>::to_vec).expect("the kernel keyring works")
    }

    #[test]
    fn only_the_same_key_file_name_and_login_open_an_entry() {
        if super::super::Keyutils::probe().is_err() {
            return skip("a kernel keyring");
        }
        let (ours, theirs) =
            (tempfile::tempdir().expect("a directory"), tempfile::tempdir().expect("a directory"));
        let (ours, theirs) = (SealedKeyring::new(ours.path()), SealedKeyring::new(theirs.path()));
        let name = format!("oneup:test:sealed-{}", std::process::id());
        let login = key("a");
        assert_eq!(read(&ours, &name, &login), None);
        ours.write(&name, &login, &[b"one", b"", b"two"], Some(60)).expect("writable");
        assert_eq!(read(&ours, &name, &login), Some(b"onetwo".to_vec()));
        assert_eq!(read(&theirs, &name, &login), None, "no key file");
        theirs.write("oneup:test:other", &login, &[b"x"], Some(60)).expect("writable");
        assert_eq!(read(&theirs, &name, &login), None, "another key");
        let entry = kernel::read(&name).expect("readable").expect("it exists");
        assert!(!entry.windows(3).any(|part| part == b"one"), "it is encrypted");

        let mut other = key("a");
        other.binding.token_url.push('x');
        assert_eq!(read(&ours, &name, &other), None, "another login");
        assert_eq!(read(&ours, &name, &key("b")), None, "another profile");
        // Moved to another name, cut, changed, planted in plaintext.
        let mut changed = entry.to_vec();
        changed[HEADER_LEN] ^= 1;
        for (target, bytes) in [
            ("oneup:test:other", &entry[..]),
            (&name, &entry[..entry.len() - 1]),
            (&name, &entry[..HEADER_LEN]),
            (&name, &changed),
            (&name, b"1up"),
            (&name, b"1up\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0token"),
        ] {
            kernel::write(target, bytes, Some(60)).expect("writable");
            assert_eq!(read(&ours, target, &login), None);
        }
        for name in [&name, "oneup:test:other"] {
            kernel::remove(name).expect("removable");
        }
    }

    #[test]
    fn key_file_is_private_and_made_once() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().expect("a directory");
        let sealed = SealedKeyring::new(&dir.path().join("state"));
        assert!(sealed.key().expect("absence is no error").is_none());
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| sealed.create_key().expect("created"));
            }
        });
        let metadata = std::fs::metadata(&sealed.key_file).expect("it exists");
        assert_eq!((metadata.len(), metadata.permissions().mode() & 0o777), (32, 0o600));
        std::fs::write(&sealed.key_file, [0; 31]).expect("owned by us");
        assert!(sealed.key().expect_err("too short").to_string().contains("hint: rm '"));
        std::fs::set_permissions(&sealed.key_file, PermissionsExt::from_mode(0o644)).expect("owned by us");
        assert!(sealed.key().expect_err("too open").to_string().contains("hint: chmod 600"));
    }
}
