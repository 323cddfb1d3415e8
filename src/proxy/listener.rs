//! The socket that the proxy listens on: a port on loopback, or a private Unix socket.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;

use tokio::io::{AsyncRead, AsyncWrite};

use crate::error::{Error, Result};

/// Where to listen.
#[derive(Clone, Debug)]
pub enum Address {
    /// A port on 127.0.0.1; 0 picks a free one.
    Port(u16),
    /// A Unix socket that only this user can connect to.
    Socket(PathBuf),
}

/// A socket that listens.
pub enum Listener {
    /// On 127.0.0.1.
    Tcp(TcpListener, u16),
    /// A Unix socket.
    #[cfg(unix)]
    Unix(super::unix_socket::UnixSocket),
}

impl Listener {
    /// Begins to listen.
    ///
    /// # Errors
    /// Usage: the port or the socket is in use, or the path is another file. Failure: the system's.
    pub fn bind(address: &Address) -> Result<Self> {
        match address {
            Address::Port(port) => bind_port(*port),
            #[cfg(unix)]
            Address::Socket(path) => super::unix_socket::UnixSocket::bind(path).map(Self::Unix),
            #[cfg(not(unix))]
            Address::Socket(_) => {
                Err(Error::usage("this system has no Unix sockets").with_hint("use --port N"))
            }
        }
    }

    /// Converts it for the runtime, in which this is called.
    ///
    /// # Errors
    /// The system's.
    pub fn into_acceptor(self) -> io::Result<Acceptor> {
        match self {
            Self::Tcp(socket, _) => tokio::net::TcpListener::from_std(socket).map(Acceptor::Tcp),
            #[cfg(unix)]
            Self::Unix(socket) => {
                let listener = tokio::net::UnixListener::from_std(socket.listener)?;
                Ok(Acceptor::Unix { listener, _file: socket.file })
            }
        }
    }
}

fn bind_port(port: u16) -> Result<Listener> {
    let bind = || {
        let socket = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        socket.set_nonblocking(true)?;
        let port = socket.local_addr()?.port();
        Ok((socket, port))
    };
    let (socket, port) = bind().map_err(|error: io::Error| {
        let what = match error.kind() {
            io::ErrorKind::AddrInUse => format!("port {port} is already in use"),
            _ => format!("can't listen on port {port}"),
        };
        Error::usage(what).with_cause(error).with_hint("use --port 0 for a free port")
    })?;
    Ok(Listener::Tcp(socket, port))
}

/// Accepts connections.
pub enum Acceptor {
    /// Of a port.
    Tcp(tokio::net::TcpListener),
    /// Of a Unix socket, whose file is removed when this is dropped.
    #[cfg(unix)]
    Unix { listener: tokio::net::UnixListener, _file: super::unix_socket::SocketFile },
}

/// A connection.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

impl Acceptor {
    /// Waits for a connection.
    ///
    /// # Errors
    /// The system's.
    pub async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
            #[cfg(unix)]
            Self::Unix { listener, .. } => Ok(Box::new(listener.accept().await?.0)),
        }
    }
}
