//! The table of curl's options: which take a value, and which affect where the token goes.
//!
//! It holds the options of curl 7.55 to 8.22 (none of them but `--help` changed whether it takes a value). An option
//! that isn't here is refused, because the argument after it could be its value or a URL.

use std::fmt;

/// Options with a value, `SHORT:LONG` or `LONG`.
const WITH_VALUE: &str = "\
    abstract-unix-socket alt-svc aws-sigv4 cacert capath E:cert cert-type ciphers K:config connect-timeout
    connect-to C:continue-at b:cookie c:cookie-jar create-file-mode crlfile curves d:data data-ascii
    data-binary data-raw data-urlencode delegation dns-interface dns-ipv4-addr dns-ipv6-addr dns-servers
    doh-url D:dump-header ech egd-file engine etag-compare etag-save expect100-timeout F:form form-string
    ftp-account ftp-alternative-to-user ftp-method P:ftp-port ftp-ssl-ccc-mode happy-eyeballs-timeout-ms
    haproxy-clientip H:header h:help hostpubmd5 hostpubsha256 hsts httpsig-algo httpsig-headers httpsig-key
    httpsig-keyid interface ip-tos ipfs-gateway json keepalive-cnt keepalive-time key key-type knownhosts
    krb krb4 libcurl limit-rate local-port login-options mail-auth mail-from mail-rcpt max-filesize
    max-redirs m:max-time netrc-file noproxy oauth2-bearer o:output output-dir parallel-max
    parallel-max-host pass pinnedpubkey preproxy proto proto-default proto-redir x:proxy proxy-cacert
    proxy-capath proxy-cert proxy-cert-type proxy-ciphers proxy-crlfile proxy-header proxy-key
    proxy-key-type proxy-pass proxy-pinnedpubkey proxy-service-name proxy-tls13-ciphers proxy-tlsauthtype
    proxy-tlspassword proxy-tlsuser U:proxy-user proxy1.0 pubkey Q:quote random-file r:range rate e:referer
    X:request request-target resolve retry retry-delay retry-max-time sasl-authzid service-name sigalgs
    socks4 socks4a socks5 socks5-gssapi-service socks5-hostname Y:speed-limit y:speed-time ssl-sessions
    stderr t:telnet-option tftp-blksize z:time-cond tls-max tls13-ciphers tlsauthtype tlspassword tlsuser
    trace trace-ascii trace-config unix-socket T:upload-file upload-flags url url-query u:user A:user-agent
    variable vlan-priority w:write-out";

/// Options without one.
const FLAGS: &str = "\
    alpn anyauth a:append basic N:buffer ca-native cert-status clobber compressed compressed-ssh create-dirs
    crlf digest q:disable disable-eprt disable-epsv disallow-username-in-url doh-cert-status doh-insecure
    dump-ca-embed eprt epsv f:fail fail-early fail-with-body false-start follow form-escape ftp-create-dirs
    ftp-pasv ftp-pret ftp-skip-pasv-ip ftp-ssl ftp-ssl-ccc ftp-ssl-control ftp-ssl-reqd G:get g:globoff
    haproxy-protocol I:head http0.9 0:http1.0 http1.1 http2 http2-prior-knowledge http3 http3-only
    ignore-content-length include k:insecure 4:ipv4 6:ipv6 j:junk-session-cookies keepalive l:list-only
    L:location location-trusted mail-rcpt-allowfails M:manual metalink mptcp negotiate n:netrc
    netrc-optional ::next npn ntlm ntlm-wb out-null Z:parallel parallel-immediate path-as-is post301 post302
    post303 #:progress-bar progress-meter proxy-anyauth proxy-basic proxy-ca-native proxy-digest proxy-http2
    proxy-http3 proxy-insecure proxy-negotiate proxy-ntlm proxy-ssl-allow-beast proxy-ssl-auto-client-cert
    proxy-tlsv1 p:proxytunnel raw J:remote-header-name O:remote-name remote-name-all R:remote-time
    remove-on-error retry-all-errors retry-connrefused sasl-ir sessionid S:show-error i:show-headers
    s:silent skip-existing socks5-basic socks5-gssapi socks5-gssapi-nec ssl ssl-allow-beast
    ssl-auto-client-cert ssl-no-revoke ssl-reqd ssl-revoke-best-effort 2:sslv2 3:sslv3 styled-output
    suppress-connect-headers tcp-fastopen tcp-nodelay test-duphandle test-event tftp-no-options
    tls-earlydata 1:tlsv1 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 tr-encoding trace-ids trace-time B:use-ascii
    v:verbose V:version wdebug xattr";

/// How an option affects the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Doesn't affect where the token goes.
    Plain,
    /// Its value is a URL to fetch.
    Url,
    /// Changes how the output of the URLs after it is saved.
    PerUrlDefault,
    /// Begins another request with options of its own.
    Next,
    /// Reads options from a file.
    Config,
    /// `-q`: don't read `~/.curlrc`.
    Disable,
    /// Prints information and exits without a request.
    Info,
    /// Follows redirects.
    FollowRedirects,
    /// Sends credentials to wherever a redirect leads.
    TrustRedirects,
    /// Adds a header, which could be a second `Authorization`, or the name of another host.
    Header,
    /// Its value becomes a part of the request's head.
    RequestText,
    /// Limits the protocols or the use of a proxy, which oneup limits further.
    Limit,
    /// Another way to authenticate.
    Credentials,
    /// Turns off verification of the server's certificate.
    Insecure,
    /// Chooses the CA certificates that the server's certificate is verified with.
    CaCertificates,
    /// Connects through or to another machine, which is only safe with TLS.
    Reroute,
    /// Shows the request's headers on stderr.
    Verbose,
    /// Redirects curl's stderr.
    Stderr,
    /// Writes the request's headers to a file.
    Trace,
}

/// The options of each role; all others are [`Role::Plain`].
const ROLES: [(Role, &str); 18] = [
    (Role::Url, "url"),
    (Role::PerUrlDefault, "remote-name-all"),
    (Role::Next, "next"),
    (Role::Config, "config"),
    (Role::Disable, "disable"),
    (Role::Info, "help manual version dump-ca-embed"),
    (Role::FollowRedirects, "location follow"),
    (Role::TrustRedirects, "location-trusted"),
    (Role::Header, "header"),
    (Role::RequestText, "request request-target user-agent referer cookie range"),
    (Role::Limit, "proto proto-redir noproxy"),
    (Role::Credentials, "user oauth2-bearer aws-sigv4 negotiate ntlm ntlm-wb httpsig-key"),
    (Role::Insecure, "insecure"),
    (Role::CaCertificates, "cacert capath"),
    (
        Role::Reroute,
        "proxy proxy1.0 preproxy socks4 socks4a socks5 socks5-hostname resolve connect-to unix-socket \
         abstract-unix-socket doh-url dns-servers dns-interface haproxy-protocol alt-svc",
    ),
    (Role::Verbose, "verbose"),
    (Role::Stderr, "stderr"),
    (Role::Trace, "trace trace-ascii libcurl"),
];

/// One option of curl.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionSpec {
    /// The long name without the dashes.
    pub name: &'static str,
    /// The short name, if it has one.
    pub short: Option<char>,
    /// Whether it takes a value.
    pub takes_value: bool,
}

impl OptionSpec {
    /// Returns how it affects the token.
    pub fn role(self) -> Role {
        let has_name =
            |(_, names): &&(Role, &str)| names.split_ascii_whitespace().any(|name| name == self.name);
        ROLES.iter().find(has_name).map_or(Role::Plain, |(role, _)| *role)
    }
}

impl fmt::Display for OptionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--{}", self.name)
    }
}

/// Returns all options, those with a value first.
pub fn all() -> impl Iterator<Item = OptionSpec> {
    let table = |text: &'static str, takes_value| {
        text.split_ascii_whitespace().map(move |entry| {
            let short = entry.chars().next().filter(|_| entry[1..].starts_with(':'));
            let name = if short.is_some() { &entry[2..] } else { entry };
            OptionSpec { name, short, takes_value }
        })
    };
    table(WITH_VALUE, true).chain(table(FLAGS, false))
}

/// Returns the option with this letter.
pub fn find_short(letter: char) -> Option<OptionSpec> {
    all().find(|option| option.short == Some(letter))
}

/// Returns the option with this long name: without dashes, in any case, and in full, although older versions of curl
/// accept abbreviations.
pub fn find_long(name: &str) -> Option<OptionSpec> {
    all().find(|option| option.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_names_are_unique() {
        let mut names: Vec<_> = all().map(|option| option.name).collect();
        let mut letters: Vec<_> = all().filter_map(|option| option.short).collect();
        assert_eq!((names.len(), letters.len()), (287, 59));
        names.sort_unstable();
        names.dedup();
        letters.sort_unstable();
        letters.dedup();
        assert_eq!((names.len(), letters.len()), (287, 59));
    }

    #[test]
    fn options_with_a_role_are_in_the_table() {
        for name in ROLES.iter().flat_map(|(_, names)| names.split_ascii_whitespace()) {
            assert_eq!(find_long(name).map(|option| option.name), Some(name));
        }
    }

    #[test]
    fn long_names_are_found_in_any_case_and_in_full_only() {
        assert_eq!(find_long("location").expect("exact").name, "location");
        assert_eq!(find_long("URL").expect("any case").name, "url");
        for name in ["location-t", "loc", "frobnicate", ""] {
            assert_eq!(find_long(name), None, "{name}");
        }
    }

    /// Compares every option's letter and value with the installed curl's own list.
    #[test]
    fn table_matches_the_installed_curl() {
        let Ok(help) = std::process::Command::new("curl").args(["-q", "--help", "all"]).output() else {
            eprintln!("skipped: needs curl");
            return;
        };
        let text = String::from_utf8_lossy(&help.stdout);
        let mut seen = 0;
        for line in text.lines().filter(|line| line.get(..9).is_some_and(|start| start.contains("--"))) {
            let (left, rest) = line.split_once("--").expect("filtered");
            let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            let option = find_long(name.strip_prefix("no-").unwrap_or(name)).expect(name);
            assert_eq!(option.takes_value, rest.starts_with(['<', '[']), "{name}");
            if let Some(letter) = left.trim().strip_prefix('-').and_then(|letter| letter.chars().next()) {
                assert!(option.short == Some(letter) || (name, letter) == ("include", 'i'), "{name}");
            }
            seen += 1;
        }
        assert!(seen > 200, "{seen} options seen");
    }
}
