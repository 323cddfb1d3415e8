//! Requests to the realm that the profile trusts: its keys, and introspection (RFC 7662).

use serde_json::{Map, Value};

use super::keys;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::{Http, HttpResponse, Retry};
use crate::oauth::discovery;
use crate::oauth::jwks::{self, SignatureError, SignatureStatus};
use crate::oauth::jwt::TokenKind;
use crate::oauth::secret::Secret;
use crate::output::inspect::{Inspection, Introspection, Verification};
use crate::profile::Profile;
use crate::session::{Session, token_request};
use crate::system::clock::now;

/// Verifies the signature with the realm's keys. A token of another issuer causes no request.
pub(super) fn verify(context: &Context, inspection: &Inspection) -> Result<Verification> {
    let not_checked = |why: &str| Ok(Verification::NotChecked(why.to_owned()));
    let jwt = match &inspection.kind {
        TokenKind::Jwt(jwt) => jwt,
        TokenKind::Jwe(_) => return not_checked("it is encrypted; only its audience can verify it"),
        TokenKind::Opaque { .. } => {
            return not_checked(match trusted_issuer(inspection) {
                Some(_) => "an opaque token has no signature; ask the realm with --introspect",
                None => "an opaque token has no signature",
            });
        }
    };
    let Some(issuer) = trusted_issuer(inspection) else {
        return not_checked("the profile has no realm");
    };
    match jwt.claim("iss") {
        None => return not_checked("the token names no issuer"),
        Some(named) if named != issuer => {
            return not_checked(&format!("unknown issuer; the profile trusts {issuer}"));
        }
        Some(_) => {}
    }
    let cached = keys::cached(context, issuer);
    let is_cached = cached.is_some();
    let mut keys = cached.map_or_else(|| keys::fetch(context, issuer), Ok)?;
    let mut signature = jwks::verify(jwt, &keys.set);
    let rotated = matches!(signature, SignatureStatus::Invalid(SignatureError::NoKey(_)));
    if rotated && is_cached {
        keys = keys::fetch(context, issuer)?;
        signature = jwks::verify(jwt, &keys.set);
    }
    Ok(Verification::Checked { signature, jwks_uri: keys.jwks_uri })
}

/// Introspects the token at the realm, as the profile's client. A token of another issuer is not sent.
pub(super) fn introspect(
    context: &Context,
    inspection: &Inspection,
    token: &Secret,
) -> Result<Introspection> {
    let not_sent = |why: &str| Ok(Introspection { reason: Some(why.to_owned()), ..Introspection::default() });
    let (Some(issuer), Some(profile)) = (trusted_issuer(inspection), &inspection.profile) else {
        return not_sent("the profile has no realm");
    };
    if inspection.jwt().and_then(|jwt| jwt.claim("iss")).is_some_and(|named| named != issuer) {
        return not_sent("the token was issued by another issuer");
    }
    let http = Http::new(context)?.until(context.deadline());
    let realm = discovery::realm(issuer, |url| {
        http.get(url).map(|response| (response.status == 200).then_some(response.body))
    })?;
    let Some(endpoint) = realm.introspection_endpoint else {
        return not_sent("the realm does not support introspection");
    };
    let credentials = Session::new(context, profile.clone()).stored()?.unwrap_or_default();
    let client = token_request::client(profile, &credentials, context.deadline())?;
    let request = || client.request(&[("token", token.expose()), ("token_type_hint", "access_token")], now());
    let response = http.post_form(&endpoint, request, Retry::Transient)?;
    parse_introspection(profile, endpoint, &response)
}

fn trusted_issuer(inspection: &Inspection) -> Option<&str> {
    inspection.profile.as_ref()?.issuer.as_deref()
}

fn parse_introspection(
    profile: &Profile,
    endpoint: String,
    response: &HttpResponse,
) -> Result<Introspection> {
    if matches!(response.status, 400..=499) {
        return Err(Error::auth("the realm rejected the introspection request")
            .with_detail(response.snippet())
            .with_hint(format!(
                "if the client secret has changed, log in again: {}",
                profile.login_command()
            )));
    }
    let members: Map<String, Value> = serde_json::from_slice(&response.body).unwrap_or_default();
    match members.get("active").and_then(Value::as_bool) {
        Some(active) if response.status == 200 => {
            // Some servers repeat what they were sent.
            let members = response.redactor.redact_members(members);
            Ok(Introspection {
                active: Some(active),
                endpoint: Some(endpoint),
                reason: None,
                response: Some(members),
            })
        }
        _ => Err(Error::protocol("the response is not an introspection response (RFC 7662 §2.2)")
            .with_detail(response.snippet())),
    }
}
