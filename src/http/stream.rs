//! Requests whose response body is streamed: FHIR exports and files of any size.

use std::io::{self, Read};
use std::sync::{Arc, PoisonError};

use bytes::{Buf, Bytes};
use http_body_util::BodyExt;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Body, Method};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use url::Url;

use super::async_client::AsyncClient;
use super::body;
use super::failure::Exchange;
use super::{Http, bearer, require_safe, trace};
use crate::error::{Error, Result};
use crate::oauth::secret::Secret;

/// The size of the parts of a body that is decoded.
const DECODED_CHUNK_BYTES: usize = 64 * 1024;

/// A request without a body, sent once by [`Http::send`].
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// GET or DELETE.
    pub method: Method,
    /// An absolute https URL, or http on loopback.
    pub url: &'a str,
    /// Further headers, such as `Accept`, `Prefer`, `Range` and `If-Range`.
    pub headers: &'a [(&'a str, &'a str)],
    /// The access token for the `Authorization` header.
    pub bearer: Option<&'a Secret>,
}

/// A client that is driven by the thread that uses it: to hand each part of a body over from another thread takes
/// longer than to receive it.
pub(super) struct StreamClient {
    origin: String,
    runtime: Runtime,
    client: AsyncClient,
}

impl StreamClient {
    /// Returns the output of a future, or `None` when the timeout passes first.
    fn wait<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.runtime.block_on(async { timeout(self.client.timeout, future).await.ok() })
    }
}

/// A response of any status whose body has not been read yet.
pub struct StreamingResponse {
    status: u16,
    headers: HeaderMap,
    body: ReceivedBody,
}

impl StreamingResponse {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the first header of this name (any case), or `None` if it is absent or not visible ASCII.
    pub fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name)?.to_str().ok().map(str::to_owned)
    }

    /// Returns `Retry-After` in seconds from now (RFC 9110 §10.2.3).
    pub fn retry_after(&self) -> Option<u64> {
        super::retry_after(&self.headers)
    }

    /// Returns how many bytes [`StreamingResponse::into_body`] will yield, if the server announced it and the body is
    /// not compressed.
    pub fn content_length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH.as_str())?.parse().ok().filter(|_| !self.is_decoded())
    }

    /// Returns whether the body was sent gzip-compressed, although `identity` was requested, and is decoded while it
    /// is read. Byte offsets of the decoded body mean nothing in a `Range` then.
    pub fn is_decoded(&self) -> bool {
        // A part of a compressed file can't be decoded by itself.
        self.status != 206 && self.headers.get(CONTENT_ENCODING).is_some_and(is_gzip)
    }

    /// Returns the body. Each read waits for the timeout of [`Http::send`] at most. Its errors are `io::Error`s that
    /// [`Http::read_error`] describes; a body that ends before its announced length is one of them.
    pub fn into_body(self) -> StreamingBody {
        if self.is_decoded() {
            StreamingBody::Decoded(body::decode(self.body, true))
        } else {
            StreamingBody::Sent(self.body)
        }
    }
}

/// The body of a response.
pub enum StreamingBody {
    /// As it was sent.
    Sent(ReceivedBody),
    /// Decoded while it is read.
    Decoded(Box<dyn Read + Send>),
}

impl StreamingBody {
    /// Returns the next bytes, nothing at the end. They are not copied unless they are decoded.
    ///
    /// # Errors
    /// As [`StreamingResponse::into_body`] says.
    pub fn chunk(&mut self) -> io::Result<Bytes> {
        match self {
            Self::Sent(body) => body.chunk(),
            Self::Decoded(body) => {
                let mut chunk = vec![0; DECODED_CHUNK_BYTES];
                let count = body.read(&mut chunk)?;
                chunk.truncate(count);
                Ok(chunk.into())
            }
        }
    }
}

/// A body as it was sent.
pub struct ReceivedBody {
    body: Body,
    client: Arc<StreamClient>,
    unread: Bytes,
}

impl ReceivedBody {
    fn chunk(&mut self) -> io::Result<Bytes> {
        loop {
            match self.client.wait(self.body.frame()).ok_or(io::ErrorKind::TimedOut)? {
                None => return Ok(Bytes::new()),
                Some(frame) => match frame.map_err(io::Error::other)?.into_data() {
                    Ok(bytes) if !bytes.is_empty() => return Ok(bytes),
                    Ok(_) | Err(_) => {}
                },
            }
        }
    }
}

impl Read for ReceivedBody {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.unread.is_empty() {
            self.unread = self.chunk()?;
        }
        let count = buffer.len().min(self.unread.len());
        self.unread.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}

/// Whether a `Content-Encoding` is gzip.
pub fn is_gzip(encoding: &HeaderValue) -> bool {
    encoding
        .to_str()
        .is_ok_and(|value| matches!(value.trim().to_ascii_lowercase().as_str(), "gzip" | "x-gzip"))
}

impl Http {
    /// Sends a request once and returns the response, whatever its status: 401, 429, 5xx and redirects are the
    /// caller's to handle. No redirect is followed, so the token reaches the URL's own host only.
    ///
    /// The timeout limits the wait for the connection and the response head, and then each read of the body, but not
    /// the whole transfer. Any number of threads can send concurrently; a connection is used again once its response is
    /// dropped.
    ///
    /// # Errors
    /// Usage for plain http outside loopback or a header that can't be sent; network.
    pub fn send(&self, request: Request<'_>) -> Result<StreamingResponse> {
        let url = require_safe(request.url)?;
        let mut headers = HeaderMap::new();
        for (name, value) in request.headers {
            headers.insert(header_name(name)?, header_value(name, value)?);
        }
        if let Some(token) = request.bearer {
            headers.insert(AUTHORIZATION, bearer(token)?);
        }
        self.trace(|| trace::bare_request(request.method.as_str(), request.url));
        let client = self.stream_client(&url)?;
        let result = client.wait(async {
            // Nothing runs between requests: first the runtime sees which connections the server has closed meanwhile, then
            // their tasks remove them.
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            client.client.send(request.method, url.clone(), headers, None).await
        });
        let response = match result {
            Some(Ok(response)) => response,
            Some(Err(error)) => return Err(client.client.describe(&url, error)),
            None => return Err(client.client.exchange(&url).timed_out()),
        };
        let (head, body) = response.into_parts();
        let (status, headers) = (head.status.as_u16(), head.headers);
        self.trace(|| trace::head(status, &headers));
        Ok(StreamingResponse { status, headers, body: ReceivedBody { body, client, unread: Bytes::new() } })
    }

    /// Returns a client for the origin of `url` that no response uses.
    fn stream_client(&self, url: &Url) -> Result<Arc<StreamClient>> {
        let origin = url.origin().ascii_serialization();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let is_free = |client: &&Arc<StreamClient>| Arc::strong_count(client) == 1 && client.origin == origin;
        if let Some(client) = clients.iter().find(is_free) {
            return Ok(Arc::clone(client));
        }
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime =
            runtime.map_err(|error| Error::failure("could not set up the HTTP client").with_cause(error))?;
        let client =
            Arc::new(StreamClient { origin, runtime, client: self.async_client(url.as_str(), None)? });
        clients.push(Arc::clone(&client));
        Ok(client)
    }

    /// Describes why reading a body of [`Http::send`] failed.
    pub fn read_error(&self, url: &str, error: io::Error) -> Error {
        Exchange { url, timeout: self.timeout, proxy: None }.read_error(error)
    }
}

pub(super) fn header_name(name: &str) -> Result<HeaderName> {
    name.parse().map_err(|_| Error::usage(format!("invalid header name {name}")))
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue> {
    value.parse().map_err(|_| Error::usage(format!("invalid value of header {name}")))
}

#[cfg(test)]
mod tests;
