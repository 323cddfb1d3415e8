//! `oneup token show`: a live token on stdout, in the format that its consumer reads.

use std::io::Write;

use crate::cli::{Show, TokenFormat};
use crate::context::{Context, nonempty};
use crate::error::{Error, Exit, Result};
use crate::oauth::response::is_bearer_token;
use crate::oauth::secret::Secret;
use crate::oauth::token::{Lifetime, Token};
use crate::output::secret_format;
use crate::profile::{self, Profile};
use crate::session::metadata;
use crate::session::{Session, TokenOptions};
use crate::system::clock::now;

/// Prints a live token and one newline.
///
/// # Errors
/// As `Session::access_token`; nothing is printed then.
pub fn run(context: &Context, args: &Show) -> Result<Exit> {
    if let Some(token) = from_environment(context)? {
        hand_out(&token, None, args.format)?;
        return Ok(Exit::Success);
    }
    let profile = profile::resolve_profile(context.config_dir()?, context.profile.as_deref())?;
    let session = Session::new(context, profile);
    let mut token = session.access_token(TokenOptions {
        min_ttl: args.min_ttl,
        refresh: args.refresh,
        ..TokenOptions::default()
    })?;
    if args.format == TokenFormat::Json && token.scope.is_none() {
        token.scope = metadata::load(context, &session.profile().id).and_then(|note| note.scope);
    }
    hand_out(&token, Some(&session.profile()), args.format)?;
    Ok(Exit::Success)
}

/// `ONEUP_TOKEN`, unless `--profile` says that a profile's token is wanted.
///
/// # Errors
/// Usage, where it can't be a token.
fn from_environment(context: &Context) -> Result<Option<Token>> {
    let Some(text) = (!context.profile_from_flag).then(|| nonempty("ONEUP_TOKEN")).flatten() else {
        return Ok(None);
    };
    if !is_bearer_token(&text) {
        return Err(Error::usage("ONEUP_TOKEN has characters that no access token has")
            .with_hint("unset it, or give --profile NAME"));
    }
    let lifetime = Lifetime { issued_at: now(), expires_in: None };
    Ok(Some(Token::new(Secret::new(text), lifetime)))
}

/// Prints a token, and exports it to the next steps of a GitHub job where that is the format.
///
/// # Errors
/// Usage, when `$GITHUB_ENV` names no file; a file or stdout that can't be written.
pub fn hand_out(token: &Token, profile: Option<&Profile>, format: TokenFormat) -> Result<()> {
    let github_env = match format {
        TokenFormat::Github => Some(open_github_env()?),
        _ => None,
    };
    // The mask must be in the log before the variable exists.
    crate::commands::print(secret_format::render(token, profile, format, now()))?;
    if let Some(mut file) = github_env {
        file.write_all(secret_format::render(token, profile, TokenFormat::Env, now()).as_bytes()).map_err(
            |error| Error::failure("can't write the file that GITHUB_ENV names").with_cause(error),
        )?;
    }
    Ok(())
}

fn open_github_env() -> Result<std::fs::File> {
    let path = nonempty("GITHUB_ENV").ok_or_else(|| {
        Error::usage("GITHUB_ENV is not set")
            .with_hint("--format github is for a step of a GitHub Actions job")
    })?;
    std::fs::File::options().append(true).create(true).open(path).map_err(|error| {
        Error::usage("can't open the file that GITHUB_ENV names")
            .with_cause(error)
            .with_hint("GitHub's runner makes it; outside of a job choose another --format")
    })
}
