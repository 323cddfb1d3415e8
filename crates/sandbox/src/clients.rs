//! The clients that are registered at the sandbox: one for each way in which Keycloak rejects a client.

use crate::options::{CLIENT_ID, CLIENT_SECRET, JWT_CLIENT_ID, ROTATED_CLIENT_SECRET};

/// A registered client.
#[derive(Debug)]
pub(crate) struct RegisteredClient {
    pub(crate) id: &'static str,
    /// Whether the client has a secret; one without is a public client.
    pub(crate) confidential: bool,
    pub(crate) enabled: bool,
    /// May use client credentials.
    pub(crate) service_account: bool,
    /// Authenticates with a signed JWT only (`private_key_jwt`).
    pub(crate) assertion_only: bool,
}

/// The client that `sandbox run` and `sandbox demo` log in as.
const MAIN: RegisteredClient = RegisteredClient {
    id: CLIENT_ID,
    confidential: true,
    enabled: true,
    service_account: true,
    assertion_only: false,
};

static CLIENTS: [RegisteredClient; 6] = [
    MAIN,
    RegisteredClient { id: "oneup-sandbox-public", confidential: false, service_account: false, ..MAIN },
    RegisteredClient { id: "oneup-sandbox-disabled", enabled: false, ..MAIN },
    RegisteredClient { id: "oneup-sandbox-login-only", service_account: false, ..MAIN },
    RegisteredClient { id: "oneup-sandbox-assertion", assertion_only: true, ..MAIN },
    RegisteredClient { id: JWT_CLIENT_ID, assertion_only: true, ..MAIN },
];

impl RegisteredClient {
    /// Whether a secret is one of the two that are valid during a rotation; a public client has none to check.
    pub(crate) fn accepts_secret(&self, secret: Option<&str>) -> bool {
        !self.confidential || matches!(secret, Some(CLIENT_SECRET | ROTATED_CLIENT_SECRET))
    }
}

/// The registered client with this ID.
pub(crate) fn find(id: &str) -> Option<&'static RegisteredClient> {
    CLIENTS.iter().find(|client| client.id == id)
}

/// Whether a redirect URI is allowed: any on loopback (1up's sandbox allows `localhost` too), or the one https URL
/// for logins by pasting.
pub(crate) fn allows_redirect_uri(uri: &str) -> bool {
    const REGISTERED: &str = "https://app.example/callback";
    if uri == REGISTERED {
        return true;
    }
    let Ok(url) = url::Url::parse(uri) else { return false };
    let loopback = matches!(url.host_str(), Some("localhost" | "127.0.0.1" | "[::1]"));
    url.scheme() == "http" && loopback && url.fragment().is_none() && url.username().is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirect_uri_is_loopback_or_registered() {
        for (uri, allowed) in [
            ("http://localhost:8484/callback", true),
            ("http://127.0.0.1:1/", true),
            ("http://[::1]:9/x?y=z", true),
            ("https://app.example/callback", true),
            ("https://app.example/callback/", false),
            ("https://localhost/callback", false),
            ("http://localhost.example/callback", false),
            ("http://user@localhost/callback", false),
            ("http://localhost/callback#here", false),
            ("javascript:alert(1)", false),
            ("callback", false),
        ] {
            assert_eq!(allows_redirect_uri(uri), allowed, "{uri}");
        }
    }

    #[test]
    fn two_secrets_are_valid_during_rotation() {
        let client = find(CLIENT_ID).expect("the main client");
        assert!(
            client.accepts_secret(Some(CLIENT_SECRET)) && client.accepts_secret(Some(ROTATED_CLIENT_SECRET))
        );
        assert!(!client.accepts_secret(Some("wrong")) && !client.accepts_secret(None));
    }
}
