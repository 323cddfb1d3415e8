//! A realm's keys, kept for ten minutes in the state directory: `--verify` in a loop asks the realm once.

use std::path::PathBuf;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, Result};
use crate::http::Http;
use crate::oauth::discovery;
use crate::oauth::jwks::{self, KeySet};
use crate::system::clock::now;
use crate::system::files::{self, Purpose};
use crate::text::sanitize;

/// How long keys are believed, in seconds. A token with an unknown `kid` asks sooner.
const LIFETIME: i64 = 600;

/// Keys, and where they are from.
pub(super) struct Keys {
    pub(super) set: KeySet,
    pub(super) jwks_uri: String,
    /// Whether they were just fetched.
    pub(super) fresh: bool,
}

#[derive(Serialize, Deserialize)]
struct Cached {
    issuer: String,
    jwks_uri: String,
    fetched_at: i64,
    body: String,
}

/// The keys of a trusted issuer, from the cache where they are young enough.
pub(super) fn get(context: &Context, issuer: &str) -> Result<Keys> {
    match cached(context, issuer) {
        Some(keys) => Ok(keys),
        None => fetch(context, issuer),
    }
}

/// The keys as the realm has them now.
pub(super) fn fetch(context: &Context, issuer: &str) -> Result<Keys> {
    let http = Http::new(context)?;
    let realm = discovery::realm(issuer, |url| {
        http.get(url).map(|answer| (answer.status == 200).then_some(answer.body))
    })?;
    let answer = http.get(&realm.jwks_uri)?;
    if answer.status != 200 {
        return Err(Error::protocol(format!(
            "the realm's keys are not at {}",
            sanitize(&realm.jwks_uri, 200)
        ))
        .with_detail(answer.snippet()));
    }
    let set = jwks::parse(&answer.body).map_err(|error| error.with_detail(answer.snippet()))?;
    let body = String::from_utf8_lossy(&answer.body).into_owned();
    let cached = Cached { issuer: issuer.to_owned(), jwks_uri: realm.jwks_uri, fetched_at: now(), body };
    if let Ok(bytes) = serde_json::to_vec(&cached) {
        // A state directory that can't be written costs a request the next time, nothing else.
        let _ = path(context, issuer).and_then(|path| files::replace(&path, &bytes));
    }
    Ok(Keys { set, jwks_uri: cached.jwks_uri, fresh: true })
}

fn cached(context: &Context, issuer: &str) -> Option<Keys> {
    let cached: Cached =
        serde_json::from_slice(&files::read(&path(context, issuer).ok()?, Purpose::State).ok()??).ok()?;
    let age = now().checked_sub(cached.fetched_at)?;
    let believed = cached.issuer == issuer && (0..LIFETIME).contains(&age);
    let set = jwks::parse(cached.body.as_bytes()).ok()?;
    believed.then_some(Keys { set, jwks_uri: cached.jwks_uri, fresh: false })
}

/// One file a realm, named by a digest: an issuer is no file name.
fn path(context: &Context, issuer: &str) -> Result<PathBuf> {
    let digest = digest::digest(&digest::SHA256, issuer.as_bytes());
    let name: String = digest.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(context.state_dir()?.join("keys").join(format!("{name}.json")))
}
