//! A token endpoint for one test: it issues numbered tokens, counts its requests, and can be slow, fail or hang.
//!
//! It is built on [`RawServer`], so that a fault can be a reset or half a response, and a test sees each request as it
//! was sent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::Duration;

use super::{Home, Oneup, RawServer, Request, html_response, json_response, oauth_error, text_response};

/// What happens to one request instead of a token.
#[derive(Clone)]
pub(crate) enum Fault {
    /// These bytes are the response; none at all reset the connection.
    Response(Vec<u8>),
    /// No response for a minute.
    Hang,
}

/// The response to requests that are not for a token.
type Resources = Box<dyn Fn(&Request) -> Vec<u8> + Send + Sync>;

/// How an endpoint behaves; [`start`](Self::start) runs it.
pub(crate) struct TokenEndpointBuilder {
    lifetime: Option<u32>,
    delay: Duration,
    prefix: String,
    is_numbered: bool,
    members: String,
    faults: BTreeMap<usize, Fault>,
    checks_clients: bool,
    rotates: bool,
    resources: Option<Resources>,
}

impl TokenEndpointBuilder {
    /// Seconds that a token is valid for; 3600 unless given.
    pub(crate) fn lifetime(mut self, seconds: u32) -> Self {
        self.lifetime = Some(seconds);
        self
    }

    /// The token responses have no `expires_in`.
    pub(crate) fn without_lifetime(mut self) -> Self {
        self.lifetime = None;
        self
    }

    /// Waits before each response.
    pub(crate) fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// The tokens are `{prefix}0`, `{prefix}1`, … instead of `token-0`, ….
    pub(crate) fn prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    /// Every token is this one.
    pub(crate) fn token(mut self, token: &str) -> Self {
        self.is_numbered = false;
        self.prefix(token)
    }

    /// More members of the token response, such as `"scope":""`.
    pub(crate) fn members(mut self, json: &str) -> Self {
        self.members = format!(",{json}");
        self
    }

    /// The token request of this number, from 0, meets a fault.
    pub(crate) fn fault(mut self, number: usize, fault: Fault) -> Self {
        self.faults.insert(number, fault);
        self
    }

    /// Accepts only clients `ID` with [`client_secret`]`(ID)`, whose tokens are `ID-token-N`: two logins can't be mixed
    /// up unnoticed. A grant other than client credentials brings a refresh token.
    pub(crate) fn checks_clients(mut self) -> Self {
        self.checks_clients = true;
        self
    }

    /// Checks its clients, and each refresh token works once and brings the next one.
    pub(crate) fn rotates(mut self) -> Self {
        self.rotates = true;
        self.checks_clients()
    }

    /// Responds to everything that is no token request; 404, and 200 to a revocation, unless given.
    pub(crate) fn resources(
        mut self,
        response: impl Fn(&Request) -> Vec<u8> + Send + Sync + 'static,
    ) -> Self {
        self.resources = Some(Box::new(response));
        self
    }

    /// Serves until dropped.
    pub(crate) fn start(self) -> TokenEndpoint {
        let state = Arc::new(State::default());
        let shared = Arc::clone(&state);
        let server = RawServer::start(move |_, request, _| self.respond(&shared, request));
        TokenEndpoint { server, state }
    }

    fn respond(&self, state: &State, request: &Request) -> Vec<u8> {
        sleep(self.delay);
        if state.is_down.load(Ordering::SeqCst) {
            return html_response("500 Down", "<p>down");
        }
        if !request.is_for_token() {
            return match &self.resources {
                Some(response) => response(request),
                None if request.target().ends_with("/revoke") => text_response("200 OK", ""),
                None => html_response("404 Not Found", "<html>"),
            };
        }
        let number = state.requests.fetch_add(1, Ordering::SeqCst);
        match self.faults.get(&number) {
            Some(Fault::Response(bytes)) => bytes.clone(),
            Some(Fault::Hang) => {
                sleep(Duration::from_secs(60));
                Vec::new()
            }
            None if self.checks_clients => self.respond_to_client(state, request),
            None => self.issue(&self.prefix, number, ""),
        }
    }

    fn respond_to_client(&self, state: &State, request: &Request) -> Vec<u8> {
        let client = request.field("client_id").unwrap_or_default();
        if request.field("client_secret") != Some(client_secret(&client)) {
            return oauth_error("401 Unauthorized", "unauthorized_client");
        }
        let number = state.issued.fetch_add(1, Ordering::SeqCst);
        let refresh = match request.field("grant_type").as_deref() {
            Some("client_credentials") => String::new(),
            Some("refresh_token")
                if self.rotates && request.field("refresh_token") != Some(refresh_token(number - 1)) =>
            {
                return oauth_error("400 Bad Request", "invalid_grant");
            }
            _ => format!(r#","refresh_token":"{}""#, refresh_token(if self.rotates { number } else { 0 })),
        };
        self.issue(&format!("{client}-token-"), number, &refresh)
    }

    fn issue(&self, prefix: &str, number: usize, more: &str) -> Vec<u8> {
        let number = if self.is_numbered { number.to_string() } else { String::new() };
        let lifetime = self.lifetime.map(|seconds| format!(r#","expires_in":{seconds}"#)).unwrap_or_default();
        let members = &self.members;
        json_response(
            "200 OK",
            format!(
                r#"{{"access_token":"{prefix}{number}","token_type":"Bearer"{lifetime}{members}{more}}}"#
            ),
        )
    }
}

/// The client secret of a client, at an endpoint that checks its clients.
pub(crate) fn client_secret(client: &str) -> String {
    format!("{client}-s3cr3t")
}

fn refresh_token(number: usize) -> String {
    format!("r3fresh-{number}")
}

#[derive(Default)]
struct State {
    is_down: AtomicBool,
    /// Token requests, whatever they got.
    requests: AtomicUsize,
    /// Tokens that checked clients got, and refresh tokens that were rejected.
    issued: AtomicUsize,
}

/// A running token endpoint on loopback.
pub(crate) struct TokenEndpoint {
    server: RawServer,
    state: Arc<State>,
}

impl TokenEndpoint {
    /// Tokens `token-0`, `token-1`, … that are valid for an hour.
    pub(crate) fn start() -> Self {
        Self::builder().start()
    }

    /// The same, to be changed before it starts.
    pub(crate) fn builder() -> TokenEndpointBuilder {
        TokenEndpointBuilder {
            lifetime: Some(3600),
            delay: Duration::ZERO,
            prefix: "token-".to_owned(),
            is_numbered: true,
            members: String::new(),
            faults: BTreeMap::new(),
            checks_clients: false,
            rotates: false,
            resources: None,
        }
    }

    /// `http://127.0.0.1:PORT`
    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// `http://127.0.0.1:PORT/auth/token`
    pub(crate) fn token_url(&self) -> String {
        format!("{}/auth/token", self.url())
    }

    /// `http://127.0.0.1:PORT/auth/realms/r`, a realm that has no discovery document unless [`resources`] has one.
    ///
    /// [`resources`]: TokenEndpointBuilder::resources
    pub(crate) fn realm_url(&self) -> String {
        format!("{}/auth/realms/r", self.url())
    }

    /// The token endpoint of that realm.
    pub(crate) fn realm_token_url(&self) -> String {
        format!("{}/protocol/openid-connect/token", self.realm_url())
    }

    /// `127.0.0.1:PORT`
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Every request so far, those for other resources too.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.server.requests()
    }

    /// The requests that were not for a token.
    pub(crate) fn resource_requests(&self) -> Vec<Request> {
        self.requests().into_iter().filter(|request| !request.is_for_token()).collect()
    }

    /// How many requests came, those for other resources too.
    pub(crate) fn count(&self) -> usize {
        self.server.count()
    }

    /// Responds to everything with 500 from now on; or works again.
    pub(crate) fn set_down(&self, down: bool) {
        self.state.is_down.store(down, Ordering::SeqCst);
    }

    /// The refresh token that was issued last: where they rotate, the only one that works.
    pub(crate) fn newest_refresh_token(&self) -> String {
        refresh_token(self.state.issued.load(Ordering::SeqCst) - 1)
    }

    /// `login provider` here, as client `c`.
    pub(crate) fn login(&self, home: &Home) -> Oneup {
        self.with_fhir_base(home.oneup().login_provider(&self.token_url()))
    }

    /// `login provider` as one of the clients that the endpoint checks, with credentials in this store.
    pub(crate) fn login_as(&self, run: Oneup, client: &str, store: &str) -> Oneup {
        self.with_client(run.args(["login", "provider"]), client, store)
    }

    /// `login patient` with an authorization code, as one of the clients that the endpoint checks: it gets a refresh
    /// token.
    pub(crate) fn login_with_code(&self, run: Oneup, client: &str, store: &str) -> Oneup {
        let login = run.args(["login", "patient", "--code", "-"]).stdin("c0de").never("c0de");
        self.with_client(login, client, store)
    }

    fn with_client(&self, login: Oneup, client: &str, store: &str) -> Oneup {
        let secret = client_secret(client);
        let login = login.env("ONEUP_CLIENT_SECRET", &secret).never(secret);
        let login = login.args(["--client-id", client, "--store", store, "--token-url", &self.token_url()]);
        self.with_fhir_base(login)
    }

    /// The FHIR base is `/r4` of the same server.
    fn with_fhir_base(&self, login: Oneup) -> Oneup {
        login.args(["--fhir-base", &format!("{}/r4", self.url())])
    }
}
