//! Which token is inspected, and which profile's realm is trusted.

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::context::{Context, nonempty};
use crate::error::{Error, Result};
use crate::oauth::jwt::{self, TokenKind};
use crate::oauth::product::Product;
use crate::oauth::secret::{Secret, SecretBuf};
use crate::oauth::token_response;
use crate::output::inspect::{Metadata, Origin};
use crate::profile::{self, Profile};
use crate::session::Session;

/// The hint if stdin has no token.
const FROM_FILE: &str = "pass one token: oneup token inspect - < FILE";

/// The hint if stdin has something else.
const FORMS: &str =
    "pass a token, an Authorization header, a JSON token response, or any output of token show";

/// The size of the read buffer: most tokens fit.
const TYPICAL_INPUT_BYTES: usize = 16 * 1024;

/// The largest input that is read from stdin.
const MAX_INPUT_BYTES: usize = 4 * 1024 * 1024;

/// The token to inspect.
pub(crate) struct InspectedToken {
    pub(crate) token: Secret,
    pub(crate) origin: Origin,
    pub(crate) metadata: Metadata,
    pub(crate) profile: Option<Profile>,
}

/// Returns the token from stdin, from `ONEUP_TOKEN` (unless `--profile` is given), or from the profile.
pub(crate) fn read(context: &Context, stdin: bool, needs_realm: bool) -> Result<InspectedToken> {
    let environment = (!stdin && !context.profile_from_flag).then(|| nonempty("ONEUP_TOKEN")).flatten();
    let (text, origin) = match environment {
        Some(text) => (Zeroizing::new(text), Origin::Environment),
        None if stdin => (read_stdin()?, Origin::Stdin),
        None => return from_profile(context),
    };
    let (token, metadata) = parse_token_input(&text)?;
    let profile = select_profile(context, &token, needs_realm)?;
    Ok(InspectedToken { token, origin, metadata, profile })
}

fn from_profile(context: &Context) -> Result<InspectedToken> {
    let profile = context.selected_profile()?;
    let session = Session::new(context, profile.clone());
    let Some(token) = session.stored()?.and_then(|item| item.token) else {
        let next = match profile.product {
            Product::Patient => profile.login_command(),
            Product::Provider | Product::P2p => profile.show_command(),
        };
        return Err(
            Error::auth(format!("the store holds no token for profile {}", profile.name)).with_hint(next)
        );
    };
    let metadata = Metadata::from(&token);
    Ok(InspectedToken {
        token: token.access_token,
        origin: Origin::Profile,
        metadata,
        profile: Some(profile),
    })
}

/// Returns the selected profile. With several profiles and none selected, the one whose realm issued the token; without
/// any, `None`, unless the realm is needed.
fn select_profile(context: &Context, token: &Secret, needs_realm: bool) -> Result<Option<Profile>> {
    let selected = context.selected_profile();
    if selected.is_ok() || context.profile.is_some() {
        return selected.map(Some);
    }
    let issuer = match jwt::decode(token.expose()) {
        TokenKind::Jwt(jwt) => jwt.claim("iss").map(str::to_owned),
        _ => None,
    };
    let load = |name: &String| profile::load(context.config_dir().ok()?, name).ok().flatten();
    let names = context.config_dir().and_then(profile::names).unwrap_or_default();
    let mut profiles = names.iter().filter_map(load);
    let issuing = profiles.find(|profile| issuer.is_some() && profile.issuer == issuer);
    match (issuing, selected) {
        (None, Err(error)) if needs_realm => Err(error),
        (issuing, _) => Ok(issuing),
    }
}

fn read_stdin() -> Result<Zeroizing<String>> {
    let bytes = SecretBuf::read_from(std::io::stdin().lock(), TYPICAL_INPUT_BYTES, MAX_INPUT_BYTES)
        .map_err(|error| Error::usage("can't read stdin").with_cause(error))?;
    match std::str::from_utf8(&bytes) {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(Error::usage("stdin is not UTF-8").with_hint(FROM_FILE)),
    }
}

/// Parses a token: bare, with `Bearer`, as an Authorization header, in a JSON token response, or as an assignment or CI
/// command that `token show` printed.
pub(crate) fn parse_token_input(text: &str) -> Result<(Secret, Metadata)> {
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('{') {
        return from_token_response(text);
    }
    let text = strip_assignment(text);
    let bare = text.trim_matches(['"', '\'']).trim();
    let name = "authorization:";
    let is_header = bare.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name));
    let value = if is_header { &bare[name.len()..] } else { bare };
    if !value.chars().all(|c| c.is_ascii_graphic() || c.is_ascii_whitespace()) {
        return Err(Error::usage("stdin has characters that are invalid in a token").with_hint(FROM_FILE));
    }
    let mut words: Vec<&str> = value.split_whitespace().collect();
    if words.first().is_some_and(|scheme| scheme.eq_ignore_ascii_case("bearer")) {
        words.remove(0);
    }
    match words.as_slice() {
        [] => Err(Error::usage("no token on stdin").with_hint(FROM_FILE)),
        [one] if !is_not_a_token(one) => Ok((Secret::new(*one), Metadata::default())),
        [_] => Err(Error::usage("stdin has HTML, a list or a URL instead of a token").with_hint(FORMS)),
        // An email client or a terminal may have wrapped the line; base64url has no whitespace.
        many if many[0].starts_with("eyJ") => Ok((Secret::new(many.concat()), Metadata::default())),
        _ => Err(Error::usage("stdin has several words instead of a token").with_hint(FORMS)),
    }
}

/// Removes what `token show` prints before the token in the formats `env`, `export`, `fish`, `powershell`, `github` and
/// `azure`.
fn strip_assignment(text: &str) -> &str {
    let azure = || text.strip_prefix("##vso[task.setvariable ")?.split_once(']').map(|(_, token)| token);
    if let Some(token) = text.strip_prefix("::add-mask::").or_else(azure) {
        return token;
    }
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let assignment = match text.strip_prefix("set -gx ") {
        Some(fish) => fish.split_once(' '),
        None => ["export ", "$env:", ""].iter().find_map(|prefix| text.strip_prefix(prefix)?.split_once('=')),
    };
    match assignment {
        // An opaque token may end with `=`.
        Some((name, token)) if is_name(name.trim_end()) && !token.trim_matches('=').is_empty() => {
            token.trim_start()
        }
        _ => text,
    }
}

/// Recognizes what users paste by mistake: any printable text may be a token (RFC 6749 appendix A.12).
fn is_not_a_token(word: &str) -> bool {
    word.starts_with(['<', '[']) || word.contains("://")
}

fn from_token_response(text: &str) -> Result<(Secret, Metadata)> {
    let unusable = |why: &str| Error::usage(format!("stdin has {why}")).with_hint(FORMS);
    let mut response: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| unusable("invalid JSON"))?;
    let is_token = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    let token = match response.remove("access_token") {
        Some(Value::String(token)) if is_token(token.trim()) => Secret::new(token.trim()),
        _ => return Err(unusable("JSON without a valid access_token")),
    };
    let expires_in = response.get("expires_in").and_then(token_response::parse_expires_in);
    let scope = response.get("scope").and_then(Value::as_str).map(str::to_owned);
    response.retain(|name, _| token_response::LAUNCH_CONTEXT.contains(&name.as_str()));
    Ok((token, Metadata { scope, issued_at: None, expires_in, launch_context: response }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::TokenFormat;
    use crate::oauth::token::{Lifetime, Token};
    use crate::output::secret_format::render;
    use clap::ValueEnum;

    #[test]
    fn accepts_every_form_of_a_token() {
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
            assert_eq!(parse_token_input(text).expect(text).0.expose(), "eyJ.e.s");
        }
    }

    #[test]
    fn accepts_every_output_of_token_show() {
        for token in ["eyJ.e.s", "8f2d61c04ab9e7", "a-._~+/z==", "abc="] {
            let stored = Token::new(Secret::new(token), Lifetime { issued_at: 0, expires_in: Some(60) });
            for format in TokenFormat::value_variants() {
                let output = render(&stored, None, *format, 0);
                assert_eq!(parse_token_input(&output).expect(&output).0.expose(), token, "{output}");
            }
        }
        for text in ["export TOKEN=\"eyJ.e.s\"", "TOKEN = eyJ.e.s", "FHIR_TOKEN='eyJ.e.s'"] {
            assert_eq!(parse_token_input(text).expect(text).0.expose(), "eyJ.e.s");
        }
    }

    #[test]
    fn token_response_has_metadata() {
        let json = r#"{"access_token":"t","expires_in":"7199","scope":"user/*.*","patient":"p1","refresh_token":"r"}"#;
        let (_, metadata) = parse_token_input(json).expect("an answer");
        assert_eq!((metadata.expires_in, metadata.scope.as_deref()), (Some(7199), Some("user/*.*")));
        assert_eq!(Value::Object(metadata.launch_context), serde_json::json!({"patient": "p1"}));
    }

    #[test]
    fn rejects_input_without_a_token() {
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
            assert_eq!(
                parse_token_input(text).err().map(|error| error.kind().exit().code()),
                Some(2),
                "{text:?}"
            );
        }
    }
}
