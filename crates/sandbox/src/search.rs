//! FHIR search: the matching resources, in pages (FHIR R4 §3.1.1).

use serde_json::{Value, json};
use url::form_urlencoded::Serializer;

use crate::params::Params;

/// How many matches a page has without `_count`, and at most.
const DEFAULT_PAGE_SIZE: usize = 20;
const MAX_PAGE_SIZE: usize = 100;

/// A searchset Bundle. Its links have the private parameter `_offset`.
///
/// # Errors
/// A text for the client, if a parameter is not a number.
pub(crate) fn bundle(base: &str, kind: &str, resources: Vec<Value>, query: &Params) -> Result<Value, String> {
    let count = number(query, "_count")?.unwrap_or(DEFAULT_PAGE_SIZE).min(MAX_PAGE_SIZE);
    let offset = number(query, "_offset")?.unwrap_or(0);
    let found: Vec<Value> = resources.into_iter().filter(|resource| self::matches(resource, query)).collect();
    let page = found.iter().skip(offset).take(count);
    let entry = |resource: &Value| {
        let full_url = format!("{base}/{kind}/{}", resource["id"].as_str().unwrap_or_default());
        json!({ "fullUrl": full_url, "resource": resource, "search": { "mode": "match" } })
    };
    let entries: Vec<Value> = page.map(entry).collect();
    let link = |relation: &str, offset: usize| json!({ "relation": relation, "url": page_url(base, kind, query, count, offset) });
    let mut links = vec![link("self", offset)];
    if count > 0 && offset > 0 {
        links.push(link("previous", offset.saturating_sub(count)));
    }
    if count > 0 && offset.saturating_add(count) < found.len() {
        links.push(link("next", offset + count));
    }
    let mut bundle =
        json!({ "resourceType": "Bundle", "type": "searchset", "total": found.len(), "link": links });
    if !entries.is_empty() {
        // FHIR forbids empty arrays.
        bundle["entry"] = json!(entries);
    }
    Ok(bundle)
}

fn number(query: &Params, name: &str) -> Result<Option<usize>, String> {
    query.get(name).map(|text| text.parse().map_err(|_| format!("{name} takes a number"))).transpose()
}

const FILTERS: [&str; 4] = ["_id", "patient", "beneficiary", "identifier"];

/// Whether a resource matches the search parameters of a query.
pub(crate) fn matches(resource: &Value, query: &Params) -> bool {
    FILTERS.into_iter().filter_map(|name| query.get(name).map(|value| (name, value))).all(|(name, value)| {
        value.split(',').any(|value| match name {
            "_id" => resource["id"] == value,
            "identifier" => {
                let value = value.rsplit('|').next().unwrap_or(value);
                resource["identifier"]
                    .as_array()
                    .is_some_and(|all| all.iter().any(|one| one["value"] == value))
            }
            _ => crate::members::member_of(resource) == value.trim_start_matches("Patient/"),
        })
    })
}

fn page_url(base: &str, kind: &str, query: &Params, count: usize, offset: usize) -> String {
    let mut text = Serializer::new(String::new());
    for name in FILTERS {
        if let Some(value) = query.get(name) {
            text.append_pair(name, value);
        }
    }
    text.append_pair("_count", &count.to_string());
    if offset > 0 {
        text.append_pair("_offset", &offset.to_string());
    }
    format!("{base}/{kind}?{}", text.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(query: &str) -> Value {
        let resources = crate::members::resources("Patient").expect("patients");
        bundle("http://b/r4", "Patient", resources, &Params::parse(query.as_bytes())).expect("a bundle")
    }

    #[test]
    fn next_links_visit_every_match_once() {
        let all = find("")["total"].as_u64().expect("a total");
        let (mut query, mut seen) = ("_count=5".to_owned(), Vec::new());
        loop {
            let page = find(&query);
            let entries = page["entry"].as_array().expect("entries").clone();
            seen.extend(entries.iter().map(|entry| entry["resource"]["id"].to_string()));
            let links = page["link"].as_array().expect("links");
            let Some(next) = links.iter().find(|link| link["relation"] == "next") else { break };
            query = next["url"].as_str().expect("a url").split_once('?').expect("a query").1.to_owned();
        }
        seen.dedup();
        assert_eq!(seen.len() as u64, all);
    }

    #[test]
    fn searches_by_id_and_identifier() {
        assert_eq!(find("_id=123456789123")["total"], 1);
        assert_eq!(find("identifier=x|123456789123")["total"], 1);
        let none = find("_id=nobody");
        assert_eq!(none["total"], 0);
        assert!(none.get("entry").is_none());
        assert!(find("_count=0").get("entry").is_none());
        assert!(bundle("", "Patient", vec![], &Params::parse(b"_count=many")).is_err());
    }
}
