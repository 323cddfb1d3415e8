//! A token endpoint that knows its clients, counts its tokens, and can be told to fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use crate::support::{Home, Oneup, RawServer, raw_server};

/// Clients `ID` with the secret `ID-s3cr3t`, whose tokens are `ID-token-N`: a mixture of two logins is refused, and
/// a token says whose it is.
pub(super) struct Realm {
    server: RawServer,
    down: Arc<AtomicBool>,
    issued: Arc<AtomicUsize>,
}

/// The refresh token that came with this token.
fn refresh_token(number: usize) -> String {
    format!("r3fresh-{number}")
}

/// The client secret of a client.
pub(super) fn secret(client: &str) -> String {
    format!("{client}-s3cr3t")
}

impl Realm {
    /// Tokens that live this many seconds; the refresh token stays the same.
    pub(super) fn new(lifetime: u32) -> Self {
        Self::slow(lifetime, Duration::ZERO)
    }

    /// The same, and it thinks for so long before it answers.
    pub(super) fn slow(lifetime: u32, thinks: Duration) -> Self {
        Self::start(lifetime, thinks, false)
    }

    /// Each refresh token works once, and brings the next one.
    pub(super) fn rotating() -> Self {
        Self::start(3600, Duration::ZERO, true)
    }

    fn start(lifetime: u32, thinks: Duration, rotates: bool) -> Self {
        let (down, issued) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (is_down, count) = (Arc::clone(&down), Arc::clone(&issued));
        let server = raw_server(move |_, request, _| {
            std::thread::sleep(thinks);
            if is_down.load(Ordering::SeqCst) {
                return RawServer::answer("500 Down", "text/html", "<p>down");
            }
            let body = request.split("\r\n\r\n").nth(1).unwrap_or_default();
            let field = |name: &str| {
                let fields = url::form_urlencoded::parse(body.as_bytes());
                fields.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).next()
            };
            let client = field("client_id").unwrap_or_default();
            if field("client_secret") != Some(secret(&client)) {
                return RawServer::answer("401 No", "application/json", r#"{"error":"unauthorized_client"}"#);
            }
            let number = count.fetch_add(1, Ordering::SeqCst);
            let refresh = match field("grant_type").as_deref() {
                Some("client_credentials") => String::new(),
                Some("refresh_token")
                    if rotates && field("refresh_token") != Some(refresh_token(number - 1)) =>
                {
                    return RawServer::answer("400 No", "application/json", r#"{"error":"invalid_grant"}"#);
                }
                _ => format!(r#","refresh_token":"{}""#, refresh_token(if rotates { number } else { 0 })),
            };
            let token = format!(
                r#"{{"access_token":"{client}-token-{number}","token_type":"Bearer","expires_in":{lifetime}{refresh}}}"#
            );
            RawServer::answer("200 OK", "application/json", &token)
        });
        Self { server, down, issued }
    }

    /// From now on it answers nothing but 500; or it works again.
    pub(super) fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }

    /// The refresh token that came last: where they rotate, the only one that works.
    pub(super) fn newest_refresh_token(&self) -> String {
        refresh_token(self.issued.load(Ordering::SeqCst) - 1)
    }

    /// How many requests came.
    pub(super) fn asked(&self) -> usize {
        self.server.requests().len()
    }

    /// A login as this client, by client credentials.
    pub(super) fn login(&self, run: Oneup, client: &str, store: &str) -> Oneup {
        run.args(["login", "provider", "--client-id", client, "--store", store, "--token-url"])
            .arg(format!("{}/auth/token", self.server.url()))
            .env("ONEUP_CLIENT_SECRET", secret(client))
    }

    /// A login as this client, with a code: it gets a refresh token.
    pub(super) fn login_with_code(&self, run: Oneup, client: &str, store: &str) -> Oneup {
        run.args(["login", "patient", "--code", "-", "--client-id", client, "--store", store, "--token-url"])
            .arg(format!("{}/auth/token", self.server.url()))
            .env("ONEUP_CLIENT_SECRET", secret(client))
            .stdin("c0de")
    }
}

/// The token that a home's only profile has; none when nobody is logged in. Anything else is somebody's loss.
pub(super) fn shown(home: &Home) -> Result<Option<String>, String> {
    let output = home.oneup().args(["token", "show"]).spawn().wait_with_output().expect("it ends");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    match output.status.code() {
        Some(0) => Ok(Some(stdout.trim_end().to_owned())),
        Some(4) if stderr.contains("hint: oneup login") || stderr.contains("log in again: oneup login") => {
            Ok(None)
        }
        code => Err(format!("token show: {code:?}: {stderr}")),
    }
}
