//! Requests to a secret server: JSON both ways, secret headers, and no retry of its own.

use reqwest::header::{CONTENT_TYPE, DATE};

use super::body::{self, BodyError, Decoded};
use super::{Http, header_name, reject_redirect, retry, sensitive, text, trace};
use crate::error::{Error, Result};
use crate::oauth::secret::{Secret, SecretBuf};
use crate::system::deadline::Deadline;

/// A response of any status but a redirect.
pub struct SecretResponse {
    /// The HTTP status.
    pub status: u16,
    /// The server's clock (`Date`), in seconds since the epoch.
    pub date: Option<i64>,
    /// At most 1 MiB.
    pub body: SecretBuf,
}

impl Http {
    /// Sends a request once: a GET without a body, else a POST of JSON. `headers` are secret. Nothing of either body is traced.
    ///
    /// # Errors
    /// Usage for plain http outside loopback; network; protocol for a redirect or a body over the limit.
    pub fn exchange_secrets(
        &self,
        url: &str,
        headers: &[(&str, &Secret)],
        body: Option<SecretBuf>,
        deadline: Deadline,
    ) -> Result<SecretResponse> {
        let route = self.route(url)?;
        let method = if body.is_some() { "POST" } else { "GET" };
        let mut builder = match body {
            Some(body) => route
                .client
                .post(url)
                .header(CONTENT_TYPE, "application/json")
                .body(bytes::Bytes::from_owner(body)),
            None => route.client.get(url),
        };
        for (name, value) in headers {
            builder = builder.header(header_name(name)?, sensitive(value.expose())?);
        }
        self.trace(|| trace::bare_request(method, url));
        let exchange = self.exchange_of(url, &route);
        let response = builder
            .timeout(deadline.remaining().max(std::time::Duration::from_millis(1)))
            .send()
            .map_err(|error| exchange.error(error))?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        self.trace(|| trace::head(status, &headers));
        reject_redirect(url, status, &headers, &super::redact::Redactor::default())?;
        let body =
            body::read_limited(Decoded::new(response, false), deadline).map_err(|error| match error {
                BodyError::TooLarge => Error::protocol(format!("{url}: response exceeds 1 MiB")),
                BodyError::Timeout => exchange.timed_out(),
                BodyError::Io(error) => exchange.read_error(error),
            })?;
        let date = text(&headers, DATE).and_then(|date| retry::parse_http_date(&date));
        Ok(SecretResponse { status, date, body: SecretBuf::from(body) })
    }
}
