//! The authorization response (RFC 6749 §4.1.2): the parameters that the browser brings back, parsed.

use std::collections::HashMap;

use url::form_urlencoded;

use super::secret::Secret;

/// The longest code that is accepted, in bytes; real ones have 10 to 2000.
const MAX_CODE_LEN: usize = 16 * 1024;

/// The parameters of a response. Others are ignored.
const PARAMETERS: [&str; 6] = ["code", "state", "iss", "error", "error_description", "error_uri"];

/// A parsed authorization response.
#[derive(Debug, PartialEq, Eq)]
pub enum AuthorizationResponse {
    /// The code.
    Code(Secret),
    /// An error response (RFC 6749 §4.1.2.1). Both texts are untrusted.
    Error {
        /// The error code, such as `access_denied`.
        error: String,
        /// `error_description`.
        description: Option<String>,
    },
    /// The right state from another issuer (RFC 9207 §2.4): a mix-up attack, of which nothing may be used.
    IssuerMismatch(String),
    /// The state is missing or another request's.
    StateMismatch,
    /// Not an authorization response; the reason is half a sentence without any untrusted text.
    Invalid(&'static str),
}

/// Without a code and without an error.
pub(super) const NO_CODE: AuthorizationResponse =
    AuthorizationResponse::Invalid("it has neither a code nor an error");

impl AuthorizationResponse {
    /// Returns the response for a code: one or more printable characters (RFC 6749 appendix A.11).
    pub(super) fn from_code(code: String) -> Self {
        if code.len() > MAX_CODE_LEN || !code.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
            return Self::Invalid("its code has invalid characters");
        }
        Self::Code(Secret::new(code))
    }

    /// How much a response explains: the larger, the more. A code or an error response ends the login.
    pub(super) fn specificity(&self) -> u8 {
        match self {
            Self::Code(_) | Self::Error { .. } => 4,
            Self::IssuerMismatch(_) => 3,
            Self::StateMismatch => 2,
            Self::Invalid(_) => u8::from(*self != NO_CODE),
        }
    }
}

/// The parameters of a response, by name.
pub(super) struct Params(HashMap<String, String>);

impl Params {
    /// Parses a query without its `?`.
    ///
    /// # Errors
    /// [`AuthorizationResponse::Invalid`] for a repeated parameter (RFC 6749 §3.1).
    pub(super) fn parse(query: &str) -> Result<Self, AuthorizationResponse> {
        let mut params = HashMap::new();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            if PARAMETERS.contains(&&*name) && params.insert(name.into_owned(), value.into_owned()).is_some()
            {
                return Err(AuthorizationResponse::Invalid("it repeats a parameter"));
            }
        }
        Ok(Self(params))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes a parameter. An empty one counts as absent (RFC 6749 §3.1).
    pub(super) fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).filter(|value| !value.is_empty())
    }

    /// Returns the error or the code, whatever the state and issuer are.
    pub(super) fn into_response(mut self) -> AuthorizationResponse {
        match (self.take("error"), self.take("code")) {
            (Some(error), _) => {
                AuthorizationResponse::Error { error, description: self.take("error_description") }
            }
            (None, Some(code)) => AuthorizationResponse::from_code(code),
            (None, None) => NO_CODE,
        }
    }
}
