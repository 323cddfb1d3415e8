//! The job at the server: started, polled until its manifest is there, cancelled (HL7 Bulk Data Access 2.0).

use std::time::Duration;

use super::manifest::{self, Manifest};
use super::remote::{MAX_RETRY_AFTER, Rejection, Remote, body, describe, referenced_url};
use super::state::{ExportDir, Job};
use crate::error::{Error, Result};
use crate::http::{Method, StreamingResponse};
use crate::text::sanitize;

/// The pause between two polls where the server names none; it doubles up to [`MAX_POLL_INTERVAL`].
const FIRST_POLL_INTERVAL: Duration = Duration::from_secs(1);

/// The longest pause that oneup chooses itself.
const MAX_POLL_INTERVAL: Duration = Duration::from_secs(60);

/// How many polls in a row may fail with a server error before the export is given up for now.
const MAX_FAILED_POLLS: u32 = 10;

const START_AGAIN: &str = "start it again, with the same options and --restart";

const FHIR_JSON: (&str, &str) = ("Accept", "application/fhir+json");
const JSON: (&str, &str) = ("Accept", "application/json");

/// What the server responds to a kick-off or a poll.
pub enum Started {
    /// The job runs; its status URL.
    Accepted(String),
    /// The manifest came at once.
    Finished(Box<Manifest>),
}

/// Starts a job.
///
/// # Errors
/// Authentication, network; protocol, for a response that is neither 202 with a usable `Content-Location` nor a
/// manifest.
pub fn start(remote: &Remote<'_>, url: &str) -> Result<Started> {
    remote.require_allowed(url, "the export")?;
    remote.progress.message("Starting the export");
    let response = remote.send(&Method::GET, url, &[FHIR_JSON, ("Prefer", "respond-async")])?;
    match response.status() {
        200 => finished(response).map(|manifest| Started::Finished(Box::new(manifest))),
        202 => {
            let location = referenced_url(&response, "content-location", url)
                .ok_or_else(|| Error::protocol("the server accepted the export but named no status URL"))?;
            remote.require_allowed(&location, "the export's status")?;
            Ok(Started::Accepted(location))
        }
        _ => Err(Rejection::read(response).into_error("the export")),
    }
}

/// Polls until the job has finished.
///
/// # Errors
/// Network, with `--restart` as the next step when the server has lost the job; as [`start`].
pub fn wait(remote: &Remote<'_>, status_url: &str) -> Result<Manifest> {
    remote.require_allowed(status_url, "the export's status")?;
    let (mut interval, mut failures) = (FIRST_POLL_INTERVAL, 0);
    loop {
        let response = remote.send(&Method::GET, status_url, &[JSON])?;
        let (status, retry_after) = (response.status(), response.retry_after());
        let pause = retry_after.map_or(interval, |seconds| {
            Duration::from_secs(seconds).clamp(FIRST_POLL_INTERVAL, MAX_RETRY_AFTER)
        });
        interval = (interval * 2).min(MAX_POLL_INTERVAL);
        match status {
            200 => return finished(response),
            202 => {
                failures = 0;
                remote.progress.message(
                    &match response.header("x-progress").filter(|text| !text.is_empty()) {
                        Some(text) => format!("The server is preparing the export: {}", sanitize(&text, 100)),
                        None => "The server is preparing the export".to_owned(),
                    },
                );
                std::thread::sleep(pause);
            }
            404 | 410 => return Err(gone("this export", status)),
            _ => {
                let rejection = Rejection::read(response);
                failures += 1;
                if !rejection.is_transient() && status >= 500 {
                    return Err(failed(status, &rejection));
                }
                if !rejection.is_transient() || failures == MAX_FAILED_POLLS {
                    return Err(rejection.into_error("the request for the export's status"));
                }
                remote.progress.wait(&describe(status), pause);
            }
        }
    }
}

/// Deletes the job at the server, and forgets its URLs.
///
/// # Errors
/// Authentication, when the server does not allow it; network.
pub fn cancel(remote: &Remote<'_>, dir: &ExportDir, job: &Job) -> Result<()> {
    if let Some(url) = &job.status_url {
        remote.require_allowed(url, "the export's status")?;
        let response = remote.send(&Method::DELETE, url, &[FHIR_JSON])?;
        match response.status() {
            200..=299 | 404 | 410 => {}
            _ => return Err(Rejection::read(response).into_error("the request to cancel the export")),
        }
    }
    dir.remove_job()
}

fn finished(response: StreamingResponse) -> Result<Manifest> {
    manifest::parse(&body(response)?)
        .map_err(|cause| Error::protocol("the server's manifest is not valid").with_detail(cause))
}

/// What the server had is not there any more.
pub(super) fn gone(what: &str, status: u16) -> Error {
    Error::network(format!("the server no longer has {what} (HTTP {status})")).with_hint(START_AGAIN)
}

/// The job itself failed: asking again changes nothing.
fn failed(status: u16, rejection: &Rejection) -> Error {
    Error::network(format!("the export failed at the server (HTTP {status})"))
        .with_detail(rejection.text())
        .with_hint(START_AGAIN)
}
