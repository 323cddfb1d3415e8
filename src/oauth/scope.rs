//! Scopes: normalized for a request, compared, and described in words.
//!
//! SMART App Launch 2.2 has two syntaxes (v1 `patient/*.read`, v2 `patient/*.rs`), and 1up has a prefix for bulk exports.

use crate::error::{Error, Result};

/// The letters of a SMART v2 permission in their required order, with their meaning.
const LETTERS: [(char, &str); 5] =
    [('c', "create"), ('r', "read"), ('u', "update"), ('d', "delete"), ('s', "search")];

/// Scopes without a resource: of SMART, of OpenID Connect, and Keycloak's default ones.
const NAMED: &[(&str, &str)] = &[
    ("launch", "launch context from the EHR that launches the app"),
    ("launch/patient", "select a patient at login; the token response names it"),
    ("launch/encounter", "select an encounter at login; the token response names it"),
    ("openid", "an ID token for the user (OpenID Connect)"),
    ("fhirUser", "the FHIR resource of the user"),
    ("offline_access", "a refresh token that outlives the user's session"),
    ("online_access", "a refresh token for the duration of the user's session"),
    ("profile", "the user's name and profile claims (OpenID Connect)"),
    ("email", "the user's email address (OpenID Connect)"),
    ("address", "the user's postal address (OpenID Connect)"),
    ("phone", "the user's telephone number (OpenID Connect)"),
    ("roles", "Keycloak roles (a Keycloak default)"),
    ("web-origins", "allowed browser origins (a Keycloak default)"),
    ("acr", "authentication context class (a Keycloak default)"),
    ("basic", "the claims sub and auth_time (a Keycloak default)"),
    ("service_account", "the client's ID and address (a Keycloak default)"),
];

/// 1up's prefix of scopes for bulk exports.
pub(super) const BULK_PREFIX: &str = "bulk-data|";

/// A scope token with its description.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Described {
    /// The token.
    pub scope: String,
    /// What it grants access to, without a period.
    pub description: String,
    /// A problem with its syntax.
    pub warning: Option<String>,
    /// Whether SMART, OpenID Connect, Keycloak or 1up defines it.
    pub recognized: bool,
}

/// The difference between a requested and a granted scope. v1 and v2 syntax of the same permission are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Requested but not granted.
    pub missing: Vec<String>,
    /// Granted but not requested.
    pub additional: Vec<String>,
}

/// Returns the scope with one space between tokens (RFC 6749 §3.3) and without repeated tokens.
///
/// # Errors
/// Usage, for a character that a scope token must not have: a quote, a backslash, a control or non-ASCII character.
pub fn normalize(scope: &str) -> Result<String> {
    let allowed = |c: char| matches!(c, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
    let mut tokens: Vec<&str> = Vec::new();
    for token in scope.split_ascii_whitespace() {
        if let Some(bad) = token.chars().find(|c| !allowed(*c)) {
            return Err(Error::usage(format!("invalid character in scope: {}", bad.escape_default()))
                .with_hint("separate scopes by spaces, for example --scope 'patient/*.read openid'"));
        }
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    Ok(tokens.join(" "))
}

/// Returns what is suspicious about a requested scope: the server would take it for one unknown scope.
pub fn lint(scope: &str) -> Option<String> {
    scope.split_ascii_whitespace().find_map(|token| {
        let path = token.split('?').next().unwrap_or(token);
        let problem = if path.contains(',') {
            "scopes are separated by spaces, not commas"
        } else if is_percent_encoded(path) {
            "it is percent-encoded"
        } else {
            return None;
        };
        Some(format!("unusual scope {token}: {problem}"))
    })
}

fn is_percent_encoded(token: &str) -> bool {
    let is_hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    token.as_bytes().windows(3).any(|window| window[0] == b'%' && is_hex(&window[1..]))
}

/// Describes a scope token.
pub fn describe(token: &str) -> Described {
    let described = |description: String, warning, recognized| Described {
        scope: token.to_owned(),
        description,
        warning,
        recognized,
    };
    // Once only: each of a server's repeated prefixes would take a stack frame.
    if let Some(rest) = token.strip_prefix(BULK_PREFIX).filter(|rest| !rest.starts_with(BULK_PREFIX)) {
        let inner = describe(rest);
        return described(format!("1up bulk export: {}", inner.description), inner.warning, inner.recognized);
    }
    if token.starts_with("member-match-") {
        return described("1up: call $member-match (Payer-to-Payer)".into(), None, true);
    }
    if let Some((_, description)) = NAMED.iter().find(|(name, _)| *name == token) {
        return described((*description).into(), None, true);
    }
    match Smart::parse(token) {
        Some(smart) => described(smart.describe(), smart.warning(), true),
        None => described("unknown scope, not of SMART, OpenID Connect or 1up".into(), None, false),
    }
}

/// Compares a requested and a granted scope.
pub fn difference(requested: &str, granted: &str) -> Difference {
    let missing = |from: &str, other: &str| -> Vec<String> {
        let other: Vec<String> = other.split_ascii_whitespace().map(canonical).collect();
        from.split_ascii_whitespace()
            .filter(|token| !other.contains(&canonical(token)))
            .map(str::to_owned)
            .collect()
    };
    Difference { missing: missing(requested, granted), additional: missing(granted, requested) }
}

/// Returns the v2 syntax with its letters in order, so that equal permissions compare equal.
fn canonical(token: &str) -> String {
    // Any other `|` is part of the query, as in `?category=SYSTEM|CODE`.
    let (prefix, rest) = token.strip_prefix(BULK_PREFIX).map_or(("", token), |rest| (BULK_PREFIX, rest));
    match Smart::parse(rest) {
        Some(Smart { level, resource, letters, query, .. }) => {
            format!("{prefix}{level}/{resource}.{letters}?{}", query.unwrap_or_default())
        }
        None => token.to_owned(),
    }
}

/// `level/Resource.permission?query` (SMART App Launch 2.2, "Scopes for requesting FHIR resources").
pub(super) struct Smart<'a> {
    /// `patient`, `user` or `system`.
    level: &'a str,
    resource: &'a str,
    /// As written, in v1 or v2 syntax.
    permission: &'a str,
    /// In v2 letters, in order, each once.
    letters: String,
    query: Option<&'a str>,
}

impl<'a> Smart<'a> {
    pub(super) fn parse(token: &'a str) -> Option<Self> {
        let (path, query) = token.split_once('?').map_or((token, None), |(path, query)| (path, Some(query)));
        let (level, rest) = path.split_once('/')?;
        let (resource, permission) = rest.split_once('.')?;
        let is_type = resource.starts_with(|c: char| c.is_ascii_uppercase())
            && resource.chars().all(|c| c.is_ascii_alphanumeric());
        let valid = matches!(level, "patient" | "user" | "system")
            && (is_type || resource == "*")
            && query.is_none_or(|query| query.split('&').all(|pair| pair.contains('=')));
        let letters = match permission {
            "read" => "rs".to_owned(),
            "write" => "cud".to_owned(),
            "*" => "cruds".to_owned(),
            other if !other.is_empty() && other.chars().all(|c| "cruds".contains(c)) => {
                LETTERS.iter().map(|(letter, _)| *letter).filter(|letter| other.contains(*letter)).collect()
            }
            _ => return None,
        };
        valid.then_some(Self { level, resource, permission, letters, query })
    }

    /// Returns whether it grants a permission on a resource type (`*`: on all).
    pub(super) fn covers(&self, letter: char, resource: &str) -> bool {
        self.letters.contains(letter) && (self.resource == "*" || self.resource == resource)
    }

    fn is_v1(&self) -> bool {
        matches!(self.permission, "read" | "write" | "*")
    }

    fn describe(&self) -> String {
        let verbs: Vec<&str> = LETTERS
            .iter()
            .filter(|(letter, _)| self.letters.contains(*letter))
            .map(|(_, verb)| *verb)
            .collect();
        let mut text = format!("{} {}", join(&verbs, "and"), self.object());
        if let Some(query) = self.query {
            let conditions: Vec<&str> = query.split('&').collect();
            text.push_str(&format!(", where {}", join(&conditions, "and")));
        }
        if self.is_v1() {
            text.push_str(&format!(" (SMART v1 syntax for .{})", self.letters));
        }
        text
    }

    fn object(&self) -> String {
        let what = match self.resource {
            "*" => "all resource types".to_owned(),
            resource => format!("{resource} resources"),
        };
        match self.level {
            "patient" => format!("{what} of the patient"),
            "user" => format!("{what} the user can access"),
            _ => format!("{what} the client can access"),
        }
    }

    fn warning(&self) -> Option<String> {
        (!self.is_v1() && self.permission != self.letters).then(|| {
            format!("letters out of order: SMART requires .{}, and a server may reject this", self.letters)
        })
    }
}

/// `a, b and c`.
fn join(items: &[&str], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [init @ .., end] => format!("{} {last} {end}", init.join(", ")),
    }
}

#[cfg(test)]
mod tests;
