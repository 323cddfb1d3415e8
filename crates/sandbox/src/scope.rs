//! Scopes: which are known, what each allows, and its description on the consent page.

/// The scope of the Payer-to-Payer `$member-match`.
pub(crate) const MEMBER_MATCH: &str = "member-match-sandbox";

/// The scopes of a realm's clients; Keycloak rejects all others.
const REALM: [&str; 6] =
    ["bulk-data|user/*.rs", MEMBER_MATCH, "patient/*.read", "launch/patient", "openid", "offline_access"];

/// Whether a realm grants this scope: known tokens, one space between them.
pub(crate) fn known_to_realm(scope: &str) -> bool {
    scope.split(' ').all(|token| REALM.contains(&token))
}

/// Whether the health plan grants this scope: SMART, launch and OpenID tokens.
pub(crate) fn known_to_plan(scope: &str) -> bool {
    const WHOLE: [&str; 5] = ["launch", "launch/patient", "openid", "fhirUser", "offline_access"];
    scope.split_whitespace().all(|token| WHOLE.contains(&token) || SmartScope::parse(token).is_some())
}

/// `LEVEL/TYPE.PERMISSIONS` of SMART App Launch, with or without 1up's `bulk-data|` prefix.
struct SmartScope<'a> {
    bulk: bool,
    level: &'a str,
    kind: &'a str,
    permissions: &'a str,
}

impl<'a> SmartScope<'a> {
    fn parse(token: &'a str) -> Option<Self> {
        let (prefix, rest) = token.split_once('|').unwrap_or(("", token));
        let (level, rest) = rest.split_once('/')?;
        let (kind, permissions) = rest.split_once('.')?;
        let permissions = match permissions.split('?').next()? {
            "read" => "rs",
            "write" => "cud",
            "*" => "cruds",
            letters if !letters.is_empty() && letters.chars().all(|c| "cruds".contains(c)) => letters,
            _ => return None,
        };
        let valid_type = kind == "*" || kind.chars().all(|c| c.is_ascii_alphabetic()) && !kind.is_empty();
        let known = valid_type && matches!(level, "patient" | "user" | "system");
        known.then_some(Self { bulk: prefix == "bulk-data", level, kind, permissions })
    }
}

/// Whether a granted scope allows `permission` (`r` or `s`) on a resource type.
pub(crate) fn allows(granted: &str, kind: &str, permission: char) -> bool {
    let smart = granted.split_whitespace().filter_map(SmartScope::parse);
    smart.into_iter().any(|s| (s.kind == "*" || s.kind == kind) && s.permissions.contains(permission))
}

/// Whether a granted scope allows a bulk export: 1up's `bulk-data|` prefix, or SMART's `system/`.
pub(crate) fn allows_export(granted: &str) -> bool {
    let smart = granted.split_whitespace().filter_map(SmartScope::parse);
    smart.into_iter().any(|s| (s.bulk || s.level == "system") && s.permissions.contains('r'))
}

/// Describes a scope token to the resource owner, in one sentence.
pub(crate) fn describe(token: &str) -> String {
    match token {
        "openid" | "fhirUser" => "See who you are".into(),
        "launch" | "launch/patient" => "See which member record you opened".into(),
        "offline_access" => "Keep this access until you revoke it".into(),
        _ => SmartScope::parse(token).map_or_else(|| format!("Use “{token}”"), |smart| smart.describe()),
    }
}

impl SmartScope<'_> {
    fn describe(&self) -> String {
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
        match self.level {
            "patient" if self.kind == "*" => format!("{verb} everything in your health record"),
            "patient" => format!("{verb} {what}"),
            "user" => format!("{verb} {what} that you may see"),
            _ => format!("{verb} {what} of all members"),
        }
    }
}

/// Whether a granted scope allows `$member-match`.
pub(crate) fn allows_member_match(granted: &str) -> bool {
    granted.split(' ').any(|token| token == MEMBER_MATCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scope_allows_its_type_and_permissions() {
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
    fn realm_rejects_unknown_tokens_and_plan_accepts_smart() {
        assert!(known_to_realm("openid bulk-data|user/*.rs"));
        for wrong in ["", "openid  launch/patient", "bulk-data", "user/*.rs"] {
            assert!(!known_to_realm(wrong), "{wrong:?}");
        }
        assert!(known_to_plan("patient/*.read  openid user/Coverage.rs"));
        assert!(!known_to_plan("patient/*.all") && !known_to_plan("member/*.read") && !known_to_plan("x"));
    }

    #[test]
    fn describes_scope_for_resource_owner() {
        assert_eq!(describe("patient/*.read"), "Read everything in your health record");
        assert_eq!(describe("patient/Coverage.rs"), "Read your insurance coverage");
        assert_eq!(describe("user/*.*"), "Read and change everything that you may see");
    }
}
