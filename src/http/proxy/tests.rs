use super::*;
use crate::error::ErrorKind;

fn resolve(variables: &[(&str, &str)], url: &str) -> Result<Option<Proxy>> {
    let get = |name: &str| {
        variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| OsString::from(value))
    };
    Proxy::from_variables(&Url::parse(url).expect("a URL"), get)
}

fn proxy(variables: &[(&str, &str)], url: &str) -> Option<String> {
    resolve(variables, url).expect("valid variables").map(|proxy| proxy.display())
}

const URL: &str = "https://gateway.1up.health/token";

#[test]
fn lower_case_wins_and_all_proxy_comes_last() {
    let all = [("ALL_PROXY", "all:1"), ("all_proxy", "lower-all:1")];
    assert_eq!(proxy(&all, URL).as_deref(), Some("http://lower-all:1"));
    let https = [all[0], all[1], ("HTTPS_PROXY", "upper:1")];
    assert_eq!(proxy(&https, URL).as_deref(), Some("http://upper:1"));
    let both = [https[0], https[2], ("https_proxy", "lower:1")];
    assert_eq!(proxy(&both, URL).as_deref(), Some("http://lower:1"));
    assert_eq!(proxy(&[("https_proxy", ""), ("ALL_PROXY", "all:1")], URL).as_deref(), Some("http://all:1"));
    assert_eq!(proxy(&[("HTTP_PROXY", "plain:1")], URL), None);
    assert_eq!(proxy(&[], URL), None);
}

#[test]
fn scheme_and_port_have_curls_defaults() {
    for (value, expected) in [
        ("proxy", "http://proxy:1080"),
        ("proxy:80", "http://proxy:80"),
        ("http://proxy:80/", "http://proxy:80"),
        ("http://user:pw@proxy", "http://proxy:1080"),
        ("HTTPS://proxy", "https://proxy:443"),
        ("https://proxy:443", "https://proxy:443"),
        ("socks5h://proxy", "socks5h://proxy:1080"),
        ("socks4://10.0.0.1:9", "socks4://10.0.0.1:9"),
        ("http://[::1]:3128/path", "http://[::1]:3128"),
        ("[fd00::1]", "http://[fd00::1]:1080"),
    ] {
        assert_eq!(proxy(&[("HTTPS_PROXY", value)], URL).as_deref(), Some(expected), "{value}");
    }
}

#[test]
fn invalid_values_are_usage_errors_that_name_the_variable_and_no_password() {
    for value in [
        "http://user:pr0xy#pw@h:1",
        "http://user:pr0xy?pw@h:1",
        "http://user:pr0xy/pw@h:1",
        "http://user:pr0xypw@",
        "://user:pr0xypw@x",
        "http://user:pr0xypw@h:99999",
        "http://user:pr0xypw@[::1",
        "ftp://user:pr0xypw@h:1",
        "bogus://user:pr0xypw@h",
        "http://",
        "http://h:1\r",
        "http://user:pr0xy pw@h:1",
        "http://h:1\u{1b}[31m",
    ] {
        let error = resolve(&[("ALL_PROXY", value)], URL).expect_err(value);
        assert_eq!(error.kind(), ErrorKind::Usage, "{value}");
        let text = error.to_string();
        assert!(text.starts_with("ALL_PROXY is not a valid proxy URL"), "{text}");
        assert!(!text.contains("pr0xy"), "{text}");
    }
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_utf8_is_a_usage_error() {
    let value: OsString = std::os::unix::ffi::OsStringExt::from_vec(b"http://h\xff:1".to_vec());
    let get = |name: &str| (name == "HTTPS_PROXY").then(|| value.clone());
    let error = Proxy::from_variables(&Url::parse(URL).expect("a URL"), get).expect_err("not UTF-8");
    assert_eq!(error.kind(), ErrorKind::Usage);
}

#[test]
fn loopback_never_uses_a_proxy() {
    for url in ["http://127.0.0.1:1/", "https://localhost/", "https://[::1]:2/", "http://127.9.9.9/"] {
        assert_eq!(proxy(&[("ALL_PROXY", "bogus://x")], url), None, "{url}");
    }
}

#[test]
fn no_proxy_lists_hosts_domains_and_networks() {
    for (list, url, excluded) in [
        ("*", URL, true),
        ("1up.health", URL, true),
        (".1up.health", URL, true),
        ("1UP.Health.", URL, true),
        ("a.example, gateway.1up.health", URL, true),
        ("a.example gateway.1up.health", URL, true),
        ("up.health", URL, false),
        ("a.gateway.1up.health", URL, false),
        ("*.1up.health", URL, false),
        ("a.example,*", URL, false),
        (",.,", URL, false),
        ("10.0.0.0/8", "https://10.9.8.7/", true),
        ("10.0.0.0/8", "https://11.0.0.1/", false),
        ("192.0.2.1", "https://192.0.2.1/", true),
        ("192.0.2.1", "https://192.0.2.2/", false),
        ("0.0.0.0/0", "https://192.0.2.2/", true),
        ("10.0.0.0/x", "https://10.0.0.1/", false),
        ("fd00::/8", "https://[fd12::1]/", true),
        ("[fd00::1]", "https://[fd00::1]/", true),
        ("fd00::/8", "https://10.0.0.1/", false),
    ] {
        let variables = [("HTTPS_PROXY", "proxy:1"), ("NO_PROXY", list)];
        assert_eq!(proxy(&variables, url).is_none(), excluded, "{list} {url}");
    }
    let both = [("HTTPS_PROXY", "proxy:1"), ("NO_PROXY", "*"), ("no_proxy", "a.example")];
    assert!(proxy(&both, URL).is_some(), "lower case wins");
}

#[test]
fn credentials_are_percent_decoded_and_not_displayed() {
    let proxy =
        resolve(&[("HTTPS_PROXY", "http://a%40b:p%23+w%25@h:1")], URL).expect("valid").expect("a proxy");
    let (user, password) = proxy.credentials();
    assert_eq!((user.as_str(), password.as_str()), ("a@b", "p#+w%"));
    assert!(proxy.has_credentials() && proxy.to_reqwest().is_ok());
    assert_eq!(format!("{proxy:?}"), "Proxy(HTTPS_PROXY, http://h:1)");
    for (text, words) in [
        ("dns error", "could not resolve the proxy's host name h"),
        ("tunnel error: proxy authorization required", "rejected the user name or password (HTTP 407)"),
        ("tunnel error: unexpected end of file", "proxy CONNECT failed"),
    ] {
        let error = proxy.error("https://t.example", text, Duration::from_secs(1)).to_string();
        assert!(error.contains(words) && !error.contains("p%23") && !error.contains("p#"), "{error}");
    }
}
