//! `oneup status`: the profiles and the status of their tokens, without opening a store or a connection.

use serde_json::{Value, json};

use crate::cli::{ReportFormat, Status};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::oauth::product::Product;
use crate::oauth::token::Lifetime;
use crate::output::duration;
use crate::output::time::rfc3339;
use crate::profile::{self, Profile};
use crate::session::metadata::{self, RefreshExpiry, TokenMetadata};
use crate::system::clock::now;
use crate::text::sanitize;

/// A profile and the metadata of its tokens.
struct Row {
    profile: Profile,
    metadata: Option<TokenMetadata>,
    is_default: bool,
    now: i64,
}

impl Row {
    fn load(context: &Context, profile: Profile, default: Option<&str>) -> Self {
        let metadata = metadata::load(context, &profile.id);
        Self { metadata, is_default: default == Some(&profile.name), profile, now: now() }
    }

    fn lifetime(&self) -> Option<Lifetime> {
        self.metadata.as_ref().map(|metadata| metadata.lifetime)
    }

    fn is_valid(&self) -> bool {
        self.lifetime().is_some_and(|lifetime| lifetime.is_fresh(self.now, None))
    }

    fn is_client_rejected(&self) -> bool {
        self.metadata.as_ref().is_some_and(|metadata| metadata.client_rejected)
    }

    /// Whether a new token can be requested without a user, as far as is known.
    fn is_refreshable(&self) -> bool {
        let has_grant = self.profile.product != Product::Patient
            || self.metadata.as_ref().is_some_and(|metadata| metadata.has_refresh_token(self.now));
        has_grant && !self.is_client_rejected()
    }

    /// When the refresh token expires; `None` without one.
    fn refresh_expiry(&self) -> Option<RefreshExpiry> {
        self.metadata.as_ref().filter(|metadata| metadata.refreshable).map(TokenMetadata::refresh_expiry)
    }

    fn scope(&self) -> &str {
        let granted = self.metadata.as_ref().and_then(|metadata| metadata.scope.as_deref());
        granted.unwrap_or(&self.profile.scope)
    }

    fn scoped_tokens(&self) -> impl Iterator<Item = (&String, &TokenMetadata)> {
        self.metadata.iter().flat_map(|metadata| &metadata.scoped_tokens)
    }
}

/// Lists the profiles, or the selected one. An invalid profile file is reported after the others.
///
/// # Errors
/// Authentication with `--check`, unless the selected profile has a valid token or can get one without a user.
pub fn run(context: &Context, args: &Status) -> Result<Exit> {
    if args.check {
        check(context)?;
    }
    let config_dir = context.config_dir()?;
    let profiles = match &context.profile {
        Some(_) => vec![context.selected_profile()],
        None => {
            let names = profile::names(config_dir)?;
            names.iter().map(|name| profile::resolve_profile(config_dir, Some(name))).collect()
        }
    };
    let default = profile::default_name(config_dir).ok().flatten();
    let mut invalid = None;
    let mut rows = Vec::new();
    for profile in profiles {
        match profile {
            Ok(profile) => rows.push(Row::load(context, profile, default.as_deref())),
            Err(error) => invalid = invalid.or(Some(error)),
        }
    }
    if let Some(error) = invalid.take_if(|_| rows.is_empty()) {
        return Err(error);
    }
    if let Some(error) = invalid {
        context.warn(error);
    }
    super::print(match args.format {
        ReportFormat::Json => crate::output::json(&Value::from_iter(rows.iter().map(json_row))),
        ReportFormat::Text => text(context, &rows),
    })
}

fn check(context: &Context) -> Result<()> {
    let profile = context.selected_profile()?;
    let row = Row::load(context, profile, None);
    let may_be_used = row.lifetime().is_some_and(|lifetime| lifetime.may_be_used(row.now));
    if row.is_refreshable() || may_be_used {
        return Ok(());
    }
    let name = &row.profile.name;
    let error = if row.is_client_rejected() {
        Error::auth(format!("the server rejected the client of profile {name} at the last token request"))
    } else if row.metadata.is_none() {
        Error::auth(format!("profile {name} has no token"))
    } else if row.refresh_expiry().is_some() {
        Error::auth(format!("the token and the refresh token of profile {name} have expired"))
    } else {
        Error::auth(format!("the token of profile {name} has expired and can't be refreshed"))
    };
    Err(error.with_hint(row.profile.login_command()))
}

fn json_row(row: &Row) -> Value {
    let expires_on = row.lifetime().and_then(Lifetime::expires_at);
    let refresh_expires_at = match row.refresh_expiry() {
        Some(RefreshExpiry::At(time)) => json!(rfc3339(time)),
        Some(RefreshExpiry::Never) => json!("never"),
        Some(RefreshExpiry::Unknown) => json!("unknown"),
        None => Value::Null,
    };
    let tokens = row.scoped_tokens().map(|(scope, token)| {
        let lifetime = token.lifetime;
        json!({
            "scope": scope,
            "valid": lifetime.is_fresh(row.now, None),
            "expires_in": lifetime.remaining(row.now),
        })
    });
    json!({
        "profile": row.profile.name,
        "default": row.is_default,
        "product": row.profile.product.name(),
        "client_id": row.profile.client_id,
        "tenant": row.profile.tenant,
        "scope": row.scope(),
        "store": row.profile.store.name(),
        "token_url": row.profile.token_url,
        "fhir_base": row.profile.fhir_base,
        "valid": row.is_valid(),
        "refreshable": row.is_refreshable(),
        "refresh_expires_at": refresh_expires_at,
        "client_rejected": row.is_client_rejected(),
        "expires_in": row.lifetime().and_then(|lifetime| lifetime.remaining(row.now)),
        "expires_on": expires_on,
        "expires_at": expires_on.and_then(rfc3339),
        "other_tokens": Value::from_iter(tokens),
        "launch_context": row.metadata.as_ref().map(|metadata| &metadata.launch_context),
    })
}

fn text(context: &Context, rows: &[Row]) -> String {
    if rows.is_empty() {
        context.info(format_args!("Not logged in. To log in: {}", profile::LOGIN_COMMANDS));
    }
    rows.iter().map(block).collect::<Vec<_>>().join("\n")
}

fn block(row: &Row) -> String {
    let profile = &row.profile;
    let default = if row.is_default { ", default" } else { "" };
    let mut lines = vec![
        format!("{} ({}{default})", profile.name, profile.product.title()),
        format!("  token   {}; {}", describe_lifetime(row.lifetime(), row.now), describe_refresh(row)),
    ];
    lines.extend(row.scoped_tokens().map(|(scope, token)| {
        let expiry = describe_lifetime(Some(token.lifetime), row.now);
        let scope = if scope.is_empty() { "no scope" } else { &format!("scope {}", sanitize(scope, 500)) };
        format!("  token   {expiry}, for {scope}")
    }));
    lines.extend([
        format!("  client  {}", sanitize(&profile.client_id, 100)),
        format!(
            "  scope   {}",
            if row.scope().is_empty() { "none".into() } else { sanitize(row.scope(), 500) }
        ),
        format!("  server  {}", sanitize(&profile.origin(), 200)),
    ]);
    lines.extend(profile.tenant.as_ref().map(|tenant| format!("  tenant  {}", sanitize(tenant, 100))));
    lines.push(format!("  store   {}", profile.store.name()));
    lines.extend(launch_context(row));
    lines.join("\n") + "\n"
}

fn describe_lifetime(lifetime: Option<Lifetime>, now: i64) -> String {
    let Some(lifetime) = lifetime else { return "none".into() };
    match lifetime.remaining(now) {
        Some(0) => "expired".into(),
        Some(seconds) if lifetime.is_fresh(now, None) => format!("{} left", duration(seconds)),
        Some(seconds) => format!("{} left (expiring)", duration(seconds)),
        None => "lifetime unknown".into(),
    }
}

fn describe_refresh(row: &Row) -> String {
    if row.is_client_rejected() {
        return "the server rejected the client; log in again".into();
    }
    let expiry = match row.refresh_expiry() {
        Some(RefreshExpiry::At(time)) => match u64::try_from(time.saturating_sub(row.now)) {
            Ok(seconds @ 1..) => format!(" (for {})", duration(seconds)),
            _ => return "refresh token expired; log in again".into(),
        },
        Some(RefreshExpiry::Unknown) => " (unknown until when)".into(),
        Some(RefreshExpiry::Never) | None => String::new(),
    };
    if row.metadata.is_none() {
        let next = if row.is_refreshable() { "requested at the next use" } else { "log in again" };
        return next.into();
    }
    match (row.is_refreshable(), row.is_valid()) {
        (true, true) => format!("refreshed automatically{expiry}"),
        (true, false) => format!("refreshed at the next use{expiry}"),
        (false, true) => "can't be refreshed".into(),
        (false, false) => "can't be refreshed; log in again".into(),
    }
}

fn launch_context(row: &Row) -> Option<String> {
    let metadata = row.metadata.as_ref()?;
    if !metadata.launch_context.is_empty() {
        let members = metadata.launch_context.iter().map(|(name, value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            format!("{}={}", sanitize(name, 60), sanitize(&value, 100))
        });
        return Some(format!("  launch context  {}", members.collect::<Vec<_>>().join(" ")));
    }
    let has_patient_scope = row.scope().split(' ').any(|scope| scope.starts_with("patient/"));
    (row.profile.product == Product::Patient && has_patient_scope).then(|| {
        "  launch context  no patient, though the scope is patient/*; request launch/patient too".into()
    })
}
