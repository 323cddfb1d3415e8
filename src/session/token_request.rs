//! A request to the token endpoint of a profile.

use std::sync::Arc;

use super::client_secret;
use super::metadata;
use super::private_key;
use super::token_error;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::{Http, Retry};
use crate::oauth::client_key::ClientKey;
use crate::oauth::grant::{AssertionSigner, Client, ClientAuthentication, Grant};
use crate::oauth::product::Product;
use crate::oauth::secret::Secret;
use crate::oauth::token::Token;
use crate::oauth::token_response::{self, TokenError};
use crate::output::progress::WaitNotice;
use crate::profile::Profile;
use crate::store::StoredCredentials;
use crate::system::clock::now;
use crate::system::deadline::Deadline;

/// Returns the profile's client, its secret or private key from the store or from the profile's command.
///
/// # Errors
/// Authentication when neither is stored; usage when the command fails.
pub fn client(profile: &Profile, credentials: &StoredCredentials, deadline: Deadline) -> Result<Client> {
    if profile.auth_method == ClientAuthentication::PrivateKeyJwt {
        return Ok(client_with_key(profile, private_key::of_profile(profile, credentials, deadline)?));
    }
    let secret = match &profile.client_secret_command {
        Some(command) => Some(client_secret::from_command(command, deadline)?),
        None => credentials.client_secret.clone(),
    };
    if secret.is_none() && profile.product != Product::Patient {
        return Err(Error::auth(format!("the store holds no client secret for profile {}", profile.name))
            .with_hint(profile.login_command()));
    }
    Ok(client_with_secret(profile, secret))
}

/// The profile's client, with this secret.
pub fn client_with_secret(profile: &Profile, secret: Option<Secret>) -> Client {
    Client { id: profile.client_id.clone(), secret, authentication: profile.auth_method, signer: None }
}

/// The profile's client, with this private key.
pub fn client_with_key(profile: &Profile, key: Arc<ClientKey>) -> Client {
    let signer = AssertionSigner { key, audience: profile.token_url.clone() };
    Client { signer: Some(signer), ..client_with_secret(profile, None) }
}

/// Requests a token. Its scope is the requested one where the response has none (RFC 6749 §5.1).
///
/// # Errors
/// Authentication, network, protocol; usage for plain http to a host that is not loopback.
pub fn request_token(
    context: &Context,
    profile: &Profile,
    client: &Client,
    grant: &Grant,
    deadline: Deadline,
) -> Result<Token> {
    let retry = match grant {
        Grant::ClientCredentials { .. } => Retry::Transient,
        _ => Retry::Never,
    };
    let http = Http::new(context)?.until(deadline);
    let notice = WaitNotice::start(context, "requesting a token");
    let response = http.post_form(&profile.token_url, || client.token_request(grant, now()), retry);
    drop(notice);
    let response = response.map_err(|error| match grant {
        Grant::AuthorizationCode { .. } => error.with_hint(format!(
            "the authorization code may have been used; log in again: {}",
            profile.login_command()
        )),
        _ => error,
    })?;
    let mut token =
        token_response::parse_response(response.status, &response.body, now()).map_err(|error| {
            if let TokenError::Denied { error, .. } = &error {
                match error.as_str() {
                    "invalid_grant" if matches!(grant, Grant::RefreshToken { .. }) => {
                        metadata::update(context, &profile.id, |metadata| metadata.refreshable = false);
                    }
                    "invalid_client" | "unauthorized_client" => {
                        metadata::update(context, &profile.id, |metadata| metadata.client_rejected = true);
                    }
                    _ => {}
                }
            }
            token_error::into_error(profile, grant, client.signer.as_ref(), &error, &response, now())
        })?;
    token.scope = token.scope.map(|scope| response.redactor.redact_whole(&scope));
    if token.scope.is_none() {
        let requested = match grant {
            Grant::AuthorizationCode { .. } => &profile.scope,
            _ => grant.scope(),
        };
        token.scope = Some(requested.to_owned()).filter(|scope| !scope.is_empty());
    }
    Ok(token)
}
