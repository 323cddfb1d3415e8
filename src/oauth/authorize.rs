//! The authorization request (RFC 6749 §4.1.1) with PKCE (RFC 7636), and the check of the response to it.

use aws_lc_rs::{constant_time, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use url::{Url, form_urlencoded};

pub use super::authorization_response::AuthorizationResponse;
use super::authorization_response::{NO_CODE, Params};
use super::endpoint_url::require_safe;
use super::pasted;
use super::secret::Secret;
use crate::error::{Error, Result};

/// An authorization request.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    /// The authorization endpoint; its query is kept (RFC 6749 §3.1).
    pub authorize_url: String,
    /// The client ID.
    pub client_id: String,
    /// The redirect URI, byte for byte as registered.
    pub redirect_uri: String,
    /// Space-separated; not sent when empty.
    pub scope: String,
    /// Unguessable and new for each request: see [`random_text`].
    pub state: String,
    /// The PKCE code verifier, or `None` without PKCE: see [`random_text`].
    pub verifier: Option<Secret>,
    /// The FHIR server that the token is for (SMART App Launch).
    pub aud: Option<String>,
    /// The expected issuer of the response, where known (RFC 9207).
    pub issuer: Option<String>,
}

/// Returns 32 random bytes as 43 unreserved characters: a state or a code verifier (RFC 7636 §4.1).
pub fn random_text(bytes: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Returns the S256 code challenge of a verifier (RFC 7636 §4.2).
pub fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.expose().as_bytes()))
}

impl AuthorizationRequest {
    /// Returns the URL to open in the browser.
    ///
    /// # Errors
    /// Usage: the endpoint is not an https URL (or http on loopback) or has a fragment; the redirect URI is not absolute
    /// or has a fragment (RFC 6749 §3.1, §3.1.2).
    pub fn url(&self) -> Result<Url> {
        let mut url = require_safe(&self.authorize_url)?;
        require_redirect_uri(&self.redirect_uri)?;
        let challenge = self.verifier.as_ref().map(challenge);
        let params = [
            ("response_type", "code"),
            ("client_id", &self.client_id),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &self.scope),
            ("state", &self.state),
            ("code_challenge", challenge.as_deref().unwrap_or("")),
            ("code_challenge_method", if challenge.is_some() { "S256" } else { "" }),
            ("aud", self.aud.as_deref().unwrap_or("")),
        ];
        let kept = url.query().unwrap_or("").split('&').filter(|piece| {
            let pair = form_urlencoded::parse(piece.as_bytes()).next();
            pair.is_some_and(|(name, _)| !params.iter().any(|(own, _)| *own == name))
        });
        let mut pieces: Vec<String> = kept.map(str::to_owned).collect();
        pieces.extend(params.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| {
            // A space as `%20`: some servers read `+` as a plus sign.
            let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            format!("{name}={}", value.replace('+', "%20"))
        }));
        url.set_query(Some(&pieces.join("&")));
        Ok(url)
    }

    /// Parses the query of a redirect (without its `?`). A response without this request's state is never taken for
    /// its response.
    pub fn parse_response(&self, query: &str) -> AuthorizationResponse {
        match Params::parse(query) {
            Ok(params) => self.check(params),
            Err(invalid) => invalid,
        }
    }

    /// Interprets what a user pasted: the redirect URL, on whatever host, or the code alone.
    pub fn interpret_paste(&self, text: &str) -> AuthorizationResponse {
        pasted::interpret(text, |query| self.parse_response(query))
    }

    fn check(&self, mut params: Params) -> AuthorizationResponse {
        if params.is_empty() {
            return NO_CODE;
        }
        let state = params.take("state").unwrap_or_default();
        if constant_time::verify_slices_are_equal(state.as_bytes(), self.state.as_bytes()).is_err() {
            return AuthorizationResponse::StateMismatch;
        }
        match (params.take("iss"), &self.issuer) {
            (Some(iss), Some(expected)) if iss != *expected => AuthorizationResponse::IssuerMismatch(iss),
            _ => params.into_response(),
        }
    }
}

/// Interprets a code from elsewhere (`--code`), alone or in its redirect URL; there is no state to compare.
pub fn interpret_pasted_code(text: &str) -> AuthorizationResponse {
    pasted::interpret(text, |query| {
        Params::parse(query).map_or_else(|invalid| invalid, Params::into_response)
    })
}

/// Checks a redirect URI.
///
/// # Errors
/// Usage: it is not absolute or has a fragment (RFC 6749 §3.1.2).
pub fn require_redirect_uri(text: &str) -> Result<()> {
    let problem = match Url::parse(text) {
        Err(cause) => cause.to_string(),
        Ok(url) if url.fragment().is_some() => "it must not have a fragment".to_owned(),
        Ok(_) => return Ok(()),
    };
    Err(Error::usage("invalid redirect URI")
        .with_detail(problem)
        .with_hint("pass it as registered, for example --redirect-uri http://localhost:8484/callback"))
}

#[cfg(test)]
mod tests;
