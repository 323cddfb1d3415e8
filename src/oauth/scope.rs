//! Scopes: what is asked for made fit for the wire, and what was granted said in words.
//!
//! SMART App Launch 2.2 has two generations of the same idea (`patient/*.read`, `patient/*.rs`), and 1up puts a
//! mark of its own before one of them. A developer with a 403 wants to know what the letters mean.

use crate::error::{Error, Result};

/// The letters of a SMART v2 permission, in the one order that the standard allows, with their words.
const LETTERS: [(char, &str); 5] =
    [('c', "create"), ('r', "read"), ('u', "update"), ('d', "delete"), ('s', "search")];

/// Scopes without a resource: SMART's, OpenID Connect's, and those that Keycloak grants unasked.
const NAMED: &[(&str, &str)] = &[
    ("launch", "take the patient and encounter from the EHR that launches the app"),
    ("launch/patient", "let the person choose a patient at login; the answer names it"),
    ("launch/encounter", "let the person choose an encounter at login; the answer names it"),
    ("openid", "say who logged in, in an ID token"),
    ("fhirUser", "name the FHIR resource of the person who logged in"),
    ("offline_access", "a refresh token that works when the person is gone"),
    ("online_access", "a refresh token that works while the person is logged in"),
    ("profile", "the person's name and profile claims (OpenID Connect)"),
    ("email", "the person's e-mail address (OpenID Connect)"),
    ("address", "the person's postal address (OpenID Connect)"),
    ("phone", "the person's telephone number (OpenID Connect)"),
    ("roles", "the roles that Keycloak knows of (a default of Keycloak's)"),
    ("web-origins", "the origins that browsers may call from (a default of Keycloak's)"),
    ("acr", "how strongly the login was authenticated (a default of Keycloak's)"),
    ("basic", "the standard claims sub and auth_time (a default of Keycloak's)"),
    ("service_account", "the id and address of the client (a default of Keycloak's)"),
];

/// 1up's own mark, which stands before a scope of a bulk export.
const MARK: &str = "bulk-data|";

/// One scope token in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The token as it stands in the scope.
    pub scope: String,
    /// What it allows, without a full stop.
    pub words: String,
    /// What is odd about it.
    pub warning: Option<String>,
    /// Whether it is one that SMART, OpenID Connect, Keycloak or 1up defines.
    pub known: bool,
}

/// What was asked for against what was granted; v1 and v2 names of the same permission are equal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// GrantType for and not granted.
    pub missing: Vec<String>,
    /// Granted without being asked for.
    pub extra: Vec<String>,
}

/// A scope as RFC 6749 §3.3 has it: tokens with one space between them. Tabs, line ends and repeated spaces, as
/// they come from copying, collapse; a token that stands twice is kept once.
///
/// # Errors
/// Usage, for a character that no scope token may hold: a quote, a backslash, a control or non-ASCII character.
pub fn normalize(scope: &str) -> Result<String> {
    let allowed = |c: char| matches!(c, '\x21' | '\x23'..='\x5b' | '\x5d'..='\x7e');
    let mut tokens: Vec<&str> = Vec::new();
    for token in scope.split_ascii_whitespace() {
        if let Some(bad) = token.chars().find(|c| !allowed(*c)) {
            let shown = bad.escape_default();
            return Err(Error::usage(format!("the scope holds a character that is not allowed: {shown}"))
                .with_hint(
                    "scopes are separated by spaces and stand in no quotes, such as 'patient/*.read openid'",
                ));
        }
        if !tokens.contains(&token) {
            tokens.push(token);
        }
    }
    Ok(tokens.join(" "))
}

/// What one scope token allows, in words.
pub fn explain(token: &str) -> Explained {
    let make = |words: String, warning, known| Explained { scope: token.to_owned(), words, warning, known };
    // The mark counts once: a server may grant any number of them, and each would take its share of the stack.
    if let Some(rest) = token.strip_prefix(MARK).filter(|rest| !rest.starts_with(MARK)) {
        let inner = explain(rest);
        let joint = if inner.known { ", to " } else { "; what follows is " };
        let words = format!("1up's own: marks the token for bulk export{joint}{}", inner.words);
        return make(words, inner.warning, inner.known);
    }
    if token.starts_with("member-match-") {
        return make("1up's own: call $member-match, for Payer-to-Payer".into(), None, true);
    }
    if let Some((_, words)) = NAMED.iter().find(|(name, _)| *name == token) {
        return make((*words).into(), None, true);
    }
    match Smart::parse(token) {
        Some(smart) => make(smart.words(), smart.warning(), true),
        None => make("not a scope of SMART, OpenID Connect or 1up: ask who issued it".into(), None, false),
    }
}

/// The tokens of one scope that the other lacks, both ways.
pub fn difference(asked: &str, granted: &str) -> Difference {
    let lacking = |from: &str, other: &str| -> Vec<String> {
        let other: Vec<String> = other.split_ascii_whitespace().map(canonical).collect();
        from.split_ascii_whitespace()
            .filter(|token| !other.contains(&canonical(token)))
            .map(str::to_owned)
            .collect()
    };
    Difference { missing: lacking(asked, granted), extra: lacking(granted, asked) }
}

/// The v2 name with its letters in order, so that names of the same permission compare equal.
fn canonical(token: &str) -> String {
    // Any other bar is part of the query, as in `?category=SYSTEM|CODE`.
    let (mark, rest) = token.strip_prefix(MARK).map_or(("", token), |rest| (MARK, rest));
    match Smart::parse(rest) {
        Some(Smart { context, resource, letters, query, .. }) => {
            format!("{mark}{context}/{resource}.{letters}?{}", query.unwrap_or_default())
        }
        None => token.to_owned(),
    }
}

/// `ctx/Resource.permission?query` (SMART App Launch 2.2, "Scopes for requesting FHIR resources").
struct Smart<'a> {
    context: &'a str,
    resource: &'a str,
    /// As it was written.
    permission: &'a str,
    /// As v2 letters, in order, each once.
    letters: String,
    query: Option<&'a str>,
}

impl<'a> Smart<'a> {
    fn parse(token: &'a str) -> Option<Self> {
        let (path, query) = token.split_once('?').map_or((token, None), |(path, query)| (path, Some(query)));
        let (context, rest) = path.split_once('/')?;
        let (resource, permission) = rest.split_once('.')?;
        let named = resource.starts_with(|c: char| c.is_ascii_uppercase())
            && resource.chars().all(|c| c.is_ascii_alphanumeric());
        let whole = matches!(context, "patient" | "user" | "system")
            && (named || resource == "*")
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
        whole.then_some(Self { context, resource, permission, letters, query })
    }

    fn is_v1(&self) -> bool {
        matches!(self.permission, "read" | "write" | "*")
    }

    fn words(&self) -> String {
        let verbs: Vec<&str> = LETTERS
            .iter()
            .filter(|(letter, _)| self.letters.contains(*letter))
            .map(|(_, verb)| *verb)
            .collect();
        let mut words = format!("{} {}", join(&verbs, "and"), self.object());
        if let Some(query) = self.query {
            let conditions: Vec<&str> = query.split('&').collect();
            words.push_str(&format!(", only where {}", join(&conditions, "and")));
        }
        match self.letters.as_str() {
            "cruds" => {}
            letters if !letters.contains(['c', 'u', 'd']) => words.push_str("; no changes"),
            letters if !letters.contains(['r', 's']) => words.push_str("; no reading"),
            _ => {}
        }
        if self.is_v1() {
            words.push_str(&format!(" (v1's name for .{})", self.letters));
        }
        words
    }

    fn object(&self) -> String {
        let what = match self.resource {
            "*" => "every resource type, present and future,".to_owned(),
            named => named.to_owned(),
        };
        match self.context {
            "patient" => format!("{what} of the one patient who consented"),
            "user" => format!("{what} that the acting user or organisation may see"),
            _ => format!("{what} that the client itself may see, with no user involved"),
        }
    }

    fn warning(&self) -> Option<String> {
        (!self.is_v1() && self.permission != self.letters).then(|| {
            format!("the letters are out of order: SMART wants .{}, and a server may refuse it", self.letters)
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
