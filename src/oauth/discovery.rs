//! Where a realm's endpoints are: by OpenID Connect Discovery (RFC 8414), or, where 1up hides that document, by the
//! paths that every Keycloak realm has.
//!
//! Only documents of the issuer that a profile trusts are fetched, never those of the issuer that a token names.

use serde_json::Value;

use super::endpoint_url::require_safe;
use crate::error::{Error, Result};

/// The endpoints of a realm beside the token endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Realm {
    /// The issuer, exactly as in tokens.
    pub issuer: String,
    /// Its keys (RFC 7517).
    pub jwks_uri: String,
    /// RFC 7662; `None` if the discovery document names none.
    pub introspection_endpoint: Option<String>,
    /// RFC 7009; `None` if the discovery document names none.
    pub revocation_endpoint: Option<String>,
}

/// Returns the endpoints of an issuer's realm. `get` fetches a URL and returns the body of a 200, `None` for any other
/// status.
///
/// # Errors
/// What `get` fails with; protocol, when the document is about another issuer or leads to another origin.
pub fn realm(issuer: &str, get: impl FnOnce(&str) -> Result<Option<Vec<u8>>>) -> Result<Realm> {
    let issuer = issuer.trim_end_matches('/');
    match get(&format!("{issuer}/.well-known/openid-configuration"))? {
        Some(body) => discovered(issuer, &body),
        None => Ok(conventional(issuer)),
    }
}

/// Returns Keycloak's own paths.
fn conventional(issuer: &str) -> Realm {
    let oidc = format!("{issuer}/protocol/openid-connect");
    Realm {
        issuer: issuer.to_owned(),
        jwks_uri: format!("{oidc}/certs"),
        introspection_endpoint: Some(format!("{oidc}/token/introspect")),
        revocation_endpoint: Some(format!("{oidc}/revoke")),
    }
}

/// A page of HTML with status 200, as gateways send it, is no document; the conventional paths are used then.
fn discovered(issuer: &str, body: &[u8]) -> Result<Realm> {
    let Ok(Value::Object(document)) = serde_json::from_slice(body) else { return Ok(conventional(issuer)) };
    let text = |name: &str| document.get(name).and_then(Value::as_str);
    if text("issuer") != Some(issuer) {
        let named = text("issuer").map_or("no issuer".to_owned(), |named| named.escape_debug().to_string());
        return Err(Error::protocol("the discovery document is not the realm's")
            .with_detail(format!(
                "expected issuer: {issuer}\nits issuer: {}",
                named.chars().take(200).collect::<String>()
            ))
            .with_hint("log in again with the --gateway and --realm of that issuer"));
    }
    let endpoint = |name: &str| text(name).map(|url| same_origin(issuer, name, url)).transpose();
    Ok(Realm {
        jwks_uri: endpoint("jwks_uri")?.unwrap_or_else(|| conventional(issuer).jwks_uri),
        introspection_endpoint: endpoint("introspection_endpoint")?,
        revocation_endpoint: endpoint("revocation_endpoint")?,
        issuer: issuer.to_owned(),
    })
}

/// Tokens and client secrets go to these endpoints, so they must be where the issuer is.
fn same_origin(issuer: &str, name: &str, url: &str) -> Result<String> {
    if let (Ok(issuer), Ok(parsed)) = (require_safe(issuer), require_safe(url))
        && issuer.origin() == parsed.origin()
    {
        return Ok(parsed.into());
    }
    let shown: String = url.escape_debug().take(200).collect();
    Err(Error::protocol(format!("the discovery document's {name} is not a URL on the issuer's origin"))
        .with_detail(format!("issuer: {issuer}\n{name}: {shown}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const ISSUER: &str = "https://gateway.1up.health/auth/realms/dev-portal";

    fn with(document: &Value) -> Result<Realm> {
        realm(ISSUER, |url| {
            assert_eq!(url, format!("{ISSUER}/.well-known/openid-configuration"));
            Ok(Some(document.to_string().into_bytes()))
        })
    }

    #[test]
    fn a_hidden_document_leaves_keycloaks_paths() {
        let oidc = format!("{ISSUER}/protocol/openid-connect");
        for body in [None, Some(b"<html>".to_vec())] {
            let realm = realm(ISSUER, |_| Ok(body)).expect("the conventional paths");
            assert_eq!(realm.jwks_uri, format!("{oidc}/certs"));
            assert_eq!(realm.introspection_endpoint, Some(format!("{oidc}/token/introspect")));
            assert_eq!(realm.revocation_endpoint, Some(format!("{oidc}/revoke")));
        }
    }

    #[test]
    fn the_document_is_believed_about_its_own_origin() {
        let realm = with(&json!({"issuer": ISSUER, "jwks_uri": "https://gateway.1up.health/keys"}))
            .expect("a valid document");
        assert_eq!(realm.jwks_uri, "https://gateway.1up.health/keys");
        assert_eq!(realm.revocation_endpoint, None);
    }

    #[test]
    fn another_issuer_is_refused_to_the_letter() {
        for issuer in [json!(format!("{ISSUER}/")), json!("https://evil.example"), json!(null)] {
            assert_eq!(with(&json!({"issuer": issuer})).expect_err("another issuer").kind().exit().code(), 3);
        }
    }

    #[test]
    fn an_endpoint_elsewhere_is_refused() {
        for url in [
            "https://evil.example/keys",
            "http://gateway.1up.health/keys",
            "https://gateway.1up.health:444/keys",
            "https://gateway.1up.health@evil.example/",
            "https://user@gateway.1up.health/",
            "https://gateway.1up.health/keys#fragment",
            "/keys",
        ] {
            for name in ["jwks_uri", "introspection_endpoint", "revocation_endpoint"] {
                let error = with(&json!({"issuer": ISSUER, name: url})).expect_err(url);
                assert!(error.to_string().contains(name), "{error}");
            }
        }
    }
}
