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

/// How long an unused connection is kept.
const MAX_IDLE: Duration = Duration::from_secs(15);

/// Sends requests to one origin, with shared connections. Bodies are neither decoded nor kept in memory.
#[derive(Clone)]
pub struct AsyncClient {
    client: Client,
    proxy: Option<Proxy>,
    pub(super) timeout: Duration,
    silence: Option<Duration>,
}

impl Http {
    /// Returns a client for the origin of `url`. It waits for `silence` at most for the head of a response, and between
    /// two parts of its body.
    ///
    /// # Errors
    /// Usage: a URL that no token may be sent to, or a proxy that can't be used.
    pub fn async_client(&self, url: &str, silence: Option<Duration>) -> Result<AsyncClient> {
        let url = require_safe(url)?;
        let builder = ClientBuilder::new().connect_timeout(self.timeout).pool_idle_timeout(MAX_IDLE);
        let (mut builder, proxy) = self.configure(&url, builder)?;
        if let Some(silence) = silence {
            builder = builder.read_timeout(silence);
        }
        Ok(AsyncClient { client: builder.build().map_err(unusable)?, proxy, timeout: self.timeout, silence })
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
        let mut exchange = self.exchange(url);
        if let Some(silence) = self.silence
            && error.is_timeout()
            && !error.is_connect()
        {
            exchange.timeout = silence;
        }
        exchange.error(error)
    }

    pub(super) fn exchange<'a>(&'a self, url: &'a Url) -> Exchange<'a> {
        Exchange { url: url.as_str(), timeout: self.timeout, proxy: self.proxy.as_ref() }
    }
}
