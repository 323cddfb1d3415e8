//! Where secrets are kept: one trait, three stores, and the choice between them.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::oauth::secret::Secret;
use crate::oauth::token::Token;

/// The store of a profile, decided at its login and recorded in its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// Secret Service, Keychain, Credential Manager.
    Keyring,
    /// The kernel keyring (Linux): gone at reboot.
    Keyutils,
    /// A private file, not encrypted.
    File,
}

/// What is kept of a profile in secret, as one JSON value.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// The layout; this version writes 1.
    pub schema: u32,
    /// The client secret, unless a command prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Secret>,
    /// The newest token set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
}

/// A credential store. Items are named by the profile's id. Every failure is exit 6 and says locked, missing or
/// hanging; "not found" is only ever the store's own word for it.
pub trait Store {
    /// The item, or none where the store says that there is none.
    fn read(&self, id: &str) -> Result<Option<Item>>;
    /// Replaces the item whole.
    fn write(&self, id: &str, item: &Item) -> Result<()>;
    /// Forgets the item; false when there was none.
    fn delete(&self, id: &str) -> Result<bool>;
}
