//! What the sandbox makes of a scope: which are known, what each allows, and what it means to a person.

/// The scopes of the realm's clients; Keycloak refuses any other.
const REALM: [&str; 6] = [
    "bulk-data|user/*.rs",
    "member-match-sandbox",
    "patient/*.read",
    "launch/patient",
    "openid",
    "offline_access",
];

/// Whether the realm grants exactly this text: tokens with one space between them.
pub(crate) fn known_to_realm(scope: &str) -> bool {
    scope.split(' ').all(|token| REALM.contains(&token))
}

/// Whether the health plan grants this: SMART scopes and the launch and OpenID ones.
pub(crate) fn known_to_plan(scope: &str) -> bool {
    const WHOLE: [&str; 5] = ["launch", "launch/patient", "openid", "fhirUser", "offline_access"];
    scope.split_whitespace().all(|token| WHOLE.contains(&token) || Smart::parse(token).is_some())
}

/// `CONTEXT/TYPE.PERMISSIONS` of SMART App Launch, with 1up's `MARK|` before it or not.
struct Smart<'a> {
    bulk: bool,
    context: &'a str,
    kind: &'a str,
    permissions: &'a str,
}

impl<'a> Smart<'a> {
    fn parse(token: &'a str) -> Option<Self> {
        let (mark, rest) = token.split_once('|').unwrap_or(("", token));
        let (context, rest) = rest.split_once('/')?;
        let (kind, permissions) = rest.split_once('.')?;
        let permissions = match permissions.split('?').next()? {
            "read" => "rs",
            "write" => "cud",
            "*" => "cruds",
            letters if !letters.is_empty() && letters.chars().all(|c| "cruds".contains(c)) => letters,
            _ => return None,
        };
        let named = kind == "*" || kind.chars().all(|c| c.is_ascii_alphabetic()) && !kind.is_empty();
        let known = named && matches!(context, "patient" | "user" | "system");
        known.then_some(Self { bulk: mark == "bulk-data", context, kind, permissions })
    }
}

/// Whether a granted scope allows `permission` (`r` or `s`) on a resource type.
pub(crate) fn allows(granted: &str, kind: &str, permission: char) -> bool {
    let smart = granted.split_whitespace().filter_map(Smart::parse);
    smart.into_iter().any(|s| (s.kind == "*" || s.kind == kind) && s.permissions.contains(permission))
}

/// Whether a granted scope allows a bulk export: 1up's mark, or SMART's `system/`.
pub(crate) fn allows_export(granted: &str) -> bool {
    let smart = granted.split_whitespace().filter_map(Smart::parse);
    smart.into_iter().any(|s| (s.bulk || s.context == "system") && s.permissions.contains('r'))
}

/// A scope token as a sentence about the person who is asked.
pub(crate) fn in_words(token: &str) -> String {
    match token {
        "openid" | "fhirUser" => "Know who you are".into(),
        "launch" | "launch/patient" => "Know which member record you opened".into(),
        "offline_access" => "Keep this access until you take it back".into(),
        _ => Smart::parse(token).map_or_else(|| format!("Use “{token}”"), |smart| smart.in_words()),
    }
}

impl Smart<'_> {
    fn in_words(&self) -> String {
        let changes = self.permissions.chars().any(|c| "cud".contains(c));
        let verb = match (self.permissions.contains(['r', 's']), changes) {
            (true, true) => "Read and change",
            (false, true) => "Change",
            _ => "Read",
        };
        let what = match self.kind {
            "*" => "everything".to_owned(),
            "Patient" => "your name, birth date and address".to_owned(),
            "Coverage" => "your insurance coverage".to_owned(),
            "ExplanationOfBenefit" => "your claims and what was paid".to_owned(),
            other => format!("every {other}"),
        };
        match self.context {
            "patient" if self.kind == "*" => format!("{verb} everything in your health record"),
            "patient" => format!("{verb} {what}"),
            "user" => format!("{verb} {what} that you may see"),
            _ => format!("{verb} {what} of all members"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_allows_what_it_says() {
        for (scope, kind, permission, allowed) in [
            ("patient/*.read", "Coverage", 's', true),
            ("patient/Patient.read", "Coverage", 'r', false),
            ("patient/Patient.r", "Patient", 's', false),
            ("bulk-data|user/*.rs", "Patient", 'r', true),
            ("user/*.*", "Patient", 'r', true),
            ("openid launch/patient", "Patient", 'r', false),
            ("patient/*.write", "Patient", 'r', false),
            ("", "Patient", 'r', false),
        ] {
            assert_eq!(allows(scope, kind, permission), allowed, "{scope} {kind}.{permission}");
        }
        assert!(allows_export("bulk-data|user/*.rs") && allows_export("system/*.rs"));
        assert!(!allows_export("user/*.rs") && !allows_export("patient/*.read"));
    }

    #[test]
    fn the_realm_is_as_strict_as_keycloak_and_the_plan_knows_smart() {
        assert!(known_to_realm("openid bulk-data|user/*.rs"));
        for wrong in ["", "openid  launch/patient", "bulk-data", "user/*.rs"] {
            assert!(!known_to_realm(wrong), "{wrong:?}");
        }
        assert!(known_to_plan("patient/*.read  openid user/Coverage.rs"));
        assert!(!known_to_plan("patient/*.all") && !known_to_plan("member/*.read") && !known_to_plan("x"));
    }

    #[test]
    fn a_person_reads_words() {
        assert_eq!(in_words("patient/*.read"), "Read everything in your health record");
        assert_eq!(in_words("patient/Coverage.rs"), "Read your insurance coverage");
        assert_eq!(in_words("user/*.*"), "Read and change everything that you may see");
    }
}
