//! Client authentication with a signed JWT (`private_key_jwt`, RFC 7523), checked in Keycloak's order.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::rejection::{Rejection, bad};
use crate::client_keys::SignatureError;
use crate::clients::{self, RegisteredClient};
use crate::params::Params;
use crate::state::{AppState, now};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far in the future `exp` may be, in seconds (SMART Backend Services).
const MAX_LIFETIME: i64 = 300;
/// How long ago `iat` may be, in seconds, as in Keycloak.
const MAX_AGE: i64 = 60;
/// Tolerated clock difference, in seconds.
const LEEWAY: i64 = 15;

/// An assertion, decoded but not verified.
struct Assertion<'a> {
    header: Value,
    claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

/// The client that the assertion of a request authenticates; `None` if there is no assertion that names a client of this
/// kind: other methods are tried then, as in Keycloak.
pub(super) fn authenticate(
    state: &AppState,
    realm: &str,
    params: &Params,
) -> Option<Result<&'static RegisteredClient, Rejection>> {
    let assertion =
        params.get("client_assertion").filter(|_| params.get("client_assertion_type") == Some(TYPE));
    let assertion = Assertion::decode(assertion?)?;
    let client = assertion.client(params)?;
    let checked = assertion
        .check_signature(state)
        .and_then(|()| assertion.check_audience(state, realm))
        .and_then(|()| assertion.check_time(now()))
        .and_then(|expires_at| assertion.check_reuse(state, expires_at));
    Some(checked.map(|()| client))
}

impl<'a> Assertion<'a> {
    fn decode(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let json = |part: &str| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok();
        Some(Self {
            header: json(header)?,
            claims: json(claims)?,
            signed,
            signature: URL_SAFE_NO_PAD.decode(signature).ok()?,
        })
    }

    fn client(&self, params: &Params) -> Option<&'static RegisteredClient> {
        let subject = self.claims["sub"].as_str()?;
        let consistent =
            self.claims["iss"] == subject && params.get("client_id").is_none_or(|id| id == subject);
        clients::find(subject).filter(|client| consistent && client.enabled && client.assertion_only)
    }

    fn check_signature(&self, state: &AppState) -> Result<(), Rejection> {
        let invalid = |why| bad("invalid_client", why);
        let algorithm = self.header["alg"].as_str().filter(|name| ["RS384", "ES384"].contains(name));
        let algorithm = algorithm.ok_or_else(|| invalid("Invalid signature algorithm"))?;
        let failed = "Client authentication with signed JWT failed: Signature on JWT token failed validation";
        // Keycloak accepts `crit` and a missing `kid`; RFC 7515 §4.1.11 and SMART forbid them.
        if self.header.get("crit").is_some() {
            return Err(invalid(failed));
        }
        let kid = self.header["kid"].as_str().unwrap_or_default();
        let verified = state.client_keys.verify(kid, algorithm, self.signed.as_bytes(), &self.signature);
        verified.map_err(|error| match error {
            SignatureError::UnknownKey => invalid("Unable to load public key"),
            SignatureError::WrongAlgorithm | SignatureError::Invalid => invalid(failed),
        })
    }

    /// One audience: the issuer or the token endpoint.
    fn check_audience(&self, state: &AppState, realm: &str) -> Result<(), Rejection> {
        let issuer = state.issuer(realm);
        let token_url = format!("{issuer}/{}", super::paths::TOKEN);
        let audiences: Vec<&str> = match &self.claims["aud"] {
            Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
            other => other.as_str().into_iter().collect(),
        };
        if !audiences.iter().any(|audience| *audience == issuer || *audience == token_url) {
            return Err(bad("invalid_client", "Invalid token audience"));
        }
        if audiences.len() > 1 {
            return Err(bad("invalid_client", "Multiple audiences not allowed"));
        }
        Ok(())
    }

    /// Returns when the assertion expires.
    fn check_time(&self, now: i64) -> Result<i64, Rejection> {
        let invalid = |why| Err(bad("invalid_client", why));
        let time = |name: &str| self.claims[name].as_i64();
        let Some(expires_at) = time("exp") else { return invalid("Token exp claim is required") };
        if expires_at.saturating_add(LEEWAY) <= now || time("nbf").is_some_and(|nbf| nbf > now + LEEWAY) {
            return invalid("Token is not active");
        }
        match time("iat") {
            None if expires_at > now + MAX_AGE => {
                invalid("Token expiration is too far in the future and iat claim not present in token")
            }
            Some(iat) if iat > now + LEEWAY => invalid("Token was issued in the future"),
            Some(iat) if iat < now - MAX_AGE => {
                invalid("Token was issued too far in the past to be used now")
            }
            // Keycloak allows this.
            _ if expires_at > now + MAX_LIFETIME => invalid("Token expiration is too far in the future"),
            _ => Ok(expires_at),
        }
    }

    fn check_reuse(&self, state: &AppState, expires_at: i64) -> Result<(), Rejection> {
        let invalid = |why| Err(bad("invalid_client", why));
        let Some(id) = self.claims["jti"].as_str() else { return invalid("Token jti claim is required") };
        if !state.grants().use_assertion(id, expires_at.saturating_add(LEEWAY), now()) {
            return invalid("Token reuse detected");
        }
        Ok(())
    }
}
