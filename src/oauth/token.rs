//! A token as it is stored: the response's members and the time when it arrived.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::secret::Secret;
use crate::error::{Error, Result};

/// The longest default expiry leeway, in seconds.
const MAX_REFRESH_LEEWAY: u64 = 60;

/// How far the clock may be set back before a token counts as issued in the future, in seconds.
const CLOCK_LEEWAY: u64 = 60;

/// How long a token of unknown lifetime is used before it is replaced, in seconds, where that needs no user.
const ASSUMED_LIFETIME: u64 = 300;

/// A token response (RFC 6749 §5.1) and the time when it arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// What is sent as `Authorization: Bearer`.
    pub access_token: Secret,
    /// The granted scope; the requested one when the response has none (§5.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What gets the next access token without a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Secret>,
    /// When the refresh token was issued, in seconds since the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_issued_at: Option<i64>,
    /// Seconds from `refresh_issued_at` (Keycloak's `refresh_expires_in`): 0 for no limit, `None` when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_expires_in: Option<u64>,
    /// From the time when the response arrived, by this machine's clock.
    #[serde(flatten)]
    pub lifetime: Lifetime,
    /// The SMART launch context (App Launch 2.2): `patient`, `encounter`, `fhirUser`, `need_patient_banner`, …
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub launch_context: Map<String, Value>,
}

impl Token {
    /// Returns a token without scope, refresh token and launch context.
    pub fn new(access_token: Secret, lifetime: Lifetime) -> Self {
        Self {
            access_token,
            scope: None,
            refresh_token: None,
            refresh_issued_at: None,
            refresh_expires_in: None,
            lifetime,
            launch_context: Map::new(),
        }
    }

    /// Checks a token that has just been issued.
    ///
    /// # Errors
    /// Protocol if it has already expired (`expires_in: 0`).
    pub fn require_unexpired(&self) -> Result<()> {
        if self.lifetime.expires_in == Some(0) {
            return Err(Error::protocol(
                "the server issued a token that has already expired (expires_in: 0)",
            )
            .with_hint("check the token lifetime of the client at the server"));
        }
        Ok(())
    }

    /// Returns this response to a refresh, with the previous refresh token, scope and launch context where it has none
    /// (RFC 6749 §6), and with the previous lifetime if its own is unknown.
    #[must_use]
    pub fn carrying_over(mut self, previous: &Token) -> Token {
        if self.refresh_token.is_none() {
            self.refresh_token.clone_from(&previous.refresh_token);
            self.refresh_issued_at = previous.refresh_issued_at;
            self.refresh_expires_in = previous.refresh_expires_in;
        }
        if self.scope.is_none() {
            self.scope.clone_from(&previous.scope);
        }
        self.lifetime.expires_in = self.lifetime.expires_in.or(previous.lifetime.expires_in);
        for (name, value) in &previous.launch_context {
            self.launch_context.entry(name.clone()).or_insert_with(|| value.clone());
        }
        self
    }
}

/// When a token was issued and for how long: all that its expiry depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lifetime {
    /// Seconds since the epoch.
    pub issued_at: i64,
    /// Seconds; `None` when unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
}

impl Lifetime {
    /// When the token expires, in seconds since the epoch; `None` when unknown.
    pub fn expires_at(self) -> Option<i64> {
        self.expires_in.map(|expires_in| self.issued_at.saturating_add_unsigned(expires_in))
    }

    /// The remaining seconds: 0 when expired, `None` when unknown.
    pub fn remaining(self, now: i64) -> Option<u64> {
        self.expires_at().map(|at| u64::try_from(at.saturating_sub(now)).unwrap_or(0))
    }

    /// Returns whether more than the expiry leeway is left: `min_ttl` seconds, else the smaller of 60 s and 10 % of
    /// the lifetime. An unknown lifetime is assumed to be 300 s, so that it does not cause a token request per call. A
    /// token issued in the future is not fresh, or a clock that was set back far would extend its life.
    pub fn is_fresh(self, now: i64, min_ttl: Option<u64>) -> bool {
        let expires_in = self.expires_in.unwrap_or(ASSUMED_LIFETIME);
        let leeway = min_ttl.unwrap_or(MAX_REFRESH_LEEWAY.min(expires_in / 10));
        let remaining = i128::from(self.issued_at) + i128::from(expires_in) - i128::from(now);
        remaining > i128::from(leeway) && remaining < i128::from(expires_in) + i128::from(CLOCK_LEEWAY)
    }

    /// Returns whether the token may be used when nothing can replace it without a user: fresh, or of unknown lifetime.
    pub fn may_be_used(self, now: i64) -> bool {
        self.expires_in.is_none() || self.is_fresh(now, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(expires_in: Option<u64>) -> Token {
        Token::new(Secret::new("t"), Lifetime { issued_at: 1_000, expires_in })
    }

    #[test]
    fn fresh_means_more_than_the_leeway_left() {
        for (expires_in, now, min_ttl, fresh) in [
            (Some(60), 1_000, None, true),
            (Some(60), 1_053, None, true),
            (Some(60), 1_054, None, false),
            (Some(7200), 8_139, None, true),
            (Some(7200), 8_140, None, false),
            (Some(7200), 1_000, Some(7199), true),
            (Some(7200), 1_000, Some(7200), false),
            (Some(60), 1_059, Some(0), true),
            (Some(60), 1_060, Some(0), false),
            (Some(0), 1_000, Some(0), false),
            (None, 1_000, Some(0), true),
            (None, 1_299, Some(0), true),
            (None, 1_300, Some(0), false),
            (None, 1_000, Some(300), false),
            (Some(60), 999, None, true),
            (Some(60), 941, None, true),
            (Some(60), 940, None, false),
            (Some(u64::MAX), 1_000, None, true),
        ] {
            assert_eq!(
                token(expires_in).lifetime.is_fresh(now, min_ttl),
                fresh,
                "{expires_in:?} at {now}, {min_ttl:?}"
            );
        }
    }

    #[test]
    fn a_refresh_carries_over_what_the_response_omits() {
        let mut old = token(Some(60));
        old.refresh_token = Some(Secret::new("old"));
        old.launch_context.insert("patient".into(), "p1".into());
        let kept = token(Some(60)).carrying_over(&old);
        assert_eq!(kept.refresh_token, Some(Secret::new("old")));
        assert_eq!(kept.launch_context["patient"], "p1");
        let mut rotated = token(Some(60));
        rotated.refresh_token = Some(Secret::new("new"));
        assert_eq!(rotated.carrying_over(&old).refresh_token, Some(Secret::new("new")));
    }

    #[test]
    fn unknown_lifetime_is_taken_from_the_previous_token() {
        assert_eq!(token(None).carrying_over(&token(Some(60))).lifetime.expires_in, Some(60));
        assert_eq!(token(Some(30)).carrying_over(&token(Some(60))).lifetime.expires_in, Some(30));
        assert_eq!(token(None).carrying_over(&token(None)).lifetime.expires_in, None);
        assert!(token(None).lifetime.may_be_used(i64::MAX) && !token(Some(60)).lifetime.may_be_used(2_000));
    }
}
