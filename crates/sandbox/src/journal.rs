//! Counts of the requests so far: how a test sees that something happened once, or not at all.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

/// Counts of requests by method, path (without its query) and grant. Holds no parameter and no header.
#[derive(Default)]
pub(crate) struct Journal(Mutex<BTreeMap<JournalKey, u64>>);

/// Method, path and grant type.
type JournalKey = (String, String, Option<&'static str>);

/// More distinct keys than any test needs; requests beyond it are not counted.
const MAX_KEYS: usize = 10_000;

impl Journal {
    /// Counts one request.
    pub(crate) fn count(&self, method: &str, path: &str, grant: Option<&str>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (method.to_owned(), path.to_owned(), grant.map(known_grant));
        if counts.len() < MAX_KEYS || counts.contains_key(&key) {
            *counts.entry(key).or_insert(0) += 1;
        }
    }

    /// Sets all counts to zero.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// `{"total": N, "requests": [{"method", "path", "grant", "count"}]}`; `grant` only in token requests.
    pub(crate) fn to_json(&self) -> Value {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let row = |((method, path, grant), count): (&JournalKey, &u64)| {
            let mut row = json!({ "method": method, "path": path, "count": count });
            if let Some(grant) = grant {
                row["grant"] = json!(grant);
            }
            row
        };
        json!({ "total": counts.values().sum::<u64>(), "requests": counts.iter().map(row).collect::<Vec<_>>() })
    }
}

/// The name of a known grant, else `other`: a secret that was sent as `grant_type` must not be recorded.
fn known_grant(grant: &str) -> &'static str {
    ["client_credentials", "authorization_code", "refresh_token"]
        .into_iter()
        .find(|&known| known == grant)
        .unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_requests_by_method_path_and_grant() {
        let journal = Journal::default();
        journal.count("POST", "/token", Some("client_credentials"));
        journal.count("POST", "/token", Some("client_credentials"));
        journal.count("POST", "/token", Some("s3cret"));
        journal.count("GET", "/r4/Patient", None);
        let expected = json!({ "total": 4, "requests": [
            { "method": "GET", "path": "/r4/Patient", "count": 1 },
            { "method": "POST", "path": "/token", "grant": "client_credentials", "count": 2 },
            { "method": "POST", "path": "/token", "grant": "other", "count": 1 },
        ]});
        assert_eq!(journal.to_json(), expected);
        journal.clear();
        assert_eq!(journal.to_json()["total"], 0);
    }
}
