//! A realm's keys, cached for ten minutes in the state directory.

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
use crate::text::hex;

/// How long cached keys are used, in seconds. A token with an unknown `kid` causes a new request.
const MAX_AGE: i64 = 600;

/// A realm's keys.
pub(super) struct RealmKeys {
    pub(super) set: KeySet,
    pub(super) jwks_uri: String,
}

#[derive(Serialize, Deserialize)]
struct CachedJwks {
    issuer: String,
    jwks_uri: String,
    fetched_at: i64,
    body: String,
}

/// Fetches the keys of a trusted issuer.
pub(super) fn fetch(context: &Context, issuer: &str) -> Result<RealmKeys> {
    let http = Http::new(context)?.until(context.deadline());
    let realm = discovery::realm(issuer, |url| {
        http.get(url).map(|response| (response.status == 200).then_some(response.body))
    })?;
    let response = http.get(&realm.jwks_uri)?;
    if response.status != 200 {
        return Err(Error::protocol(format!("no keys at {}", realm.jwks_uri)).with_detail(response.snippet()));
    }
    let set = jwks::parse(&response.body).map_err(|error| error.with_detail(response.snippet()))?;
    let body = String::from_utf8_lossy(&response.body).into_owned();
    let cached = CachedJwks { issuer: issuer.to_owned(), jwks_uri: realm.jwks_uri, fetched_at: now(), body };
    if let Ok(bytes) = serde_json::to_vec(&cached) {
        // If it can't be written, the next run fetches again.
        let _ = path(context, issuer).and_then(|path| files::replace(&path, &bytes));
    }
    Ok(RealmKeys { set, jwks_uri: cached.jwks_uri })
}

/// Returns the keys from the cache if they are recent.
pub(super) fn cached(context: &Context, issuer: &str) -> Option<RealmKeys> {
    let cached: CachedJwks =
        serde_json::from_slice(&files::read(&path(context, issuer).ok()?, Purpose::State).ok()??).ok()?;
    let age = now().checked_sub(cached.fetched_at)?;
    let is_recent = cached.issuer == issuer && (0..MAX_AGE).contains(&age);
    let set = jwks::parse(cached.body.as_bytes()).ok()?;
    is_recent.then_some(RealmKeys { set, jwks_uri: cached.jwks_uri })
}

/// The cache file, named by a digest of the issuer.
fn path(context: &Context, issuer: &str) -> Result<PathBuf> {
    let digest = digest::digest(&digest::SHA256, issuer.as_bytes());
    Ok(context.state_dir()?.join("keys").join(format!("{}.json", hex(&digest.as_ref()[..16]))))
}
