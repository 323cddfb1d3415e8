//! `oneup status`: every profile and what its token is worth, without unlocking or asking anything.

use serde_json::{Value, json};

use crate::cli::{ReportFormat, Status};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::oauth::product::Product;
use crate::oauth::token::Lifetime;
use crate::output::duration;
use crate::output::time::rfc3339;
use crate::profile::{self, Profile};
use crate::session::metadata::{self, TokenMetadata};
use crate::system::clock::now;
use crate::text::sanitize;

/// A profile and what is noted of its token.
struct Row {
    profile: Profile,
    note: Option<TokenMetadata>,
}

impl Row {
    fn load(context: &Context, profile: Profile) -> Self {
        let note = metadata::load(context, &profile.id);
        Self { profile, note }
    }

    fn lifetime(&self) -> Option<Lifetime> {
        self.note.as_ref().map(TokenMetadata::lifetime)
    }

    fn live(&self, now: i64) -> bool {
        self.lifetime().is_some_and(|life| life.is_fresh(now, None))
    }

    fn left(&self, now: i64) -> Option<u64> {
        self.lifetime()?.remaining(now)
    }

    fn renewable(&self) -> bool {
        self.profile.product != Product::Patient || self.note.as_ref().is_some_and(|note| note.refreshable)
    }

    fn scope(&self) -> &str {
        self.note.as_ref().and_then(|note| note.scope.as_deref()).unwrap_or(&self.profile.scope)
    }
}

/// Lists the profiles, or the selected one. A broken profile file is reported after the others.
///
/// # Errors
/// Authentication with `--check`, unless the selected profile has a live or renewable token.
pub fn run(context: &Context, args: &Status) -> Result<Exit> {
    if args.check {
        check(context)?;
    }
    let names = match &context.profile {
        Some(name) => vec![name.clone()],
        None => profile::names(context.config_dir()?)?,
    };
    let mut broken = None;
    let mut rows = Vec::new();
    for name in &names {
        match profile::resolve_profile(context.config_dir()?, Some(name)) {
            Ok(profile) => rows.push(Row::load(context, profile)),
            Err(error) => broken = broken.or(Some(error)),
        }
    }
    if let Some(error) = broken.take_if(|_| rows.is_empty()) {
        return Err(error);
    }
    if let Some(error) = broken {
        context.warn(error);
    }
    super::print(match args.format {
        ReportFormat::Json => crate::output::json(&Value::from_iter(rows.iter().map(json_row))),
        ReportFormat::Text => text(context, &rows),
    })?;
    Ok(Exit::Success)
}

fn check(context: &Context) -> Result<()> {
    let profile = profile::resolve_profile(context.config_dir()?, context.profile.as_deref())?;
    let row = Row::load(context, profile);
    if row.renewable() || row.lifetime().is_some_and(|lifetime| lifetime.may_be_used(now())) {
        return Ok(());
    }
    Err(Error::auth(format!("the token of profile {} has expired, and can't be renewed", row.profile.name))
        .with_hint(format!("log in again: {}", row.profile.login_command())))
}

fn json_row(row: &Row) -> Value {
    let now = now();
    let expires_on = row.lifetime().and_then(Lifetime::expires_at);
    json!({
        "profile": row.profile.name,
        "product": row.profile.product.name(),
        "client_id": row.profile.client_id,
        "scope": row.scope(),
        "store": row.profile.store.name(),
        "token_url": row.profile.token_url,
        "fhir_base": row.profile.fhir_base,
        "live": row.live(now),
        "renewable": row.renewable(),
        "expires_in": row.left(now),
        "expires_on": expires_on,
        "expires_at": expires_on.and_then(rfc3339),
        "context": row.note.as_ref().map(|note| &note.launch_context),
    })
}

fn text(context: &Context, rows: &[Row]) -> String {
    if rows.is_empty() {
        context.info("Nobody is logged in. Begin with: oneup login provider, p2p or patient");
    }
    let now = now();
    rows.iter().map(|row| block(row, now)).collect::<Vec<_>>().join("\n")
}

fn block(row: &Row, now: i64) -> String {
    let profile = &row.profile;
    let renewable = match (row.renewable(), row.live(now)) {
        (true, true) => "renewed by itself",
        (true, false) => "renewed at its next use",
        (false, true) => "not renewable",
        (false, false) => "not renewable; log in again",
    };
    let token = match row.left(now) {
        Some(0) => "expired".to_owned(),
        Some(left) if row.live(now) => format!("{} left", duration(left)),
        Some(left) => format!("{} left, which is too little", duration(left)),
        None => "lifetime unknown".to_owned(),
    };
    let mut lines = vec![
        format!("{} ({})", profile.name, profile.product.title()),
        format!("  token   {token}; {renewable}"),
        format!("  client  {}", sanitize(&profile.client_id, 100)),
        format!(
            "  scope   {}",
            if row.scope().is_empty() { "none".into() } else { sanitize(row.scope(), 500) }
        ),
        format!("  server  {}", sanitize(&profile.origin(), 200)),
        format!("  store   {}", profile.store.name()),
    ];
    if let Some(note) = row.note.as_ref().filter(|note| !note.launch_context.is_empty()) {
        let members = note.launch_context.iter().map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{}={}", sanitize(name, 60), sanitize(&value, 100))
        });
        lines.push(format!("  launch  {}", members.collect::<Vec<_>>().join(" ")));
    }
    if profile.product == Product::Patient
        && row.scope().split(' ').any(|scope| scope.starts_with("patient/"))
        && row.note.as_ref().is_some_and(|note| !note.launch_context.contains_key("patient"))
    {
        lines.push("  launch  a patient/ scope, and no patient in the answer: ask for launch/patient".into());
    }
    lines.join("\n") + "\n"
}
