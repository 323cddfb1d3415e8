//! What `token inspect` found out about a token, and its text and JSON output.

mod details;
mod json;
mod text;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::oauth::access::Decision;
use crate::oauth::jwks::SignatureStatus;
use crate::oauth::jwt::{Date, Jwt, TokenKind, Validity};
use crate::oauth::scope::{self, Difference};
use crate::oauth::token::{Lifetime, Token};
use crate::profile::Profile;
use crate::text::sanitize;

pub use json::json;
pub use text::text;

/// The longest untrusted value in the text output, in characters.
const MAX_VALUE_LEN: usize = 160;

/// Where the token came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The profile's store.
    Profile,
    /// Standard input.
    Stdin,
    /// `ONEUP_TOKEN`.
    Environment,
}

/// What is known about a token besides its own bytes: from the store, or from the token response it came in.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// The granted scope.
    pub scope: Option<String>,
    /// When it was issued, in seconds since the epoch.
    pub issued_at: Option<i64>,
    /// Its lifetime, in seconds.
    pub expires_in: Option<u64>,
    /// The SMART launch context.
    pub launch_context: Map<String, Value>,
}

/// The result of `--verify`.
#[derive(Debug)]
pub enum Verification {
    /// The signature was checked with the realm's keys.
    Checked {
        /// The result.
        signature: SignatureStatus,
        /// Where the keys come from.
        jwks_uri: String,
    },
    /// It was not checked, and why.
    NotChecked(String),
}

/// The result of `--introspect` (RFC 7662).
#[derive(Debug, Default, Serialize)]
pub struct Introspection {
    /// `None` if the token was not sent.
    pub active: Option<bool>,
    /// The introspection endpoint.
    pub endpoint: Option<String>,
    /// Why the token was not sent.
    pub reason: Option<String>,
    /// The whole response.
    pub response: Option<Map<String, Value>>,
}

/// The result of `--allows`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Access {
    /// The method and the whole URL.
    pub request: String,
    /// What it does; `None` if that is unknown, or the URL is not the profile's.
    pub interaction: Option<String>,
    /// Whether it is allowed.
    #[serde(flatten)]
    pub decision: Decision,
}

/// Everything that is printed. Holds no token.
#[derive(Debug)]
pub struct Inspection {
    /// Seconds since the epoch.
    pub now: i64,
    pub origin: Origin,
    /// The profile whose realm is trusted.
    pub profile: Option<Profile>,
    /// The decoded token.
    pub kind: TokenKind,
    /// What else is known about it.
    pub metadata: Metadata,
    pub verification: Option<Verification>,
    pub introspection: Option<Introspection>,
    pub access: Option<Access>,
}

impl From<&Token> for Metadata {
    fn from(token: &Token) -> Self {
        Self {
            scope: token.scope.clone(),
            issued_at: Some(token.lifetime.issued_at),
            expires_in: token.lifetime.expires_in,
            launch_context: token.launch_context.clone(),
        }
    }
}

impl Inspection {
    /// The decoded JWT, if it is one.
    pub fn jwt(&self) -> Option<&Jwt> {
        match &self.kind {
            TokenKind::Jwt(jwt) => Some(jwt),
            _ => None,
        }
    }

    /// Whether the token is expired or not yet valid, by its own dates or by its metadata.
    pub fn validity(&self) -> Validity {
        match (self.jwt(), self.expires_at()) {
            (Some(jwt), _) => jwt.validity(self.now),
            (None, Some(at)) if at <= self.now => Validity::Expired,
            (None, Some(_)) => Validity::Valid,
            (None, None) => Validity::NoExpiry,
        }
    }

    /// Returns whether the exit code is 7: the token is not valid, or `--allows` is not allowed.
    pub fn fails(&self) -> bool {
        self.is_invalid() || self.access.as_ref().is_some_and(|access| access.decision.allowed == Some(false))
    }

    /// Returns whether the token is expired, not yet valid, not verified by `--verify`, or certainly inactive.
    fn is_invalid(&self) -> bool {
        let verified = match &self.verification {
            None => true,
            Some(Verification::Checked { signature: SignatureStatus::Verified { .. }, .. }) => true,
            Some(_) => false,
        };
        let in_time = matches!(self.validity(), Validity::Valid | Validity::NoExpiry);
        !verified || !in_time || (self.active() == Some(false) && !self.inactive_is_uncertain())
    }

    /// Returns whether the token is valid; `None` when unknown.
    fn is_valid(&self) -> Option<bool> {
        match (self.is_invalid(), self.validity()) {
            (true, _) => Some(false),
            (false, Validity::Valid) => Some(true),
            (false, _) => self.active().filter(|active| *active),
        }
    }

    /// What the realm responded to `--introspect`.
    fn active(&self) -> Option<bool> {
        self.introspection.as_ref()?.active
    }

    /// Keycloak responds `active: false` for a valid token whose audience lacks the requesting client.
    fn inactive_is_uncertain(&self) -> bool {
        let client = self.profile.as_ref().map(|profile| profile.client_id.as_str());
        self.jwt().zip(client).is_some_and(|(jwt, client)| !jwt.claim_list("aud").contains(&client))
    }

    fn issued_at(&self) -> Option<i64> {
        self.date("iat").or(self.metadata.issued_at)
    }

    fn expires_at(&self) -> Option<i64> {
        if self.jwt().is_some() {
            return self.date("exp");
        }
        let expires_in = self.metadata.expires_in;
        let lifetime = self.metadata.issued_at.map(|issued_at| Lifetime { issued_at, expires_in });
        lifetime.and_then(Lifetime::expires_at).or_else(|| self.introspected("exp")?.as_i64())
    }

    fn lifetime(&self) -> Option<u64> {
        match (self.date("iat"), self.date("exp")) {
            (Some(iat), Some(exp)) => u64::try_from(exp.saturating_sub(iat)).ok(),
            _ => self.metadata.expires_in,
        }
    }

    fn date(&self, claim: &str) -> Option<i64> {
        match self.jwt()?.date(claim) {
            Date::At(at) => Some(at),
            Date::Absent | Date::Invalid => None,
        }
    }

    /// The granted scope: the token's own, else its metadata's, else the introspection response's.
    pub fn granted_scope(&self) -> Option<String> {
        let introspected = || self.introspected("scope").and_then(Value::as_str).map(str::to_owned);
        self.jwt().and_then(Jwt::scope).or_else(|| self.metadata.scope.clone()).or_else(introspected)
    }

    /// The first of these claims that is a string; for a token that can't be decoded, from the introspection response
    /// (RFC 7662 §2.2).
    fn claim(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| match self.jwt() {
            Some(jwt) => jwt.claim(name),
            None => self.introspected(name).and_then(Value::as_str),
        })
    }

    /// The client that the token was issued to.
    fn client(&self) -> Option<&str> {
        let own = self.profile.as_ref().filter(|_| self.origin == Origin::Profile);
        self.claim(&["azp", "client_id", "cid"]).or_else(|| own.map(|profile| profile.client_id.as_str()))
    }

    fn introspected(&self, member: &str) -> Option<&Value> {
        let introspection = self.introspection.as_ref().filter(|result| result.active == Some(true))?;
        introspection.response.as_ref()?.get(member)
    }

    /// The requested scope, which is known for the profile's own token.
    fn requested_scope(&self) -> Option<&str> {
        let profile = self.profile.as_ref().filter(|_| self.origin == Origin::Profile)?;
        Some(profile.scope.as_str()).filter(|scope| !scope.is_empty())
    }

    fn scope_difference(&self) -> Difference {
        match (self.requested_scope(), self.granted_scope()) {
            (Some(requested), Some(granted)) => scope::difference(requested, &granted),
            _ => Difference::default(),
        }
    }

    /// Returns whether the token names the issuer that the profile trusts.
    fn issuer_is_trusted(&self) -> bool {
        let trusted = self.profile.as_ref().and_then(|profile| profile.issuer.as_deref());
        trusted.is_some() && trusted == self.jwt().and_then(|jwt| jwt.claim("iss"))
    }
}

/// Sanitizes an untrusted value.
fn shorten(text: &str) -> String {
    sanitize(text, MAX_VALUE_LEN)
}
