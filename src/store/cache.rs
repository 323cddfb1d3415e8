//! A cache of access tokens in the kernel's memory, so that the hot path of `token show` needs neither D-Bus nor a file.
//!
//! It holds the access token alone: no client secret, no refresh token. The kernel removes it at its expiry and at reboot.
//! Every failure is a miss, silently: without the cache nothing is lost but speed. Linux only; always a miss elsewhere.

use super::keyutils::kernel;
use crate::oauth::secret::{Secret, SecretBuf};
use crate::oauth::token::{Lifetime, Token};

/// The first bytes of every entry; the last one is the version of the layout.
const MAGIC: [u8; 4] = *b"1up\x01";

/// Magic, `issued_at`, `expires_in`: both little-endian. The token's bytes follow.
const HEADER_LEN: usize = 4 + 8 + 8;

/// A cached access token with what is needed to tell its expiry.
#[derive(Debug, Clone, PartialEq)]
pub struct CachedToken {
    /// What is sent as `Authorization: Bearer`.
    pub access_token: Secret,
    /// When it was issued and for how long; `expires_in` is always known.
    pub lifetime: Lifetime,
}

impl CachedToken {
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk()?;
        let (issued_at, rest) = rest.split_first_chunk()?;
        let (expires_in, token) = rest.split_first_chunk()?;
        let token = std::str::from_utf8(token).ok().filter(|token| !token.is_empty())?;
        (*magic == MAGIC).then(|| Self {
            access_token: Secret::new(token),
            lifetime: Lifetime {
                issued_at: i64::from_le_bytes(*issued_at),
                expires_in: Some(u64::from_le_bytes(*expires_in)),
            },
        })
    }
}

/// Returns the cached access token of the profile with this ID, expired or not.
pub fn get(id: &str) -> Option<CachedToken> {
    CachedToken::from_bytes(&kernel::read(&name(id)).ok()??)
}

/// Caches the access token until it expires. One that has expired, or without a known expiry, is not cached.
pub fn put(id: &str, token: &Token, now: i64) {
    let timeout =
        token.remaining(now).and_then(|seconds| u32::try_from(seconds.min(u64::from(u32::MAX / 2))).ok());
    let is_cached = match (timeout, token.expires_in) {
        (Some(timeout @ 1..), Some(expires_in)) => {
            kernel::write(&name(id), &to_bytes(token, expires_in), Some(timeout)).is_ok()
        }
        _ => false,
    };
    if !is_cached {
        // The entry is older than this token.
        forget(id);
    }
}

/// Removes the token from the cache.
pub fn forget(id: &str) {
    let _ = kernel::remove(&name(id));
}

fn name(id: &str) -> String {
    format!("oneup:token:{id}")
}

fn to_bytes(token: &Token, expires_in: u64) -> SecretBuf {
    let text = token.access_token.expose().as_bytes();
    let mut bytes = SecretBuf::with_capacity(HEADER_LEN + text.len());
    bytes.extend(&MAGIC);
    bytes.extend(&token.issued_at.to_le_bytes());
    bytes.extend(&expires_in.to_le_bytes());
    bytes.extend(text);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(expires_in: Option<u64>) -> Token {
        let credentials = super::super::tests::credentials(1_000);
        Token { expires_in, ..credentials.token.expect("it has one") }
    }

    #[test]
    fn layout_round_trips_and_anything_else_is_a_miss() {
        let bytes = to_bytes(&token(Some(60)), 60);
        let cached = CachedToken::from_bytes(&bytes).expect("its own layout");
        assert_eq!(cached.lifetime, Lifetime { issued_at: 1_000, expires_in: Some(60) });
        assert_eq!(cached.access_token, token(None).access_token);
        for invalid in [
            &b""[..],
            b"1up\x01",
            &bytes[..HEADER_LEN],
            b"1up\x02aaaaaaaabbbbbbbbtoken",
            &[&bytes[..], b"\xff"].concat(),
        ] {
            assert_eq!(CachedToken::from_bytes(invalid), None);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn kernel_removes_the_token_at_its_expiry() {
        if super::super::keyutils::Keyutils::probe().is_err() {
            return super::super::tests::skip("a kernel keyring");
        }
        let id = format!("test-{}", std::process::id());
        assert_eq!(get(&id), None);
        put(&id, &token(Some(7_200)), 1_000);
        assert_eq!(get(&id).expect("cached").lifetime.expires_in, Some(7_200));
        put(&id, &token(Some(u64::MAX)), 1_000);
        assert_eq!(get(&id).expect("no timeout overflows").lifetime.expires_in, Some(u64::MAX));
        put(&id, &token(Some(60)), 1_057);
        assert!(get(&id).is_some(), "three seconds remain");
        std::thread::sleep(std::time::Duration::from_millis(3_100));
        assert_eq!(get(&id), None, "an update replaces the timeout");
        put(&id, &token(Some(60)), 1_000);
        forget(&id);
        assert_eq!(get(&id), None);
        put(&id, &token(Some(60)), 1_000);
        put(&id, &token(None), 1_000);
        assert_eq!(get(&id), None, "a token without expiry replaces the old one, and is not cached");
    }
}
