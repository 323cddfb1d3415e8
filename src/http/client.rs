//! The settings of the HTTP library: certificates, proxies, no redirects, no retries of its own.

use std::path::Path;

use reqwest::ClientBuilder;
use reqwest::blocking::{self, Client};
use reqwest::header::{ACCEPT_ENCODING, HeaderMap, HeaderValue};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::Url;

use super::proxy::Proxy;
use super::{Http, require_safe};
use crate::error::{Error, Result};
use crate::system::files::{self, Purpose};

/// How requests to one server are sent.
pub struct Route {
    pub client: Client,
    pub proxy: Option<Proxy>,
}

impl Http {
    /// The route of one exchange. The request brings its own timeout.
    pub(super) fn route(&self, url: &str) -> Result<Route> {
        // No idle connections: a retry must not use one that the server is about to close.
        let builder = ClientBuilder::new().pool_max_idle_per_host(0);
        let (builder, proxy) = self.configure(&require_safe(url)?, builder)?;
        let builder = blocking::ClientBuilder::from(builder).timeout(None);
        Ok(Route { client: builder.build().map_err(unusable)?, proxy })
    }

    /// Sets what all clients have in common, and returns the proxy in use.
    pub(super) fn configure(
        &self,
        url: &Url,
        builder: ClientBuilder,
    ) -> Result<(ClientBuilder, Option<Proxy>)> {
        // Not compressed: the size limit then counts what is sent.
        let headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
        let mut builder = builder
            .user_agent(concat!("oneup/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .retry(reqwest::retry::never())
            // The library would read the environment in its own way.
            .no_proxy();
        let proxy = Proxy::for_url(url)?;
        if let Some(proxy) = &proxy {
            builder = builder.proxy(proxy.to_reqwest().map_err(unusable)?);
        }
        builder = if url.scheme() == "http" {
            // Loading the platform's trust store takes longer than a local server takes to respond.
            builder.tls_certs_only([])
        } else {
            builder.tls_certs_merge(self.cacert.iter().cloned())
        };
        Ok((builder, proxy))
    }
}

pub(super) fn unusable(_: reqwest::Error) -> Error {
    Error::failure("could not set up the HTTP client")
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
