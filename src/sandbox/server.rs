//! Binding, routing, and what happens around every request: the journal and the scripted faults.

use std::io::{IsTerminal, Write};
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
use super::form::Form;
use super::wire::{Wire, Wires};
use super::world::World;
use super::{Options, clients, fhir, plan, realm, reply};
use crate::error::{Error, Result};

/// The largest request body that is read, in bytes.
const MOST: usize = 64 * 1024;

/// What every handler is given.
pub(super) type Shared = Arc<World>;

/// A sandbox that serves from a thread of its own; dropping it stops it.
pub struct Running {
    /// `http://127.0.0.1:N`
    pub base_url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
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
/// Usage, for a fault that isn't known or a port that is taken; failure, when the system gives no socket.
pub fn start(options: Options) -> Result<Running> {
    let faults = Faults::parse(&options.fail)?;
    let taken = |error: std::io::Error| {
        Error::usage(format!("can't listen on 127.0.0.1:{}", options.port))
            .because(error)
            .hint("--port 0 takes a free port")
    };
    let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).map_err(taken)?;
    let failed = |error: std::io::Error| Error::failure("the sandbox did not start").because(error);
    socket.set_nonblocking(true).map_err(failed)?;
    let base_url = format!("http://{}", socket.local_addr().map_err(failed)?);
    let world = Arc::new(World::new(base_url.clone(), options.token_lifetime, faults));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
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
    Ok(Running { base_url, stop: Some(stop), thread: Some(thread) })
}

/// Serves in the foreground until SIGINT or SIGTERM; the base URL is the first line of stdout, and unless `quiet`
/// stderr says how to use it. Returns the exit code, 130 or 143.
///
/// # Errors
/// As [`start`]; failure, when stdout is closed.
pub fn serve(options: Options, quiet: bool) -> Result<u8> {
    let failed = |error: std::io::Error| Error::failure("the sandbox can't be served").because(error);
    let mut signals =
        signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM])
            .map_err(failed)?;
    let running = start(options)?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", running.base_url).and_then(|()| stdout.flush()).map_err(failed)?;
    if !quiet {
        greet(&running.base_url);
    }
    let signal = signals.forever().next().unwrap_or(signal_hook::consts::SIGINT);
    if !quiet && std::io::stderr().is_terminal() {
        // The terminal showed ^C there.
        let _ = writeln!(anstream::stderr());
    }
    Ok(128_u8.saturating_add(u8::try_from(signal).unwrap_or(2)))
}

/// Says on stderr how to use it.
fn greet(base: &str) {
    let (id, secret) = (clients::MAIN.id, clients::MAIN.secret.unwrap_or_default());
    let _ = writeln!(
        anstream::stderr(),
        "
The sandbox is up, on this machine only; Ctrl-C ends it. In another shell:

  \x1b[1mexport ONEUP_GATEWAY={base} ONEUP_PLAN={base}/test ONEUP_FHIR_BASE={base}/r4
  export ONEUP_CLIENT_ID={id} ONEUP_CLIENT_SECRET={secret}
  oneup login provider --profile sandbox\x1b[0m

What was asked of it so far: {base}/sandbox/journal"
    );
}

fn routes(world: Shared) -> Router {
    let guarded = Router::new().merge(realm::routes()).merge(plan::routes()).merge(fhir::routes());
    let guarded = guarded
        .fallback(async || reply::plain_error(StatusCode::NOT_FOUND, "HTTP 404 Not Found"))
        .layer(middleware::from_fn_with_state(Arc::clone(&world), guard));
    Router::new()
        .route("/sandbox/journal", get(journal).delete(clear_journal))
        .merge(guarded)
        .with_state(world)
}

async fn journal(State(world): State<Shared>) -> Response {
    reply::json(StatusCode::OK, &world.journal.view())
}

async fn clear_journal(State(world): State<Shared>) -> Response {
    world.journal.clear();
    reply::empty(StatusCode::NO_CONTENT)
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
        return reply::plain_error(StatusCode::PAYLOAD_TOO_LARGE, "HTTP 413 Request Entity Too Large");
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
