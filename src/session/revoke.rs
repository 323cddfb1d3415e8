//! Revocation of tokens (RFC 7009).

use super::token_request::client;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::{Http, Retry};
use crate::oauth::discovery;
use crate::profile::Profile;
use crate::store::StoredCredentials;

/// Revokes all tokens of the credentials, the refresh token first, at the profile's realm.
///
/// # Errors
/// Protocol: the realm does not support revocation. Authentication: it rejected the request. Network.
pub fn revoke_all(context: &Context, profile: &Profile, credentials: &StoredCredentials) -> Result<()> {
    let Some(issuer) = &profile.issuer else {
        return Err(Error::protocol("the server does not support revocation"));
    };
    let deadline = context.deadline();
    let http = Http::new(context)?.until(deadline);
    let get = |url: &str| http.get(url).map(|response| (response.status == 200).then_some(response.body));
    let Some(endpoint) = discovery::revocation_endpoint(issuer, get)? else {
        return Err(Error::protocol("the realm does not support revocation"));
    };
    let client = client(profile, credentials, deadline)?;
    let refresh_tokens = credentials.tokens().filter_map(|token| token.refresh_token.as_ref());
    let access_tokens = credentials.tokens().map(|token| &token.access_token);
    let tokens = refresh_tokens
        .map(|token| ("refresh_token", token))
        .chain(access_tokens.map(|token| ("access_token", token)));
    for (hint, token) in tokens {
        let form = client.request(&[("token", token.expose()), ("token_type_hint", hint)]);
        let response = http.post_form(&endpoint, &form, Retry::Transient)?;
        if response.status != 200 {
            return Err(
                Error::auth("the revocation endpoint rejected the request").with_detail(response.snippet())
            );
        }
    }
    Ok(())
}
