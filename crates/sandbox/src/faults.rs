//! Faults on demand: `--fail KIND` forever, `--fail KIND=N` N times, in the order given.
//!
//! A *replacing* fault takes the place of a response, and the faults of one target happen one after the other. A
//! *modifier* changes a successful response; all modifiers of a target apply together.

use std::sync::{Mutex, PoisonError};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::grants::SESSION_LIFETIME;
use super::response;
use crate::error::{Error, Result};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    TooManyRequests,
    Unavailable,
    Html,
    Slow,
    Reset,
    /// The firewall's response to clients outside the United States.
    Geo,
    /// A token that the FHIR server rejects.
    Unauthorized,
    NoExpiresIn,
    NoRefreshToken,
    /// `"error": null` beside a token.
    ErrorNull,
    /// An ID token with another nonce than that of the request.
    WrongNonce,
    /// `Content-Encoding: gzip`, whether the client accepts it or not.
    Gzip,
    /// The manifest in response to the kick-off.
    Manifest200,
    JobFailed,
    JobGone,
    /// A manifest whose files are at a file store of another origin and need no token.
    FileStore,
    /// A manifest that counts one resource too many in each file.
    WrongCount,
    /// A file whose connection closes in the middle.
    CutFile,
    /// A complete response with only the first half of a file.
    ShortFile,
    /// A redirect from a file to a file store of another origin.
    RedirectFile,
    /// A file server without `Range`.
    NoRange,
}

/// The requests that a fault affects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The token endpoints of the realms and of the plan.
    Token,
    /// The FHIR server, exports included.
    Fhir,
    /// Both.
    All,
    /// The kick-off of an export.
    KickOff,
    /// The status of an export job.
    Job,
    /// The nonce of an ID token.
    Nonce,
    /// The manifest of an export.
    Manifest,
    /// The counts in it.
    Count,
    /// A file of an export, or a redirect in place of it.
    File,
    FileRedirect,
}

#[rustfmt::skip]
const KINDS: [(&str, Fault, Target); 28] = [
    ("invalid_client", Fault::InvalidClient, Target::Token),
    ("invalid_grant", Fault::InvalidGrant, Target::Token),
    ("invalid_scope", Fault::InvalidScope, Target::Token),
    ("429", Fault::TooManyRequests, Target::Token),
    ("503", Fault::Unavailable, Target::Token),
    ("html", Fault::Html, Target::Token),
    ("slow", Fault::Slow, Target::Token),
    ("reset", Fault::Reset, Target::Token),
    ("no-expires-in", Fault::NoExpiresIn, Target::Token),
    ("no-refresh-token", Fault::NoRefreshToken, Target::Token),
    ("error-null", Fault::ErrorNull, Target::Token),
    ("wrong-nonce", Fault::WrongNonce, Target::Nonce),
    ("geo-403", Fault::Geo, Target::All),
    ("gzip", Fault::Gzip, Target::All),
    ("401", Fault::Unauthorized, Target::Fhir),
    ("fhir-429", Fault::TooManyRequests, Target::Fhir),
    ("fhir-503", Fault::Unavailable, Target::Fhir),
    ("fhir-slow", Fault::Slow, Target::Fhir),
    ("fhir-reset", Fault::Reset, Target::Fhir),
    ("manifest-200", Fault::Manifest200, Target::KickOff),
    ("job-failed", Fault::JobFailed, Target::Job),
    ("job-gone", Fault::JobGone, Target::Job),
    ("file-store", Fault::FileStore, Target::Manifest),
    ("wrong-count", Fault::WrongCount, Target::Count),
    ("cut-file", Fault::CutFile, Target::File),
    ("short-file", Fault::ShortFile, Target::File),
    ("redirect-file", Fault::RedirectFile, Target::FileRedirect),
    ("no-range", Fault::NoRange, Target::File),
];

/// Faults whose number is a setting instead of how often they happen.
const MAX_TOKEN_USES: &str = "401-after";
const REFRESH_LIFETIME: &str = "refresh-lifetime";

/// A fault of the script, and how often it is still to happen; `None`: forever.
#[derive(Debug)]
struct Scripted {
    fault: Fault,
    target: Target,
    remaining: Option<u32>,
}

/// The script of faults.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    script: Mutex<Vec<Scripted>>,
    max_token_uses: Option<u32>,
    refresh_lifetime: Option<u32>,
}

impl Faults {
    /// Parses `KIND` and `KIND=N`.
    ///
    /// # Errors
    /// [`Error::UnknownFault`], [`Error::InvalidFaultValue`].
    pub(crate) fn parse(script: &[String]) -> Result<Self> {
        let mut faults = Self::default();
        let mut scripted = Vec::new();
        for text in script {
            let (kind, value) =
                text.split_once('=').map_or((text.as_str(), None), |(kind, n)| (kind, Some(n)));
            let invalid = || Error::InvalidFaultValue(kind.to_owned());
            let number = value.map(str::parse::<u32>).transpose().map_err(|_| invalid())?;
            match kind {
                MAX_TOKEN_USES => faults.max_token_uses = Some(number.ok_or_else(invalid)?),
                REFRESH_LIFETIME => faults.refresh_lifetime = Some(number.ok_or_else(invalid)?),
                _ => {
                    let known = KINDS.into_iter().find(|(name, ..)| *name == kind);
                    let (_, fault, target) = known.ok_or_else(|| Error::UnknownFault(kind.to_owned()))?;
                    scripted.push(Scripted { fault, target, remaining: number });
                }
            }
        }
        faults.script = Mutex::new(scripted);
        Ok(faults)
    }

    /// The next replacing fault of a target, if any; this counts as one of its times.
    pub(crate) fn next(&self, target: Target) -> Option<Fault> {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        script.iter_mut().filter(|entry| !entry.fault.is_modifier()).find_map(|entry| entry.take(target))
    }

    /// The modifiers of a target; this counts as one of their times.
    pub(crate) fn modifiers(&self, target: Target) -> Vec<Fault> {
        let mut script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        script
            .iter_mut()
            .filter(|entry| entry.fault.is_modifier())
            .filter_map(|entry| entry.take(target))
            .collect()
    }

    /// How many FHIR requests an access token is good for; `None`: any number.
    pub(crate) fn max_token_uses(&self) -> Option<u32> {
        self.max_token_uses
    }

    /// How long a refresh token is valid, in seconds.
    pub(crate) fn refresh_lifetime(&self) -> i64 {
        self.refresh_lifetime.map_or(SESSION_LIFETIME, i64::from)
    }
}

impl Scripted {
    fn take(&mut self, target: Target) -> Option<Fault> {
        let both = self.target == Target::All && matches!(target, Target::Token | Target::Fhir);
        if self.remaining == Some(0) || !(both || self.target == target) {
            return None;
        }
        self.remaining = self.remaining.map(|times| times - 1);
        Some(self.fault)
    }
}

/// The names of all faults.
pub fn fault_names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, ..)| *name).chain([MAX_TOKEN_USES, REFRESH_LIFETIME])
}

impl Fault {
    fn is_modifier(self) -> bool {
        matches!(self, Self::NoExpiresIn | Self::NoRefreshToken | Self::ErrorNull | Self::Gzip)
    }

    /// The response that replaces the real one; `None` for faults that are handled elsewhere.
    pub(crate) fn response(self) -> Option<Response> {
        let page = |title: &str| format!("<!doctype html><title>{title}</title><h1>{title}</h1>\n");
        let html = |status, title| (status, axum::response::Html(page(title))).into_response();
        let bad = StatusCode::BAD_REQUEST;
        Some(match self {
            Self::InvalidClient => response::oauth_error(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "Invalid client or Invalid client credentials",
            ),
            Self::InvalidGrant => response::oauth_error(bad, "invalid_grant", "Session not active"),
            Self::InvalidScope => response::oauth_error(bad, "invalid_scope", "Invalid scopes: (scripted)"),
            Self::TooManyRequests => {
                let rejection = response::bare_error(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
                response::with_header(rejection, header::RETRY_AFTER, "1")
            }
            Self::Unavailable => html(StatusCode::SERVICE_UNAVAILABLE, "503 Service Temporarily Unavailable"),
            Self::Html => html(StatusCode::OK, "Sign in"),
            Self::Geo => html(StatusCode::FORBIDDEN, "403 Forbidden"),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(script: &[&str]) -> Result<Faults> {
        Faults::parse(&script.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn replacing_faults_happen_in_order_and_only_at_their_target() {
        let faults = faults(&["503=2", "401=1", "html"]).expect("a script");
        let four = [(); 4].map(|()| faults.next(Target::Token));
        let (down, html) = (Some(Fault::Unavailable), Some(Fault::Html));
        assert_eq!(four, [down, down, html, html]);
        assert_eq!(faults.next(Target::Fhir), Some(Fault::Unauthorized));
        assert_eq!(faults.next(Target::Fhir), None);
    }

    #[test]
    fn modifiers_apply_together() {
        let faults = faults(&["no-expires-in=1", "error-null", "503", "gzip"]).expect("a script");
        assert_eq!(faults.modifiers(Target::Token), [Fault::NoExpiresIn, Fault::ErrorNull, Fault::Gzip]);
        assert_eq!(faults.modifiers(Target::Token), [Fault::ErrorNull, Fault::Gzip]);
        assert_eq!(faults.modifiers(Target::Fhir), [Fault::Gzip]);
    }

    #[test]
    fn settings_take_their_number() {
        let faults = faults(&["401-after=3", "refresh-lifetime=60"]).expect("a script");
        assert_eq!((faults.max_token_uses(), faults.refresh_lifetime()), (Some(3), 60));
    }

    #[test]
    fn rejects_unknown_faults_and_values() {
        for wrong in ["", "teapot", "503=", "503=x", "503=-1", "=2", "401-after", "refresh-lifetime"] {
            assert!(faults(&[wrong]).is_err(), "{wrong}");
        }
    }
}
