//! Arguments of `oneup proxy`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::sections::Sections;
use super::{Target, complete};

/// Run a local proxy that adds the access token to each request
///
/// For programs that can't be given a fresh token, such as Postman or a FHIR library: a reverse proxy on loopback. The
/// first line of stdout is its base URL, http://127.0.0.1:PORT/KEY/, which stands for the profile's FHIR base. KEY/~HOST/PATH
/// reaches another host of the profile.
///
/// Only requests with the key are forwarded. It is random, or with --key-file the content of a private file, so that the
/// URL can stay in a collection. Web pages are refused unless --allow-origin names them. The caller's own credentials are
/// dropped, and redirects are not followed.
///
/// URLs of the profile's hosts come back as URLs of the proxy: in Location, Content-Location and Link, in the URLs of a
/// Bundle and of the manifest of a bulk export. Everything else is passed on as it is.
///
/// With COMMAND, the proxy runs as long as the command, which finds the base URL in ONEUP_PROXY, and in ONEUP_FHIR_BASE
/// without the slash at its end. With --socket, ONEUP_PROXY is the path of the socket.
#[derive(Debug, Args)]
#[command(add = Sections {
    examples: &[
        ("Start a proxy whose URL stays the same", "oneup proxy --port 8765 --key-file ~/.config/oneup/proxy.key"),
        ("Run one command with a proxy", "oneup proxy -- sh -c 'curl -fsS \"$ONEUP_FHIR_BASE/metadata\"'"),
        ("Allow reading only, from another program of yours", "oneup proxy --read-only --socket ~/.oneup.sock"),
    ],
    exit_codes: &["1", "2", "4", "5", "6", "125, 126, 127", "130, 143"],
})]
pub struct Proxy {
    /// Port on loopback; 0 picks a free one
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub port: u16,
    /// Listen on a private Unix socket instead
    ///
    /// Its mode is 0600, and requests need no key. URLs in responses begin with http://localhost/.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["port", "key_file", "allow_origins"], add = complete::file())]
    pub socket: Option<PathBuf>,
    /// Keep the key in this private file
    ///
    /// It is created if it does not exist.
    #[arg(long, value_name = "FILE", add = complete::file())]
    pub key_file: Option<PathBuf>,
    /// Forward only GET, HEAD and searches by POST
    ///
    /// The path of a search by POST ends with /_search.
    #[arg(long)]
    pub read_only: bool,
    #[command(flatten)]
    pub target: Target,
    /// Origin of web pages to allow (CORS); repeatable
    ///
    /// Scheme, host and port, such as http://localhost:3000.
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    pub allow_origins: Vec<String>,
    /// Command to run and its arguments
    #[arg(value_name = "COMMAND", last = true, add = complete::program())]
    pub command: Vec<OsString>,
}
