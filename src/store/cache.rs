//! The live access token in the kernel's memory, so that the hot path of `token show` needs neither D-Bus nor a file.
//!
//! The access token alone: no client secret, no refresh token. The kernel forgets it at its expiry and at reboot.
//! Every failure is a miss, silently: without the cache nothing is lost but speed. Linux only; a miss elsewhere.

use zeroize::Zeroizing;

use super::keyutils::kernel;
use crate::oauth::secret::Secret;
use crate::oauth::token::Token;

/// Begins every entry; its last byte is the version of the layout.
const MAGIC: [u8; 4] = *b"1up\x01";

/// Magic, `obtained_at`, `lifetime`: both little-endian. The token's bytes follow.
const HEADER: usize = 4 + 8 + 8;

/// What is known of a cached token without the store.
#[derive(Debug, Clone, PartialEq)]
pub struct Cached {
    /// What is sent as `Authorization: Bearer`.
    pub access_token: Secret,
    /// As [`Token::obtained_at`].
    pub obtained_at: i64,
    /// As [`Token::lifetime`], which a cached token always has.
    pub lifetime: u64,
}

impl Cached {
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (magic, rest) = bytes.split_first_chunk()?;
        let (obtained_at, rest) = rest.split_first_chunk()?;
        let (lifetime, token) = rest.split_first_chunk()?;
        let token = std::str::from_utf8(token).ok().filter(|token| !token.is_empty())?;
        (*magic == MAGIC).then(|| Self {
            access_token: Secret::new(token),
            obtained_at: i64::from_le_bytes(*obtained_at),
            lifetime: u64::from_le_bytes(*lifetime),
        })
    }
}

/// The cached access token of the profile with this id, live or not.
pub fn get(id: &str) -> Option<Cached> {
    Cached::from_bytes(&kernel::read(&name(id)).ok()??)
}

/// Keeps the access token until it expires; one without a known expiry, or without life left, is not kept.
pub fn put(id: &str, token: &Token, now: i64) {
    let left = token.remaining(now).and_then(|left| u32::try_from(left.min(u64::from(u32::MAX / 2))).ok());
    let kept = match (left, token.lifetime) {
        (Some(left @ 1..), Some(lifetime)) => {
            kernel::write(&name(id), &to_bytes(token, lifetime), Some(left)).is_ok()
        }
        _ => false,
    };
    if !kept {
        // Whatever is there is older than this token.
        forget(id);
    }
}

/// Forgets the token.
pub fn forget(id: &str) {
    let _ = kernel::remove(&name(id));
}

fn name(id: &str) -> String {
    format!("oneup:token:{id}")
}

fn to_bytes(token: &Token, lifetime: u64) -> Zeroizing<Vec<u8>> {
    let text = token.access_token.expose().as_bytes();
    // The whole capacity at once: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER + text.len()));
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&token.obtained_at.to_le_bytes());
    bytes.extend_from_slice(&lifetime.to_le_bytes());
    bytes.extend_from_slice(text);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(lifetime: Option<u64>) -> Token {
        let item = super::super::tests::item(1_000);
        Token { lifetime, ..item.token.expect("it has one") }
    }

    #[test]
    fn the_layout_comes_back_and_anything_else_is_a_miss() {
        let bytes = to_bytes(&token(Some(60)), 60);
        let cached = Cached::from_bytes(&bytes).expect("its own layout");
        assert_eq!((cached.obtained_at, cached.lifetime), (1_000, 60));
        assert_eq!(cached.access_token, token(None).access_token);
        for broken in [
            &b""[..],
            b"1up\x01",
            &bytes[..HEADER],
            b"1up\x02aaaaaaaabbbbbbbbtoken",
            &[&bytes[..], b"\xff"].concat(),
        ] {
            assert_eq!(Cached::from_bytes(broken), None);
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_kernel_forgets_it_at_expiry() {
        if !super::super::keyutils::Keyutils::works() {
            return super::super::tests::missing("a kernel keyring");
        }
        let id = format!("test-{}", std::process::id());
        assert_eq!(get(&id), None);
        put(&id, &token(Some(7_200)), 1_000);
        assert_eq!(get(&id).expect("it is cached").lifetime, 7_200);
        put(&id, &token(Some(u64::MAX)), 1_000);
        assert_eq!(get(&id).expect("no timeout overflows").lifetime, u64::MAX);
        put(&id, &token(Some(60)), 1_057);
        assert!(get(&id).is_some(), "three seconds left");
        std::thread::sleep(std::time::Duration::from_millis(3_100));
        assert_eq!(get(&id), None, "the timeout of the update is the one that counts");
        put(&id, &token(Some(60)), 1_000);
        forget(&id);
        assert_eq!(get(&id), None);
        put(&id, &token(Some(60)), 1_000);
        put(&id, &token(None), 1_000);
        assert_eq!(get(&id), None, "a token without expiry replaces the old one, and is not kept");
    }
}
