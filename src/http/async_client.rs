//! Requests of an asynchronous program, by the rules of all others: certificates, proxies, no redirects.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Body, Client, ClientBuilder, Method};
use url::Url;

use super::client::unusable;
use super::failure::Exchange;
use super::proxy::Proxy;
use super::{Http, require_safe};
use crate::error::{Error, Result};

/// The longest wait for the head of a response, and between two parts of its body.
const MAX_SILENCE: Duration = Duration::from_secs(300);

/// How long an unused connection is kept.
const MAX_IDLE: Duration = Duration::from_secs(15);

/// Sends requests to one origin, with shared connections. Bodies are neither decoded nor kept in memory.
#[derive(Clone)]
pub struct AsyncClient {
    client: Client,
    proxy: Option<Proxy>,
    timeout: Duration,
}

impl Http {
    /// Returns a client for the origin of `url`.
    ///
    /// # Errors
    /// Usage: a URL that no token may be sent to, or a proxy that can't be used.
    pub fn async_client(&self, url: &str) -> Result<AsyncClient> {
        let url = require_safe(url)?;
        let builder = ClientBuilder::new()
            .connect_timeout(self.timeout)
            .read_timeout(MAX_SILENCE)
            .pool_idle_timeout(MAX_IDLE);
        let (builder, proxy) = self.configure(&url, builder)?;
        Ok(AsyncClient { client: builder.build().map_err(unusable)?, proxy, timeout: self.timeout })
    }
}

impl AsyncClient {
    /// Sends a request once and returns the response, whatever its status.
    ///
    /// # Errors
    /// The library's; [`AsyncClient::describe`] makes an [`Error`] of it.
    pub async fn send(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap<HeaderValue>,
        body: Option<Body>,
    ) -> reqwest::Result<hyper::Response<Body>> {
        let mut request = reqwest::Request::new(method, url);
        *request.headers_mut() = headers;
        *request.body_mut() = body;
        self.client.execute(request).await.map(Into::into)
    }

    /// Describes why there is no response. This can take some seconds, as a proxy is asked for its reason.
    pub fn describe(&self, url: &Url, error: reqwest::Error) -> Error {
        let timeout = if error.is_timeout() && !error.is_connect() { MAX_SILENCE } else { self.timeout };
        Exchange { url: url.as_str(), timeout, proxy: self.proxy.as_ref() }.error(error)
    }
}
