//! `oneup token inspect`: what a token is, whether it holds, and what is wrong. Never renews, never sends the token
//! anywhere but, with `--introspect`, to the realm that the profile trusts.

pub(crate) mod input;
mod keys;
mod realm;

use crate::cli::{Inspect, ReportFormat};
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::oauth::jwt;
use crate::output::inspect::{Report, json, text};
use crate::system::clock::now;

/// Prints the report; 7 when the token doesn't hold.
///
/// # Errors
/// Authentication when there is no token or no profile to judge by; usage for a stdin that holds none; network and
/// protocol from the realm; store.
pub fn run(context: &Context, args: &Inspect) -> Result<Exit> {
    let needs_realm = args.verify || args.introspect;
    let subject = input::read(context, args.stdin.is_some(), needs_realm)?;
    let mut report = Report {
        now: now(),
        origin: subject.origin,
        form: jwt::decode(subject.token.expose()),
        profile: subject.profile,
        known: subject.known,
        verification: None,
        introspection: None,
    };
    if args.verify {
        report.verification = Some(realm::verify(context, &report)?);
    }
    if args.introspect {
        report.introspection = Some(realm::introspect(context, &report, &subject.token)?);
    }
    match args.format {
        ReportFormat::Text => crate::commands::print(crate::output::colored(&text(&report)))?,
        ReportFormat::Json => crate::commands::print(json(&report))?,
    }
    Ok(if report.fails() { Exit::CheckFailed } else { Exit::Success })
}
