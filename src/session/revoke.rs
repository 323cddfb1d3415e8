//! Revocation of tokens (RFC 7009).

use serde_json::Value;

use super::token_request::client;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::{Http, HttpResponse, Retry};
use crate::oauth::discovery;
use crate::oauth::secret::Secret;
use crate::profile::Profile;
use crate::store::StoredCredentials;
use crate::system::clock::now;

/// What the server responded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The token is revoked; servers may say so of unknown tokens, too (RFC 7009 §2.2).
    Revoked,
    /// The server does not know the token.
    UnknownToken,
}

/// A token with its `token_type_hint`.
pub type HintedToken<'a> = (&'static str, &'a Secret);

/// Returns all tokens of the credentials, the refresh tokens first.
pub fn all_tokens(credentials: &StoredCredentials) -> Vec<HintedToken<'_>> {
    let refresh_tokens = credentials.tokens().filter_map(|token| token.refresh_token.as_ref());
    let access_tokens = credentials.tokens().map(|token| &token.access_token);
    let refresh_tokens = refresh_tokens.map(|token| ("refresh_token", token));
    refresh_tokens.chain(access_tokens.map(|token| ("access_token", token))).collect()
}

/// Revokes tokens at the profile's realm, and returns its response to each.
///
/// # Errors
/// Failure: the server does not support revocation. Authentication: it rejected the request. Network, protocol.
pub fn revoke(
    context: &Context,
    profile: &Profile,
    credentials: &StoredCredentials,
    tokens: &[HintedToken],
) -> Result<Vec<Revocation>> {
    let unsupported = || {
        Error::failure("the server does not support revocation")
            .with_detail("the token stays valid until it expires")
    };
    let issuer = profile.issuer.as_ref().ok_or_else(unsupported)?;
    let deadline = context.deadline();
    let http = Http::new(context)?.until(deadline);
    let get = |url: &str| http.get(url).map(|response| (response.status == 200).then_some(response.body));
    let endpoint = discovery::realm(issuer, get)?.revocation_endpoint.ok_or_else(unsupported)?;
    let client = client(profile, credentials, deadline)?;
    let revoke_one = |(hint, token): &HintedToken| {
        let form = || client.request(&[("token", token.expose()), ("token_type_hint", hint)], now());
        parse_response(&http.post_form(&endpoint, form, Retry::Transient)?)
    };
    tokens.iter().map(revoke_one).collect()
}

fn parse_response(response: &HttpResponse) -> Result<Revocation> {
    let members: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    match (response.status, members.get("error").and_then(Value::as_str)) {
        (200, None) => Ok(Revocation::Revoked),
        // Keycloak sends this with HTTP 200.
        (200 | 400, Some("invalid_token")) => Ok(Revocation::UnknownToken),
        _ => Err(Error::auth("the revocation endpoint rejected the request").with_detail(response.snippet())),
    }
}
