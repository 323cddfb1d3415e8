//! Certificates that must be rejected, from a real TLS server.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{BEARER, TOKEN, login_at, token};
use crate::support::{FaultReport, Home, Kind, Oneup, requires_program, unused_address, wait_until};

/// A CA, and the certificates that it signs.
pub(crate) struct Ca {
    home: Home,
}

impl Ca {
    /// Makes a CA, and signs a certificate for `localhost`; `None` without the programs for that.
    pub(crate) fn new() -> Option<Self> {
        if !(requires_program("openssl") && requires_program("faketime")) {
            return None;
        }
        let ca = Self { home: Home::new() };
        ca.openssl(
            &[],
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=Test \
            -addext basicConstraints=critical,CA:TRUE -keyout ca.key -out ca.pem",
        );
        ca.sign("localhost", "+0");
        Some(ca)
    }

    /// Runs openssl by another program, such as faketime.
    fn openssl(&self, by: &[&str], words: &str) {
        let line: Vec<&str> = by.iter().copied().chain(["openssl"]).chain(words.split_whitespace()).collect();
        let output = Command::new(line[0]).args(&line[1..]).current_dir(self.home.path("")).output();
        let output = output.expect("openssl runs");
        assert!(output.status.success(), "{words}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Signs a certificate for a name, as of this time (faketime's words), for a day.
    pub(crate) fn sign(&self, name: &str, time: &str) {
        self.openssl(&[], "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout key.pem -out request");
        self.home.write("extensions", format!("subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\n"));
        self.openssl(
            &["faketime", "-f", time],
            "x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 1 -extfile extensions -out cert.pem",
        );
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path(name)
    }

    /// A TLS server with this certificate, which responds to every request with a token; its port.
    pub(crate) fn serve(&self, cert: &str, key: &str) -> u16 {
        let chain = vec![CertificateDer::from_pem_file(self.path(cert)).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_file(self.path(key)).expect("a key");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .expect("a certificate and its key");
        let config = Arc::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let connection = ServerConnection::new(Arc::clone(&config)).expect("a connection");
                let mut stream = StreamOwned::new(connection, stream);
                // A client that rejects the certificate sends nothing.
                if stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {
                    let _ = stream.write_all(&token(BEARER));
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                }
            }
        });
        port
    }
}

fn login(port: u16) -> Oneup {
    login_at(&format!("https://localhost:{port}/token"))
}

#[test]
fn each_certificate_error_has_its_message() {
    let Some(ca) = Ca::new() else { return };
    let mut report = FaultReport::new(Kind::Input, "certificates");
    let mut row = |port: u16, trusted: bool, words: &str| {
        let run = if trusted { login(port).arg("--cacert").arg(ca.path("ca.pem")) } else { login(port) };
        let outcome = run.outcome();
        let is_expected = if words.is_empty() {
            outcome.status == Some(0) && outcome.stdout == format!("{TOKEN}\n")
        } else {
            outcome.status == Some(5)
                && outcome.stderr.contains(words)
                && outcome.stderr.contains("--cacert FILE") == words.contains("unknown CA")
        };
        report.check(is_expected && !outcome.stderr.contains("insecure"), words, &outcome);
    };
    let good = ca.serve("cert.pem", "key.pem");
    row(good, true, "");
    row(good, false, "its certificate is self-signed or issued by an unknown CA");
    ca.sign("localhost", "-9d");
    row(ca.serve("cert.pem", "key.pem"), true, "its certificate has expired");
    ca.sign("localhost", "+9d");
    row(ca.serve("cert.pem", "key.pem"), true, "its certificate is not valid yet");
    for name in ["other.example", "localhost.example", "*.localhost", "127.0.0.1"] {
        ca.sign(name, "+0");
        row(ca.serve("cert.pem", "key.pem"), true, "its certificate is for another host");
    }
    ca.openssl(
        &[],
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -keyout own.key -out own.pem",
    );
    row(ca.serve("own.pem", "own.key"), true, "its certificate is self-signed, as a CA");
    report.finish();
}

#[test]
fn bundle_without_certificate_is_a_usage_error() {
    let home = Home::new();
    for bytes in
        [&b""[..], b"hello", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", b"\xff\xfe\0"]
    {
        let bundle = home.write("bundle.pem", bytes);
        login(1).arg("--cacert").arg(bundle).status(2).stderr_has("can't use the CA bundle").run();
    }
    login(1).args(["--cacert", "/nonexistent"]).status(2).stderr_has("/nonexistent").run();
}

/// A server that ends every TLS handshake with this alert (RFC 8446 §6); its port.
fn alert(description: u8) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, description]);
            // Closed with unread data, the connection would be reset.
            let _ = stream.read(&mut [0; 4096]);
        }
    });
    port
}

#[test]
fn alerts_are_described_and_cacert_is_not_suggested() {
    for (description, words) in [
        (70, "no TLS version or cipher that is considered secure"),
        (71, "ended the handshake with an alert"),
        (116, "requires a client certificate (mutual TLS)"),
        (40, "may require a client certificate"),
        (112, "does not serve this host name"),
    ] {
        let outcome = login(alert(description)).status(5).stderr_has(words).run();
        assert!(outcome.stderr.contains("TLS handshake with https://localhost:"), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("--cacert"), "{}", outcome.stderr);
    }
}

#[test]
fn required_client_certificate_is_named() {
    let Some(ca) = Ca::new() else { return };
    for version in ["-tls1_3", "-tls1_2"] {
        let port = unused_address().port();
        let mut server = Command::new("openssl")
            .args(["s_server", "-quiet", version, "-Verify", "1", "-verify_return_error"])
            .args(["-cert", "cert.pem", "-key", "key.pem", "-CAfile", "ca.pem", "-accept", &port.to_string()])
            .current_dir(ca.path(""))
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("openssl runs");
        wait_until("a TLS server", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        let outcome = login(port).arg("--cacert").arg(ca.path("ca.pem")).outcome();
        let _ = server.kill();
        let _ = server.wait();
        assert_eq!(outcome.status, Some(5), "{version}: {}", outcome.stderr);
        assert!(outcome.stderr.contains("client certificate"), "{version}: {}", outcome.stderr);
        assert!(!outcome.stderr.contains("--cacert"), "{version}: {}", outcome.stderr);
    }
}
