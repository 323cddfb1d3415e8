//! `oneup login patient`: a code from the person's browser (or hand), redeemed for a token.

use std::io::{IsTerminal, Read};

use zeroize::Zeroizing;

use crate::callback::{self, CallbackOptions, Listener};
use crate::cli::Patient;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::oauth::authorize::{self, AuthorizationRequest};
use crate::oauth::grant::Grant;
use crate::oauth::product::{PLAN, Product};
use crate::oauth::secret::Secret;
use crate::oauth::token::Token;
use crate::profile::{self, Profile};
use crate::session::open_store;
use crate::session::token_request::request_token;

use super::resolve;

/// No code, and no address that carries one, is longer.
const LONGEST: u64 = 64 * 1024;

/// Patient Access. Interrupted at any moment, it leaves nothing: the login is remembered when the token is here.
///
/// # Errors
/// As [`super::provider`]; authentication, when the person refuses or doesn't come; usage, when the callback's port
/// is taken or no code can arrive.
pub fn patient(context: &Context, args: &Patient) -> Result<Exit> {
    let profile = &resolve::patient(context, args)?;
    // Before the browser opens: once it comes back, its code has minutes to live.
    let secret = match super::given_secret(context, &args.common, profile)? {
        Some(secret) => secret,
        None => match earlier_secret(context, profile, args.common.no_store) {
            Some(secret) => secret,
            None => super::required_secret(context, &args.common, profile)?,
        },
    };
    let client = super::client(profile, Some(secret));
    let grant = match &args.code {
        Some(code) => code_from_elsewhere(context, code, args.common.client_secret_stdin, profile)?,
        None => code_from_browser(context, args, profile)?,
    };
    let token = request_token(context, profile, &client, &grant, context.deadline())?;
    mention_patient(context, profile, &token);
    super::finish(context, &args.common, profile, client, token)
}

/// The secret of the same client's earlier login at the same endpoint: where the plan gives no refresh token, the
/// person logs in every two hours, and need not type it each time.
fn earlier_secret(context: &Context, profile: &Profile, no_store: bool) -> Option<Secret> {
    let earlier =
        profile::load(context.config_dir().ok()?, &profile.name).ok().flatten().filter(|earlier| {
            earlier.product == Product::Patient
                && earlier.client_id == profile.client_id
                && earlier.token_url == profile.token_url
                && !no_store
        })?;
    open_store(context, earlier.store, context.deadline())
        .ok()?
        .read(&earlier.credential_key())
        .ok()
        .flatten()?
        .client_secret
}

fn code_from_browser(context: &Context, args: &Patient, profile: &Profile) -> Result<Grant> {
    let registered = profile.redirect_uri.as_deref().unwrap_or_default();
    let listener = if args.no_listen { None } else { Listener::bind(registered)? };
    let redirect_uri = listener.as_ref().map_or(registered, Listener::redirect_uri).to_owned();
    if listener.is_some() {
        warn_of_localhost(context, profile);
    }
    let authorize_url = profile.authorize_url.clone().ok_or_else(|| {
        Error::usage("there is no authorization endpoint")
            .with_hint("give --plan, --realm or --authorize-url")
    })?;
    let request = AuthorizationRequest {
        // Only a realm's own endpoint answers in the realm's name.
        issuer: profile.issuer.clone().filter(|issuer| authorize_url.starts_with(&format!("{issuer}/"))),
        authorize_url,
        client_id: profile.client_id.clone(),
        redirect_uri,
        scope: profile.scope.clone(),
        state: random_text()?,
        verifier: if profile.no_pkce { None } else { Some(Secret::new(random_text()?)) },
        aud: profile.aud.clone(),
    };
    // Without a listener a script may paste, through a pipe.
    let paste = !context.no_input || (listener.is_none() && !std::io::stdin().is_terminal());
    let options = CallbackOptions { listener, browser: !args.no_browser, paste, quiet: context.quiet };
    let code = callback::obtain_code(&request, options, callback::LOGIN_TIMEOUT)?;
    Ok(Grant::AuthorizationCode { code, redirect_uri: request.redirect_uri, verifier: request.verifier })
}

/// `--code`: whoever obtained it has the verifier, if there was one, so none is sent.
fn code_from_elsewhere(
    context: &Context,
    given: &str,
    secret_from_stdin: bool,
    profile: &Profile,
) -> Result<Grant> {
    let text = match given {
        "-" if secret_from_stdin => {
            return Err(Error::usage("stdin can't be both the client secret and the code")
                .with_hint("give the secret with --client-secret-file or ONEUP_CLIENT_SECRET"));
        }
        "-" => code_from_stdin(context)?,
        code => Zeroizing::new(code.to_owned()),
    };
    let code = callback::into_code(authorize::interpret_pasted_code(&text))?;
    let redirect_uri = profile.redirect_uri.clone().unwrap_or_default();
    Ok(Grant::AuthorizationCode { code, redirect_uri, verifier: None })
}

/// All of a pipe, or a line that the person pastes.
fn code_from_stdin(context: &Context) -> Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let stdin = std::io::stdin();
    let read = if stdin.is_terminal() {
        context.info("Paste the code, or the address that the browser ended on, and press Enter:");
        stdin.read_line(&mut text)
    } else {
        stdin.lock().take(LONGEST).read_to_string(&mut text)
    };
    read.map_err(|cause| Error::usage("stdin holds no code").with_cause(cause))?;
    Ok(text)
}

fn random_text() -> Result<String> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes)
        .map_err(|_| Error::failure("the system has no source of randomness"))?;
    Ok(authorize::random_text(&bytes))
}

/// 1up registers localhost for its sandbox alone.
fn warn_of_localhost(context: &Context, profile: &Profile) {
    let demo = PLAN.split('/').next().unwrap_or(PLAN);
    let is_production = |plan: &String| !plan.contains("://") && plan.split('/').next() != Some(demo);
    if profile.plan.as_ref().is_some_and(is_production) {
        context.warn(
            "1up takes localhost redirect URIs in its sandbox only: for a plan in production register one with \
             https, give it with --redirect-uri, and paste the address that the browser ends on",
        );
    }
}

/// A `patient/` scope is about the one patient of the launch context (SMART App Launch 2.2), so say when none is named.
fn mention_patient(context: &Context, profile: &Profile, token: &Token) {
    let scope = token.scope.as_deref().unwrap_or_default();
    if scope.split(' ').any(|one| one.starts_with("patient/"))
        && !token.launch_context.contains_key("patient")
    {
        context.info(format_args!(
            "The answer names no patient, though the scope is patient/*:\n`oneup curl --profile {} /Patient` shows whose data it is.",
            profile.name
        ));
    }
}
