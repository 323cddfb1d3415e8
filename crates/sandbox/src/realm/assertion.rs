//! Client authentication with a signed JWT (`private_key_jwt`, RFC 7523), checked in Keycloak's order.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::rejection::{Rejection, bad, invalid_client};
use crate::client_keys::SignatureError;
use crate::clients::{self, RegisteredClient};
use crate::params::Params;
use crate::state::{AppState, now};

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far in the future `exp` may be, in seconds (SMART Backend Services).
const MAX_LIFETIME: i64 = 300;
/// Tolerated clock difference, in seconds.
const LEEWAY: i64 = 15;

/// An assertion, decoded but not verified.
struct Assertion<'a> {
    header: Value,
    claims: Value,
    signed: &'a str,
    signature: Vec<u8>,
}

/// Whether a request has, or tries to have, an assertion.
pub(super) fn is_present(params: &Params) -> bool {
    params.get("client_assertion").is_some() || params.get("client_assertion_type").is_some()
}

/// The client that the assertion authenticates.
pub(super) fn authenticate(
    state: &AppState,
    realm: &str,
    params: &Params,
) -> Result<&'static RegisteredClient, Rejection> {
    let kind = params
        .get("client_assertion_type")
        .ok_or_else(|| bad("invalid_client", "Parameter client_assertion_type is missing"))?;
    if kind != TYPE {
        let why = format!("Parameter client_assertion_type has value '{kind}' but expected is '{TYPE}'");
        return Err(bad("invalid_client", &why));
    }
    let text = params
        .get("client_assertion")
        .ok_or_else(|| bad("invalid_client", "client_assertion parameter missing"))?;
    let assertion =
        Assertion::decode(text).ok_or_else(|| bad("invalid_client", "Invalid client assertion"))?;
    let client = assertion.client(params)?;
    assertion.check_signature(state)?;
    assertion.check_audience(state, realm)?;
    assertion.check_time_and_reuse(state)?;
    Ok(client)
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

    fn client(&self, params: &Params) -> Result<&'static RegisteredClient, Rejection> {
        let subject = self.claims["sub"].as_str();
        let subject = subject.ok_or_else(|| bad("invalid_client", "Token sub claim is required"))?;
        if params.get("client_id").is_some_and(|id| id != subject) {
            return Err(bad("invalid_client", "client_id parameter does not match sub claim"));
        }
        if self.claims["iss"] != subject {
            return Err(invalid_client());
        }
        let client = clients::find(subject).filter(|client| client.enabled && client.assertion_only);
        client.ok_or_else(invalid_client)
    }

    fn check_signature(&self, state: &AppState) -> Result<(), Rejection> {
        let invalid = |why| bad("invalid_client", why);
        let algorithm = self.header["alg"].as_str().filter(|name| ["RS384", "ES384"].contains(name));
        let algorithm = algorithm.ok_or_else(|| invalid("Invalid signature algorithm"))?;
        if self.header.get("crit").is_some() {
            return Err(invalid("Invalid client assertion"));
        }
        let kid = self.header["kid"].as_str().unwrap_or_default();
        state.client_keys.verify(kid, algorithm, self.signed.as_bytes(), &self.signature).map_err(|error| {
            match error {
                SignatureError::UnknownKey => invalid("Unable to load public key"),
                SignatureError::WrongAlgorithm => invalid("Invalid signature algorithm"),
                SignatureError::Invalid => invalid("Invalid token signature"),
            }
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

    fn check_time_and_reuse(&self, state: &AppState) -> Result<(), Rejection> {
        let invalid = |why| Err(bad("invalid_client", why));
        let now = now();
        let time = |name: &str| self.claims[name].as_i64();
        let Some(expires_at) = time("exp") else { return invalid("Token exp claim is required") };
        if expires_at + LEEWAY <= now || time("nbf").is_some_and(|nbf| nbf - LEEWAY > now) {
            return invalid("Token is not active");
        }
        if expires_at - LEEWAY > now + MAX_LIFETIME {
            return invalid("Token expiration is too far in the future");
        }
        if time("iat").is_some_and(|iat| iat - LEEWAY > now) {
            return invalid("Token was issued in the future");
        }
        let Some(id) = self.claims["jti"].as_str() else { return invalid("Token jti claim is required") };
        if !state.grants().use_assertion(id, expires_at + LEEWAY, now) {
            return invalid("Token reuse detected");
        }
        Ok(())
    }
}
