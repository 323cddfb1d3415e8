//! A cache of access tokens in the kernel's memory, so that the hot path of `token show` needs neither D-Bus nor a store.
//!
//! It holds access tokens alone, sealed: no client secret, no refresh token. The kernel removes them at their expiry and at
//! reboot. Every failure is a miss, silently: without the cache nothing is lost but speed. Linux only; always a miss
//! elsewhere.

use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};

use super::CredentialKey;
use super::keyutils::kernel;
use super::keyutils::sealed::SealedKeyring;
use crate::oauth::secret::Secret;
use crate::oauth::token::{Lifetime, Token};

/// A cached access token with what is needed to tell its expiry.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedToken {
    /// What is sent as `Authorization: Bearer`.
    pub access_token: Secret,
    /// When it was issued and for how long, which is known of every cached token.
    pub lifetime: Lifetime,
}

impl CachedToken {
    /// Parses an entry: `issued_at` and `expires_in`, both little-endian, then the token.
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (issued_at, rest) = bytes.split_first_chunk()?;
        let (expires_in, token) = rest.split_first_chunk()?;
        let token = std::str::from_utf8(token).ok().filter(|token| !token.is_empty())?;
        let lifetime = Lifetime {
            issued_at: i64::from_le_bytes(*issued_at),
            expires_in: Some(u64::from_le_bytes(*expires_in)),
        };
        Some(Self { access_token: Secret::new(token), lifetime })
    }
}

/// The cache of a state directory, whose key file seals the entries.
pub struct TokenCache(SealedKeyring);

impl TokenCache {
    /// The cache of this state directory.
    pub fn new(state_dir: &Path) -> Self {
        Self(SealedKeyring::new(state_dir))
    }

    /// Returns the cached token of a normalized scope, expired or not; `None` stands for the profile's own scope.
    pub fn get(&self, key: &CredentialKey, scope: Option<&str>) -> Option<CachedToken> {
        self.0.read(&name(&key.id, scope), key, CachedToken::from_bytes).ok()??
    }

    /// Caches the access token until it expires. One that has expired, or without a known expiry, is not cached.
    pub fn put(&self, key: &CredentialKey, scope: Option<&str>, token: &Token, now: i64) {
        let name = name(&key.id, scope);
        let timeout = token
            .lifetime
            .remaining(now)
            .and_then(|seconds| u32::try_from(seconds.min(u64::from(u32::MAX / 2))).ok());
        let is_cached = match (timeout, token.lifetime.expires_in) {
            (Some(timeout @ 1..), Some(expires_in)) => {
                let (issued_at, expires_in) =
                    (token.lifetime.issued_at.to_le_bytes(), expires_in.to_le_bytes());
                let parts = [&issued_at[..], &expires_in, token.access_token.expose().as_bytes()];
                self.0.write(&name, key, &parts, Some(timeout)).is_ok()
            }
            _ => false,
        };
        if !is_cached {
            // The entry is older than this token.
            let _ = kernel::remove(&name);
        }
    }
}

/// Removes all cached tokens of the profile with this ID.
pub fn forget(id: &str) {
    let _ = kernel::remove_all(&name(id, None));
}

/// Names an entry. A scope can be longer than a key's description, so its digest is used.
fn name(id: &str, scope: Option<&str>) -> String {
    let Some(scope) = scope else { return format!("oneup:token:{id}") };
    let digest = digest(&SHA256, scope.as_bytes());
    let digest: String = digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    format!("oneup:token:{id}:{digest}")
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::super::keyutils::Keyutils;
    use super::super::tests::{credentials, key, skip};
    use super::*;

    fn token(expires_in: Option<u64>) -> Token {
        let mut token = credentials(1_000).token.expect("it has one");
        token.lifetime.expires_in = expires_in;
        token
    }

    /// A cache, and a key of this test alone.
    fn fixture(test: &str) -> Option<(tempfile::TempDir, TokenCache, CredentialKey)> {
        if Keyutils::probe().is_err() {
            skip("a kernel keyring");
            return None;
        }
        let state = tempfile::tempdir().expect("a temporary directory");
        let cache = TokenCache::new(state.path());
        Some((state, cache, key(&format!("test-{test}-{}", std::process::id()))))
    }

    #[test]
    fn entry_that_is_too_short_is_a_miss() {
        for invalid in [&b""[..], &[0; 15], &[0; 16], b"0123456789abcdef\xff"] {
            assert_eq!(CachedToken::from_bytes(invalid), None);
        }
    }

    #[test]
    fn kernel_removes_the_token_at_its_expiry() {
        let Some((_state, cache, key)) = fixture("expiry") else { return };
        assert_eq!(cache.get(&key, None), None);
        cache.put(&key, None, &token(Some(7_200)), 1_000);
        let cached = cache.get(&key, None).expect("cached");
        assert_eq!(cached.lifetime, Lifetime { issued_at: 1_000, expires_in: Some(7_200) });
        assert_eq!(cached.access_token, token(None).access_token);
        cache.put(&key, None, &token(Some(u64::MAX)), 1_000);
        assert_eq!(cache.get(&key, None).expect("no timeout overflows").lifetime.expires_in, Some(u64::MAX));
        cache.put(&key, None, &token(Some(60)), 1_057);
        assert!(cache.get(&key, None).is_some(), "three seconds remain");
        std::thread::sleep(std::time::Duration::from_millis(3_100));
        assert_eq!(cache.get(&key, None), None, "an update replaces the timeout");
        cache.put(&key, None, &token(Some(60)), 1_000);
        cache.put(&key, None, &token(None), 1_000);
        assert_eq!(cache.get(&key, None), None, "a token without expiry replaces the old one");
    }

    #[test]
    fn tokens_are_cached_per_scope_and_forgotten_together() {
        let Some((_state, cache, key)) = fixture("scopes") else { return };
        let entries = [(None, 100), (Some("a b"), 200), (Some("c"), 300)];
        for (scope, expires_in) in entries {
            cache.put(&key, scope, &token(Some(expires_in)), 1_000);
        }
        for (scope, expires_in) in entries {
            assert_eq!(cache.get(&key, scope).expect("cached").lifetime.expires_in, Some(expires_in));
        }
        assert_eq!(cache.get(&key, Some("b")), None);
        forget(&key.id);
        for (scope, _) in entries {
            assert_eq!(cache.get(&key, scope), None);
        }
    }
}
