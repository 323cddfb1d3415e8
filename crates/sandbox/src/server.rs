//! Binding, routing, and what happens around every request: the journal and the scripted faults.

use std::net::Ipv4Addr;
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

use super::faults::{Fault, Faults, Target};
use super::faulty_stream::{Wire, Wires};
use super::params::Form;
use super::state::World;
use super::{Options, fhir, plan, realm, response};
use crate::error::{Error, Result};

/// The largest request body that is read, in bytes.
const MOST: usize = 64 * 1024;

/// What every handler is given.
pub(crate) type Shared = Arc<World>;

/// A sandbox that serves from a thread of its own; dropping it stops it.
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
/// A fault that does not exist, a port that is taken, no socket or runtime.
pub fn start(options: Options) -> Result<SandboxHandle> {
    let faults = Faults::parse(&options.fail)?;
    let taken = |source| Error::Bind { port: options.port, source };
    let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).map_err(taken)?;
    socket.set_nonblocking(true).map_err(Error::Start)?;
    let base_url = format!("http://{}", socket.local_addr().map_err(Error::Start)?);
    let world = Arc::new(World::new(base_url.clone(), options.token_lifetime, faults));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Start)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let thread = thread::spawn(move || {
        runtime.block_on(async {
            let Ok(listener) = TcpListener::from_std(socket) else { return };
            let app = routes(world).into_make_service_with_connect_info::<Wire>();
            tokio::select! {
                _ = axum::serve(Wires(listener), app) => {}
                _ = stopped => {}
            }
        });
        // A connection that is being slow on purpose must not hold up the end.
        runtime.shutdown_background();
    });
    Ok(SandboxHandle { base_url, stop: Some(stop), thread: Some(thread) })
}

fn routes(world: Shared) -> Router {
    let guarded = Router::new().merge(realm::routes()).merge(plan::routes()).merge(fhir::routes());
    let guarded = guarded
        .fallback(async || response::plain_error(StatusCode::NOT_FOUND, "HTTP 404 Not Found"))
        .layer(middleware::from_fn_with_state(Arc::clone(&world), guard));
    Router::new()
        .route("/sandbox/journal", get(journal).delete(clear_journal))
        .merge(guarded)
        .with_state(world)
}

async fn journal(State(world): State<Shared>) -> Response {
    response::json(StatusCode::OK, &world.journal.view())
}

async fn clear_journal(State(world): State<Shared>) -> Response {
    world.journal.clear();
    response::empty(StatusCode::NO_CONTENT)
}

/// Counts a request, then lets it through or lets a fault strike.
async fn guard(
    State(world): State<Shared>,
    ConnectInfo(wire): ConnectInfo<Wire>,
    request: Request,
    next: Next,
) -> Response {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST).await else {
        return response::plain_error(StatusCode::PAYLOAD_TOO_LARGE, "HTTP 413 Request Entity Too Large");
    };
    let path = head.uri.path();
    let grant = Form::parse(&body).get("grant_type").map(str::to_owned);
    world.journal.count(head.method.as_str(), path, grant.as_deref());
    let fault = target(&head.method, path).and_then(|target| world.faults.next(target));
    if let Some(answer) = fault.and_then(Fault::response) {
        return answer;
    }
    match fault {
        Some(Fault::Slow) => wire.slow_down(),
        Some(Fault::Reset) => wire.reset(),
        Some(Fault::Unauthorized) => return fhir::unauthorized("scripted with --fail 401"),
        _ => {}
    }
    let answer = next.run(Request::from_parts(head, Body::from(body))).await;
    if fault == Some(Fault::NoExpiresIn) { without_expiry(answer).await } else { answer }
}

fn target(method: &Method, path: &str) -> Option<Target> {
    if *method == Method::POST && (path == plan::TOKEN_PATH || path == realm::TOKEN_PATH) {
        return Some(Target::Token);
    }
    let guarded = fhir::is_below(path) && !path.ends_with("/metadata");
    guarded.then_some(Target::Fhir)
}

async fn without_expiry(answer: Response) -> Response {
    let (mut head, body) = answer.into_parts();
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let Ok(Value::Object(mut members)) = serde_json::from_slice(&bytes) else {
        return Response::from_parts(head, Body::from(bytes));
    };
    members.remove("expires_in");
    let text = Value::Object(members).to_string();
    head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(text.len()));
    Response::from_parts(head, Body::from(text))
}
