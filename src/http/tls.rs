//! TLS failures in plain words, each with the next step that fits it.

use rustls::{AlertDescription, CertificateError as Bad, Error as Tls, InvalidMessage};

use crate::error::Error;

// What a user can do about a TLS failure.
const ADD_CA: &str = "if a company's proxy or an internal CA issued it, trust that CA: --cacert FILE";
const CHECK_CLOCK: &str = "check this machine's clock: date -u";
const CHECK_URL: &str = "check host and port of the URL";
const ASK_OPERATOR: &str =
    "ask the server's operator for an endpoint with TLS 1.2 or 1.3 and without client certificates";
const INSPECT: &str = "openssl s_client -connect HOST:PORT shows the certificate";

/// Returns the error for a failed TLS handshake with the server at `origin` (`https://HOST[:PORT]`).
pub fn into_error(origin: &str, tls: &Tls) -> Error {
    let (cause, hint) = describe(tls);
    Error::network(format!("TLS handshake with {origin} failed"))
        .with_detail(cause)
        .with_hint(hint.replace("HOST:PORT", &authority(origin)))
}

fn describe(tls: &Tls) -> (&'static str, &'static str) {
    match tls {
        Tls::InvalidCertificate(bad) => describe_certificate(bad),
        Tls::AlertReceived(AlertDescription::ProtocolVersion) | Tls::PeerIncompatible(_) => (
            "the server offers no TLS version or cipher that is considered secure (TLS 1.2 or 1.3)",
            ASK_OPERATOR,
        ),
        Tls::AlertReceived(AlertDescription::CertificateRequired) => {
            ("the server requires a client certificate (mutual TLS), which is not supported", ASK_OPERATOR)
        }
        Tls::AlertReceived(
            AlertDescription::HandshakeFailure
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::AccessDenied,
        ) => (
            "the server ended the handshake; it may require a client certificate (mutual TLS), which is not supported",
            ASK_OPERATOR,
        ),
        Tls::AlertReceived(AlertDescription::UnrecognisedName) => {
            ("the server does not serve this host name", CHECK_URL)
        }
        Tls::AlertReceived(_) => ("the server ended the handshake with an alert", CHECK_URL),
        Tls::InvalidMessage(InvalidMessage::InvalidContentType) => {
            ("the server's response is not TLS; it may be a plain http port or another service", CHECK_URL)
        }
        _ => ("the server does not follow the TLS protocol", CHECK_URL),
    }
}

fn describe_certificate(bad: &Bad) -> (&'static str, &'static str) {
    match bad {
        Bad::Expired | Bad::ExpiredContext { .. } => ("its certificate has expired", CHECK_CLOCK),
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            ("its certificate is not valid yet", CHECK_CLOCK)
        }
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            ("its certificate is for another host", CHECK_URL)
        }
        Bad::UnknownIssuer => ("its certificate is self-signed or issued by an unknown CA", ADD_CA),
        Bad::BadSignature => ("the signature of its certificate is invalid", INSPECT),
        Bad::Revoked => ("its certificate was revoked", INSPECT),
        Bad::BadEncoding => ("its certificate is malformed", INSPECT),
        Bad::InvalidPurpose | Bad::InvalidPurposeContext { .. } => NOT_FOR_SERVERS,
        Bad::UnknownRevocationStatus
        | Bad::ExpiredRevocationList
        | Bad::ExpiredRevocationListContext { .. } => {
            ("it could not be checked whether its certificate was revoked", INSPECT)
        }
        // The platform verifier wraps the errors that have no variant here, without a way to their type.
        other => match format!("{other:?}") {
            debug if debug.contains("CaUsedAsEndEntity") => {
                ("its certificate is self-signed, as a CA's (CA:TRUE), which no server may use", INSPECT)
            }
            debug if debug.contains("Eku") => NOT_FOR_SERVERS,
            _ => ("its certificate is not acceptable for a public server", INSPECT),
        },
    }
}

const NOT_FOR_SERVERS: (&str, &str) = ("its certificate is not for servers (extended key usage)", INSPECT);

/// `HOST:PORT` of an origin.
fn authority(origin: &str) -> String {
    let url = url::Url::parse(origin).ok();
    let host = url.as_ref().and_then(url::Url::host_str).unwrap_or("HOST");
    format!("{host}:{}", url.as_ref().and_then(url::Url::port_or_known_default).unwrap_or(443))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustls::{OtherError, PeerIncompatible};

    use super::*;

    fn text(tls: &Tls) -> String {
        into_error("https://a.example", tls).to_string()
    }

    #[test]
    fn suggests_cacert_for_an_unknown_issuer_only() {
        #[derive(Debug)]
        struct EkuError;
        impl std::fmt::Display for EkuError {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{self:?}")
            }
        }
        impl std::error::Error for EkuError {}
        assert!(text(&Bad::UnknownIssuer.into()).contains("--cacert FILE"));
        for (tls, words) in [
            (Bad::Expired.into(), "has expired"),
            (Bad::NotValidYet.into(), "not valid yet"),
            (Bad::NotValidForName.into(), "for another host"),
            (Bad::Other(OtherError(Arc::new(EkuError))).into(), "not for servers"),
            (Bad::InvalidPurpose.into(), "not for servers"),
            (Bad::Revoked.into(), "revoked"),
            (Bad::UnhandledCriticalExtension.into(), "not acceptable"),
            (Tls::AlertReceived(AlertDescription::ProtocolVersion), "TLS 1.2"),
            (Tls::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon), "TLS 1.2"),
            (Tls::AlertReceived(AlertDescription::CertificateRequired), "client certificate"),
            (Tls::AlertReceived(AlertDescription::HandshakeFailure), "client certificate"),
            (Tls::InvalidMessage(InvalidMessage::InvalidContentType), "not TLS"),
            (Tls::General("Other(OtherError(x))".into()), "does not follow"),
        ] {
            let text = text(&tls);
            assert!(text.contains(words), "{tls:?}: {text}");
            assert!(!text.contains("--cacert") && !text.contains("Other"), "{tls:?}: {text}");
        }
    }

    #[test]
    fn openssl_hint_names_host_and_port() {
        for (origin, authority) in
            [("https://a.example", "a.example:443"), ("https://[::1]:8443", "[::1]:8443")]
        {
            let hint = format!("openssl s_client -connect {authority} ");
            assert!(into_error(origin, &Bad::Revoked.into()).to_string().contains(&hint));
        }
    }
}
