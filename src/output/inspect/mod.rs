//! What `token inspect` found out, and whether the token holds; `text` and `json` show it.

mod also;
mod json;
mod text;

use serde_json::{Map, Value};

use crate::oauth::jwks::SignatureStatus;
use crate::oauth::jwt::{Date, Form, Jwt, Validity};
use crate::oauth::scope::{self, Difference};
use crate::oauth::token::{Lifetime, Token};
use crate::profile::Profile;

pub use json::json;
pub use text::text;

/// Where the token came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The profile's store.
    Profile,
    /// Standard input.
    Stdin,
    /// `ONEUP_TOKEN`.
    Environment,
}

/// What is known of a token besides its own bytes: from the store, or from the answer that it came in.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The granted scope.
    pub scope: Option<String>,
    /// When it was issued, in seconds since the epoch.
    pub issued_at: Option<i64>,
    /// How long it lives, in seconds.
    pub lifetime: Option<u64>,
    /// The SMART launch context.
    pub context: Map<String, Value>,
}

/// What came of `--verify`.
#[derive(Debug)]
pub enum Verification {
    /// The realm's keys were there to judge by.
    Judged {
        /// The judgement.
        verdict: SignatureStatus,
        /// Where the keys are from.
        jwks_uri: String,
    },
    /// There was nothing to judge by, or nothing to judge.
    NotVerified(String),
}

/// What came of `--introspect` (RFC 7662).
#[derive(Debug)]
pub enum Introspection {
    /// The realm answered.
    Answered {
        /// Whom we asked.
        endpoint: String,
        /// `active`.
        active: bool,
        /// The whole answer.
        answer: Map<String, Value>,
    },
    /// It was not asked, and why.
    NotAsked(String),
}

/// Everything that is shown. Holds no token.
#[derive(Debug)]
pub struct Report {
    /// Seconds since the epoch.
    pub now: i64,
    /// Where the token came from.
    pub origin: Origin,
    /// The profile that it is judged by.
    pub profile: Option<Profile>,
    /// The token, taken apart.
    pub form: Form,
    /// What else is known of it.
    pub known: Known,
    /// `--verify`.
    pub verification: Option<Verification>,
    /// `--introspect`.
    pub introspection: Option<Introspection>,
}

impl From<&Token> for Known {
    fn from(token: &Token) -> Self {
        Self {
            scope: token.scope.clone(),
            issued_at: Some(token.obtained_at),
            lifetime: token.lifetime,
            context: token.context.clone(),
        }
    }
}

impl Report {
    /// The claims and header, where the token is a JWT.
    pub fn jwt(&self) -> Option<&Jwt> {
        match &self.form {
            Form::Jwt(jwt) => Some(jwt),
            _ => None,
        }
    }

    /// Whether it is within its time: by its own dates, or by what the store knows.
    pub fn standing(&self) -> Validity {
        match (self.jwt(), self.expires_at()) {
            (Some(jwt), _) => jwt.standing(self.now),
            (None, Some(at)) if at <= self.now => Validity::Expired,
            (None, Some(_)) => Validity::Good,
            (None, None) => Validity::Unknown,
        }
    }

    /// Whether the exit code is 7: expired, not yet valid, not verified though asked to, or inactive for certain.
    pub fn fails(&self) -> bool {
        let verified = match &self.verification {
            None => true,
            Some(Verification::Judged { verdict, .. }) => matches!(verdict, SignatureStatus::Verified { .. }),
            Some(Verification::NotVerified(_)) => false,
        };
        let in_time = matches!(self.standing(), Validity::Good | Validity::Unknown);
        !verified || !in_time || (self.is_inactive() && !self.may_hide_activity())
    }

    /// The same for programs: none where nobody can say.
    fn holds(&self) -> Option<bool> {
        let active = matches!(&self.introspection, Some(Introspection::Answered { active: true, .. }));
        match (self.fails(), self.standing()) {
            (true, _) => Some(false),
            (false, Validity::Good) => Some(true),
            (false, _) => active.then_some(true),
        }
    }

    fn is_inactive(&self) -> bool {
        matches!(&self.introspection, Some(Introspection::Answered { active: false, .. }))
    }

    /// Keycloak answers `active: false` for a good token whose audience lacks the client that asks.
    fn may_hide_activity(&self) -> bool {
        let client = self.profile.as_ref().map(|profile| profile.client_id.as_str());
        match (self.jwt(), client) {
            (Some(jwt), Some(client)) => !jwt.texts("aud").contains(&client),
            _ => false,
        }
    }

    fn issued_at(&self) -> Option<i64> {
        self.date("iat").or(self.known.issued_at)
    }

    fn expires_at(&self) -> Option<i64> {
        match self.jwt() {
            Some(_) => self.date("exp"),
            None => {
                let lifetime = self.known.lifetime;
                let kept = self.known.issued_at.and_then(|since| Lifetime { since, lifetime }.end());
                kept.or_else(|| self.realm_said("exp").and_then(Value::as_i64))
            }
        }
    }

    fn lifetime(&self) -> Option<u64> {
        match (self.date("iat"), self.date("exp")) {
            (Some(iat), Some(exp)) => u64::try_from(exp.saturating_sub(iat)).ok(),
            _ => self.known.lifetime,
        }
    }

    fn date(&self, claim: &str) -> Option<i64> {
        match self.jwt()?.date(claim) {
            Date::At(at) => Some(at),
            Date::Absent | Date::Malformed => None,
        }
    }

    /// What the token itself says was granted, else what came with it, else what the realm says.
    fn granted(&self) -> Option<String> {
        let told = || self.realm_said("scope").and_then(Value::as_str).map(str::to_owned);
        self.jwt().and_then(Jwt::scope).or_else(|| self.known.scope.clone()).or_else(told)
    }

    /// The first of these claims that is a text; of a token that can't be read, what the realm says of it (RFC 7662
    /// §2.2).
    fn says(&self, claims: &[&str]) -> Option<&str> {
        claims.iter().find_map(|claim| match self.jwt() {
            Some(jwt) => jwt.text(claim),
            None => self.realm_said(claim).and_then(Value::as_str),
        })
    }

    /// The client that it was issued to; a profile's own token was issued to the profile's.
    fn client(&self) -> Option<&str> {
        let own = self.profile.as_ref().filter(|_| self.origin == Origin::Profile);
        self.says(&["azp", "client_id", "cid"]).or_else(|| own.map(|profile| profile.client_id.as_str()))
    }

    fn realm_said(&self, member: &str) -> Option<&Value> {
        match &self.introspection {
            Some(Introspection::Answered { active: true, answer, .. }) => answer.get(member),
            _ => None,
        }
    }

    /// The scope that was asked for; only of the profile's own token is that known.
    fn asked(&self) -> Option<&str> {
        let profile = self.profile.as_ref().filter(|_| self.origin == Origin::Profile)?;
        Some(profile.scope.as_str()).filter(|scope| !scope.is_empty())
    }

    fn difference(&self) -> Difference {
        match (self.asked(), self.granted()) {
            (Some(asked), Some(granted)) => scope::difference(asked, &granted),
            _ => Difference::default(),
        }
    }

    /// Whether the token names the issuer that the profile trusts.
    fn issuer_is_trusted(&self) -> bool {
        let trusted = self.profile.as_ref().and_then(|profile| profile.issuer.as_deref());
        trusted.is_some() && trusted == self.jwt().and_then(|jwt| jwt.text("iss"))
    }
}
