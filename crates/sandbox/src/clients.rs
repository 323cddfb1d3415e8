//! The clients that are registered at the sandbox, one for each way in which Keycloak refuses a client.

/// A registered client.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: &'static str,
    /// None: a public client.
    pub(crate) secret: Option<&'static str>,
    pub(crate) enabled: bool,
    /// May use client credentials.
    pub(crate) service_account: bool,
    /// Authenticates with a signed JWT only, which the sandbox doesn't take.
    pub(crate) assertion_only: bool,
}

/// The client that `sandbox run` and `sandbox demo` log in as.
pub(crate) const MAIN: Client = Client {
    id: "oneup-sandbox",
    secret: Some(crate::CLIENT_SECRET),
    enabled: true,
    service_account: true,
    assertion_only: false,
};

const OTHERS: [Client; 4] = [
    Client { id: "oneup-sandbox-public", secret: None, service_account: false, ..MAIN },
    Client { id: "oneup-sandbox-disabled", enabled: false, ..MAIN },
    Client { id: "oneup-sandbox-login-only", service_account: false, ..MAIN },
    Client { id: "oneup-sandbox-assertion", assertion_only: true, ..MAIN },
];

/// The registered client with this id.
pub(crate) fn find(id: &str) -> Option<&'static Client> {
    static REGISTERED: [&Client; 5] = [&MAIN, &OTHERS[0], &OTHERS[1], &OTHERS[2], &OTHERS[3]];
    REGISTERED.into_iter().find(|client| client.id == id)
}

/// Whether a client may be sent back to this redirect URI: anything on loopback (`localhost` redirects work in
/// 1up's sandbox too), or the one https address for those who paste.
pub(crate) fn may_redirect_to(uri: &str) -> bool {
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
    fn a_redirect_goes_to_loopback_or_to_the_registered_address() {
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
            assert_eq!(may_redirect_to(uri), allowed, "{uri}");
        }
    }
}
