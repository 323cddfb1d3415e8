//! What the realm that the profile trusts has to say: its keys, and its word on a token (RFC 7662).

use serde_json::{Map, Value};

use super::keys;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::{Http, HttpResponse, Retry};
use crate::oauth::discovery;
use crate::oauth::jwks::{self, SignatureError, SignatureStatus};
use crate::oauth::jwt::Form;
use crate::oauth::secret::Secret;
use crate::output::inspect::{Introspection, Report, Verification};
use crate::profile::Profile;
use crate::session::{Session, token_request};

/// Checks the signature against the realm's keys. A token of any other issuer fetches nothing.
pub(super) fn verify(context: &Context, report: &Report) -> Result<Verification> {
    let not = |why: &str| Ok(Verification::NotVerified(why.to_owned()));
    let jwt = match &report.form {
        Form::Jwt(jwt) => jwt,
        Form::Encrypted(_) => return not("it is encrypted, and only its audience can check it"),
        Form::Opaque { .. } => {
            return not(match trusted(report) {
                Some(_) => "it is no JWT, so it has no signature; --introspect asks the realm",
                None => "it is no JWT, so it has no signature",
            });
        }
    };
    let Some(issuer) = trusted(report) else {
        return not("the profile has no realm whose keys could be trusted");
    };
    match jwt.text("iss") {
        None => return not("unknown issuer: it names none"),
        Some(named) if named != issuer => {
            return not(&format!("unknown issuer: the profile trusts {issuer}"));
        }
        Some(_) => {}
    }
    let mut keys = keys::get(context, issuer)?;
    let mut verdict = jwks::verify(jwt, &keys.set);
    let rotated =
        matches!(verdict, SignatureStatus::Refused(SignatureError::UnknownKey(_) | SignatureError::NoKey(_)));
    if rotated && !keys.fresh {
        keys = keys::fetch(context, issuer)?;
        verdict = jwks::verify(jwt, &keys.set);
    }
    Ok(Verification::Judged { verdict, jwks_uri: keys.jwks_uri })
}

/// Asks the realm, as the profile's client. A token that names another issuer is nobody's business there.
pub(super) fn introspect(context: &Context, report: &Report, token: &Secret) -> Result<Introspection> {
    let not = |why: &str| Ok(Introspection::NotAsked(why.to_owned()));
    let (Some(issuer), Some(profile)) = (trusted(report), &report.profile) else {
        return not("the profile knows no realm to ask");
    };
    if report.jwt().and_then(|jwt| jwt.text("iss")).is_some_and(|named| named != issuer) {
        return not("the token is another issuer's, and stays here");
    }
    let http = Http::new(context)?;
    let realm = discovery::realm(issuer, |url| {
        http.get(url).map(|answer| (answer.status == 200).then_some(answer.body))
    })?;
    let Some(endpoint) = realm.introspection_endpoint else {
        return not("the realm offers no introspection");
    };
    let item = Session::new(context, profile.clone()).stored()?.unwrap_or_default();
    let client = token_request::client(profile, &item, context.deadline())?;
    let form = client.form(&[("token", token.expose()), ("token_type_hint", "access_token")]);
    let answer = http.post_form(&endpoint, &form, Retry::Transient)?;
    read(profile, endpoint, &answer)
}

fn trusted(report: &Report) -> Option<&str> {
    report.profile.as_ref()?.issuer.as_deref()
}

fn read(profile: &Profile, endpoint: String, answer: &HttpResponse) -> Result<Introspection> {
    if matches!(answer.status, 400..=499) {
        return Err(Error::auth("the realm refused to introspect for this client")
            .with_detail(answer.snippet())
            .with_hint(format!(
                "is the client secret still right? Log in again: {}",
                profile.login_command()
            )));
    }
    let members: Map<String, Value> = serde_json::from_slice(&answer.body).unwrap_or_default();
    match members.get("active").and_then(Value::as_bool) {
        Some(active) if answer.status == 200 => {
            Ok(Introspection::Answered { endpoint, active, answer: members })
        }
        _ => Err(Error::protocol("the realm's answer is no introspection (RFC 7662 §2.2)")
            .with_detail(answer.snippet())),
    }
}
