//! The authorization request (RFC 6749 §4.1.1, with PKCE of RFC 7636), and the judgement of what came back.
//!
//! An answer reaches us as the query of a callback, or as an address that a person copied out of a browser and
//! that a terminal, a shell or a mail client may have mangled. The `state` decides both: nothing is taken for the
//! answer to this request unless it carries it.

use aws_lc_rs::{constant_time, digest};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use url::{Url, form_urlencoded};

use super::loopback::is_loopback;
use super::pasted;
use super::secret::Secret;
use crate::error::{Error, Result};

/// The longest code that is believed; real ones have 10 to 2000 characters.
const LONGEST_CODE: usize = 16 * 1024;
/// The parameters of an answer. Of these, none may stand twice (RFC 6749 §3.1); others are ignored.
const KNOWN: [&str; 6] = ["code", "state", "iss", "error", "error_description", "error_uri"];

/// One authorization request: what is asked, and what its answer must carry.
#[derive(Clone, Debug)]
pub struct Request {
    /// The authorization endpoint; a query that it has is kept (RFC 6749 §3.1).
    pub authorize_url: String,
    /// The client id.
    pub client_id: String,
    /// Byte for byte as it is registered.
    pub redirect_uri: String,
    /// Space-separated; empty means none is sent.
    pub scope: String,
    /// Unguessable, and new for each request: see [`random_text`].
    pub state: String,
    /// The PKCE code verifier, unless PKCE is left out: see [`random_text`].
    pub verifier: Option<Secret>,
    /// The FHIR server that the token is for (SMART App Launch).
    pub aud: Option<String>,
    /// Whose answer is expected, where that is known (RFC 9207).
    pub issuer: Option<String>,
}

/// What an answer turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Reply {
    /// The code: this request's own answer.
    Code(Secret),
    /// The server, or the person at it, said no (RFC 6749 §4.1.2.1). Both texts are the server's: escape them.
    Denied {
        /// The error code, such as `access_denied`.
        error: String,
        /// What the server adds for people.
        description: Option<String>,
    },
    /// The right state from another issuer (RFC 9207 §2.4): a mix-up, and nothing of it may be used.
    WrongIssuer(String),
    /// The state is missing or another request's.
    WrongState,
    /// No answer to any request; why not, as half a sentence without anything of its text.
    Unusable(&'static str),
}

/// 32 random bytes as 43 unreserved characters: a state, or a code verifier (RFC 7636 §4.1).
pub fn random_text(bytes: &[u8; 32]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The S256 code challenge of a verifier (RFC 7636 §4.2).
pub fn challenge(verifier: &Secret) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.expose().as_bytes()))
}

impl Request {
    /// The URL for the person's browser.
    ///
    /// # Errors
    /// Usage: an endpoint that is no https URL (http on loopback) or has a fragment, a redirect URI that is no
    /// absolute URI or has one (RFC 6749 §3.1, §3.1.2).
    pub fn url(&self) -> Result<Url> {
        let mut url = endpoint(&self.authorize_url)?;
        check_redirect_uri(&self.redirect_uri)?;
        let challenge = self.verifier.as_ref().map(challenge);
        let ours = [
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
            pair.is_some_and(|(name, _)| !ours.iter().any(|(own, _)| *own == name))
        });
        let mut pieces: Vec<String> = kept.map(str::to_owned).collect();
        pieces.extend(ours.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| {
            // A space as `%20`, since some servers take a `+` for a plus sign.
            let value: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
            format!("{name}={}", value.replace('+', "%20"))
        }));
        url.set_query(Some(&pieces.join("&")));
        Ok(url)
    }

    /// Judges the query of a callback (without its `?`).
    pub fn judge(&self, query: &str) -> Reply {
        match Parameters::read(query) {
            Ok(parameters) => self.judge_parameters(parameters),
            Err(reply) => reply,
        }
    }

    /// Judges what a person pasted: the address that the browser ended on, on whatever host and however mangled,
    /// or the code alone.
    pub fn judge_pasted(&self, text: &str) -> Reply {
        pasted::judge(text, |query| self.judge(query))
    }

    fn judge_parameters(&self, found: Parameters) -> Reply {
        let Parameters { code, state, iss, error, error_description, empty } = found;
        if empty {
            return Reply::Unusable("it carries neither a code nor an error");
        }
        let state = state.unwrap_or_default();
        if constant_time::verify_slices_are_equal(state.as_bytes(), self.state.as_bytes()).is_err() {
            return Reply::WrongState;
        }
        if let (Some(iss), Some(expected)) = (iss, &self.issuer)
            && iss != *expected
        {
            return Reply::WrongIssuer(iss);
        }
        match (error, code) {
            (Some(error), _) => Reply::Denied { error, description: error_description },
            (None, Some(code)) => code_reply(code),
            (None, None) => Reply::Unusable("it carries neither a code nor an error"),
        }
    }
}

/// A code obtained elsewhere (`--code`), alone or in the address that it came in; no state is known to compare.
pub fn judge_elsewhere(text: &str) -> Reply {
    pasted::judge(text, |query| match Parameters::read(query) {
        Ok(Parameters { error: Some(error), error_description: description, .. }) => {
            Reply::Denied { error, description }
        }
        Ok(Parameters { code: Some(code), .. }) => code_reply(code),
        Ok(_) => Reply::Unusable("it carries neither a code nor an error"),
        Err(reply) => reply,
    })
}

/// A code is one or more printable characters (RFC 6749 appendix A.11).
pub(super) fn code_reply(code: String) -> Reply {
    if code.len() > LONGEST_CODE || !code.bytes().all(|byte| matches!(byte, 0x20..=0x7e)) {
        return Reply::Unusable("its code has characters that no code has");
    }
    Reply::Code(Secret::new(code))
}

/// The parameters of an answer; an empty one counts as absent (RFC 6749 §3.1).
#[derive(Default)]
struct Parameters {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    empty: bool,
}

impl Parameters {
    fn read(query: &str) -> Result<Self, Reply> {
        let mut found = Self { empty: true, ..Self::default() };
        let mut seen = Vec::with_capacity(KNOWN.len());
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let Some(known) = KNOWN.iter().find(|known| **known == name) else { continue };
            if seen.contains(known) {
                return Err(Reply::Unusable("one of its parameters stands there twice"));
            }
            seen.push(known);
            found.empty = false;
            let value = Some(value.into_owned()).filter(|value| !value.is_empty());
            match *known {
                "code" => found.code = value,
                "state" => found.state = value,
                "iss" => found.iss = value,
                "error" => found.error = value,
                "error_description" => found.error_description = value,
                _ => {}
            }
        }
        Ok(found)
    }
}

fn endpoint(text: &str) -> Result<Url> {
    let url = Url::parse(text)
        .map_err(|cause| Error::usage("the authorization endpoint is no URL").with_cause(cause))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        _ => {
            return Err(Error::usage("the authorization endpoint must be https")
                .with_detail("plain http is for loopback only")
                .with_hint("give --authorize-url or --plan with https"));
        }
    }
    if url.fragment().is_some() {
        return Err(Error::usage("the authorization endpoint has a fragment, which none may have"));
    }
    Ok(url)
}

fn check_redirect_uri(text: &str) -> Result<()> {
    let problem = match Url::parse(text) {
        Err(cause) => cause.to_string(),
        Ok(url) if url.fragment().is_some() => "it has a fragment, which none may have".to_owned(),
        Ok(_) => return Ok(()),
    };
    Err(Error::usage("the redirect URI can't be used")
        .with_detail(problem)
        .with_hint("give --redirect-uri as it is registered, such as http://localhost:8484/callback"))
}

#[cfg(test)]
mod tests;
