//! The settings of the HTTP library: certificates, proxies, no redirects, no retries of its own.

use std::path::Path;
use std::time::Duration;

use reqwest::blocking::{Client, ClientBuilder};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{Http, failure, require_safe};
use crate::error::{Error, Result};
use crate::oauth::loopback::is_loopback;
use crate::system::files::{self, Purpose};

impl Http {
    /// A client for one exchange with the server of `url`. The request brings its own timeout.
    pub(super) fn client(&self, url: &str) -> Result<Client> {
        // No idle connections: a retry must not use one that the server is about to close.
        let builder = Client::builder().pool_max_idle_per_host(0).timeout(None);
        self.build(url, builder)
    }

    /// The client that all streaming requests to the server of `url` share; its timeout is between two reads.
    pub(super) fn streaming_client(&self, url: &str) -> Result<Client> {
        let origin = require_safe(url)?.origin().ascii_serialization();
        let mut clients = self.clients.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(client) = clients.get(&origin) {
            return Ok(client.clone());
        }
        let builder = Client::builder().timeout(self.timeout).pool_idle_timeout(Duration::from_secs(15));
        let client = self.build(url, builder)?;
        clients.insert(origin, client.clone());
        Ok(client)
    }

    fn build(&self, url: &str, builder: ClientBuilder) -> Result<Client> {
        let parsed = require_safe(url)?;
        // Proxies and firewalls may not decode what they scan.
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
        let mut builder = builder
            .user_agent(concat!("oneup/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never());
        if is_loopback(&parsed) {
            builder = builder.no_proxy();
        }
        builder = if parsed.scheme() == "http" {
            // Loading the platform's trust store takes longer than a local server takes to respond.
            builder.tls_certs_only([])
        } else {
            builder.tls_certs_merge(self.cacert.iter().cloned())
        };
        builder.build().map_err(|error| failure::into_error(url, self.timeout, error))
    }
}

/// Reads a PEM bundle of CA certificates.
///
/// # Errors
/// Usage, when it can't be read or holds no usable certificate.
pub fn read_bundle(path: &Path) -> Result<Vec<reqwest::Certificate>> {
    let error = || {
        Error::usage(format!("can't use the CA bundle {}", path.display()))
            .with_hint("--cacert takes a PEM file with one or more certificates")
    };
    let pem = files::read(path, Purpose::Config)
        .map_err(|cause| match cause.hint() {
            Some(hint) => error().with_detail(cause.summary()).with_hint(hint),
            None => error().with_detail(cause.summary()),
        })?
        .ok_or_else(|| error().with_detail("no such file"))?;
    let mut usable = Vec::new();
    for der in CertificateDer::pem_slice_iter(&pem) {
        let der = der.map_err(|_| error().with_detail("it is not valid PEM"))?;
        // One that rustls can't use would fail every connection without a word about the bundle.
        if RootCertStore::empty().add(der.clone()).is_ok() {
            usable.extend(reqwest::Certificate::from_der(&der));
        }
    }
    if usable.is_empty() {
        return Err(error().with_detail("it holds no certificate"));
    }
    Ok(usable)
}
