//! What was asked, counted: how a test sees that something happened once, or not at all.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

/// Counts of requests by method, path (without its query) and grant. No parameter and no header gets in.
#[derive(Default)]
pub(crate) struct Journal(Mutex<BTreeMap<Entry, u64>>);

type Entry = (String, String, Option<&'static str>);

/// More distinct entries than any test needs; beyond it requests go uncounted.
const MOST: usize = 10_000;

impl Journal {
    /// Counts one request.
    pub(crate) fn count(&self, method: &str, path: &str, grant: Option<&str>) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = (method.to_owned(), path.to_owned(), grant.map(known));
        if counts.len() < MOST || counts.contains_key(&entry) {
            *counts.entry(entry).or_insert(0) += 1;
        }
    }

    /// Begins anew.
    pub(crate) fn clear(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// `{"total": N, "requests": [{"method", "path", "grant", "count"}]}`; `grant` only where one was named.
    pub(crate) fn view(&self) -> Value {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let row = |((method, path, grant), count): (&Entry, &u64)| {
            let mut row = json!({ "method": method, "path": path, "count": count });
            if let Some(grant) = grant {
                row["grant"] = json!(grant);
            }
            row
        };
        json!({ "total": counts.values().sum::<u64>(), "requests": counts.iter().map(row).collect::<Vec<_>>() })
    }
}

/// Only known grants are written down: a client that puts its secret in the wrong field finds it nowhere.
fn known(grant: &str) -> &'static str {
    ["client_credentials", "authorization_code", "refresh_token"]
        .into_iter()
        .find(|&known| known == grant)
        .unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_counted_by_method_path_and_grant() {
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
        assert_eq!(journal.view(), expected);
        journal.clear();
        assert_eq!(journal.view()["total"], 0);
    }
}
