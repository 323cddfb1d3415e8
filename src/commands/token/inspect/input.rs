//! Which token is inspected, and by which profile it is judged.

use std::io::Read;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::context::{Context, nonempty};
use crate::error::{Error, Result};
use crate::oauth::jwt::{self, Form};
use crate::oauth::response;
use crate::oauth::secret::Secret;
use crate::output::inspect::{Known, Origin};
use crate::profile::{self, Profile};
use crate::session::Session;

/// The next step where stdin holds no token.
const FROM_FILE: &str = "pass one token: oneup token inspect - < FILE";

/// The next step where stdin holds something else.
const FORMS: &str = "pass the token alone, its Authorization header, or the JSON of the token endpoint";

/// No more than this is read from stdin.
const LARGEST: u64 = 4 * 1024 * 1024;

/// The token, and what is known of it.
pub(super) struct Subject {
    pub(super) token: Secret,
    pub(super) origin: Origin,
    pub(super) known: Known,
    pub(super) profile: Option<Profile>,
}

/// The token of stdin, of `ONEUP_TOKEN` (unless `--profile` stands on the command line), or of the profile.
pub(super) fn read(context: &Context, stdin: bool, needs_realm: bool) -> Result<Subject> {
    let environment = (!stdin && !context.profile_from_flag).then(|| nonempty("ONEUP_TOKEN")).flatten();
    let (text, origin) = match environment {
        Some(text) => (Zeroizing::new(text), Origin::Environment),
        None if stdin => (read_stdin()?, Origin::Stdin),
        None => return of_profile(context),
    };
    let (token, known) = understand(&text)?;
    let profile = judge(context, &token, needs_realm)?;
    Ok(Subject { token, origin, known, profile })
}

fn of_profile(context: &Context) -> Result<Subject> {
    let profile = profile::resolve_profile(context.config_dir()?, context.profile.as_deref())?;
    let session = Session::new(context, profile.clone());
    let Some(token) = session.stored()?.and_then(|item| item.token) else {
        return Err(Error::auth(format!("the store holds no token for profile {}", profile.name))
            .with_hint(format!("log in again: {}", profile.login_command())));
    };
    let known = Known::from(&token);
    Ok(Subject { token: token.access_token, origin: Origin::Profile, known, profile: Some(profile) })
}

/// A foreign token needs no profile, unless the realm is to be asked. With several and none chosen, the one whose
/// realm issued the token; all of them are trusted.
fn judge(context: &Context, token: &Secret, needs_realm: bool) -> Result<Option<Profile>> {
    let config_dir = context.config_dir();
    let chosen = config_dir.and_then(|dir| profile::resolve_profile(dir, context.profile.as_deref()));
    if chosen.is_ok() || context.profile.is_some() {
        return chosen.map(Some);
    }
    let issuer = match jwt::decode(token.expose()) {
        Form::Jwt(jwt) => jwt.text("iss").map(str::to_owned),
        _ => None,
    };
    let load = |name: &String| profile::load(context.config_dir().ok()?, name).ok().flatten();
    let named = context.config_dir().and_then(profile::names).unwrap_or_default();
    let known = named.iter().filter_map(load);
    let found = known.into_iter().find(|profile| issuer.is_some() && profile.issuer == issuer);
    match (found, chosen) {
        (None, Err(error)) if needs_realm => Err(error),
        (found, _) => Ok(found),
    }
}

fn read_stdin() -> Result<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(64 * 1024));
    std::io::stdin()
        .lock()
        .take(LARGEST)
        .read_to_end(&mut bytes)
        .map_err(|error| Error::usage("can't read stdin").with_cause(error))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Error::usage("stdin is not text").with_hint(FROM_FILE)),
    }
}

/// A token in any of the forms in which people have it: bare, with `Bearer`, as a header, or in the JSON answer of a
/// token endpoint.
pub(crate) fn understand(text: &str) -> Result<(Secret, Known)> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('{') {
        return from_answer(text);
    }
    let bare = text.trim_matches(['"', '\'']).trim();
    let name = "authorization:";
    let is_header = bare.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
    let value = if is_header { &bare[name.len()..] } else { bare };
    if !value.chars().all(|c| c.is_ascii_graphic() || c.is_ascii_whitespace()) {
        return Err(Error::usage("stdin holds characters that no token has").with_hint(FROM_FILE));
    }
    let mut words: Vec<&str> = value.split_whitespace().collect();
    if words.first().is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer")) {
        words.remove(0);
    }
    match words.as_slice() {
        [] => Err(Error::usage("stdin holds no token").with_hint(FROM_FILE)),
        [one] if !is_something_else(one) => Ok((Secret::new(*one), Known::default())),
        [_] => Err(Error::usage("stdin holds a page, a list or a URL, and no token").with_hint(FORMS)),
        // A mail or a terminal may have broken the line; base64url itself holds no white space.
        many if many[0].starts_with("eyJ") => Ok((Secret::new(many.concat()), Known::default())),
        _ => Err(Error::usage("stdin holds more than one word, so it is no token").with_hint(FORMS)),
    }
}

/// A token may be any printable text (RFC 6749 appendix A.12), but what people paste instead of one has its marks.
fn is_something_else(word: &str) -> bool {
    word.starts_with(['<', '[']) || word.contains("://")
}

fn from_answer(text: &str) -> Result<(Secret, Known)> {
    let unusable = |why: &str| Err(Error::usage(format!("stdin is {why}")).with_hint(FORMS));
    let Ok(mut answer) = serde_json::from_str::<Map<String, Value>>(text) else {
        return unusable("broken JSON");
    };
    let Some(Value::String(token)) = answer.remove("access_token") else {
        return unusable("JSON without an access_token");
    };
    if token.trim().is_empty() {
        return unusable("JSON with an empty access_token");
    }
    if !token.trim().bytes().all(|byte| byte.is_ascii_graphic()) {
        return unusable("JSON with an access_token that no header can carry");
    }
    let lifetime = answer.get("expires_in").and_then(response::lifetime);
    let scope = answer.get("scope").and_then(Value::as_str).map(str::to_owned);
    answer.retain(|name, _| response::LAUNCH_CONTEXT.contains(&name.as_str()));
    Ok((Secret::new(token.trim()), Known { scope, issued_at: None, lifetime, context: answer }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_each_form_that_people_have() {
        for text in [
            "eyJ.e.s",
            "  eyJ.e.s\r\n",
            "Bearer eyJ.e.s",
            "bearer   eyJ.e.s\n",
            "Authorization: Bearer eyJ.e.s",
            "authorization:bearer eyJ.e.s",
            "'Authorization: Bearer eyJ.e.s'",
            "\"eyJ.e.s\"",
            "\u{feff}eyJ.e.s",
            "eyJ.\n  e.s",
            r#"{"access_token":"eyJ.e.s","expires_in":60}"#,
        ] {
            assert_eq!(understand(text).expect(text).0.expose(), "eyJ.e.s");
        }
    }

    #[test]
    fn the_answer_of_a_token_endpoint_tells_more() {
        let json = r#"{"access_token":"t","expires_in":"7199","scope":"user/*.*","patient":"p1","refresh_token":"r"}"#;
        let (_, known) = understand(json).expect("an answer");
        assert_eq!((known.lifetime, known.scope.as_deref()), (Some(7199), Some("user/*.*")));
        assert_eq!(Value::Object(known.context), serde_json::json!({"patient": "p1"}));
    }

    #[test]
    fn what_holds_no_token_is_wrong_usage() {
        for text in [
            "",
            " \n",
            "Bearer ",
            "two words",
            "{",
            r#"{"error":"x"}"#,
            r#"{"access_token":""}"#,
            r#"{"access_token":"two words"}"#,
            r#"{"access_token":"é"}"#,
            "é\u{1f600}",
        ] {
            assert_eq!(understand(text).err().map(|error| error.kind().exit().code()), Some(2), "{text:?}");
        }
    }
}
