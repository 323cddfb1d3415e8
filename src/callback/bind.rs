//! The sockets of a loopback redirect URI (RFC 8252 §7.3), bound before any browser opens.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use url::{Host, Url};

use crate::error::{Error, Result};
use crate::oauth::loopback::is_loopback;

/// How many free ports of one address family are tried on the other.
const MAX_ATTEMPTS: usize = 50;

/// Bound sockets, and the redirect URI that leads to them.
#[derive(Debug)]
pub struct Listener {
    pub(super) sockets: Vec<TcpListener>,
    /// The path of the redirect URI, as in a request line.
    pub(super) path: String,
    /// The port that all sockets share.
    pub(super) port: u16,
    redirect_uri: String,
    any_port: bool,
}

impl Listener {
    /// Listens at this redirect URI: on 127.0.0.1 and ::1, on one port; port 0 means any free one. Returns `None` for a
    /// URI that is not on loopback, or is https: its response has to be pasted.
    ///
    /// # Errors
    /// Usage: the port is in use, or needs privileges.
    pub fn bind(redirect_uri: &str) -> Result<Option<Self>> {
        let Some(url) =
            Url::parse(redirect_uri).ok().filter(|url| url.scheme() == "http" && is_loopback(url))
        else {
            return Ok(None);
        };
        let requested = url.port_or_known_default().unwrap_or(80);
        let sockets = open(&url, requested).map_err(|error| into_error(requested, error))?;
        let port =
            sockets.first().and_then(|socket| socket.local_addr().ok()).map_or(requested, |at| at.port());
        let redirect_uri =
            if requested == 0 { with_port(redirect_uri, port) } else { redirect_uri.to_owned() };
        Ok(Some(Self { sockets, path: url.path().to_owned(), port, redirect_uri, any_port: requested == 0 }))
    }

    /// What to send as `redirect_uri`: the configured one, byte for byte, except that a port 0 is replaced by the real one.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Describes what to register for it.
    pub(super) fn registration(&self) -> String {
        if self.any_port {
            format!("{} with any port", self.redirect_uri)
        } else {
            format!("exactly {}", self.redirect_uri)
        }
    }
}

/// The addresses that a browser may try, and whether the URI needs each. `localhost` needs both: if another program
/// listened on one of them, it would get the code.
fn addresses(url: &Url) -> [(IpAddr, bool); 2] {
    let (v4, v6) = (Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into());
    match url.host() {
        Some(Host::Ipv4(ip)) => [(ip.into(), true), (v6, false)],
        Some(Host::Ipv6(ip)) => [(ip.into(), true), (v4, false)],
        _ => [(v4, true), (v6, true)],
    }
}

fn open(url: &Url, port: u16) -> std::io::Result<Vec<TcpListener>> {
    let [(first, _), (second, needed)] = addresses(url);
    let mut attempts = if port == 0 { MAX_ATTEMPTS } else { 1 };
    loop {
        attempts -= 1;
        let socket = match TcpListener::bind((first, port)) {
            // A machine without IPv4 (or IPv6) still has the other.
            Err(cause) if needed && is_absent(&cause) => {
                return Ok(vec![TcpListener::bind((second, port))?]);
            }
            other => other?,
        };
        match TcpListener::bind(SocketAddr::new(second, socket.local_addr()?.port())) {
            Ok(other) => return Ok(vec![socket, other]),
            Err(cause) if !needed || is_absent(&cause) => return Ok(vec![socket]),
            Err(cause) if attempts == 0 => return Err(cause),
            Err(_) => {}
        }
    }
}

/// Whether the address family is missing, as opposed to the port in use.
fn is_absent(cause: &std::io::Error) -> bool {
    matches!(cause.kind(), ErrorKind::AddrNotAvailable | ErrorKind::Unsupported)
        || cause.to_string().contains("family not supported")
}

fn into_error(port: u16, cause: std::io::Error) -> Error {
    let elsewhere = "log in with --no-listen, or with another registered --redirect-uri";
    match cause.kind() {
        ErrorKind::AddrInUse => {
            let command = match std::env::consts::OS {
                "windows" => format!("netstat -ano | findstr :{port}"),
                "linux" => format!("ss -ltnp 'sport = :{port}'"),
                _ => format!("lsof -nP -iTCP:{port} -sTCP:LISTEN"),
            };
            Error::usage(format!("port {port} is already in use"))
                .with_detail("another login may be waiting on it")
                .with_hint(format!("run `{command}` to find the process, or {elsewhere}"))
        }
        ErrorKind::PermissionDenied => Error::usage(format!("no permission to listen on port {port}"))
            .with_cause(cause)
            .with_hint(elsewhere),
        _ => Error::failure(format!("can't listen on port {port}")).with_cause(cause).with_hint(elsewhere),
    }
}

/// Returns the URI with this port instead of its port 0; the rest is the same byte for byte.
fn with_port(uri: &str, port: u16) -> String {
    let start = uri.find("://").map_or(0, |at| at + 3);
    let end = uri[start..].find(['/', '?']).map_or(uri.len(), |at| start + at);
    match uri[start..end].rfind(':') {
        Some(colon) => format!("{}:{port}{}", &uri[..start + colon], &uri[end..]),
        None => uri.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_0_is_replaced_by_the_real_port() {
        assert_eq!(with_port("http://localhost:0/a:b?c", 81), "http://localhost:81/a:b?c");
        assert_eq!(with_port("http://[::1]:0", 81), "http://[::1]:81");
    }

    #[test]
    fn every_loopback_host_listens_on_both_address_families() {
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            let listener =
                Listener::bind(&format!("http://{host}:0/cb")).expect("free port").expect("loopback");
            assert_eq!(listener.redirect_uri(), format!("http://{host}:{}/cb", listener.port));
            assert_eq!(listener.sockets.len(), 2, "{host}");
        }
    }

    #[test]
    fn other_redirect_uris_have_no_listener() {
        for uri in ["https://localhost:8484/cb", "https://app.example/cb", "http://app.example/cb", "app:/cb"]
        {
            assert!(Listener::bind(uri).expect("no socket is opened").is_none(), "{uri}");
        }
    }

    #[test]
    fn port_in_use_is_a_usage_error_with_the_command_that_finds_the_process() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let other = TcpListener::bind(address).expect("free port");
            let port = other.local_addr().expect("bound").port();
            let error = Listener::bind(&format!("http://localhost:{port}/cb")).expect_err("in use");
            assert_eq!(error.kind().exit().code(), 2);
            let text = error.to_string();
            assert!(
                text.contains(&format!("port {port} is already in use"))
                    && text.contains("to find the process"),
                "{text}"
            );
        }
    }
}
