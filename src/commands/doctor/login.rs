//! `doctor --login`: requests a token for each profile, and one for each of its scopes.

use super::Checks;
use super::check::Finding;
use crate::context::Context;
use crate::error::Result;
use crate::oauth::grant::{Client, Grant};
use crate::oauth::product::Product;
use crate::oauth::token::Token;
use crate::profile::Profile;
use crate::session::{Session, TokenOptions, token_request};
use crate::system::deadline::Deadline;

/// Starts a check for each profile.
pub(super) fn start(checks: &mut Checks, profiles: &[Profile]) {
    for profile in profiles.iter().cloned() {
        checks.start("login", |context| login(context, profile));
    }
}

fn login(context: &Context, profile: Profile) -> Vec<Finding> {
    if profile.product == Product::Patient {
        return vec![refresh(context, profile)];
    }
    let deadline = context.deadline();
    let client = Session::new(context, profile.clone())
        .stored()
        .and_then(|stored| token_request::client(&profile, &stored.unwrap_or_default(), deadline));
    match client {
        Ok(client) => scopes(context, &profile, &client, deadline),
        Err(error) => vec![Finding::error("login", &error)],
    }
}

/// A refresh token works once, so the session uses and replaces it. Scopes can't be tried: they need the user.
fn refresh(context: &Context, profile: Profile) -> Finding {
    let name = profile.name.clone();
    let options = TokenOptions { refresh: true, ..TokenOptions::default() };
    match Session::new(context, profile).access_token(options) {
        Ok(token) => granted(&name, "refresh token accepted", &token),
        Err(error) => Finding::error("login", &error),
    }
}

/// Client credentials: all scopes at once, then each by itself. No token is stored.
fn scopes(context: &Context, profile: &Profile, client: &Client, deadline: Deadline) -> Vec<Finding> {
    let request = |scope: &str| -> Result<Token> {
        let grant = Grant::ClientCredentials { scope: scope.to_owned() };
        token_request::request_token(context, profile, client, &grant, deadline)
    };
    let all = match request(&profile.scope) {
        Ok(token) => granted(&profile.name, "token granted", &token),
        Err(error) => Finding::error("login", &error),
    };
    let scopes: Vec<&str> = profile.scope.split_whitespace().collect();
    let mut findings = vec![all];
    if scopes.len() > 1 {
        findings.extend(scopes.into_iter().map(|scope| {
            match request(scope) {
                Ok(_) => Finding::ok("login", format!("{}: scope {scope} granted", profile.name)),
                Err(error) => {
                    Finding::failure("login", format!("{}: scope {scope}: {}", profile.name, error.summary()))
                        .fix(format!("{} --scope 'SCOPE' without {scope}", profile.login_command()))
                }
            }
        }));
    }
    findings
}

fn granted(profile: &str, what: &str, token: &Token) -> Finding {
    let scope = token.scope.as_deref().filter(|scope| !scope.is_empty()).unwrap_or("none");
    Finding::ok("login", format!("{profile}: {what}; scopes: {scope}"))
}
