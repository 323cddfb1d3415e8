//! The servers behind the proxy: from a path to the URL that is requested, and from a URL in a response back to a URL of
//! the proxy.

use ::url::Url;
use hyper::StatusCode;

use super::outcome::Refusal;
use crate::curl::hosts::Hosts;
use crate::curl::url::{self, Url as CheckedUrl};
use crate::error::Result;
use crate::http::require_safe;
use crate::text::sanitize;

/// What precedes the name of another host, plain and percent-encoded, as some clients write it.
const HOST_MARKS: [&str; 3] = ["/~", "/%7E", "/%7e"];

/// The hosts that requests can reach, and the proxy's own URL.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Without a slash at its end.
    fhir_base: String,
    base: Origin,
    base_path: String,
    hosts: Hosts,
    /// `http://127.0.0.1:PORT/KEY`
    public: String,
    own: Option<Origin>,
}

/// Scheme, host and port.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Origin {
    is_http: bool,
    host: String,
    port: u16,
}

impl Upstream {
    /// Returns the servers of a profile, as seen through the proxy at `public`, a URL without a slash at its end.
    ///
    /// # Errors
    /// Usage: a FHIR base that no token may be sent to.
    pub fn new(fhir_base: &str, hosts: Hosts, public: String) -> Result<Self> {
        require_safe(fhir_base)?;
        let fhir_base = fhir_base.trim_end_matches('/').to_owned();
        let invalid = |reason| crate::error::Error::usage(format!("the FHIR base {fhir_base} {reason}"));
        let (Origins(base, _), tail) = split(&fhir_base).map_err(invalid)?;
        let (base_path, own) = (tail.to_owned(), split(&public).ok().map(|(Origins(own, _), _)| own));
        Ok(Self { fhir_base, base, base_path, hosts, public, own })
    }

    /// The proxy's URL, without a slash at its end.
    pub fn public(&self) -> &str {
        &self.public
    }

    /// Returns the URL that a request for `path` (what follows the key) and `query` is forwarded to.
    ///
    /// # Errors
    /// 400: a path that servers could read in two ways. 403: a host that is not the profile's.
    pub fn target(&self, path: &str, query: Option<&str>) -> Result<Url, Refusal> {
        check_path(path)?;
        let mut text = match HOST_MARKS.into_iter().find_map(|mark| path.strip_prefix(mark)) {
            None => format!("{}{path}", self.fhir_base),
            Some(other) => self.other_host(other)?,
        };
        if let Some(query) = query {
            text.push('?');
            text.push_str(query);
        }
        Url::parse(&text).map_err(|_| invalid_path("is not valid in a URL"))
    }

    /// `HOST[:PORT][/PATH]` as a URL.
    fn other_host(&self, text: &str) -> Result<String, Refusal> {
        let (authority, path) = text.split_at(text.find('/').unwrap_or(text.len()));
        let https = format!("https://{authority}{path}");
        let (Origins(_, url), _) = split(&https).map_err(|reason| invalid_path(&reason))?;
        let text = if self.is_http(&url) { format!("http://{authority}{path}") } else { https };
        let (Origins(origin, url), _) = split(&text).map_err(|reason| invalid_path(&reason))?;
        let host = sanitize(&origin.host, 255);
        if !self.hosts.allow(&url) {
            return Err(Refusal::forbidden(format!(
                "{host} is not one of this profile's hosts; to send the token there: oneup proxy --allow-host {host}"
            )));
        }
        if self.own.as_ref() == Some(&origin) {
            return Err(Refusal::forbidden("this is the proxy itself"));
        }
        Ok(text)
    }

    /// Other hosts are reached by https; those on loopback by http if the FHIR server is.
    fn is_http(&self, url: &CheckedUrl) -> bool {
        url.is_loopback() && self.base.is_http
    }

    /// Returns the URL of the proxy by which a client reaches an absolute URL of the profile's hosts; `None` for any other
    /// text.
    pub fn to_public(&self, text: &str) -> Option<String> {
        let (Origins(origin, url), tail) = split(text).ok()?;
        let path = &tail[..tail.find(['?', '#']).unwrap_or(tail.len())];
        if !self.hosts.allow(&url) || self.own.as_ref() == Some(&origin) || check_path(path).is_err() {
            return None;
        }
        if origin == self.base
            && let Some(below) = tail.strip_prefix(&self.base_path)
            && (below.is_empty() || below.starts_with(['/', '?', '#']))
            && !HOST_MARKS.iter().any(|mark| below.starts_with(mark))
        {
            return Some(format!("{}{below}", self.public));
        }
        if origin.is_http != self.is_http(&url) {
            return None;
        }
        let authority = &text[text.find("://")? + 3..text.len() - tail.len()];
        Some(format!("{}/~{authority}{tail}", self.public))
    }

    /// Returns the URL of the proxy for a reference in a header of the response to `url` (RFC 9110 §10.2.2); `None` if it
    /// stays as it is.
    pub fn reference_to_public(&self, url: &Url, reference: &str) -> Option<String> {
        let is_absolute =
            reference.split_once(':').is_some_and(|(scheme, _)| !scheme.contains(['/', '?', '#']));
        if is_absolute {
            return self.to_public(reference);
        }
        self.to_public(url.join(reference).ok()?.as_str())
    }
}

/// An origin, and the URL that it is of.
struct Origins(Origin, CheckedUrl);

/// Splits an absolute URL into its origin and what follows.
fn split(text: &str) -> Result<(Origins, &str), String> {
    let url = url::parse(text, "")?;
    let rest = text.split_once("://").map(|(_, rest)| rest).filter(|_| url.text == text);
    let rest = rest.ok_or("has no scheme")?;
    let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let port = authority.rsplit_once(':').and_then(|(_, port)| port.parse().ok());
    let port = port.unwrap_or(if url.is_http { 80 } else { 443 });
    Ok((Origins(Origin { is_http: url.is_http, host: url.host.clone(), port }, url), tail))
}

/// Refuses a path that the servers on the way could read in another way than the proxy.
fn check_path(path: &str) -> Result<(), Refusal> {
    if path.contains('\\') || path.to_ascii_lowercase().contains("%5c") {
        return Err(invalid_path("contains a backslash"));
    }
    let is_dots = |segment: &str| {
        let name = segment.split(';').next().unwrap_or_default().to_ascii_lowercase().replace("%2e", ".");
        matches!(name.as_str(), "." | "..")
    };
    // An encoded slash separates segments for some servers.
    if path.replace("%2F", "/").replace("%2f", "/").split('/').any(is_dots) {
        return Err(invalid_path("contains . or .. as a segment"));
    }
    Ok(())
}

fn invalid_path(reason: &str) -> Refusal {
    Refusal::new(StatusCode::BAD_REQUEST, "invalid", format!("the path {reason}"))
}

#[cfg(test)]
mod tests;
