//! The key in the proxy's URLs, which keeps other users and programs of this machine out.

use std::path::Path;

use crate::error::{Error, Result};
use crate::oauth::secret::Secret;
use crate::profile::Profile;
use crate::system::files::{self, Purpose};

/// The fewest characters of a key: 128 bits in base64.
const MIN_LEN: usize = 22;

/// Returns a new key: 128 random bits.
pub fn generate() -> Secret {
    Secret::new(Profile::new_id())
}

/// Returns the key in a private file, which is created if it does not exist.
///
/// # Errors
/// Failure: the file can't be created or read, or others can read it. Usage: it holds no key.
pub fn from_file(path: &Path) -> Result<Secret> {
    if !path.exists() {
        files::create(path, format!("{}\n", generate().expose()).as_bytes())?;
    }
    let text = files::read_text(path, Purpose::PrivateKey)?.map(Secret::new);
    let key = text.as_ref().map_or("", |text| text.expose().trim_end());
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    if key.len() < MIN_LEN || key.len() > 256 || !key.bytes().all(is_plain) {
        return Err(Error::usage(format!("{} does not hold a key", path.display()))
            .with_detail(format!("a key is {MIN_LEN} to 256 letters, digits, - and _"))
            .with_hint("remove the file; oneup proxy creates a new one"));
    }
    Ok(Secret::new(key))
}

/// Compares a part of a URL with the key, in constant time.
pub fn matches(key: &Secret, text: &str) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(key.expose().as_bytes(), text.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_file_is_created_once_and_private() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("new/key");
        let key = from_file(&path).expect("created");
        assert_eq!(key.expose().len(), 32);
        assert!(from_file(&path).expect("read") == key);
        assert!(matches(&key, key.expose()) && !matches(&key, &key.expose()[1..]) && !matches(&key, ""));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |mode| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode));
            assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
            mode(0o644).expect("chmod");
            assert!(from_file(&path).expect_err("others can read it").to_string().contains("chmod 600"));
        }
    }

    #[test]
    fn files_without_a_key_are_refused() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("key");
        for text in ["", "short", "0123456789abcdef/0123456789abcdef", "0123456789abcdef 0123456789abcdef"] {
            files::replace(&path, text.as_bytes()).expect("written");
            assert!(from_file(&path).is_err(), "{text:?}");
        }
    }
}
