//! The response to the client: the server's, with its URLs rewritten; its body as it comes, or, if it can hold URLs, read
//! as a whole first.

use std::io::Read;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::Body as HttpBody;
use hyper::header::{
    ACCEPT_RANGES, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, CONTENT_ENCODING,
    CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, VARY,
};
use hyper::{Method, Response, StatusCode};
use url::Url;

use super::App;
use super::body::{Body, Resumed, collect};
use super::headers::clean_response;
use super::outcome::{Refusal, full};
use super::rewrite::{Shape, rewrite_headers, rewrite_json, shape};
use crate::http::is_gzip;

/// The largest document that is rewritten.
const MAX_DOCUMENT_BYTES: usize = 32 * 1024 * 1024;

/// Documents up to this size are read without limit to their number.
const SMALL_DOCUMENT_BYTES: usize = 256 * 1024;

/// Digests of the body, which don't fit a rewritten one.
const DIGESTS: [&str; 4] = ["content-md5", "digest", "content-digest", "repr-digest"];

impl App {
    /// Makes the client's response of the server's response to a request for `url`.
    ///
    /// # Errors
    /// The response to the client, when the server's ends too soon.
    pub(super) async fn respond(
        self: &Arc<Self>,
        method: &Method,
        url: &Url,
        response: Response<reqwest::Body>,
    ) -> Result<Response<Body>, Refusal> {
        let (mut head, body) = response.into_parts();
        clean_response(&mut head.headers);
        rewrite_headers(&self.upstream, url, head.status, &mut head.headers);
        if head.status == StatusCode::PARTIAL_CONTENT || !is_json(&head.headers) {
            return Ok(Response::from_parts(head, stream(body)));
        }
        if *method == Method::HEAD {
            // GET may have another length.
            head.headers.remove(CONTENT_LENGTH);
            return Ok(Response::from_parts(head, stream(body)));
        }
        match self.read_document(&head.headers, body).await? {
            Document::Streamed(body) => Ok(Response::from_parts(head, body)),
            Document::Whole { original, rewritten, _permit } => {
                let body = match rewritten {
                    Some(document) => {
                        adapt_headers(&mut head.headers, document.len());
                        document.into()
                    }
                    None => original,
                };
                Ok(Response::from_parts(head, full(body)))
            }
        }
    }

    async fn read_document(
        self: &Arc<Self>,
        headers: &HeaderMap,
        mut body: reqwest::Body,
    ) -> Result<Document, Refusal> {
        let is_gzip = headers.get(CONTENT_ENCODING).is_some_and(is_gzip);
        if headers.contains_key(CONTENT_ENCODING) && !is_gzip {
            self.context.warn("a response has an encoding that can't be rewritten");
            return Ok(Document::Streamed(stream(body)));
        }
        let mut bytes = BytesMut::new();
        let mut permit = None;
        for limit in [0, SMALL_DOCUMENT_BYTES, MAX_DOCUMENT_BYTES] {
            if limit == MAX_DOCUMENT_BYTES {
                permit = Arc::clone(&self.large_documents).acquire_owned().await.ok();
            }
            if collect(&mut body, &mut bytes, limit).await.map_err(cut_off)? {
                let original = bytes.freeze();
                let rewritten = self.rewrite(&original, is_gzip).await;
                return Ok(Document::Whole { original, rewritten, _permit: permit });
            }
            if !is_gzip && shape(&bytes) == Shape::Other {
                return Ok(Document::Streamed(resume(bytes, body)));
            }
        }
        self.warn_too_large();
        Ok(Document::Streamed(resume(bytes, body)))
    }

    /// Rewrites a document, `None` if it stays as it is.
    async fn rewrite(self: &Arc<Self>, document: &Bytes, is_gzip: bool) -> Option<Vec<u8>> {
        if !is_gzip && shape(document) == Shape::Other {
            return None;
        }
        let rewrite = |app: &Self, document: &[u8]| rewrite_json(document, |url| app.upstream.to_public(url));
        if !is_gzip && document.len() <= SMALL_DOCUMENT_BYTES {
            return rewrite(self, document);
        }
        let (app, document) = (Arc::clone(self), document.clone());
        let rewritten = tokio::task::spawn_blocking(move || {
            if !is_gzip {
                return rewrite(&app, &document);
            }
            let mut decoded = Vec::new();
            let limit = MAX_DOCUMENT_BYTES as u64 + 1;
            MultiGzDecoder::new(&document[..]).take(limit).read_to_end(&mut decoded).ok()?;
            if decoded.len() > MAX_DOCUMENT_BYTES {
                app.warn_too_large();
                return None;
            }
            rewrite(&app, &decoded)
        });
        rewritten.await.ok()?
    }

    fn warn_too_large(&self) {
        self.context.warn("a response of more than 32 MiB was passed on without rewriting its URLs");
    }
}

/// The body of a response in JSON.
enum Document {
    /// Not rewritten.
    Streamed(Body),
    /// Read to its end.
    Whole { original: Bytes, rewritten: Option<Vec<u8>>, _permit: Option<tokio::sync::OwnedSemaphorePermit> },
}

fn resume(bytes: BytesMut, body: reqwest::Body) -> Body {
    stream(Resumed::new(bytes.freeze(), body))
}

fn stream(body: impl HttpBody<Data = Bytes, Error = reqwest::Error> + Send + Sync + 'static) -> Body {
    // The text of the library's error names the URL, which can hold patient data.
    body.map_err(|error| error.without_url().into()).boxed()
}

fn cut_off(_: reqwest::Error) -> Refusal {
    Refusal::new(StatusCode::BAD_GATEWAY, "incomplete", "connection closed before the response was complete")
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let subtype = essence.split_once('/').map_or("", |(_, subtype)| subtype);
    subtype == "json" || subtype.ends_with("+json") || subtype == "json+fhir"
}

fn adapt_headers(headers: &mut HeaderMap, length: usize) {
    headers.insert(CONTENT_LENGTH, length.into());
    for name in [CONTENT_ENCODING, ACCEPT_RANGES].into_iter().chain(DIGESTS.map(HeaderName::from_static)) {
        headers.remove(name);
    }
}

/// The headers of a response that a web page may read (CORS).
pub(super) fn allow_origin(headers: &mut HeaderMap, origin: HeaderValue) {
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("*"));
    headers.append(VARY, HeaderValue::from_static("Origin"));
}

/// The response to a browser's question whether a web page may send a request (CORS preflight).
pub(super) fn preflight(headers: &HeaderMap) -> Response<Body> {
    let mut response = Response::new(full(Bytes::new()));
    *response.status_mut() = StatusCode::NO_CONTENT;
    for (asked, allowed) in [
        ("access-control-request-method", "access-control-allow-methods"),
        ("access-control-request-headers", "access-control-allow-headers"),
        ("access-control-request-private-network", "access-control-allow-private-network"),
    ] {
        if let Some(value) = headers.get(asked) {
            response.headers_mut().insert(HeaderName::from_static(allowed), value.clone());
        }
    }
    response
}
