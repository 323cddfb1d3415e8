//! The sockets of a loopback redirect URI (RFC 8252 §7.3), bound before any browser opens.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};

use url::{Host, Url};

use crate::error::{Error, Result};
use crate::oauth::loopback::is_loopback;

/// How often a free port of one family is tried on the other.
const TRIES: usize = 50;

/// Bound sockets, and the redirect URI that leads to them.
#[derive(Debug)]
pub struct Listener {
    pub(super) sockets: Vec<TcpListener>,
    /// The path of the redirect URI, as it stands in a request line.
    pub(super) path: String,
    /// The port that all sockets share.
    pub(super) port: u16,
    redirect_uri: String,
    any_port: bool,
}

impl Listener {
    /// Listens where this redirect URI leads: on 127.0.0.1 and ::1, on one port; port 0 takes a free one. None for
    /// a URI that leads elsewhere, or asks for TLS: its answer has to be pasted.
    ///
    /// # Errors
    /// Usage: the port is taken, or not ours to take.
    pub fn bind(redirect_uri: &str) -> Result<Option<Self>> {
        let Some(url) =
            Url::parse(redirect_uri).ok().filter(|url| url.scheme() == "http" && is_loopback(url))
        else {
            return Ok(None);
        };
        let asked = url.port_or_known_default().unwrap_or(80);
        let sockets = open(&url, asked).map_err(|cause| explain(asked, cause))?;
        let port = sockets.first().and_then(|socket| socket.local_addr().ok()).map_or(asked, |at| at.port());
        let redirect_uri = if asked == 0 { with_port(redirect_uri, port) } else { redirect_uri.to_owned() };
        Ok(Some(Self { sockets, path: url.path().to_owned(), port, redirect_uri, any_port: asked == 0 }))
    }

    /// What to send as `redirect_uri`: the one asked for, byte for byte, but for a port 0, which has become real.
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// What must be registered for it, in words.
    pub(super) fn registration(&self) -> String {
        if self.any_port {
            format!("{} with any port", self.redirect_uri)
        } else {
            format!("exactly {}", self.redirect_uri)
        }
    }
}

/// The addresses that a browser may try, and whether the URI needs each. `localhost` needs both: were one of them
/// another program's, it would be handed the code.
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
    let mut tries = if port == 0 { TRIES } else { 1 };
    loop {
        tries -= 1;
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
            Err(cause) if tries == 0 => return Err(cause),
            Err(_) => {}
        }
    }
}

/// The address family isn't there, as opposed to taken.
fn is_absent(cause: &std::io::Error) -> bool {
    matches!(cause.kind(), ErrorKind::AddrNotAvailable | ErrorKind::Unsupported)
        || cause.to_string().contains("family not supported")
}

fn explain(port: u16, cause: std::io::Error) -> Error {
    let elsewhere = "or log in with --no-listen, or with a --redirect-uri of another port that is registered";
    match cause.kind() {
        ErrorKind::AddrInUse => {
            let who = if cfg!(windows) {
                format!("netstat -ano | findstr :{port}")
            } else if cfg!(target_os = "linux") {
                format!("ss -ltnp 'sport = :{port}'")
            } else {
                format!("lsof -nP -iTCP:{port} -sTCP:LISTEN")
            };
            Error::usage(format!("port {port} is taken, so the browser could not come back to oneup"))
                .with_detail("another login may be waiting on it")
                .with_hint(format!("`{who}` says who has it; end that, {elsewhere}"))
        }
        ErrorKind::PermissionDenied => Error::usage(format!("port {port} is not ours to listen on"))
            .with_cause(cause)
            .with_hint(elsewhere),
        _ => Error::failure(format!("can't listen on port {port} of this machine"))
            .with_cause(cause)
            .with_hint(elsewhere),
    }
}

/// The URI with this port in the place of its port 0; the rest stays byte for byte.
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
    fn port_0_becomes_real_and_the_rest_stays() {
        assert_eq!(with_port("http://localhost:0/a:b?c", 81), "http://localhost:81/a:b?c");
        assert_eq!(with_port("http://[::1]:0", 81), "http://[::1]:81");
    }

    #[test]
    fn localhost_listens_on_both_families_and_each_literal_on_its_own() {
        for host in ["localhost", "127.0.0.1", "[::1]"] {
            let listener =
                Listener::bind(&format!("http://{host}:0/cb")).expect("free port").expect("loopback");
            assert_eq!(listener.redirect_uri(), format!("http://{host}:{}/cb", listener.port));
            assert_eq!(listener.sockets.len(), 2, "{host}");
        }
    }

    #[test]
    fn what_leads_elsewhere_is_not_listened_on() {
        for uri in ["https://localhost:8484/cb", "https://app.example/cb", "http://app.example/cb", "app:/cb"]
        {
            assert!(Listener::bind(uri).expect("no socket is opened").is_none(), "{uri}");
        }
    }

    #[test]
    fn a_taken_port_is_wrong_usage_and_says_whom_to_ask() {
        for taken in ["127.0.0.1:0", "[::1]:0"] {
            let other = TcpListener::bind(taken).expect("free port");
            let port = other.local_addr().expect("bound").port();
            let error = Listener::bind(&format!("http://localhost:{port}/cb")).expect_err("taken");
            assert_eq!(error.kind().exit().code(), 2);
            let text = error.to_string();
            assert!(text.contains(&format!("port {port} is taken")) && text.contains("says who"), "{text}");
        }
    }
}
