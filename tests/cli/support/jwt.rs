//! JSON Web Tokens whose signature is invalid.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// A part of a JWT.
pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A JWT with this header and these claims, both JSON.
pub(crate) fn jwt(header: &str, claims: &str) -> String {
    format!("{}.{}.c2ln", base64url(header), base64url(claims))
}
