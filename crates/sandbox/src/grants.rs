//! What has been asked for, consented to and issued: tickets, codes, sessions and access tokens.
//!
//! Time is an argument, so that five minutes pass in no time in a test.

use std::collections::HashMap;

use super::keys;

/// How long a person may look at the page, and how long a code lives (RFC 6749 §4.1.2: short), in seconds.
pub(crate) const CODE_LIFETIME: i64 = 300;
/// How long a session can be refreshed, in seconds.
pub(crate) const SESSION_LIFETIME: i64 = 1800;

/// Which of the two authorization servers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Server {
    Realm,
    Plan,
}

/// An authorization request that was found in order.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) server: Server,
    pub(crate) client: String,
    pub(crate) redirect_uri: String,
    pub(crate) scope: String,
    pub(crate) state: Option<String>,
    /// PKCE, S256.
    pub(crate) challenge: Option<String>,
}

/// What a token request presents with its code.
pub(crate) struct Redemption<'a> {
    pub(crate) server: Server,
    pub(crate) client: &'a str,
    pub(crate) redirect_uri: Option<&'a str>,
    pub(crate) verifier: Option<&'a str>,
}

/// Why a code or a refresh token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// Unknown, expired or used.
    Code,
    RedirectUri,
    VerifierMissing,
    VerifierUnexpected,
    VerifierWrong,
    /// A refresh token that never was, or another client's.
    RefreshToken,
    /// A refresh token used twice: its session ends here.
    Reused,
    SessionEnded,
}

/// A consent, for as long as it can be refreshed.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) server: Server,
    pub(crate) client: String,
    pub(crate) scope: String,
    pub(crate) active: bool,
    expires: i64,
    current: String,
}

/// An access token, as the FHIR server and introspection see it.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) client: String,
    pub(crate) scope: String,
    pub(crate) session: Option<String>,
    pub(crate) expires: i64,
    /// A JWT's claims; an opaque token has none.
    pub(crate) claims: Option<serde_json::Value>,
    /// Dead, but still known: to revoke it again is no error.
    pub(crate) revoked: bool,
}

/// Everything issued by this sandbox.
#[derive(Default)]
pub(crate) struct Grants {
    tickets: HashMap<String, (Ask, i64)>,
    codes: HashMap<String, (Ask, i64)>,
    sessions: HashMap<String, Session>,
    refresh_tokens: HashMap<String, String>,
    tokens: HashMap<String, Issued>,
}

impl Grants {
    /// Keeps a request while the person decides; the ticket stands in the page's form.
    pub(crate) fn ask(&mut self, ask: Ask, now: i64) -> String {
        self.tickets.retain(|_, (_, expires)| *expires > now);
        let ticket = keys::random_hex(16);
        self.tickets.insert(ticket.clone(), (ask, now + CODE_LIFETIME));
        ticket
    }

    /// Takes the request back, once.
    pub(crate) fn decide(&mut self, ticket: &str, now: i64) -> Option<Ask> {
        self.tickets.remove(ticket).filter(|(_, expires)| *expires > now).map(|(ask, _)| ask)
    }

    /// A code for a request that was allowed.
    pub(crate) fn issue_code(&mut self, ask: Ask, now: i64) -> String {
        self.codes.retain(|_, (_, expires)| *expires > now);
        let code = keys::random_hex(24);
        self.codes.insert(code.clone(), (ask, now + CODE_LIFETIME));
        code
    }

    /// A code becomes a session. Whatever comes of it, the code is spent.
    pub(crate) fn redeem(&mut self, code: &str, by: &Redemption<'_>, now: i64) -> Result<Session, Refusal> {
        let (ask, expires) = self.codes.remove(code).ok_or(Refusal::Code)?;
        if expires <= now || ask.client != by.client || ask.server != by.server {
            return Err(Refusal::Code);
        }
        if by.redirect_uri != Some(ask.redirect_uri.as_str()) {
            return Err(Refusal::RedirectUri);
        }
        match (&ask.challenge, by.verifier) {
            (None, None) => {}
            (None, Some(_)) => return Err(Refusal::VerifierUnexpected),
            (Some(_), None) => return Err(Refusal::VerifierMissing),
            (Some(challenge), Some(verifier)) if *challenge == keys::challenge(verifier) => {}
            (Some(_), Some(_)) => return Err(Refusal::VerifierWrong),
        }
        let id = keys::random_id();
        let expires = now + SESSION_LIFETIME;
        let Ask { server, client, scope, .. } = ask;
        let session = Session { id, server, client, scope, active: true, expires, current: String::new() };
        self.sessions.insert(session.id.clone(), session.clone());
        Ok(session)
    }

    /// A new refresh token for a session; those before it are spent.
    pub(crate) fn refresh_token(&mut self, session: &str) -> String {
        let token = keys::random_hex(32);
        if let Some(session) = self.sessions.get_mut(session) {
            session.current.clone_from(&token);
            self.refresh_tokens.insert(token.clone(), session.id.clone());
        }
        token
    }

    /// The session behind a refresh token. One used twice ends its session (RFC 9700 §4.14.2).
    pub(crate) fn refresh(
        &mut self,
        token: &str,
        server: Server,
        client: &str,
        now: i64,
    ) -> Result<Session, Refusal> {
        let id = self.refresh_tokens.get(token).ok_or(Refusal::RefreshToken)?;
        let session = self.sessions.get_mut(id).ok_or(Refusal::SessionEnded)?;
        if session.client != client || session.server != server {
            return Err(Refusal::RefreshToken);
        }
        if !session.active || session.expires <= now {
            return Err(Refusal::SessionEnded);
        }
        if session.current != token {
            session.active = false;
            return Err(Refusal::Reused);
        }
        session.expires = now + SESSION_LIFETIME;
        Ok(session.clone())
    }

    /// Remembers an access token until it expires.
    pub(crate) fn remember(&mut self, token: &str, issued: Issued, now: i64) {
        if self.tokens.len() >= 1000 {
            self.tokens.retain(|_, issued| issued.expires > now);
        }
        self.tokens.insert(token.to_owned(), issued);
    }

    /// The live access token with this text, if its session lives too.
    pub(crate) fn find(&self, token: &str, now: i64) -> Option<&Issued> {
        let issued = self.tokens.get(token).filter(|issued| issued.expires > now && !issued.revoked)?;
        let session = issued.session.as_ref().and_then(|id| self.sessions.get(id));
        session.is_none_or(|session| session.active).then_some(issued)
    }

    /// Whose token this is, access or refresh, revoked or not.
    pub(crate) fn owner(&self, token: &str, now: i64) -> Option<&str> {
        let access = self.tokens.get(token).filter(|issued| issued.expires > now);
        let session = self.refresh_tokens.get(token).and_then(|id| self.sessions.get(id));
        access.map(|issued| issued.client.as_str()).or(session.map(|session| session.client.as_str()))
    }

    /// Forgets an access token; a refresh token takes its session with it (RFC 7009 §2.1).
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
mod tests {
    use super::*;

    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

    fn ask() -> Ask {
        Ask {
            server: Server::Plan,
            client: "me".into(),
            redirect_uri: "http://localhost/cb".into(),
            scope: "patient/*.read".into(),
            state: None,
            challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into()),
        }
    }

    fn right() -> Redemption<'static> {
        Redemption {
            server: Server::Plan,
            client: "me",
            redirect_uri: Some("http://localhost/cb"),
            verifier: Some(VERIFIER),
        }
    }

    fn redeem(by: &Redemption<'_>, after: i64) -> Result<Session, Refusal> {
        let mut grants = Grants::default();
        let code = grants.issue_code(ask(), 0);
        grants.redeem(&code, by, after)
    }

    #[test]
    fn a_code_works_once_for_five_minutes_for_whom_it_was_made() {
        assert!(redeem(&right(), 299).is_ok());
        assert_eq!(redeem(&right(), 300).err(), Some(Refusal::Code));
        for (wrong, refusal) in [
            (Redemption { client: "you", ..right() }, Refusal::Code),
            (Redemption { server: Server::Realm, ..right() }, Refusal::Code),
            (Redemption { redirect_uri: Some("http://localhost/cb/"), ..right() }, Refusal::RedirectUri),
            (Redemption { redirect_uri: None, ..right() }, Refusal::RedirectUri),
            (Redemption { verifier: None, ..right() }, Refusal::VerifierMissing),
            (Redemption { verifier: Some("guess"), ..right() }, Refusal::VerifierWrong),
        ] {
            assert_eq!(redeem(&wrong, 1).err(), Some(refusal));
        }
        let mut grants = Grants::default();
        let code = grants.issue_code(ask(), 0);
        assert!(grants.redeem(&code, &Redemption { verifier: Some("guess"), ..right() }, 1).is_err());
        assert_eq!(grants.redeem(&code, &right(), 1).err(), Some(Refusal::Code), "a refused code is spent");
    }

    #[test]
    fn a_refresh_token_used_twice_ends_its_session() {
        let mut grants = Grants::default();
        let code = grants.issue_code(ask(), 0);
        let session = grants.redeem(&code, &right(), 0).expect("a session");
        let first = grants.refresh_token(&session.id);
        let refresh = |grants: &mut Grants, token: &str, now| grants.refresh(token, Server::Plan, "me", now);
        assert!(refresh(&mut grants, &first, 1).is_ok());
        let second = grants.refresh_token(&session.id);
        assert!(grants.refresh(&second, Server::Plan, "you", 1).is_err());
        assert_eq!(refresh(&mut grants, &first, 2).err(), Some(Refusal::Reused));
        assert_eq!(refresh(&mut grants, &second, 3).err(), Some(Refusal::SessionEnded));
        assert_eq!(refresh(&mut grants, "made-up", 3).err(), Some(Refusal::RefreshToken));
    }

    #[test]
    fn a_ticket_is_decided_once() {
        let mut grants = Grants::default();
        let ticket = grants.ask(ask(), 0);
        assert!(grants.decide(&ticket, 1).is_some());
        assert!(grants.decide(&ticket, 1).is_none());
    }

    #[test]
    fn a_revoked_refresh_token_takes_its_access_tokens_along() {
        let mut grants = Grants::default();
        let code = grants.issue_code(ask(), 0);
        let session = grants.redeem(&code, &right(), 0).expect("a session");
        let refresh = grants.refresh_token(&session.id);
        let issued = Issued {
            client: "me".into(),
            scope: session.scope,
            session: Some(session.id),
            expires: 300,
            claims: None,
            revoked: false,
        };
        grants.remember("access", issued, 0);
        assert_eq!(grants.owner("access", 1), Some("me"));
        grants.revoke(&refresh);
        assert!(grants.find("access", 1).is_none());
        assert_eq!(grants.owner(&refresh, 1), Some("me"), "to revoke it again is no error");
    }
}
