//! The token endpoint: the checks in Keycloak's order, with its error responses.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::client_auth::authenticate;
use super::rejection::{Rejection, bad};
use crate::clients::RegisteredClient;
use crate::faults::Target;
use crate::grants::{AuthServer, CodeExchange, GrantError, IssuedToken, SsoSession};
use crate::options::DEV_PORTAL;
use crate::params::Params;
use crate::state::{AppState, now};
use crate::{keys, response, scope};

/// A realm, with what its token endpoint needs.
struct Endpoint<'a> {
    state: &'a AppState,
    realm: &'a str,
}

pub(super) fn respond(state: &AppState, realm: &str, headers: &HeaderMap, params: &Params) -> Response {
    Endpoint { state, realm }.respond(headers, params).map_or_else(
        |(status, error, description)| response::oauth_error(status, error, &description),
        |body| response::json(StatusCode::OK, &body),
    )
}

impl Endpoint<'_> {
    fn respond(&self, headers: &HeaderMap, params: &Params) -> Result<Value, Rejection> {
        let grant = params
            .raw("grant_type")
            .ok_or_else(|| bad("invalid_request", "Missing form parameter: grant_type"))?;
        let grant = match grant {
            "client_credentials" => Self::client_credentials,
            "authorization_code" => Self::authorization_code,
            "refresh_token" => Self::refresh_token,
            _ => return Err(bad("unsupported_grant_type", "Unsupported grant_type")),
        };
        let client = authenticate(self.state, self.realm, headers, params)?;
        if params.has_duplicates() {
            return Err(bad("invalid_request", "duplicated parameter"));
        }
        grant(self, client, params)
    }

    fn server(&self) -> AuthServer {
        AuthServer::Realm(self.realm.to_owned())
    }

    fn client_credentials(&self, client: &RegisteredClient, params: &Params) -> Result<Value, Rejection> {
        let unauthorized = |why: &str| (StatusCode::UNAUTHORIZED, "unauthorized_client", why.to_owned());
        if !client.confidential {
            return Err(unauthorized("Public client not allowed to retrieve service account"));
        }
        if !client.service_account {
            return Err(unauthorized("Client not enabled to retrieve service account"));
        }
        let scope = match params.raw("scope") {
            Some(scope) if !scope::known_to_realm(scope) => {
                return Err(bad("invalid_scope", &format!("Invalid scopes: {scope}")));
            }
            Some(scope) => scope,
            None if self.realm == DEV_PORTAL => "",
            // A realm's default scopes in Keycloak.
            None => "email profile",
        };
        let mut claims = self.claims(client.id, scope, &format!("service-account-{}", client.id));
        claims["client_id"] = json!(client.id);
        claims["clientHost"] = json!("127.0.0.1");
        claims["clientAddress"] = json!("127.0.0.1");
        let id_token = self.id_token(&claims, None)?;
        let token = self.issue(claims, client.id, scope, None)?;
        let mut body = self.success(token, scope, 0);
        if let Some(id_token) = id_token {
            body["id_token"] = json!(id_token);
        }
        Ok(body)
    }

    fn authorization_code(&self, client: &RegisteredClient, params: &Params) -> Result<Value, Rejection> {
        let code = params.get("code").ok_or_else(|| bad("invalid_request", "Missing parameter: code"))?;
        let by = CodeExchange {
            server: self.server(),
            client: client.id,
            redirect_uri: params.get("redirect_uri"),
            verifier: params.get("code_verifier"),
        };
        let session = self.state.grants().exchange_code(code, &by, now()).map_err(invalid_grant)?;
        self.tokens_of_session(&session, session.nonce.as_deref())
    }

    fn refresh_token(&self, client: &RegisteredClient, params: &Params) -> Result<Value, Rejection> {
        let token = params.get("refresh_token").ok_or_else(|| bad("invalid_request", "No refresh token"))?;
        let session = self.state.grants().refresh(token, &self.server(), client.id, now());
        // OIDC Core §12.2: no nonce after a refresh.
        self.tokens_of_session(&session.map_err(invalid_grant)?, None)
    }

    /// A new access token and a new refresh token for a session.
    fn tokens_of_session(&self, session: &SsoSession, nonce: Option<&str>) -> Result<Value, Rejection> {
        let mut claims = self.claims(&session.client, &session.scope, "john.allen");
        claims["sid"] = json!(session.id);
        claims["name"] = json!("John Allen");
        let id_token = self.id_token(&claims, nonce)?;
        let token = self.issue(claims, &session.client, &session.scope, Some(&session.id))?;
        let mut grants = self.state.grants();
        let mut body = self.success(token, &session.scope, grants.session_lifetime());
        body["refresh_token"] = json!(grants.issue_refresh_token(&session.id));
        body["session_state"] = json!(session.id);
        if let Some(id_token) = id_token {
            body["id_token"] = json!(id_token);
        }
        Ok(body)
    }

    /// The ID token, if the scope has `openid`.
    fn id_token(&self, claims: &Value, nonce: Option<&str>) -> Result<Option<String>, Rejection> {
        if !claims["scope"].as_str().is_some_and(|scope| scope.split(' ').any(|token| token == "openid")) {
            return Ok(None);
        }
        let mut claims = claims.clone();
        claims["typ"] = json!("ID");
        if let Some(nonce) = nonce {
            let wrong = self.state.faults.next(Target::Nonce).map(|_| "wrong");
            claims["nonce"] = json!(wrong.unwrap_or(nonce));
        }
        self.sign(&claims).map(Some)
    }

    fn claims(&self, client: &str, scope: &str, username: &str) -> Value {
        let now = now();
        json!({
            "exp": now.saturating_add(self.state.token_lifetime), "iat": now,
            "jti": format!("trrtcc:{}", keys::random_uuid()), "iss": self.state.issuer(self.realm),
            "aud": client, "sub": keys::uuid_from_name(username), "typ": "Bearer", "azp": client,
            "acr": "1", "scope": scope, "preferred_username": username,
        })
    }

    fn sign(&self, claims: &Value) -> Result<String, Rejection> {
        let failed = |_| (StatusCode::INTERNAL_SERVER_ERROR, "unknown_error", "No signing key".to_owned());
        self.state.keys.sign(claims).map_err(failed)
    }

    fn issue(
        &self,
        claims: Value,
        client: &str,
        scope: &str,
        session: Option<&str>,
    ) -> Result<String, Rejection> {
        let token = self.sign(&claims)?;
        let now = now();
        let issued = IssuedToken {
            server: self.server(),
            client: client.to_owned(),
            scope: scope.to_owned(),
            session: session.map(str::to_owned),
            expires_at: now.saturating_add(self.state.token_lifetime),
            claims: Some(claims),
            revoked: false,
            uses: 0,
        };
        self.state.grants().store_token(&token, issued, now);
        Ok(token)
    }

    fn success(&self, token: String, scope: &str, refresh_expires_in: i64) -> Value {
        json!({
            "access_token": token, "expires_in": self.state.token_lifetime,
            "refresh_expires_in": refresh_expires_in, "token_type": "Bearer", "not-before-policy": 0,
            "scope": scope,
        })
    }
}

fn invalid_grant(error: GrantError) -> Rejection {
    let description = match error {
        GrantError::Code => "Code not valid",
        GrantError::RedirectUri => "Incorrect redirect_uri",
        GrantError::VerifierMissing => "PKCE code verifier not specified",
        GrantError::VerifierUnexpected => {
            "PKCE code verifier specified but challenge not present in the request"
        }
        GrantError::VerifierWrong => "PKCE verification failed: Code mismatch",
        GrantError::RefreshToken => "Invalid refresh token",
        GrantError::Reused => "Maximum allowed refresh token reuse exceeded",
        GrantError::SessionEnded => "Session not active",
    };
    bad("invalid_grant", description)
}
