//! Faults on demand: `--fail KIND` for ever, `--fail KIND=N` N times, in the order given.

use std::sync::{Mutex, PoisonError};

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

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
    NoExpiresIn,
    Unauthorized,
}

const KINDS: [(&str, Fault); 10] = [
    ("invalid_client", Fault::InvalidClient),
    ("invalid_grant", Fault::InvalidGrant),
    ("invalid_scope", Fault::InvalidScope),
    ("429", Fault::TooManyRequests),
    ("503", Fault::Unavailable),
    ("html", Fault::Html),
    ("slow", Fault::Slow),
    ("reset", Fault::Reset),
    ("no-expires-in", Fault::NoExpiresIn),
    ("401", Fault::Unauthorized),
];

/// Where a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The token endpoints of the realm and of the plan.
    Token,
    /// The FHIR server.
    Fhir,
}

/// The script: each fault with how often it is still to happen (none: for ever).
#[derive(Debug, Default)]
pub(crate) struct Faults(Mutex<Vec<(Fault, Option<u32>)>>);

impl Faults {
    /// Reads `KIND` and `KIND=N`.
    ///
    /// # Errors
    /// [`Error::UnknownFault`], [`Error::InvalidFaultValue`].
    pub(crate) fn parse(script: &[String]) -> Result<Self> {
        script.iter().map(|text| parse(text)).collect::<Result<_>>().map(|list| Self(Mutex::new(list)))
    }

    /// The next fault that strikes here, if any; it is then used up by one.
    pub(crate) fn next(&self, target: Target) -> Option<Fault> {
        let mut script = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (fault, left) =
            script.iter_mut().find(|(fault, left)| fault.target() == target && *left != Some(0))?;
        if let Some(left) = left {
            *left -= 1;
        }
        Some(*fault)
    }
}

/// The names of all faults.
pub fn fault_names() -> impl Iterator<Item = &'static str> {
    KINDS.iter().map(|(name, _)| *name)
}

fn parse(text: &str) -> Result<(Fault, Option<u32>)> {
    let (kind, times) = text.split_once('=').map_or((text, None), |(kind, times)| (kind, Some(times)));
    let (_, fault) = KINDS
        .into_iter()
        .find(|(name, _)| *name == kind)
        .ok_or_else(|| Error::UnknownFault(kind.to_owned()))?;
    let times = times.map(str::parse).transpose();
    let times = times.map_err(|_| Error::InvalidFaultValue(kind.to_owned()))?;
    Ok((fault, times))
}

impl Fault {
    fn target(self) -> Target {
        if self == Self::Unauthorized { Target::Fhir } else { Target::Token }
    }

    /// The answer that takes the place of the real one; none where the real one is only spoilt.
    pub(crate) fn response(self) -> Option<Response> {
        let page = |title: &str| format!("<!doctype html><title>{title}</title><h1>{title}</h1>\n");
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
                let answer = response::plain_error(StatusCode::TOO_MANY_REQUESTS, "Too Many Requests");
                response::with(answer, header::RETRY_AFTER, "1")
            }
            Self::Unavailable => {
                let body = axum::response::Html(page("503 Service Temporarily Unavailable"));
                (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
            }
            Self::Html => axum::response::Html(page("Sign in")).into_response(),
            Self::Slow | Self::Reset | Self::NoExpiresIn | Self::Unauthorized => return None,
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
    fn faults_happen_in_order_as_often_as_asked_and_where_they_belong() {
        let faults = faults(&["503=2", "401=1", "html"]).expect("a script");
        let five = [(); 4].map(|()| faults.next(Target::Token));
        let (down, html) = (Some(Fault::Unavailable), Some(Fault::Html));
        assert_eq!(five, [down, down, html, html]);
        assert_eq!(faults.next(Target::Fhir), Some(Fault::Unauthorized));
        assert_eq!(faults.next(Target::Fhir), None);
    }

    #[test]
    fn rejects_unknown_faults() {
        for wrong in ["", "teapot", "503=", "503=x", "503=-1", "=2"] {
            assert!(faults(&[wrong]).is_err(), "{wrong}");
        }
    }
}
