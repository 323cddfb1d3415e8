//! A token as it is kept: what it is, since when, for how long. Made from an answer and the time, nowhere else.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::secret::Secret;

/// The longest margin: a token with less than this left is not handed out.
const LONGEST_MARGIN: u64 = 60;

/// A token set of RFC 6749 §5.1, and the time when it was issued.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// What is sent as `Authorization: Bearer`.
    pub access_token: Secret,
    /// The granted scope; as asked when the answer was silent (§5.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What renews it without a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<Secret>,
    /// When the answer came, by this machine's clock; seconds since the epoch.
    pub obtained_at: i64,
    /// `expires_in`: seconds from `obtained_at`; none when the server didn't say, and then it is not reused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<u64>,
    /// The SMART launch context (App Launch 2.2): `patient`, `encounter`, `fhirUser`, `need_patient_banner`, …
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub context: Map<String, Value>,
}

impl Token {
    /// Since when, and for how long.
    pub fn life(&self) -> Lifetime {
        Lifetime { since: self.obtained_at, lifetime: self.lifetime }
    }

    /// When it expires, in seconds since the epoch, where the server said.
    pub fn expires_at(&self) -> Option<i64> {
        self.life().end()
    }

    /// Seconds of life left; none when unknown, 0 when expired.
    pub fn remaining(&self, now: i64) -> Option<u64> {
        self.life().left(now)
    }

    /// Whether it has more than the margin left. `min_ttl` (seconds) replaces the margin.
    pub fn is_fresh(&self, now: i64, min_ttl: Option<u64>) -> bool {
        self.life().is_fresh(now, min_ttl)
    }

    /// This answer to a refresh, with the old refresh token and launch context where it brings none (RFC 6749 §6).
    #[must_use]
    pub fn carrying_over(mut self, old: &Token) -> Token {
        self.refresh_token = self.refresh_token.or_else(|| old.refresh_token.clone());
        if self.scope.is_none() {
            self.scope.clone_from(&old.scope);
        }
        for (name, value) in &old.context {
            self.context.entry(name.clone()).or_insert_with(|| value.clone());
        }
        self
    }
}

/// When a token was issued, and for how long it lives: all that its expiry takes, secrets or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// Seconds since the epoch.
    pub since: i64,
    /// Seconds; none when unknown.
    pub lifetime: Option<u64>,
}

impl Lifetime {
    /// When it ends, in seconds since the epoch, where that is known.
    pub fn end(self) -> Option<i64> {
        self.lifetime.map(|lifetime| self.since.saturating_add_unsigned(lifetime))
    }

    /// Seconds that are left; none when unknown, 0 when it is over.
    pub fn left(self, now: i64) -> Option<u64> {
        self.end().map(|end| u64::try_from(end.saturating_sub(now)).unwrap_or(0))
    }

    /// Whether more than the margin is left, and it doesn't begin in the future (a clock that was set back would
    /// otherwise make a token immortal). `min_ttl` (seconds) replaces the margin.
    pub fn is_fresh(self, now: i64, min_ttl: Option<u64>) -> bool {
        let Some(lifetime) = self.lifetime else { return false };
        let margin = min_ttl.unwrap_or(LONGEST_MARGIN.min(lifetime / 10));
        let left = i128::from(self.since) + i128::from(lifetime) - i128::from(now);
        left > i128::from(margin) && left <= i128::from(lifetime)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(lifetime: Option<u64>) -> Token {
        Token {
            access_token: Secret::new("t"),
            scope: None,
            refresh_token: None,
            obtained_at: 1_000,
            lifetime,
            context: Map::new(),
        }
    }

    #[test]
    fn live_means_more_than_the_margin_left() {
        for (lifetime, now, min_ttl, live) in [
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
            (None, 1_000, Some(0), false),
            (Some(60), 999, None, false),
            (Some(u64::MAX), 1_000, None, true),
        ] {
            assert_eq!(token(lifetime).is_fresh(now, min_ttl), live, "{lifetime:?} at {now}, {min_ttl:?}");
        }
    }

    #[test]
    fn a_refresh_keeps_what_the_answer_omits() {
        let mut old = token(Some(60));
        old.refresh_token = Some(Secret::new("old"));
        old.context.insert("patient".into(), "p1".into());
        let kept = token(Some(60)).carrying_over(&old);
        assert_eq!(kept.refresh_token, Some(Secret::new("old")));
        assert_eq!(kept.context["patient"], "p1");
        let mut rotated = token(Some(60));
        rotated.refresh_token = Some(Secret::new("new"));
        assert_eq!(rotated.carrying_over(&old).refresh_token, Some(Secret::new("new")));
    }
}
