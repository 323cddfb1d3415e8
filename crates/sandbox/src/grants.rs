//! Authorization requests, codes, sessions and tokens that this sandbox has issued.
//!
//! Time is a parameter, so that a test can let five minutes pass without waiting.

use std::collections::HashMap;

use super::keys;

/// How long the consent page and a code are valid (RFC 6749 §4.1.2), in seconds.
pub(crate) const CODE_LIFETIME: i64 = 300;
/// How long a session can be refreshed by default, in seconds.
pub(crate) const SESSION_LIFETIME: i64 = 1800;

/// One of the authorization servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AuthServer {
    /// A Keycloak realm of the gateway, by name.
    Realm(String),
    /// The demo health plan.
    Plan,
}

/// A checked authorization request.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) server: AuthServer,
    pub(crate) client: String,
    pub(crate) redirect_uri: String,
    pub(crate) scope: String,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    /// The PKCE challenge, S256.
    pub(crate) challenge: Option<String>,
}

/// What a token request presents with its code.
pub(crate) struct CodeExchange<'a> {
    pub(crate) server: AuthServer,
    pub(crate) client: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: Option<&'a str>,
}

/// Why a code or a refresh token is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GrantError {
    /// Unknown, expired or already used code.
    Code,
    RedirectUri,
    VerifierMissing,
    VerifierUnexpected,
    VerifierWrong,
    /// Unknown refresh token, or another client's.
    RefreshToken,
    /// Refresh token used twice; ends its session.
    Reused,
    SessionEnded,
}

/// A consent, for as long as it can be refreshed.
#[derive(Clone, Debug)]
pub(crate) struct SsoSession {
    pub(crate) id: String,
    pub(crate) server: AuthServer,
    pub(crate) client: String,
    pub(crate) scope: String,
    pub(crate) nonce: Option<String>,
    pub(crate) active: bool,
    expires_at: i64,
    /// The one refresh token that is valid.
    refresh_token: String,
}

/// An access token, as the FHIR server and introspection see it.
#[derive(Clone, Debug)]
pub(crate) struct IssuedToken {
    pub(crate) server: AuthServer,
    pub(crate) client: String,
    pub(crate) scope: String,
    pub(crate) session: Option<String>,
    pub(crate) expires_at: i64,
    /// A JWT's claims; `None` for an opaque token.
    pub(crate) claims: Option<serde_json::Value>,
    /// Revoked tokens stay known: revoking one again is no error.
    pub(crate) revoked: bool,
    /// How many FHIR requests it was used for.
    pub(crate) uses: u32,
}

/// Everything issued by this sandbox.
pub(crate) struct Grants {
    session_lifetime: i64,
    pending: HashMap<String, (AuthorizationRequest, i64)>,
    codes: HashMap<String, (AuthorizationRequest, i64)>,
    sessions: HashMap<String, SsoSession>,
    refresh_tokens: HashMap<String, String>,
    tokens: HashMap<String, IssuedToken>,
    /// IDs of client assertions, until they expire.
    assertions: HashMap<String, i64>,
}

impl Grants {
    /// `session_lifetime`: how long a session can be refreshed, in seconds.
    pub(crate) fn new(session_lifetime: i64) -> Self {
        Self {
            session_lifetime,
            pending: HashMap::new(),
            codes: HashMap::new(),
            sessions: HashMap::new(),
            refresh_tokens: HashMap::new(),
            tokens: HashMap::new(),
            assertions: HashMap::new(),
        }
    }

    /// Stores a request until the resource owner decides; returns the ticket for the consent page's form.
    pub(crate) fn store_request(&mut self, request: AuthorizationRequest, now: i64) -> String {
        self.pending.retain(|_, (_, expires_at)| *expires_at > now);
        let ticket = keys::random_hex(16);
        self.pending.insert(ticket.clone(), (request, now + CODE_LIFETIME));
        ticket
    }

    /// Removes and returns the request of a ticket.
    pub(crate) fn take_request(&mut self, ticket: &str, now: i64) -> Option<AuthorizationRequest> {
        self.pending.remove(ticket).filter(|(_, expires_at)| *expires_at > now).map(|(request, _)| request)
    }

    /// Issues a code for a request that was allowed.
    pub(crate) fn issue_code(&mut self, request: AuthorizationRequest, now: i64) -> String {
        self.codes.retain(|_, (_, expires_at)| *expires_at > now);
        let code = keys::random_hex(24);
        self.codes.insert(code.clone(), (request, now + CODE_LIFETIME));
        code
    }

    /// Exchanges a code for a session. The code is consumed even if this fails.
    pub(crate) fn exchange_code(
        &mut self,
        code: &str,
        by: &CodeExchange<'_>,
        now: i64,
    ) -> Result<SsoSession, GrantError> {
        let (request, expires_at) = self.codes.remove(code).ok_or(GrantError::Code)?;
        if expires_at <= now || request.client != by.client || request.server != by.server {
            return Err(GrantError::Code);
        }
        if by.redirect_uri != Some(request.redirect_uri.as_str()) {
            return Err(GrantError::RedirectUri);
        }
        match (&request.challenge, by.verifier) {
            (None, None) => {}
            (None, Some(_)) => return Err(GrantError::VerifierUnexpected),
            (Some(_), None) => return Err(GrantError::VerifierMissing),
            (Some(challenge), Some(verifier)) if *challenge == keys::challenge(verifier) => {}
            (Some(_), Some(_)) => return Err(GrantError::VerifierWrong),
        }
        let AuthorizationRequest { server, client, scope, nonce, .. } = request;
        let session = SsoSession {
            id: keys::random_uuid(),
            server,
            client,
            scope,
            nonce,
            active: true,
            expires_at: now.saturating_add(self.session_lifetime),
            refresh_token: String::new(),
        };
        self.sessions.insert(session.id.clone(), session.clone());
        Ok(session)
    }

    /// Issues a new refresh token for a session and invalidates the previous one.
    pub(crate) fn issue_refresh_token(&mut self, session: &str) -> String {
        let token = keys::random_hex(32);
        if let Some(session) = self.sessions.get_mut(session) {
            session.refresh_token.clone_from(&token);
            self.refresh_tokens.insert(token.clone(), session.id.clone());
        }
        token
    }

    /// The session of a refresh token. Using one twice ends its session (RFC 9700 §4.14.2).
    pub(crate) fn refresh(
        &mut self,
        token: &str,
        server: &AuthServer,
        client: &str,
        now: i64,
    ) -> Result<SsoSession, GrantError> {
        let id = self.refresh_tokens.get(token).ok_or(GrantError::RefreshToken)?;
        let session = self.sessions.get_mut(id).ok_or(GrantError::SessionEnded)?;
        if session.client != client || session.server != *server {
            return Err(GrantError::RefreshToken);
        }
        if !session.active || session.expires_at <= now {
            return Err(GrantError::SessionEnded);
        }
        if session.refresh_token != token {
            session.active = false;
            return Err(GrantError::Reused);
        }
        session.expires_at = now.saturating_add(self.session_lifetime);
        Ok(session.clone())
    }

    /// How long a session can be refreshed, in seconds.
    pub(crate) fn session_lifetime(&self) -> i64 {
        self.session_lifetime
    }

    /// Stores an access token until it expires.
    pub(crate) fn store_token(&mut self, token: &str, issued: IssuedToken, now: i64) {
        if self.tokens.len() >= 1000 {
            self.tokens.retain(|_, issued| issued.expires_at > now);
        }
        self.tokens.insert(token.to_owned(), issued);
    }

    /// The access token, if it is valid and its session is active.
    pub(crate) fn valid_token(&self, token: &str, now: i64) -> Option<&IssuedToken> {
        let issued = self.tokens.get(token).filter(|issued| issued.expires_at > now && !issued.revoked)?;
        let session = issued.session.as_ref().and_then(|id| self.sessions.get(id));
        session.is_none_or(|session| session.active).then_some(issued)
    }

    /// As [`Grants::valid_token`], and counts a use; `None` too after `max_uses` of them.
    pub(crate) fn use_token(&mut self, token: &str, max_uses: Option<u32>, now: i64) -> Option<IssuedToken> {
        let uses = self.valid_token(token, now)?.uses;
        if max_uses.is_some_and(|max| uses >= max) {
            return None;
        }
        let issued = self.tokens.get_mut(token)?;
        issued.uses = uses.saturating_add(1);
        Some(issued.clone())
    }

    /// Records the use of a client assertion; false if its ID was used before (RFC 7523 §3).
    pub(crate) fn use_assertion(&mut self, id: &str, expires_at: i64, now: i64) -> bool {
        self.assertions.retain(|_, expires_at| *expires_at > now);
        self.assertions.insert(id.to_owned(), expires_at).is_none()
    }

    /// The client of an access or refresh token, revoked or not.
    pub(crate) fn owner(&self, token: &str, now: i64) -> Option<&str> {
        let access = self.tokens.get(token).filter(|issued| issued.expires_at > now);
        let session = self.refresh_tokens.get(token).and_then(|id| self.sessions.get(id));
        access.map(|issued| issued.client.as_str()).or(session.map(|session| session.client.as_str()))
    }

    /// Revokes an access token; a refresh token ends its session (RFC 7009 §2.1).
    pub(crate) fn revoke(&mut self, token: &str) {
        if let Some(issued) = self.tokens.get_mut(token) {
            issued.revoked = true;
        }
        if let Some(session) = self.refresh_tokens.get(token).and_then(|id| self.sessions.get_mut(id)) {
            session.active = false;
        }
    }
}

#[cfg(test)]
mod tests;
