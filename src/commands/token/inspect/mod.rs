//! `oneup token inspect`: a token's claims, expiry and scopes. Never refreshes; sends the token only with
//! `--introspect`, to the realm that the profile trusts.

mod access;
mod keys;
mod realm;

use super::input;
use crate::cli::{Inspect, ReportFormat};
use crate::context::Context;
use crate::error::{ErrorKind, Exit, Result};
use crate::oauth::jwt;
use crate::output::inspect::{Inspection, json, text};
use crate::system::clock::now;

/// Prints the inspection. Returns [`ErrorKind::CheckFailed`] if the token is not valid.
///
/// # Errors
/// Authentication without a token, or without the profile that `--verify` needs; usage for a stdin without a token;
/// network and protocol from the realm; store.
pub fn run(context: &Context, args: &Inspect) -> Result<Exit> {
    let needs_realm = args.verify || args.introspect;
    let inspected = input::read(context, args.stdin.is_some(), needs_realm)?;
    let mut inspection = Inspection {
        now: now(),
        origin: inspected.origin,
        kind: jwt::decode(inspected.token.expose()),
        profile: inspected.profile,
        metadata: inspected.metadata,
        verification: None,
        introspection: None,
        access: None,
    };
    if args.verify {
        inspection.verification = Some(realm::verify(context, &inspection)?);
    }
    if args.introspect {
        inspection.introspection = Some(realm::introspect(context, &inspection, &inspected.token)?);
    }
    if let Some(request) = &args.allows {
        inspection.access = Some(access::check(&inspection, request)?);
    }
    crate::commands::print(match args.format {
        ReportFormat::Text => crate::output::colored(&text(&inspection)),
        ReportFormat::Json => json(&inspection),
    })?;
    Ok(if inspection.fails() { Exit::Failed(ErrorKind::CheckFailed) } else { Exit::Success })
}
