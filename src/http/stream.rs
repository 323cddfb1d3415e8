//! Requests whose response body is streamed: FHIR exports and files of any size.

use std::io::{self, Read};

use reqwest::blocking::Response;
use reqwest::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue};

use super::body;
use super::failure::Exchange;
use super::{Http, bearer, trace};
use crate::error::{Error, Result};
use crate::oauth::secret::Secret;

/// The method of a [`Request`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// GET.
    Get,
    /// DELETE, without a body.
    Delete,
}

impl Method {
    fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Delete => "DELETE",
        }
    }
}

/// A request without a body, sent once by [`Http::send`].
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: Method,
    /// An absolute https URL, or http on loopback.
    pub url: &'a str,
    /// Further headers, such as `Accept`, `Prefer`, `Range` and `If-Range`.
    pub headers: &'a [(&'a str, &'a str)],
    /// The access token for the `Authorization` header.
    pub bearer: Option<&'a Secret>,
}

/// A response of any status whose body has not been read yet.
pub struct StreamingResponse {
    status: u16,
    headers: HeaderMap,
    response: Response,
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
    pub fn into_body(self) -> impl Read + Send {
        let is_decoded = self.is_decoded();
        body::decode(self.response, is_decoded)
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
    /// the whole transfer. Any number of threads can send concurrently; they share connections.
    ///
    /// # Errors
    /// Usage for plain http outside loopback or a header that can't be sent; network.
    pub fn send(&self, request: Request<'_>) -> Result<StreamingResponse> {
        let route = self.streaming_route(request.url)?;
        let mut builder = match request.method {
            Method::Get => route.client.get(request.url),
            Method::Delete => route.client.delete(request.url),
        };
        for (name, value) in request.headers {
            builder = builder.header(header_name(name)?, header_value(name, value)?);
        }
        if let Some(token) = request.bearer {
            builder = builder.header(AUTHORIZATION, bearer(token)?);
        }
        self.trace(|| trace::bare_request(request.method.name(), request.url));
        let exchange = self.exchange_of(request.url, &route);
        let response = builder.send().map_err(|error| exchange.error(error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        self.trace(|| trace::head(status, &headers));
        Ok(StreamingResponse { status, headers, response })
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
