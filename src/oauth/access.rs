//! Whether scopes allow a FHIR interaction (SMART App Launch 2.2, "Scopes for requesting FHIR resources"), and 1up's
//! rules for exports.

use super::scope::{BULK_PREFIX, Smart};

/// A FHIR request, relative to its FHIR base.
#[derive(Clone, Debug)]
pub struct FhirRequest {
    /// The HTTP method, in upper case.
    pub method: String,
    /// The path below the base, without a leading slash.
    pub path: String,
    /// The names and values of the query, decoded.
    pub query: Vec<(String, String)>,
    /// Whether the base is one of 1up's bulk exports, where every path exports data.
    pub is_export_base: bool,
}

/// What a request does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interaction {
    /// Metadata, which needs no token.
    Public,
    /// A permission (a SMART v2 letter) on a resource type, or on all (`*`).
    Resource {
        /// The name of the interaction, such as `read`.
        name: &'static str,
        /// `c`, `r`, `u`, `d` or `s`.
        letter: char,
        /// The resource type or `*`.
        resource: String,
        /// The resource's ID.
        id: Option<String>,
    },
    /// A bulk export of these resource types; of `*` if not limited.
    Export(Vec<String>),
    /// `$member-match`.
    MemberMatch,
    /// Not allowed whatever the scopes are; the text says why.
    Rejected(&'static str),
    /// SMART does not define which scope it needs; the text says what it is.
    Undefined(&'static str),
}

/// Whether scopes allow an interaction.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Decision {
    /// `None` when the scopes don't tell.
    pub allowed: Option<bool>,
    /// The scope tokens that allow it.
    pub granted_by: Vec<String>,
    /// The scope tokens that are missing, in SMART v2 syntax.
    pub missing: Vec<String>,
    /// Why it is allowed, not allowed or unknown, if the scopes don't say it.
    pub reason: Option<String>,
}

impl FhirRequest {
    /// Returns what the request does.
    pub fn interaction(&self) -> Interaction {
        let segments: Vec<&str> = self.path.split('/').filter(|segment| !segment.is_empty()).collect();
        if matches!(segments.as_slice(), ["metadata"] | [".well-known", ..]) {
            return Interaction::Public;
        }
        if self.is_export_base || segments.last() == Some(&"$export") {
            return self.export(&segments);
        }
        if segments.last() == Some(&"$member-match") {
            return Interaction::MemberMatch;
        }
        if segments.last().is_some_and(|last| *last == "$everything") {
            return resource("$everything", 'r', "*", None);
        }
        if segments.iter().any(|segment| segment.starts_with('$')) {
            return Interaction::Undefined("an operation");
        }
        self.rest(&segments)
    }

    /// FHIR R4, "RESTful API".
    fn rest(&self, segments: &[&str]) -> Interaction {
        match (self.method.as_str(), segments) {
            ("POST", []) => {
                Interaction::Undefined("a batch or transaction, whose entries need their own scopes")
            }
            ("GET" | "HEAD", [] | ["_history"]) | ("POST", ["_search"]) => resource("search", 's', "*", None),
            ("GET" | "HEAD", [kind] | [kind, "_history"]) | ("POST", [kind, "_search"]) => {
                resource("search", 's', kind, None)
            }
            ("GET" | "HEAD", [kind, id] | [kind, id, "_history", ..]) => {
                resource("read", 'r', kind, Some(id))
            }
            ("GET" | "HEAD", ["Patient", _, kind]) => resource("search", 's', kind, None),
            ("POST", [kind]) => resource("create", 'c', kind, None),
            ("PUT" | "PATCH", [kind] | [kind, _]) => resource("update", 'u', kind, segments.get(1).copied()),
            ("DELETE", [kind] | [kind, _]) => resource("delete", 'd', kind, segments.get(1).copied()),
            _ => Interaction::Undefined("not a FHIR interaction"),
        }
    }

    /// `$export`, `Group/ID/$export`, `Patient/$export`, and 1up's `TYPE`, which exports one resource type.
    fn export(&self, segments: &[&str]) -> Interaction {
        if self.is_export_base && !matches!(self.method.as_str(), "GET" | "HEAD" | "EXPORT" | "PUT") {
            return Interaction::Rejected("1up accepts no POST or DELETE for exports (HTTP 403)");
        }
        match segments {
            [.., "$export"] => {
                let types = self.query.iter().filter(|(name, _)| name == "_type");
                let types: Vec<String> = types
                    .flat_map(|(_, value)| value.split(','))
                    .map(|kind| kind.trim().to_owned())
                    .collect();
                Interaction::Export(if types.is_empty() { vec!["*".to_owned()] } else { types })
            }
            [kind] if kind.starts_with(|c: char| c.is_ascii_uppercase()) => {
                Interaction::Export(vec![(*kind).to_owned()])
            }
            _ => Interaction::Undefined("not an export's kick-off URL"),
        }
    }
}

fn resource(name: &'static str, letter: char, kind: &str, id: Option<&str>) -> Interaction {
    if kind != "*" && !kind.starts_with(|c: char| c.is_ascii_uppercase()) {
        return Interaction::Undefined("not a FHIR resource type");
    }
    Interaction::Resource { name, letter, resource: kind.to_owned(), id: id.map(str::to_owned) }
}

/// Decides whether the scopes of a token (`None`: unknown) allow an interaction. `patient` is the patient of the launch
/// context, whom `patient/` scopes are limited to.
pub fn decide(interaction: &Interaction, scope: Option<&str>, patient: Option<&str>) -> Decision {
    let unknown = |reason: &str| Decision { reason: Some(reason.to_owned()), ..Decision::default() };
    let rejected = |reason: &str| Decision { allowed: Some(false), ..unknown(reason) };
    let granted = Granted { tokens: scope.unwrap_or_default().split_ascii_whitespace().collect() };
    match interaction {
        Interaction::Public => Decision { allowed: Some(true), ..unknown("it needs no token") },
        Interaction::Rejected(reason) => rejected(reason),
        Interaction::Undefined(what) => unknown(what),
        _ if scope.is_none() => unknown("the token's scopes are unknown; the server decides"),
        Interaction::MemberMatch => granted.with_prefix("member-match-"),
        Interaction::Export(types) => granted.export(types),
        Interaction::Resource { letter, resource, id, .. } => {
            let other = id.as_deref().filter(|id| patient.is_some_and(|patient| patient != *id));
            match other {
                Some(other) if resource == "Patient" && granted.level() == "patient" => {
                    rejected(&format!("the patient/ scopes are limited to one patient, not {other}"))
                }
                _ => granted.resource(*letter, resource),
            }
        }
    }
}

/// The granted scope tokens.
struct Granted<'a> {
    tokens: Vec<&'a str>,
}

impl Granted<'_> {
    /// The level of a missing scope: that of the granted ones.
    fn level(&self) -> &'static str {
        let has = |level: &str| self.tokens.iter().any(|token| token.starts_with(level));
        match (has("patient/"), has("user/"), has("system/")) {
            (true, false, false) => "patient",
            (false, false, true) => "system",
            _ => "user",
        }
    }

    fn resource(&self, letter: char, resource: &str) -> Decision {
        let matches = |token: &&str| Smart::parse(token).is_some_and(|smart| smart.covers(letter, resource));
        let missing = format!("{}/{resource}.{letter}", self.level());
        self.decision(self.tokens.iter().copied().find(matches), missing)
    }

    /// 1up's exports need a scope with the bulk prefix that covers reading and searching each type.
    fn export(&self, types: &[String]) -> Decision {
        let mut decision = Decision { allowed: Some(true), ..Decision::default() };
        for kind in types {
            let matches = |token: &&str| {
                let smart = token.strip_prefix(BULK_PREFIX).and_then(Smart::parse);
                smart.is_some_and(|smart| smart.covers('r', kind) && smart.covers('s', kind))
            };
            let token = self.tokens.iter().copied().find(matches);
            let one = self.decision(token, format!("{BULK_PREFIX}user/{kind}.rs"));
            decision.allowed = decision.allowed.filter(|_| one.allowed == Some(true)).or(Some(false));
            decision.missing.extend(one.missing);
            decision.granted_by.extend(one.granted_by);
            decision.reason = decision.reason.or(one.reason);
        }
        decision.granted_by.dedup();
        decision
    }

    fn with_prefix(&self, prefix: &str) -> Decision {
        let token = self.tokens.iter().copied().find(|token| token.starts_with(prefix));
        self.decision(token, format!("{prefix}…"))
    }

    fn decision(&self, granting: Option<&str>, missing: String) -> Decision {
        match granting {
            Some(token) => Decision {
                allowed: Some(true),
                granted_by: vec![token.to_owned()],
                reason: token.split_once('?').map(|(_, query)| format!("limited to resources where {query}")),
                ..Decision::default()
            },
            None => Decision { allowed: Some(false), missing: vec![missing], ..Decision::default() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: &str, path: &str, is_export_base: bool) -> FhirRequest {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query = query.split('&').filter_map(|pair| pair.split_once('='));
        FhirRequest {
            method: method.into(),
            path: path.into(),
            query: query.map(|(name, value)| (name.into(), value.into())).collect(),
            is_export_base,
        }
    }

    fn decision(method: &str, path: &str, scope: &str) -> Decision {
        decide(&request(method, path, false).interaction(), Some(scope), None)
    }

    #[test]
    fn rest_interactions_need_their_letter() {
        for (method, path, letter, resource) in [
            ("GET", "Patient/1", 'r', "Patient"),
            ("HEAD", "Patient/1/_history/2", 'r', "Patient"),
            ("GET", "Patient?name=x", 's', "Patient"),
            ("POST", "Observation/_search", 's', "Observation"),
            ("GET", "Patient/1/Observation", 's', "Observation"),
            ("GET", "?_type=Patient", 's', "*"),
            ("POST", "Patient", 'c', "Patient"),
            ("PUT", "Patient/1", 'u', "Patient"),
            ("PATCH", "Patient/1", 'u', "Patient"),
            ("DELETE", "Patient/1", 'd', "Patient"),
            ("GET", "Patient/1/$everything", 'r', "*"),
        ] {
            let one = format!("user/{resource}.{letter}");
            assert_eq!(decision(method, path, &one).granted_by, [one.as_str()], "{method} {path}");
            assert_eq!(decision(method, path, "user/*.cruds").allowed, Some(true), "{method} {path}");
            let others = format!("user/*.{}", "cruds".replace(letter, ""));
            let denied = decision(method, path, &others);
            assert_eq!((denied.allowed, denied.missing), (Some(false), vec![one]), "{method} {path}");
        }
    }

    #[test]
    fn v1_syntax_levels_and_queries_count() {
        assert_eq!(decision("GET", "Patient/1", "patient/*.read").allowed, Some(true));
        assert_eq!(decision("POST", "Patient", "patient/*.read").missing, ["patient/Patient.c"]);
        assert_eq!(decision("PUT", "Patient/1", "user/Patient.write").allowed, Some(true));
        assert_eq!(decision("GET", "Observation", "user/Patient.rs").missing, ["user/Observation.s"]);
        let limited = decision("GET", "Observation", "user/Observation.rs?category=laboratory");
        assert_eq!(limited.reason.as_deref(), Some("limited to resources where category=laboratory"));
        assert_eq!(decision("GET", "metadata", "").allowed, Some(true));
        assert_eq!(decision("GET", "Patient/1", "").allowed, Some(false));
        assert_eq!(decide(&request("GET", "Patient/1", false).interaction(), None, None).allowed, None);
        for (method, path) in [("POST", ""), ("GET", "Patient/$x"), ("TRACE", "Patient/1"), ("GET", "x")] {
            assert_eq!(decision(method, path, "user/*.cruds").allowed, None, "{method} {path}");
        }
    }

    #[test]
    fn patient_scopes_are_limited_to_the_patient_of_the_launch_context() {
        let decide = |path: &str, scope| {
            super::decide(&request("GET", path, false).interaction(), Some(scope), Some("p1")).allowed
        };
        assert_eq!(decide("Patient/p1", "patient/*.rs"), Some(true));
        assert_eq!(decide("Patient/p2", "patient/*.rs"), Some(false));
        assert_eq!(decide("Patient/p2", "user/*.rs"), Some(true));
        assert_eq!(decide("Observation/p2", "patient/*.rs"), Some(true));
    }

    #[test]
    fn exports_need_the_bulk_prefix_for_each_type() {
        let export = |method: &str, path: &str, scope| {
            decide(&request(method, path, true).interaction(), Some(scope), None)
        };
        let bulk = "bulk-data|user/*.rs";
        for path in
            ["$export", "$export?_type=Patient,Coverage", "Group/g1/$export", "Patient/$export", "Patient"]
        {
            assert_eq!(export("GET", path, bulk).granted_by, [bulk], "{path}");
            assert_eq!(export("GET", path, "user/*.rs").allowed, Some(false), "{path}");
            assert_eq!(export("POST", path, bulk).allowed, Some(false), "{path}");
        }
        assert_eq!(export("GET", "$export", "user/*.rs").missing, [bulk]);
        let one = "bulk-data|user/Patient.rs";
        assert_eq!(export("GET", "Patient", one).allowed, Some(true));
        assert_eq!(
            export("GET", "$export?_type=Patient,Coverage", one).missing,
            ["bulk-data|user/Coverage.rs"]
        );
        assert_eq!(export("GET", "Patient", "bulk-data|user/*.r").allowed, Some(false));
        assert_eq!(export("GET", "status/1", bulk).allowed, None);
        assert_eq!(decision("GET", "Patient/1", bulk).missing, ["user/Patient.r"]);
        assert_eq!(decision("POST", "Patient/$member-match", "member-match-x").allowed, Some(true));
        assert_eq!(decision("POST", "Patient/$member-match", bulk).missing, ["member-match-…"]);
    }
}
