//! The credentials of a profile, and their encoding in every store.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, StoreErrorKind};
use crate::oauth::secret::{Secret, SecretBuf};
use crate::oauth::token::{Lifetime, Token};

/// The layout of stored credentials that this version writes.
const SCHEMA: u32 = 1;

/// The number of tokens that are kept per profile, that of the profile's own scope included.
pub const MAX_TOKENS: usize = 8;

/// Names the credentials of a profile in a store, and says what they may be used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialKey {
    /// The profile's ID.
    pub id: String,
    /// The profile's name, for the label that a keyring shows.
    pub profile: String,
    /// What the credentials may be used for.
    pub binding: Binding,
}

/// What credentials may be used for. If a profile's file is changed to another client or to other hosts, its credentials
/// no longer exist for it: the user has to log in again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The client that the secret belongs to.
    pub client_id: String,
    /// The token endpoint that the secret is sent to.
    pub token_url: String,
    /// The origins that a token may be sent to, or a plan that stands for them.
    pub hosts: Vec<String>,
}

/// The secrets of a profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StoredCredentials {
    /// The client secret, unless a command prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<Secret>,
    /// The private key as PEM or JWK, unless a command prints it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub private_key: Option<Secret>,
    /// The newest token of the profile's own scope.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Token>,
    /// The newest tokens of other scopes, by normalized scope.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub scoped_tokens: BTreeMap<String, Token>,
    /// The version that was read from a store that machines share; a write is checked against it.
    #[serde(skip)]
    pub version: u64,
    /// The settings of the profile, in a store that machines share.
    #[serde(skip)]
    pub shared_profile: Option<serde_json::Value>,
}

impl StoredCredentials {
    /// Returns the token of a normalized scope; `None` stands for the profile's own scope.
    pub fn token_for(&self, scope: Option<&str>) -> Option<&Token> {
        match scope {
            Some(scope) => self.scoped_tokens.get(scope),
            None => self.token.as_ref(),
        }
    }

    /// Replaces the token of a normalized scope. Of more than [`MAX_TOKENS`] the oldest one is dropped, but never that of
    /// the profile's own scope.
    pub fn set_token(&mut self, scope: Option<&str>, token: Token) {
        let Some(scope) = scope else {
            self.token = Some(token);
            return;
        };
        self.scoped_tokens.insert(scope.to_owned(), token);
        while self.scoped_tokens.len() >= MAX_TOKENS {
            let others = self.scoped_tokens.iter().filter(|(other, _)| *other != scope);
            let Some(oldest) = others.min_by_key(|(_, token)| token.lifetime.issued_at) else { return };
            let oldest = oldest.0.clone();
            self.scoped_tokens.remove(&oldest);
        }
    }

    /// Returns the same credentials without their tokens: what new tokens are requested with.
    pub fn without_tokens(&self) -> Self {
        Self { token: None, scoped_tokens: BTreeMap::new(), ..self.clone() }
    }

    /// Removes a revoked token, and returns whether it was here. A token that its refresh token can replace is marked as expired.
    pub fn remove_revoked(&mut self, revoked: &Secret) -> bool {
        let is_revoked =
            |token: &Token| token.access_token == *revoked || token.refresh_token.as_ref() == Some(revoked);
        let count = self.scoped_tokens.len();
        self.scoped_tokens.retain(|_, token| !is_revoked(token));
        let Some(mut token) = self.token.take_if(|token| is_revoked(token)) else {
            return self.scoped_tokens.len() < count;
        };
        if token.refresh_token.as_ref().is_some_and(|refresh_token| refresh_token != revoked) {
            token.lifetime = Lifetime { issued_at: 0, expires_in: token.lifetime.expires_in.or(Some(0)) };
            self.token = Some(token);
        }
        true
    }

    /// Returns all tokens, that of the profile's own scope first.
    pub fn tokens(&self) -> impl Iterator<Item = &Token> {
        self.token.iter().chain(self.scoped_tokens.values())
    }
}

#[derive(Serialize)]
struct Encoded<'a> {
    schema: u32,
    binding: &'a Binding,
    credentials: &'a StoredCredentials,
}

#[derive(Deserialize)]
struct Decoded {
    schema: u32,
    #[serde(default)]
    binding: Binding,
    #[serde(default)]
    credentials: StoredCredentials,
}

/// Encodes credentials as every store keeps them.
pub(crate) fn encode(binding: &Binding, credentials: &StoredCredentials) -> Result<SecretBuf> {
    let mut bytes = SecretBuf::with_capacity(4096);
    serde_json::to_writer(&mut bytes, &Encoded { schema: SCHEMA, binding, credentials })
        .map_err(|_| Error::store(StoreErrorKind::Failed, "can't encode the credentials as JSON"))?;
    Ok(bytes)
}

/// Decodes what [`encode`] returned, or returns `None` if it was encoded for another binding. The error names `location`,
/// and has `repair` as its hint.
pub(crate) fn decode(
    bytes: &[u8],
    binding: &Binding,
    location: &str,
    repair: &str,
) -> Result<Option<StoredCredentials>> {
    #[derive(Deserialize)]
    struct Header {
        schema: u32,
    }
    let newer = |schema: u32| {
        Error::store(StoreErrorKind::Corrupt, format!("{location} was written by another version of oneup"))
            .with_detail(format!("its schema is {schema}; this version supports {SCHEMA}"))
            .with_hint("update oneup, or log in again under another --profile")
    };
    match serde_json::from_slice::<Decoded>(bytes) {
        Ok(decoded) if decoded.schema != SCHEMA => Err(newer(decoded.schema)),
        Ok(decoded) => Ok((decoded.binding == *binding).then_some(decoded.credentials)),
        Err(error) => match serde_json::from_slice::<Header>(bytes) {
            Ok(header) if header.schema != SCHEMA => Err(newer(header.schema)),
            // serde's own message quotes the value that it rejects, which may be a secret.
            _ => Err(Error::store(
                StoreErrorKind::Corrupt,
                format!("{location} does not contain valid credentials"),
            )
            .with_detail(format!("parse error at line {}, column {}", error.line(), error.column()))
            .with_hint(repair)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{credentials, key};
    use super::*;

    fn round_trip(binding: &Binding) -> Option<StoredCredentials> {
        let bytes = encode(&key("a").binding, &credentials(10)).expect("encodable");
        decode(&bytes, binding, "here", "repair").expect("decodable")
    }

    #[test]
    fn credentials_round_trip() {
        for length in [0, 10, 10_000] {
            let bytes = encode(&key("a").binding, &credentials(length)).expect("encodable");
            let decoded = decode(&bytes, &key("a").binding, "here", "repair").expect("decodable");
            assert_eq!(decoded, Some(credentials(length)));
        }
    }

    #[test]
    fn revoked_token_is_removed_or_expired() {
        let token = |access_token: &str, refresh_token: Option<&str>| Token {
            refresh_token: refresh_token.map(Secret::new),
            ..Token::new(Secret::new(access_token), Lifetime { issued_at: 1_000, expires_in: Some(60) })
        };
        let without_refresh_token = |revoked: &str| {
            let mut stored = StoredCredentials { token: Some(token("a", None)), ..Default::default() };
            stored.set_token(Some("s"), token("b", None));
            let is_stored = stored.remove_revoked(&Secret::new(revoked));
            (is_stored, stored.token.is_some(), stored.scoped_tokens.len())
        };
        assert_eq!(without_refresh_token("a"), (true, false, 1));
        assert_eq!(without_refresh_token("b"), (true, true, 0));
        assert_eq!(without_refresh_token("c"), (false, true, 1));
        let with_refresh_token = |revoked: &str| {
            let mut stored = StoredCredentials { token: Some(token("a", Some("r"))), ..Default::default() };
            assert!(stored.remove_revoked(&Secret::new(revoked)));
            stored.token.map(|token| (token.refresh_token, token.lifetime.is_fresh(1_001, None)))
        };
        assert_eq!(with_refresh_token("a"), Some((Some(Secret::new("r")), false)));
        assert_eq!(with_refresh_token("r"), None);
    }

    #[test]
    fn credentials_do_not_exist_for_another_client_endpoint_or_host() {
        let binding = key("a").binding;
        assert!(round_trip(&binding).is_some());
        for other in [
            Binding { client_id: "other".into(), ..binding.clone() },
            Binding { token_url: "https://other.example/token".into(), ..binding.clone() },
            Binding { hosts: vec!["https://other.example".into()], ..binding.clone() },
            Binding { hosts: Vec::new(), ..binding },
        ] {
            assert_eq!(round_trip(&other), None, "{other:?}");
        }
    }

    #[test]
    fn corrupt_credentials_are_located_and_not_shown() {
        for bytes in [
            &br#"{"schema":1,"credentials":{"token":"SECRET"}}"#[..],
            br#"{"schema":"SECRET"}"#,
            br#"{"schema":1,"credentials":{"client_secret":"SECR"#,
            b"",
            b"\xff\xfe",
        ] {
            let error = decode(bytes, &key("a").binding, "/state/x.json", "repair").expect_err("corrupt");
            assert_eq!(error.kind().exit().code(), 6);
            assert!(error.to_string().contains("/state/x.json"), "{error}");
            assert!(error.to_string().ends_with("hint: repair"), "{error}");
            assert!(!error.to_string().contains("SECR") && !format!("{error:?}").contains("SECR"), "{error}");
        }
    }

    #[test]
    fn credentials_of_another_schema_are_an_error() {
        for bytes in [&br#"{"schema":2}"#[..], br#"{"schema":2,"credentials":[]}"#] {
            let error = decode(bytes, &key("a").binding, "here", "repair").expect_err("newer");
            assert!(error.to_string().contains("another version"), "{error}");
            assert!(error.to_string().contains("hint: update oneup"), "{error}");
        }
    }

    #[test]
    fn at_most_eight_tokens_are_kept_and_the_oldest_is_dropped() {
        let mut all = credentials(1);
        let token = all.token.clone().expect("it has one");
        for number in 0..20 {
            let lifetime = Lifetime { issued_at: 100 - number, ..token.lifetime };
            let token = Token { lifetime, ..token.clone() };
            all.set_token(Some(&format!("scope-{number}")), token);
            assert!(all.tokens().count() <= MAX_TOKENS);
            assert!(all.token_for(Some(&format!("scope-{number}"))).is_some(), "the new one is kept");
        }
        assert_eq!((all.tokens().count(), all.token_for(None)), (MAX_TOKENS, Some(&token)));
        assert!(all.token_for(Some("scope-0")).is_some() && all.token_for(Some("scope-18")).is_none());
        let lifetime = Lifetime { expires_in: None, ..token.lifetime };
        all.set_token(None, Token { lifetime, ..token });
        assert_eq!(all.token_for(None).expect("it has one").lifetime.expires_in, None);
    }
}
