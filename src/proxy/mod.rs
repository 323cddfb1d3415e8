//! A reverse proxy on loopback that adds a valid token to each request, for programs that can't be given a fresh one.
//!
//! `gate` decides which requests are forwarded, `upstream` where to, `forward` sends them, and `respond` passes the
//! response on with its URLs rewritten (`rewrite`), so that the client's next request comes here too.

mod body;
mod forward;
mod gate;
mod headers;
pub mod key;
mod listener;
mod outcome;
mod respond;
pub(crate) mod rewrite;
mod tokens;
#[cfg(unix)]
mod unix_socket;
pub(crate) mod upstream;
mod write_timeout;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use hyper::body::Incoming;
use hyper::header::{CONNECTION, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::sync::Semaphore;

pub use listener::Address;
pub use tokens::TokenSource;

use crate::context::{Context, eprint_line};
use crate::curl::hosts::Hosts;
use crate::error::{Error, Result};
use crate::http::{AsyncClient, Http, bare_path};
use crate::oauth::secret::Secret;
use body::Body;
use gate::Gate;
use listener::{Acceptor, Listener};
use outcome::Refusal;
use tokens::Tokens;
use upstream::Upstream;
use write_timeout::WriteTimeout;

/// How many connections there can be; more wait to be accepted.
const MAX_CONNECTIONS: usize = 256;

/// The longest head of a request, in bytes.
const MAX_HEAD_BYTES: usize = 64 * 1024;

/// How long a connection can take for the head of its next request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a client can leave unread what was sent.
const READ_TIMEOUT: Duration = Duration::from_secs(120);

/// How long requests are given to finish when the proxy ends.
const GRACE_PERIOD: Duration = Duration::from_secs(10);

/// How many documents of more than 256 KiB are read at a time.
const MAX_LARGE_DOCUMENTS: usize = 4;

/// How long nothing is accepted after the system refused a connection, as when there are too many open files.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(100);

/// What a proxy does.
pub struct Settings {
    /// Where it listens.
    pub address: Address,
    /// The key in its URLs; not used on a Unix socket.
    pub key: Secret,
    /// The FHIR server that it stands for.
    pub fhir_base: String,
    /// The hosts that may have the token.
    pub hosts: Hosts,
    /// Whether only reading is allowed.
    pub read_only: bool,
    /// Origins of web pages that may use it.
    pub origins: Vec<String>,
}

/// A proxy that listens, but does not respond yet.
pub struct Server {
    listener: Listener,
    app: Arc<App>,
}

/// What all requests share.
struct App {
    gate: Gate,
    upstream: Upstream,
    tokens: Tokens,
    http: Http,
    context: Context,
    /// By origin.
    clients: Mutex<HashMap<String, AsyncClient>>,
    large_documents: Arc<Semaphore>,
}

impl Server {
    /// Begins to listen.
    ///
    /// # Errors
    /// Usage: the address is in use, an origin is invalid, or the FHIR base is no URL for a token.
    pub fn bind(context: &Context, settings: Settings, source: Arc<TokenSource>) -> Result<Self> {
        let origins =
            settings.origins.iter().map(|origin| gate::parse_origin(origin)).collect::<Result<_>>()?;
        let listener = Listener::bind(&settings.address)?;
        let (own_hosts, key, public) = match &listener {
            Listener::Tcp(_, port) => {
                let public = format!("http://127.0.0.1:{port}/{}", settings.key.expose());
                (own_hosts(*port), Some(settings.key), public)
            }
            #[cfg(unix)]
            Listener::Unix(_) => (Vec::new(), None, "http://localhost".to_owned()),
        };
        let app = App {
            gate: Gate { own_hosts, key, origins, read_only: settings.read_only },
            upstream: Upstream::new(&settings.fhir_base, settings.hosts, public)?,
            tokens: Tokens::new(source),
            http: Http::new(context)?,
            context: context.clone(),
            clients: Mutex::default(),
            large_documents: Arc::new(Semaphore::new(MAX_LARGE_DOCUMENTS)),
        };
        Ok(Self { listener, app: Arc::new(app) })
    }

    /// The proxy's URL, without a slash at its end: it stands for the FHIR base.
    pub fn url(&self) -> &str {
        self.app.upstream.public()
    }

    /// Serves until `stop` is ready, and then until the requests in progress have finished, for a limited time. Returns
    /// what `stop` has returned.
    ///
    /// # Errors
    /// Failure: the socket can't be used.
    pub async fn serve<T>(self, stop: impl Future<Output = T>) -> Result<T> {
        let acceptor = self.listener.into_acceptor();
        let acceptor =
            acceptor.map_err(|error| Error::failure("could not start the proxy").with_cause(error))?;
        let connections = GracefulShutdown::new();
        let stopped = tokio::select! {
            never = accept_all(&acceptor, &self.app, &connections) => match never {},
            stopped = stop => stopped,
        };
        drop(acceptor);
        let _ = tokio::time::timeout(GRACE_PERIOD, connections.shutdown()).await;
        Ok(stopped)
    }
}

/// `HOST:PORT` of the proxy, as a client can write it in `Host`.
fn own_hosts(port: u16) -> Vec<String> {
    let hosts = ["127.0.0.1", "localhost"];
    let mut own: Vec<String> = hosts.iter().map(|host| format!("{host}:{port}")).collect();
    if port == 80 {
        own.extend(hosts.map(str::to_owned));
    }
    own
}

async fn accept_all(acceptor: &Acceptor, app: &Arc<App>, connections: &GracefulShutdown) -> Infallible {
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let permit = Arc::clone(&permits).acquire_owned().await.ok();
        let Ok(stream) = acceptor.accept().await else {
            tokio::time::sleep(ACCEPT_BACKOFF).await;
            continue;
        };
        let app = Arc::clone(app);
        let service = service_fn(move |request| {
            let app = Arc::clone(&app);
            async move { Ok::<_, Infallible>(app.handle(request).await) }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .max_buf_size(MAX_HEAD_BYTES)
            .serve_connection(TokioIo::new(WriteTimeout::new(stream, READ_TIMEOUT)), service);
        let connection = connections.watch(connection);
        tokio::spawn(async move {
            // An error ends this connection only.
            let _ = connection.await;
            drop(permit);
        });
    }
}

impl App {
    async fn handle(self: Arc<Self>, request: Request<Incoming>) -> Response<Body> {
        let start = Instant::now();
        let (head, body) = request.into_parts();
        let admitted = match self.gate.admit(&head) {
            Ok(admitted) => admitted,
            Err(refusal) => {
                // Its path can be a wrong key.
                self.log(&head.method, "(refused)", refusal.status, start);
                let mut response = refusal.response();
                if refusal.status != StatusCode::METHOD_NOT_ALLOWED {
                    // Without the key, no more requests on this connection.
                    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
                }
                return response;
            }
        };
        let mut response = if admitted.is_preflight {
            respond::preflight(&head.headers)
        } else {
            let exchange = async {
                let url = self.upstream.target(admitted.path, head.uri.query())?;
                let response = self.forward(&head, body, url.clone()).await?;
                self.respond(&head.method, &url, response).await
            };
            exchange.await.unwrap_or_else(|refusal: Refusal| refusal.response())
        };
        if let Some(origin) = admitted.origin {
            respond::allow_origin(response.headers_mut(), HeaderValue::clone(origin));
        }
        let path = if admitted.path.is_empty() { "/" } else { admitted.path };
        self.log(&head.method, path, response.status(), start);
        response
    }

    /// A line for each request, without its query, which can hold patient data, and without the key.
    fn log(&self, method: &Method, path: &str, status: StatusCode, start: Instant) {
        if self.context.verbose {
            let (path, time) = (bare_path(path), start.elapsed().as_millis());
            eprint_line(format_args!("{} {path} {} {time} ms", bare_path(method.as_str()), status.as_u16()));
        }
    }
}
