//! Requests to a secret server: JSON both ways, secret headers, and no retry of its own.

use reqwest::header::CONTENT_TYPE;

use super::redact::Redactor;
use super::{Http, HttpResponse, header_name, sensitive, trace};
use crate::error::Result;
use crate::oauth::secret::{Secret, SecretBuf};
use crate::system::deadline::Deadline;

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
    ) -> Result<HttpResponse> {
        let route = self.route(url)?;
        self.trace(|| trace::bare_request(if body.is_some() { "POST" } else { "GET" }, url));
        let mut request = match body {
            Some(body) => route
                .client
                .post(url)
                .header(CONTENT_TYPE, "application/json")
                .body(bytes::Bytes::from_owner(body)),
            None => route.client.get(url),
        };
        for (name, value) in headers {
            request = request.header(header_name(name)?, sensitive(value.expose())?);
        }
        let (response, _) = self.send_once(url, &route, request, &Redactor::default(), deadline)?;
        Ok(response)
    }
}
