//! `oneup token show`: prints a valid token in the format that its consumer needs.

use crate::cli::{Show, TokenFormat};
use crate::commands::print_token;
use crate::context::{Context, nonempty};
use crate::error::{Error, Exit, Result};
use crate::oauth::jwt::{self, TokenKind, Validity};
use crate::oauth::secret::Secret;
use crate::oauth::token::{Lifetime, Token};
use crate::oauth::token_response::is_bearer_token;
use crate::session::{Session, TokenOptions};
use crate::system::clock::now;

/// Prints a valid token and one newline.
///
/// # Errors
/// As [`Session::access_token`], and nothing is printed; usage for a flag that does not go with `ONEUP_TOKEN`.
pub fn run(context: &Context, args: &Show) -> Result<Exit> {
    if let Some(token) = from_environment(context, args)? {
        return print_token(&token, None, args.format);
    }
    let profile = context.selected_profile()?;
    let session = Session::new(context, profile);
    let options = TokenOptions {
        scope: args.scope.as_deref(),
        min_ttl: args.min_ttl,
        refresh: args.refresh,
        ..TokenOptions::default()
    };
    let mut token = session.access_token(options)?;
    if args.format == TokenFormat::Json && token.scope.is_none() {
        token.scope = session.granted_scope(options);
    }
    print_token(&token, Some(&session.profile()), args.format)
}

/// Returns the token in `ONEUP_TOKEN`, unless `--profile` selects a profile's token.
///
/// # Errors
/// Usage if it is not a token, or with a flag that needs a profile.
fn from_environment(context: &Context, args: &Show) -> Result<Option<Token>> {
    let Some(text) = (!context.profile_from_flag).then(|| nonempty("ONEUP_TOKEN")).flatten() else {
        return Ok(None);
    };
    let invalid =
        |message: String| Err(Error::usage(message).with_hint("unset ONEUP_TOKEN, or pass --profile NAME"));
    let (min_ttl, scope) = (args.min_ttl.is_some(), args.scope.is_some());
    let flags = [("--refresh", args.refresh), ("--min-ttl", min_ttl), ("--scope", scope)];
    if let Some((flag, _)) = flags.into_iter().find(|(_, is_set)| *is_set) {
        return invalid(format!("{flag} has no effect on the token in ONEUP_TOKEN"));
    }
    if !is_bearer_token(&text) {
        return invalid("ONEUP_TOKEN has characters that are invalid in a token".into());
    }
    if let TokenKind::Jwt(jwt) = jwt::decode(&text)
        && jwt.validity(now()) == Validity::Expired
    {
        context.warn("the token in ONEUP_TOKEN has expired");
    }
    let lifetime = Lifetime { issued_at: now(), expires_in: None };
    Ok(Some(Token::new(Secret::new(text), lifetime)))
}
