//! Binding and routing, and what surrounds every request: the journal and the scripted faults.

use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::client_keys::ClientKeys;
use super::faults::{Fault, Faults, Target};
use super::faulty_stream::{FaultyListener, StreamFault};
use super::gzip::GzipBody;
use super::options::Options;
use super::params::Params;
use super::state::{AppState, Shared};
use super::{fhir, plan, realm, response};
use crate::error::{Error, Result};

/// The largest request body that is read.
const MAX_BODY_BYTES: usize = 64 * 1024;

/// A sandbox that serves in a thread of its own; dropping it stops it.
pub struct SandboxHandle {
    /// `http://127.0.0.1:N`
    pub base_url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for SandboxHandle {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Starts a sandbox on 127.0.0.1; it listens when this returns.
///
/// # Errors
/// An unknown fault, an invalid realm or tenant name, unusable client keys, a port that is in use, no socket or runtime.
pub fn start(options: Options) -> Result<SandboxHandle> {
    let faults = Faults::parse(&options.fail)?;
    if let Some(name) = options.realms.iter().chain(&options.tenants).find(|name| !is_name(name)) {
        return Err(Error::InvalidName(name.clone()));
    }
    let client_keys = read_client_keys(options.client_jwks.as_deref())?;
    let bind_error = |source| Error::Bind { port: options.port, source };
    let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).map_err(bind_error)?;
    socket.set_nonblocking(true).map_err(Error::Start)?;
    let base_url = format!("http://{}", socket.local_addr().map_err(Error::Start)?);
    let state = Arc::new(AppState::new(base_url.clone(), options, client_keys, faults));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Start)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = thread::spawn(move || {
        runtime.block_on(async {
            let Ok(listener) = TcpListener::from_std(socket) else { return };
            let app = routes(state).into_make_service_with_connect_info::<StreamFault>();
            tokio::select! {
                _ = axum::serve(FaultyListener(listener), app) => {}
                _ = stopped => {}
            }
        });
        // Doesn't wait for connections that are slow because of a fault.
        runtime.shutdown_background();
    });
    Ok(SandboxHandle { base_url, stop: Some(stop), thread: Some(thread) })
}

fn read_client_keys(path: Option<&Path>) -> Result<ClientKeys> {
    let Some(path) = path else { return Ok(ClientKeys::default()) };
    let text = std::fs::read_to_string(path)
        .map_err(|source| Error::ReadClientJwks { path: path.to_owned(), source })?;
    ClientKeys::parse(&text).map_err(|why| Error::InvalidClientJwks { path: path.to_owned(), why })
}

/// Whether a realm or tenant name is one path segment without characters that need encoding.
fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    name.starts_with(|c: char| c.is_ascii_alphanumeric()) && name.chars().all(allowed)
}

fn routes(state: Shared) -> Router {
    let counted = Router::new().merge(realm::routes()).merge(plan::routes()).merge(fhir::routes());
    let counted = counted
        .fallback(async || response::bare_error(StatusCode::NOT_FOUND, "HTTP 404 Not Found"))
        .layer(middleware::from_fn_with_state(Arc::clone(&state), with_faults));
    Router::new()
        .route("/sandbox/journal", get(journal).delete(clear_journal))
        .merge(counted)
        .with_state(state)
}

async fn journal(State(state): State<Shared>) -> Response {
    response::json(StatusCode::OK, &state.journal.to_json())
}

async fn clear_journal(State(state): State<Shared>) -> Response {
    state.journal.clear();
    response::empty(StatusCode::NO_CONTENT)
}

/// Counts a request, then handles it, with the faults that are scripted for it.
async fn with_faults(
    State(state): State<Shared>,
    ConnectInfo(stream): ConnectInfo<StreamFault>,
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MAX_BODY_BYTES).await else {
        return response::bare_error(StatusCode::PAYLOAD_TOO_LARGE, "HTTP 413 Request Entity Too Large");
    };
    let path = head.uri.path();
    let grant = Params::parse(&body).get("grant_type").map(str::to_owned);
    state.journal.count(head.method.as_str(), path, grant.as_deref());
    let target = target(&head.method, path);
    let fault = target.and_then(|target| state.faults.next(target));
    if let Some(response) = fault.and_then(Fault::response) {
        return response;
    }
    match fault {
        Some(Fault::Slow) => stream.slow_down(),
        Some(Fault::Reset) => stream.reset(),
        Some(Fault::Unauthorized) => return fhir::unauthorized("scripted with --fail 401"),
        _ => {}
    }
    let response = next.run(Request::from_parts(head, Body::from(body))).await;
    match target {
        // A response that is never received uses up no modifier.
        Some(target) if response.status() == StatusCode::OK && fault != Some(Fault::Reset) => {
            modify(response, &state.faults.modifiers(target)).await
        }
        _ => response,
    }
}

fn target(method: &Method, path: &str) -> Option<Target> {
    if *method == Method::POST && (path == plan::TOKEN_PATH || realm::is_token_path(path)) {
        return Some(Target::Token);
    }
    let protected = fhir::is_below(path) && !path.ends_with("/metadata");
    protected.then_some(Target::Fhir)
}

/// Applies modifiers to a successful response.
async fn modify(mut response: Response, faults: &[Fault]) -> Response {
    for fault in faults {
        response = match fault {
            Fault::NoExpiresIn => edit_json(response, |body| drop(body.remove("expires_in"))).await,
            Fault::NoRefreshToken => {
                edit_json(response, |body| {
                    body.remove("refresh_token");
                    body.remove("refresh_expires_in");
                })
                .await
            }
            Fault::ErrorNull => {
                edit_json(response, |body| drop(body.insert("error".to_owned(), Value::Null))).await
            }
            Fault::Gzip => gzip(response),
            _ => response,
        };
    }
    response
}

async fn edit_json(response: Response, edit: impl FnOnce(&mut serde_json::Map<String, Value>)) -> Response {
    let (mut head, body) = response.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let Ok(Value::Object(mut members)) = serde_json::from_slice(&bytes) else {
        return Response::from_parts(head, Body::from(bytes));
    };
    edit(&mut members);
    let text = Value::Object(members).to_string();
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    Response::from_parts(head, Body::from(text))
}

fn gzip(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    head.headers.remove(header::CONTENT_LENGTH);
    head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Response::from_parts(head, Body::new(GzipBody::new(body)))
}
