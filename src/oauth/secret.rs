//! A string that must not leak: a `Debug` that says nothing, no `Display`, wiped when dropped.
//!
//! The only way to its text is [`Secret::expose`], so that `grep expose` lists every place where a secret leaves:
//! the form encoder, the store, the child process, the token printed on purpose.

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A client secret, token, authorization code or PKCE verifier.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Takes ownership of the text, so that no other copy of it needs wiping.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. Every call site is a place where a secret can leak.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing_of_the_text() {
        assert_eq!(format!("{:?}", Secret::new("s3cr3t")), "Secret(…)");
    }
}
