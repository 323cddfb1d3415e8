//! Which proxy a request goes through, from the environment, as curl reads it. Nothing else reads these variables.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use hyper_util::client::proxy::matcher::Matcher;
use percent_encoding::percent_decode_str;
use url::Url;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::oauth::loopback::is_loopback;

/// The variables for https URLs, in the order in which curl asks for them. Plain http is for loopback, which no proxy
/// serves, so that `HTTP_PROXY` never matters.
const VARIABLES: [&str; 4] = ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"];

const SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// How long a proxy that failed is asked for the reason.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// The largest response to CONNECT that is read for its status, in bytes.
const MAX_CONNECT_RESPONSE_LEN: usize = 8192;

/// A proxy, and the variable that names it.
#[derive(Clone)]
pub struct Proxy {
    variable: &'static str,
    /// With its credentials.
    url: Url,
}

impl Proxy {
    /// Returns the proxy for `url`, `None` for a direct connection: on loopback, for hosts in `NO_PROXY`, without a
    /// variable.
    ///
    /// # Errors
    /// Usage, naming the variable, when curl would reject its value.
    pub fn for_url(url: &Url) -> Result<Option<Self>> {
        Self::from_variables(url, variable)
    }

    fn from_variables(url: &Url, get: impl Fn(&str) -> Option<OsString>) -> Result<Option<Self>> {
        if is_loopback(url) || is_excluded(url, &get) {
            return Ok(None);
        }
        Self::configured(&get)
    }

    /// Returns the proxy that is used for hosts outside loopback and `NO_PROXY`.
    ///
    /// # Errors
    /// As [`Proxy::for_url`].
    pub fn from_env() -> Result<Option<Self>> {
        Self::configured(&variable)
    }

    fn configured(get: &impl Fn(&str) -> Option<OsString>) -> Result<Option<Self>> {
        let value = |name| get(name).filter(|value| !value.is_empty());
        let configured = VARIABLES.into_iter().find_map(|name| Some(Self::parse(name, &value(name)?)));
        configured.transpose()
    }

    /// Parses a variable's value. The scheme is optional, `http://` without it; the port too, 1080 without it, or 443
    /// for `https://`.
    fn parse(variable: &'static str, value: &OsString) -> Result<Self> {
        let error = |why: &str| {
            Error::usage(format!("{variable} is not a valid proxy URL"))
                .with_detail(why)
                .with_hint(format!("export {variable}=http://HOST:PORT; or unset {variable}"))
        };
        let value = value.to_str().ok_or_else(|| error("it is not UTF-8"))?;
        if value.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(error("it contains a space or a control character, such as a carriage return"));
        }
        if value.contains(['#', '?']) {
            return Err(error("it contains # or ?; in a password, write %23 or %3F"));
        }
        let absolute = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        let mut url = Url::parse(&absolute).map_err(|_| error("it is malformed"))?;
        if !SCHEMES.contains(&url.scheme()) {
            return Err(error(&format!("its scheme is not one of {}", SCHEMES.join(", "))));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(error("it names no host"));
        }
        if !has_port(&absolute) {
            let port = if url.scheme() == "https" { 443 } else { 1080 };
            url.set_port(Some(port)).map_err(|()| error("it is malformed"))?;
        }
        url.set_path("");
        Ok(Self { variable, url })
    }

    /// The name of the variable.
    pub fn variable(&self) -> &'static str {
        self.variable
    }

    /// Returns the URL without credentials.
    pub fn display(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        format!("{}://{host}:{}", self.url.scheme(), self.port())
    }

    /// Whether the URL has a user name or a password.
    pub fn has_credentials(&self) -> bool {
        !self.url.username().is_empty() || self.url.password().is_some()
    }

    /// Returns the library's form of it.
    pub(super) fn to_reqwest(&self) -> reqwest::Result<reqwest::Proxy> {
        if !self.has_credentials() || self.url.scheme().starts_with("socks") {
            return reqwest::Proxy::all(self.url.clone());
        }
        let (user, password) = self.credentials();
        let proxy = reqwest::Proxy::all(format!("{}/", self.display()))?;
        Ok(proxy.basic_auth(&user, &password))
    }

    fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or(1080)
    }

    fn address(&self) -> Option<SocketAddr> {
        let host = self.url.host_str()?.trim_matches(['[', ']']);
        (host, self.port()).to_socket_addrs().ok()?.next()
    }

    /// User name and password, percent-decoded.
    fn credentials(&self) -> (Zeroizing<String>, Zeroizing<String>) {
        let decode = |text: &str| Zeroizing::new(percent_decode_str(text).decode_utf8_lossy().into_owned());
        (decode(self.url.username()), decode(self.url.password().unwrap_or_default()))
    }

    /// Returns the error for a connection that the proxy did not provide. `text` is the library's description.
    pub(super) fn error(&self, target: &str, text: &str, timeout: Duration) -> Error {
        let timeout = timeout.min(PROBE_TIMEOUT);
        if let Some(error) = self.connection_error(text, timeout) {
            return error;
        }
        if text.contains("could not resolve") {
            return Error::network(format!("could not resolve the host name of {target} (DNS)"))
                .with_hint(format!("to let the proxy resolve it, use socks5h:// in {}", self.variable));
        }
        if text.contains("authorization required") {
            return self.authentication_error();
        }
        let status = if text.contains("unsuccessful") { self.connect_status(target, timeout) } else { None };
        self.status_error(target, status)
    }

    /// Returns the error if the proxy itself can't be reached.
    fn connection_error(&self, text: &str, timeout: Duration) -> Option<Error> {
        let variable = self.variable;
        let host = self.url.host_str().unwrap_or_default();
        // The library does not say why it could not reach a SOCKS proxy.
        let (is_unknown, is_refusing) = if self.url.scheme().starts_with("socks") {
            match self.address() {
                None => (true, false),
                Some(address) => (false, TcpStream::connect_timeout(&address, timeout).is_err()),
            }
        } else {
            (text.contains("dns error"), text.contains("Connection refused"))
        };
        if is_unknown {
            let error = Error::network(format!("could not resolve the proxy's host name {host} (DNS)"));
            return Some(error.with_hint(format!("check {variable}")));
        }
        is_refusing.then(|| {
            Error::network(format!("proxy {} refused the connection", self.display()))
                .with_hint(format!("check {variable}, and that the proxy is running"))
        })
    }

    /// Returns the error for a proxy that did not open a tunnel.
    fn status_error(&self, target: &str, status: Option<u16>) -> Error {
        let (proxy, variable) = (self.display(), self.variable);
        let error =
            |what: String| Error::network(what).with_detail(format!("the proxy is set by {variable}"));
        match status {
            Some(407) => self.authentication_error(),
            Some(status @ (500 | 502..=504)) => {
                error(format!("proxy {proxy} could not reach {target} (HTTP {status})"))
                    .with_hint("check the host name; the proxy can't resolve or reach it")
            }
            Some(status) => error(format!("proxy {proxy} refused to connect to {target} (HTTP {status})"))
                .with_hint(format!(
                    "ask the proxy's operator to allow {target}, or add the host to NO_PROXY"
                )),
            None => error(format!("proxy CONNECT failed: {proxy} did not connect to {target}")).with_hint(
                format!("check {variable}: host, port and scheme (http://, https://, socks5h://)"),
            ),
        }
    }

    fn authentication_error(&self) -> Error {
        let (proxy, variable) = (self.display(), self.variable);
        let what = if self.has_credentials() {
            "rejected the user name or password"
        } else {
            "requires authentication"
        };
        Error::network(format!("proxy {proxy} {what} (HTTP 407)"))
            .with_hint(format!("export {variable}={}://USER:PASSWORD@HOST:PORT", self.url.scheme()))
    }

    /// Asks an http proxy again for a tunnel to `target` (`https://HOST[:PORT]`) and returns the status, which the
    /// library does not report.
    fn connect_status(&self, target: &str, timeout: Duration) -> Option<u16> {
        if self.url.scheme() != "http" {
            return None;
        }
        let target = Url::parse(target).ok()?;
        let target = format!("{}:{}", target.host_str()?, target.port_or_known_default()?);
        let mut stream = TcpStream::connect_timeout(&self.address()?, timeout).ok()?;
        stream.set_read_timeout(Some(timeout)).ok()?;
        let authorization = if self.has_credentials() {
            let (user, password) = self.credentials();
            let pair = Zeroizing::new(format!("{}:{}", *user, *password));
            format!("Proxy-Authorization: Basic {}\r\n", STANDARD.encode(pair.as_bytes()))
        } else {
            String::new()
        };
        let request =
            Zeroizing::new(format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n"));
        stream.write_all(request.as_bytes()).ok()?;
        let mut head = Vec::new();
        let mut buffer = [0; 512];
        while !head.contains(&b'\n') && head.len() < MAX_CONNECT_RESPONSE_LEN {
            match stream.read(&mut buffer).ok()? {
                0 => break,
                count => head.extend_from_slice(&buffer[..count]),
            }
        }
        let head = String::from_utf8_lossy(&head);
        head.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok().filter(|status| (100..600).contains(status))
    }
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Proxy({}, {})", self.variable, self.display())
    }
}

fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// The variable with hosts that no proxy serves, and its value.
pub fn exclusions() -> Option<(&'static str, String)> {
    no_proxy(&variable)
}

fn no_proxy(get: &impl Fn(&str) -> Option<OsString>) -> Option<(&'static str, String)> {
    ["no_proxy", "NO_PROXY"].into_iter().find_map(|name| {
        let value = get(name).filter(|value| !value.is_empty())?;
        Some((name, value.to_string_lossy().into_owned()))
    })
}

fn is_excluded(url: &Url, get: &impl Fn(&str) -> Option<OsString>) -> bool {
    let Some((_, list)) = no_proxy(get) else { return false };
    // As in curl, an asterisk covers every host only if it is alone.
    if list.trim() == "*" {
        return true;
    }
    let entries = list.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| *entry != "*");
    let entries = entries.map(|entry| entry.trim_end_matches('.').trim_matches(['[', ']']));
    // The library covers `a.example.com` by `example.com` and `.example.com`, and addresses by networks, as curl does.
    let list = entries.collect::<Vec<_>>().join(",");
    let matcher = Matcher::builder().https("http://proxy").no(list).build();
    let host = url.host_str().unwrap_or_default().trim_end_matches('.');
    format!("https://{host}").parse().is_ok_and(|uri| matcher.intercept(&uri).is_none())
}

/// Whether the URL names a port. [`Url`] drops a scheme's default one.
fn has_port(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '\\']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let after = host.rsplit_once(']').map_or(host, |(_, after)| after);
    after.rsplit_once(':').is_some_and(|(_, port)| !port.is_empty())
}

#[cfg(test)]
mod tests;
