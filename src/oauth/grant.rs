//! Requests to the token endpoint: a grant and a client become ordered form fields.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use super::client_key::{ASSERTION_TYPE, ClientKey};
use super::secret::Secret;
use crate::error::Result;

/// How the client authenticates (RFC 6749 §2.3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum ClientAuthentication {
    /// client_secret_post: client ID and secret in the request body
    #[default]
    #[value(alias = "client_secret_post")]
    Post,
    /// client_secret_basic: client ID and secret in the Authorization header
    #[value(alias = "client_secret_basic")]
    Basic,
    /// An assertion signed with a private key (RFC 7523): RS384 or ES384
    #[serde(rename = "private_key_jwt")]
    #[value(name = "private_key_jwt")]
    PrivateKeyJwt,
}

/// A registered client.
#[derive(Clone, Debug)]
pub struct Client {
    /// The client ID.
    pub id: String,
    /// The client secret; `None` for a public client.
    pub secret: Option<Secret>,
    /// How it authenticates.
    pub authentication: ClientAuthentication,
    /// What `private_key_jwt` signs with.
    pub signer: Option<AssertionSigner>,
}

/// A client's private key, and the server that accepts its assertions.
#[derive(Clone, Debug)]
pub struct AssertionSigner {
    /// The private key.
    pub key: Arc<ClientKey>,
    /// `aud`: the token endpoint, for requests to the server's other endpoints too.
    pub audience: String,
}

/// An authorization grant (RFC 6749 §1.3).
#[derive(Clone, Debug)]
pub enum Grant {
    /// RFC 6749 §4.4.
    ClientCredentials {
        /// Space-separated; not sent when empty.
        scope: String,
    },
    /// RFC 6749 §4.1.3, with RFC 7636.
    AuthorizationCode {
        /// The single-use code.
        code: Secret,
        /// Byte for byte as in the authorization request.
        redirect_uri: String,
        /// The PKCE code verifier.
        verifier: Option<Secret>,
    },
    /// RFC 6749 §6.
    RefreshToken {
        /// The refresh token.
        token: Secret,
        /// A narrower scope, space-separated; not sent when empty.
        scope: String,
    },
}

impl Grant {
    /// The requested scope; empty for an authorization code, whose request had the scope.
    pub fn scope(&self) -> &str {
        match self {
            Self::ClientCredentials { scope } | Self::RefreshToken { scope, .. } => scope,
            Self::AuthorizationCode { .. } => "",
        }
    }

    /// The grant's form fields, in the order in which they are sent.
    fn fields(&self) -> Vec<(&'static str, &str)> {
        match self {
            Self::ClientCredentials { scope } => {
                vec![("grant_type", "client_credentials"), ("scope", scope)]
            }
            Self::AuthorizationCode { code, redirect_uri, verifier } => vec![
                ("grant_type", "authorization_code"),
                ("code", code.expose()),
                ("redirect_uri", redirect_uri),
                ("code_verifier", verifier.as_ref().map_or("", Secret::expose)),
            ],
            Self::RefreshToken { token, scope } => {
                vec![("grant_type", "refresh_token"), ("refresh_token", token.expose()), ("scope", scope)]
            }
        }
    }
}

/// An authenticated form request to the authorization server: token, introspection or revocation endpoint.
pub struct TokenRequest {
    /// The `application/x-www-form-urlencoded` body.
    pub body: Secret,
    /// The value of the Authorization header, for `client_secret_basic`.
    pub authorization: Option<Secret>,
}

impl Client {
    /// Returns the token request for a grant at this time.
    ///
    /// # Errors
    /// Failure, when an assertion can't be signed.
    pub fn token_request(&self, grant: &Grant, now: i64) -> Result<TokenRequest> {
        self.request(&grant.fields(), now)
    }

    /// Returns a request with these fields, then the client's. Empty values are left out (RFC 6749 §3.2). An assertion is
    /// valid for one request: each attempt needs another one.
    ///
    /// # Errors
    /// As [`Client::token_request`].
    pub fn request(&self, fields: &[(&'static str, &str)], now: i64) -> Result<TokenRequest> {
        let assertion = match &self.signer {
            Some(signer) => Some(signer.key.assertion(&self.id, &signer.audience, now)?),
            None => None,
        };
        let secret = self.secret.as_ref().map_or("", Secret::expose);
        let basic = self.authentication == ClientAuthentication::Basic && self.secret.is_some();
        let client: &[(&str, &str)] = match &assertion {
            // The assertion names the client.
            Some(assertion) => {
                &[("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion.expose())]
            }
            None if basic => &[],
            None => &[("client_id", &self.id), ("client_secret", secret)],
        };
        let sent = fields.iter().chain(client).filter(|(_, value)| !value.is_empty());
        // The full capacity, since the serializer's buffer must not grow (see `SecretBuf`).
        let size = fields.iter().chain(client).map(|(name, value)| name.len() + 3 * value.len() + 2).sum();
        let body = form_urlencoded::Serializer::new(String::with_capacity(size)).extend_pairs(sent).finish();
        let authorization = basic.then(|| basic_header(&self.id, secret));
        Ok(TokenRequest { body: Secret::new(body), authorization })
    }
}

/// Returns the header's value. ID and secret are form-encoded before base64 (RFC 6749 §2.3.1): the server decodes `+`
/// and `%`.
fn basic_header(id: &str, secret: &str) -> Secret {
    let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    Secret::new(format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(authentication: ClientAuthentication) -> Client {
        Client {
            id: "my client:1".into(),
            secret: Some(Secret::new("p&a=s+s% wörd")),
            authentication,
            signer: None,
        }
    }

    #[test]
    fn client_credentials_percent_encode_the_scope() {
        let form = client(ClientAuthentication::Post)
            .token_request(&Grant::ClientCredentials { scope: "bulk-data|user/*.rs".into() }, 0)
            .expect("a form");
        assert_eq!(
            form.body.expose(),
            "grant_type=client_credentials&scope=bulk-data%7Cuser%2F*.rs&client_id=my+client%3A1\
             &client_secret=p%26a%3Ds%2Bs%25+w%C3%B6rd"
        );
        assert!(form.authorization.is_none());
    }

    #[test]
    fn basic_is_form_encoded_before_base64_and_leaves_the_body() {
        let form = client(ClientAuthentication::Basic)
            .token_request(&Grant::RefreshToken { token: Secret::new("r/1"), scope: String::new() }, 0)
            .expect("a form");
        assert_eq!(form.body.expose(), "grant_type=refresh_token&refresh_token=r%2F1");
        assert_eq!(
            form.authorization.as_ref().map(Secret::expose),
            Some("Basic bXkrY2xpZW50JTNBMTpwJTI2YSUzRHMlMkJzJTI1K3clQzMlQjZyZA==")
        );
    }

    #[test]
    fn authorization_code_sends_the_identical_redirect_uri_and_no_empty_verifier() {
        let grant = |verifier| Grant::AuthorizationCode {
            code: Secret::new("c"),
            redirect_uri: "http://localhost:8484/callback".into(),
            verifier,
        };
        let body = |verifier| {
            let form = client(ClientAuthentication::Basic).token_request(&grant(verifier), 0);
            form.expect("a form").body.expose().to_owned()
        };
        let without =
            "grant_type=authorization_code&code=c&redirect_uri=http%3A%2F%2Flocalhost%3A8484%2Fcallback";
        assert_eq!(body(None), without);
        assert_eq!(body(Some(Secret::new("v"))), format!("{without}&code_verifier=v"));
    }

    #[test]
    fn empty_scope_is_omitted() {
        let client =
            Client { id: "c".into(), secret: None, authentication: ClientAuthentication::Post, signer: None };
        let form = client.token_request(&Grant::ClientCredentials { scope: String::new() }, 0);
        assert_eq!(form.expect("a form").body.expose(), "grant_type=client_credentials&client_id=c");
    }

    #[test]
    fn assertion_replaces_client_id_and_secret() {
        let key = ClientKey::generate(super::super::client_key::KeyAlgorithm::Es384).expect("a key");
        let audience = "https://a.example/token".to_owned();
        let client = Client {
            signer: Some(AssertionSigner { key: Arc::new(key), audience }),
            ..client(ClientAuthentication::PrivateKeyJwt)
        };
        let body = || {
            let form = client.token_request(&Grant::ClientCredentials { scope: String::new() }, 0);
            form.expect("a form").body.expose().to_owned()
        };
        let (first, second) = (body(), body());
        let prefix = "grant_type=client_credentials&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3A\
                      client-assertion-type%3Ajwt-bearer&client_assertion=eyJ";
        assert!(first.starts_with(prefix) && !first.contains("client_secret"), "{first}");
        assert_ne!(first, second, "each request has its own assertion");
    }
}
