//! Where a login is in Vault: the mount of a KV v2 engine and a path in it.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// `--vault-path MOUNT/PATH`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultPath {
    /// The mount of the engine; may contain slashes.
    pub mount: String,
    /// The path of the item below the mount.
    pub path: String,
}

impl VaultPath {
    /// Parses `MOUNT/PATH`. The first segment counts as the mount until the server says otherwise.
    ///
    /// # Errors
    /// Usage: there is no path below the mount, or a segment is empty or not allowed.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim_matches('/');
        let is_allowed = |segment: &str| {
            let allowed = |c: char| c.is_ascii_alphanumeric() || "._-~@".contains(c);
            !matches!(segment, "" | "." | "..") && segment.chars().all(allowed)
        };
        match text.split_once('/') {
            Some((mount, path)) if text.split('/').all(is_allowed) => {
                Ok(Self { mount: mount.into(), path: path.into() })
            }
            _ => Err(Error::usage(format!("invalid Vault path {text:?}")).with_hint(
                "pass MOUNT/PATH, for example --vault-path secret/oneup/acme (letters, digits, '.', '_', '-', '~' and '@')",
            )),
        }
    }

    /// The same place with this mount, as the server names it (`team/kv/`).
    pub(super) fn with_mount(&self, mount: &str) -> Option<Self> {
        let mount = mount.trim_matches('/');
        let whole = self.to_string();
        let path = whole.strip_prefix(mount)?.strip_prefix('/')?;
        Some(Self { mount: mount.into(), path: path.into() })
    }
}

impl std::fmt::Display for VaultPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.mount, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_has_a_mount_and_segments() {
        for (text, mount, path) in
            [("secret/oneup", "secret", "oneup"), ("/kv/a/b.c-d_e/", "kv", "a/b.c-d_e")]
        {
            let parsed = VaultPath::parse(text).expect(text);
            assert_eq!((parsed.mount.as_str(), parsed.path.as_str()), (mount, path));
        }
        for text in
            ["", "secret", "secret/", "/secret", "a//b", "a/../b", "a/b?c", "a/b c", "a/b%2f", "a/\u{1b}"]
        {
            assert_eq!(VaultPath::parse(text).expect_err(text).kind().exit().code(), 2);
        }
    }

    #[test]
    fn mount_can_have_slashes() {
        let path =
            VaultPath::parse("team/kv/acme").expect("a path").with_mount("team/kv/").expect("its mount");
        assert_eq!((path.mount.as_str(), path.path.as_str()), ("team/kv", "acme"));
        assert_eq!(path.with_mount("tea"), None);
        assert_eq!(path.to_string(), "team/kv/acme");
    }
}
