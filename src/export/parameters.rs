//! What an export asks for, as values and as the kick-off URL (HL7 Bulk Data Access 2.0, "Bulk Data Kick-off Request").

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// `--since last`.
const LAST: &str = "last";

/// Which resources an export covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Everything the client may see: `BASE/$export`.
    System,
    /// All patients: `BASE/Patient/$export`.
    Patient,
    /// The patients of a Group, by its ID: `BASE/Group/ID/$export`.
    Group(String),
}

/// The lower bound of `meta.lastUpdated`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Since {
    /// A FHIR instant, as given.
    Instant(String),
    /// The `transactionTime` of the finished export in the directory.
    Last,
}

/// The parameters that identify an export: a directory belongs to one set of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// The FHIR base URL, without a slash at its end.
    pub fhir_base: String,
    /// System, patient or group level.
    pub level: Level,
    /// Resource types, sorted; empty means all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<String>,
    /// `--since`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Since>,
    /// `_typeFilter` queries, in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub type_filters: Vec<String>,
}

impl Since {
    /// Parses `--since`: `last`, or a FHIR instant (a date, a time with seconds, and an offset).
    ///
    /// # Errors
    /// Usage.
    pub fn parse(text: &str) -> Result<Self> {
        if text == LAST {
            return Ok(Self::Last);
        }
        match text.parse::<jiff::Timestamp>() {
            Ok(_) => Ok(Self::Instant(text.to_owned())),
            Err(_) => Err(Error::usage(format!("--since {text:?} is not a FHIR instant"))
                .with_hint("--since 2026-01-31T00:00:00Z, or --since last")),
        }
    }
}

impl Parameters {
    /// Checks and normalizes what was given on the command line.
    ///
    /// # Errors
    /// Usage, for a type, group ID or filter that no server could accept.
    pub fn new(
        fhir_base: &str,
        level: Level,
        types: &[String],
        since: Option<Since>,
        type_filters: &[String],
    ) -> Result<Self> {
        let mut types: Vec<String> = types.iter().map(|name| name.trim().to_owned()).collect();
        types.sort();
        types.dedup();
        if let Some(wrong) = types.iter().find(|name| !is_type(name)) {
            return Err(Error::usage(format!("{wrong:?} is not a FHIR resource type"))
                .with_hint("--type Patient,Coverage"));
        }
        if let Level::Group(id) = &level
            && !is_id(id)
        {
            return Err(Error::usage(format!("{id:?} is not a FHIR ID"))
                .with_hint("a group ID has 1 to 64 letters, digits, `-` and `.`: --group 42"));
        }
        if let Some(wrong) = type_filters.iter().find(|query| !is_type_filter(query)) {
            return Err(Error::usage(format!("--type-filter {wrong:?} is not a query on one resource type"))
                .with_hint("--type-filter 'Observation?category=laboratory'"));
        }
        let fhir_base = fhir_base.trim_end_matches('/').to_owned();
        Ok(Self { fhir_base, level, types, since, type_filters: type_filters.to_vec() })
    }

    /// Returns the kick-off URL; `since` is the resolved instant. `_typeFilter` is repeated, so that a comma in a query
    /// stays a comma.
    ///
    /// # Errors
    /// Usage, when the FHIR base is not a URL.
    pub fn kick_off_url(&self, since: Option<&str>) -> Result<String> {
        let path = match &self.level {
            Level::System => "$export".to_owned(),
            Level::Patient => "Patient/$export".to_owned(),
            Level::Group(id) => format!("Group/{id}/$export"),
        };
        let mut url = url::Url::parse(&format!("{}/{path}", self.fhir_base))
            .map_err(|error| Error::usage("the profile's FHIR base is not a URL").with_cause(error))?;
        let mut query: Vec<(&str, &str)> = Vec::new();
        let types = self.types.join(",");
        if !types.is_empty() {
            query.push(("_type", &types));
        }
        query.extend(since.map(|instant| ("_since", instant)));
        query.extend(self.type_filters.iter().map(|filter| ("_typeFilter", filter.as_str())));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url.into())
    }

    /// Returns in which respects another export differs, as flags; empty when it is the same one.
    pub fn differences(&self, other: &Self) -> Vec<&'static str> {
        let mut flags = Vec::new();
        let mut check = |same: bool, flag| {
            if !same {
                flags.push(flag);
            }
        };
        check(self.fhir_base == other.fhir_base, "--tenant or --profile");
        check(self.level == other.level, "--group or --patient");
        check(self.types == other.types, "--type");
        check(self.since == other.since, "--since");
        check(self.type_filters == other.type_filters, "--type-filter");
        flags
    }
}

fn is_type(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// FHIR R4 §2.24.0.1, `id`.
fn is_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

fn is_type_filter(query: &str) -> bool {
    query.split_once('?').is_some_and(|(name, rest)| is_type(name) && !rest.is_empty())
        && !query.chars().any(|c| c.is_control() || c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "https://gateway.1up.health/v1/bison/bulk-export/bulk-data/r4";

    fn parameters(level: Level, types: &[&str], filters: &[&str]) -> Result<Parameters> {
        let own = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
        Parameters::new(BASE, level, &own(types), None, &own(filters))
    }

    #[test]
    fn builds_the_kick_off_url_of_each_level() {
        for (level, types, filters, expected) in [
            (Level::System, vec![], vec![], "/$export"),
            (Level::System, vec!["Patient"], vec![], "/$export?_type=Patient"),
            (
                Level::Patient,
                vec!["Patient", "Coverage"],
                vec![],
                "/Patient/$export?_type=Coverage%2CPatient",
            ),
            (
                Level::Group("a.1-b".into()),
                vec![],
                vec!["Observation?code=a,b", "Condition?x=1"],
                "/Group/a.1-b/$export?_typeFilter=Observation%3Fcode%3Da%2Cb&_typeFilter=Condition%3Fx%3D1",
            ),
        ] {
            let url =
                parameters(level, &types, &filters).and_then(|it| it.kick_off_url(None)).expect(expected);
            assert_eq!(url, format!("{BASE}{expected}"));
        }
        let url = parameters(Level::System, &[], &[])
            .and_then(|it| it.kick_off_url(Some("2026-01-01T00:00:00+01:00")));
        assert_eq!(url.expect("a URL"), format!("{BASE}/$export?_since=2026-01-01T00%3A00%3A00%2B01%3A00"));
    }

    #[test]
    fn rejects_what_no_server_could_accept() {
        for types in ["patient", "", "Patient;rm", "Pa tient", "../x"] {
            assert!(parameters(Level::System, &[types], &[]).is_err(), "{types}");
        }
        for id in ["", "a/b", "..%2f", "a b", &"x".repeat(65)] {
            assert!(parameters(Level::Group(id.into()), &[], &[]).is_err(), "{id}");
        }
        for filter in ["", "Observation", "Observation?", "observation?x=1", "Observation?x=1\n"] {
            assert!(parameters(Level::System, &[], &[filter]).is_err(), "{filter:?}");
        }
        for since in ["", "yesterday", "2026-01-01", "2026-01-01T00:00:00"] {
            assert!(Since::parse(since).is_err(), "{since}");
        }
        assert_eq!(Since::parse("last").expect("last"), Since::Last);
        assert!(Since::parse("2026-01-01T00:00:00.123+02:00").is_ok());
    }

    #[test]
    fn names_the_flags_that_differ() {
        let one = parameters(Level::System, &["Patient", "Coverage"], &[]).expect("parameters");
        let same = parameters(Level::System, &["Coverage", "Patient"], &[]).expect("parameters");
        assert!(one.differences(&same).is_empty());
        let other = parameters(Level::Patient, &["Coverage"], &[]).expect("parameters");
        assert_eq!(one.differences(&other), ["--group or --patient", "--type"]);
    }
}
