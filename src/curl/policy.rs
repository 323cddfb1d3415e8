//! The host rule: every URL belongs to the profile, and no option sends the token elsewhere.

use super::arguments::{CurlOption, PLAIN_CURL};
use super::hosts::Hosts;
use super::options::Role;
use super::url::{self, Url};
use crate::error::{Error, Result};
use crate::text::sanitize_url;

const OMIT: &str = "leave it out: oneup adds the token";

/// What a command line is checked against.
#[derive(Debug)]
pub struct Policy<'a> {
    /// What `/PATH` is joined to.
    pub fhir_base: &'a str,
    /// Where the token may go.
    pub hosts: &'a Hosts,
    /// oneup's `--verbose`, which curl gets too.
    pub verbose: bool,
}

/// A checked command line.
#[derive(Debug, PartialEq, Eq)]
pub struct CurlPlan {
    /// The options and URLs in their order; the URLs with their scheme.
    pub options: Vec<CurlOption>,
    /// The URLs. Empty if curl only prints something: then it gets no token.
    pub urls: Vec<Url>,
    /// Whether redirects are followed.
    pub follows_redirects: bool,
    /// Whether curl shows request headers on stderr, where the token must be masked.
    pub verbose: bool,
}

impl CurlPlan {
    /// Returns whether an option with this role is switched on.
    pub fn has(&self, role: Role) -> bool {
        has(&self.options, role)
    }
}

fn has(options: &[CurlOption], role: Role) -> bool {
    options.iter().any(|option| option.role() == role)
}

impl Policy<'_> {
    /// Checks the options and completes the URLs.
    ///
    /// # Errors
    /// Usage: a URL that can't be parsed or isn't the profile's; an option that would send the token elsewhere.
    pub fn plan(&self, options: Vec<CurlOption>) -> Result<CurlPlan> {
        let mut plan = CurlPlan {
            urls: Vec::new(),
            follows_redirects: has(&options, Role::FollowRedirects),
            verbose: self.verbose || has(&options, Role::Verbose),
            options,
        };
        // Then curl makes no request.
        if plan.has(Role::Info) {
            return Ok(plan);
        }
        for option in &plan.options {
            if let Role::Next | Role::Config = option.role() {
                let refused =
                    Error::usage(format!("{} is not supported with the token", option.description()));
                return Err(refused.with_hint(PLAIN_CURL));
            }
        }
        for option in plan.options.iter_mut().filter(|option| option.spec.role() == Role::Url) {
            let url = self.url(option)?;
            option.value = Some(url.text.clone().into());
            plan.urls.push(url);
        }
        for option in &plan.options {
            if let Some((reason, hint)) = self.refusal(&plan, option) {
                return Err(Error::usage(format!("{} {reason}", option.description())).with_hint(hint));
            }
        }
        Ok(plan)
    }

    fn url(&self, option: &CurlOption) -> Result<Url> {
        let value = option.value.clone().unwrap_or_default();
        let refused = |reason: &str| {
            Error::usage(format!("the URL {:?} {reason}", sanitize_url(&value.to_string_lossy())))
                .with_hint("write https://HOST/PATH, or /PATH for the profile's FHIR server")
        };
        if option.expand {
            return Err(refused("has variables, so its host is unknown"));
        }
        let text = value.to_str().ok_or_else(|| refused("is not UTF-8; percent-encode it"))?;
        let url = url::parse(text, self.fhir_base).map_err(|reason| refused(&reason))?;
        if self.hosts.allow(&url) { Ok(url) } else { Err(host_error(&url, text)) }
    }

    /// Returns why an option can't be used with the token, and what to do instead.
    fn refusal(&self, plan: &CurlPlan, option: &CurlOption) -> Option<(&'static str, &'static str)> {
        let is_loopback = plan.urls.iter().all(Url::is_loopback);
        let is_http = plan.urls.iter().any(|url| url.is_http);
        let is_rerouted = plan.has(Role::Reroute);
        match option.role() {
            Role::TrustRedirects => {
                Some(("would send the token wherever a redirect leads", "use --location (-L)"))
            }
            Role::Credentials => Some(("is another way to authenticate", OMIT)),
            Role::Header | Role::RequestText | Role::Limit if option.expand => {
                Some(("has variables, so its value is unknown", "use the option without --expand-"))
            }
            Role::Header | Role::RequestText
                if option
                    .value
                    .as_ref()
                    .is_some_and(|value| value.to_string_lossy().contains(['\r', '\n'])) =>
            {
                Some(("has a line break, which would begin another header", "use one -H for each header"))
            }
            Role::Header => self.header_refusal(option),
            Role::CaCertificates if is_rerouted => Some((
                "with an option that connects to another machine would let that machine get the token",
                "leave out one of them, or trust the CA for the profile's hosts: oneup --cacert FILE curl …",
            )),
            Role::Insecure if !is_loopback || is_rerouted => Some((
                "would send the token to a server that was not verified",
                "name the server's CA certificate: --cacert FILE",
            )),
            Role::Reroute if is_http => Some(("would send the token over plain http", "use https")),
            Role::Trace => {
                Some(("would write the token to a file", "-v shows the exchange with the token masked"))
            }
            Role::Stderr if plan.verbose => {
                Some(("with -v would write the token to a file", "leave out one of them"))
            }
            _ => None,
        }
    }

    fn header_refusal(&self, option: &CurlOption) -> Option<(&'static str, &'static str)> {
        let text = option.value.as_deref().unwrap_or_default().to_string_lossy();
        if text.starts_with('@') {
            return Some((
                "reads a file, which could have a Host or Authorization header",
                "use -H 'NAME: VALUE'",
            ));
        }
        let (name, value) = text.split_once([':', ';']).unwrap_or((&text, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "authorization" => Some(("would add a second Authorization header", OMIT)),
            "host" if !url::parse(value.trim(), "").is_ok_and(|url| self.hosts.allow(&url)) => Some((
                "names a host that is not one of this profile's",
                "leave it out, or use --allow-host HOST",
            )),
            _ => None,
        }
    }
}

fn host_error(url: &Url, argument: &str) -> Error {
    let host = if url.host.contains(':') { format!("[{}]", url.host) } else { url.host.clone() };
    let error =
        Error::usage(format!("{host} is not one of this profile's hosts; refusing to send the token"));
    if argument.contains("://") || host.contains(['.', ':']) {
        error.with_hint(format!("to send the token there: oneup curl --allow-host {host} …"))
    } else {
        error.with_hint("a path on the profile's FHIR server begins with a slash, such as /Patient")
    }
}

#[cfg(test)]
mod tests;
