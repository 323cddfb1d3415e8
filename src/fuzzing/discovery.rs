//! A realm's discovery document.

use url::Url;

use super::assert_presentable;
use crate::http::require_safe;
use crate::oauth::discovery::realm;

const ISSUER: &str = "https://gateway.1up.health/auth/realms/dev-portal";

/// The body of the document.
pub fn discovery(bytes: &[u8]) {
    let found = realm(ISSUER, |url| {
        assert_eq!(url, format!("{ISSUER}/.well-known/openid-configuration"));
        Ok(Some(bytes.to_vec()))
    });
    let realm = match found {
        Ok(realm) => realm,
        Err(error) => {
            assert_eq!(error.kind().exit().code(), 3);
            return assert_presentable(&error);
        }
    };
    assert_eq!(realm.issuer, ISSUER);
    let endpoints =
        [Some(&realm.jwks_uri), realm.introspection_endpoint.as_ref(), realm.revocation_endpoint.as_ref()];
    for url in endpoints.into_iter().flatten() {
        // Tokens and client secrets go there: to the issuer's origin, and by the way that every request takes.
        let url = require_safe(url).unwrap_or_else(|error| panic!("{url}: {error}"));
        assert_eq!(url.origin(), Url::parse(ISSUER).expect("a URL").origin());
    }
}
