//! What a platform offers: items of bytes by name.

use super::error::KeyringError;
use crate::oauth::secret::SecretBuf;

/// Named byte strings.
pub(super) trait BlobStore {
    /// Returns the item's bytes, or `None` if it does not exist.
    fn get(&self, name: &str) -> Result<Option<SecretBuf>, KeyringError>;
    /// Adds or replaces the item. A new one gets the label, which keyring programs show.
    fn set(&self, name: &str, label: &str, bytes: &[u8]) -> Result<(), KeyringError>;
    /// Removes the item; false if it did not exist.
    fn remove(&self, name: &str) -> Result<bool, KeyringError>;
}
