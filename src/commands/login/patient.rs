//! `oneup login patient`: an authorization code from the browser, exchanged for a token.

use std::io::{IsTerminal, Read};

use zeroize::Zeroizing;

use crate::callback::{self, CallbackOptions, Listener};
use crate::cli::Patient;
use crate::context::{Context, is_on};
use crate::error::{Error, Exit, Result};
use crate::oauth::authorize::{self, AuthorizationRequest};
use crate::oauth::grant::Grant;
use crate::oauth::product::PLAN;
use crate::oauth::secret::Secret;
use crate::oauth::token::Token;
use crate::profile::Profile;
use crate::session::token_request::request_token;

use super::{prompt, resolve};

/// The longest input that is read for a code or a redirect URL, in bytes.
const MAX_CODE_BYTES: u64 = 64 * 1024;

/// Logs in to Patient Access. Nothing is saved before the token has been received.
///
/// # Errors
/// As [`super::client_credentials`]; authentication, when the user denies access or does not log in in time; usage, when the port of
/// the redirect URI is in use or there is no way to receive a code.
pub fn patient(context: &Context, args: &Patient) -> Result<Exit> {
    let resolved = resolve::patient(context, args)?;
    let profile = &resolved.profile;
    if profile.no_pkce {
        context.warn("this login does not use PKCE; --pkce turns it on again");
    }
    // Before the browser opens: an authorization code expires within minutes.
    let client = super::credentials::client(context, &args.common, profile)?;
    let grant = if args.code.is_some() {
        code_from_elsewhere(args.common.client_secret_stdin, profile)?
    } else {
        code_from_browser(context, args, profile)?
    };
    let token = request_token(context, profile, &client, &grant, context.deadline())?;
    mention_missing_patient(context, profile, &token);
    super::finish(context, &args.common, &resolved, client, token)
}

fn code_from_browser(context: &Context, args: &Patient, profile: &Profile) -> Result<Grant> {
    let registered = profile.redirect_uri.as_deref().unwrap_or_default();
    let listener = if args.no_listen { None } else { Listener::bind(registered)? };
    if listener.is_some() && !args.no_browser && is_on("CI") {
        return Err(Error::usage("no user can log in, because CI is set")
            .with_hint("pass a code with --code -, or, if a script opens the URL, add --no-browser"));
    }
    let redirect_uri = listener.as_ref().map_or(registered, Listener::redirect_uri).to_owned();
    if listener.is_some() {
        warn_about_localhost(context, profile);
    }
    let authorize_url = profile.authorize_url.clone().ok_or_else(|| {
        Error::usage("missing authorization endpoint").with_hint("pass --plan, --realm or --authorize-url")
    })?;
    let request = AuthorizationRequest {
        // Only the realm's own endpoint sends the realm's issuer.
        issuer: profile.issuer.clone().filter(|issuer| authorize_url.starts_with(&format!("{issuer}/"))),
        authorize_url,
        client_id: profile.client_id.clone(),
        redirect_uri,
        scope: profile.scope.clone(),
        state: random_text()?,
        verifier: if profile.no_pkce { None } else { Some(Secret::new(random_text()?)) },
        aud: profile.aud.clone(),
    };
    // Without a listener a script may paste through a pipe.
    let paste = if listener.is_none() {
        !context.no_input || !std::io::stdin().is_terminal()
    } else {
        !context.no_input && !is_in_background()
    };
    let options = CallbackOptions { listener, browser: !args.no_browser, paste, quiet: context.quiet };
    let code = callback::obtain_code(&request, options, callback::LOGIN_TIMEOUT)?;
    Ok(Grant::AuthorizationCode { code, redirect_uri: request.redirect_uri, verifier: request.verifier })
}

/// Returns whether reading a paste would stop this process, which can receive the code without it.
fn is_in_background() -> bool {
    #[cfg(unix)]
    return !crate::system::terminal::is_in_foreground();
    #[cfg(not(unix))]
    return false;
}

/// `--code -`: the verifier, if there is one, is where the code was requested, so none is sent.
fn code_from_elsewhere(secret_from_stdin: bool, profile: &Profile) -> Result<Grant> {
    if secret_from_stdin {
        return Err(Error::usage("stdin can't be both the client secret and the code")
            .with_hint("pass the secret with --client-secret-file, or set ONEUP_CLIENT_SECRET"));
    }
    let code = callback::into_code(authorize::interpret_pasted_code(&read_code()?))?;
    let redirect_uri = profile.redirect_uri.clone().unwrap_or_default();
    Ok(Grant::AuthorizationCode { code, redirect_uri, verifier: None })
}

/// Reads a pipe to its end, or a line from the terminal.
fn read_code() -> Result<Zeroizing<String>> {
    if std::io::stdin().is_terminal() {
        return prompt::code();
    }
    let mut text = Zeroizing::new(String::new());
    std::io::stdin()
        .lock()
        .take(MAX_CODE_BYTES)
        .read_to_string(&mut text)
        .map_err(|error| Error::usage("can't read the authorization code from stdin").with_cause(error))?;
    Ok(text)
}

fn random_text() -> Result<String> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| Error::failure("the system has no source of randomness"))?;
    Ok(authorize::random_text(&bytes))
}

/// 1up accepts localhost redirect URIs for its sandbox only.
fn warn_about_localhost(context: &Context, profile: &Profile) {
    let demo = PLAN.split('/').next().unwrap_or(PLAN);
    let is_production = |plan: &String| !plan.contains("://") && plan.split('/').next() != Some(demo);
    if profile.plan.as_ref().is_some_and(is_production) {
        context.warn(
            "1up accepts localhost redirect URIs in its sandbox only; for a production plan register an https URI, \
             pass it with --redirect-uri, and paste the URL at which the browser ends",
        );
    }
}

/// A `patient/` scope is about the one patient of the launch context (SMART App Launch 2.2); says when it names none.
fn mention_missing_patient(context: &Context, profile: &Profile, token: &Token) {
    let scope = token.scope.as_deref().unwrap_or_default();
    if scope.split(' ').any(|one| one.starts_with("patient/"))
        && !token.launch_context.contains_key("patient")
    {
        context.info(format_args!(
            "The token response names no patient. To see whose data the token grants access to:\n\
             oneup curl --profile {} /Patient",
            profile.name
        ));
    }
}
