use super::*;

const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

fn grants() -> Grants {
    Grants::new(SESSION_LIFETIME)
}

fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        server: AuthServer::Plan,
        client: "me".into(),
        redirect_uri: "http://localhost/cb".into(),
        scope: "patient/*.read".into(),
        state: None,
        nonce: None,
        challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into()),
    }
}

fn matching() -> CodeExchange<'static> {
    CodeExchange {
        server: AuthServer::Plan,
        client: "me",
        redirect_uri: Some("http://localhost/cb"),
        verifier: Some(VERIFIER),
    }
}

fn token(session: Option<String>) -> IssuedToken {
    IssuedToken {
        server: AuthServer::Plan,
        client: "me".into(),
        scope: "patient/*.read".into(),
        session,
        expires_at: 300,
        claims: None,
        revoked: false,
        uses: 0,
    }
}

fn exchange(by: &CodeExchange<'_>, after: i64) -> Result<SsoSession, GrantError> {
    let mut grants = grants();
    let code = grants.issue_code(request(), 0);
    grants.exchange_code(&code, by, after)
}

#[test]
fn code_is_valid_once_for_five_minutes_for_its_client() {
    assert!(exchange(&matching(), 299).is_ok());
    assert_eq!(exchange(&matching(), 300).err(), Some(GrantError::Code));
    let realm = AuthServer::Realm("dev-portal".into());
    for (wrong, error) in [
        (CodeExchange { client: "you", ..matching() }, GrantError::Code),
        (CodeExchange { server: realm, ..matching() }, GrantError::Code),
        (CodeExchange { redirect_uri: Some("http://localhost/cb/"), ..matching() }, GrantError::RedirectUri),
        (CodeExchange { redirect_uri: None, ..matching() }, GrantError::RedirectUri),
        (CodeExchange { verifier: None, ..matching() }, GrantError::VerifierMissing),
        (CodeExchange { verifier: Some("guess"), ..matching() }, GrantError::VerifierWrong),
    ] {
        assert_eq!(exchange(&wrong, 1).err(), Some(error));
    }
}

#[test]
fn failed_exchange_consumes_the_code() {
    let mut grants = grants();
    let code = grants.issue_code(request(), 0);
    assert!(grants.exchange_code(&code, &CodeExchange { verifier: Some("guess"), ..matching() }, 1).is_err());
    assert_eq!(grants.exchange_code(&code, &matching(), 1).err(), Some(GrantError::Code));
}

#[test]
fn reused_refresh_token_ends_its_session() {
    let mut grants = grants();
    let code = grants.issue_code(request(), 0);
    let session = grants.exchange_code(&code, &matching(), 0).expect("a session");
    let first = grants.issue_refresh_token(&session.id);
    let refresh = |grants: &mut Grants, token: &str, now| grants.refresh(token, &AuthServer::Plan, "me", now);
    assert!(refresh(&mut grants, &first, 1).is_ok());
    let second = grants.issue_refresh_token(&session.id);
    assert!(grants.refresh(&second, &AuthServer::Plan, "you", 1).is_err());
    assert_eq!(refresh(&mut grants, &first, 2).err(), Some(GrantError::Reused));
    assert_eq!(refresh(&mut grants, &second, 3).err(), Some(GrantError::SessionEnded));
    assert_eq!(refresh(&mut grants, "made-up", 3).err(), Some(GrantError::RefreshToken));
}

#[test]
fn session_lifetime_is_configurable() {
    let mut grants = Grants::new(10);
    let code = grants.issue_code(request(), 0);
    let session = grants.exchange_code(&code, &matching(), 0).expect("a session");
    let token = grants.issue_refresh_token(&session.id);
    assert_eq!(grants.refresh(&token, &AuthServer::Plan, "me", 10).err(), Some(GrantError::SessionEnded));
}

#[test]
fn ticket_is_valid_once() {
    let mut grants = grants();
    let ticket = grants.store_request(request(), 0);
    assert!(grants.take_request(&ticket, 1).is_some());
    assert!(grants.take_request(&ticket, 1).is_none());
}

#[test]
fn revoking_a_refresh_token_invalidates_its_access_tokens() {
    let mut grants = grants();
    let code = grants.issue_code(request(), 0);
    let session = grants.exchange_code(&code, &matching(), 0).expect("a session");
    let refresh = grants.issue_refresh_token(&session.id);
    grants.store_token("access", token(Some(session.id)), 0);
    assert_eq!(grants.owner("access", 1), Some("me"));
    grants.revoke(&refresh);
    assert!(grants.valid_token("access", 1).is_none());
    assert_eq!(grants.owner(&refresh, 1), Some("me"), "revoking it again is no error");
}

#[test]
fn token_is_invalid_after_max_uses() {
    let mut grants = grants();
    grants.store_token("access", token(None), 0);
    assert!(grants.use_token("access", Some(2), 1).is_some());
    assert!(grants.use_token("access", Some(2), 1).is_some());
    assert!(grants.use_token("access", Some(2), 1).is_none());
    assert!(grants.use_token("access", None, 1).is_some());
}
