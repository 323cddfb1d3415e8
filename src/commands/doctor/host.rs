//! What this machine brings: curl, a free port, proxies, trust.

use std::process::Stdio;

use url::Url;

use super::check::Finding;
use crate::callback::Listener;
use crate::context::{Context, nonempty};
use crate::http::Http;
use crate::oauth::product::{Product, REDIRECT_URI};
use crate::process;
use crate::profile::Profile;

/// The first curl that reads a header from a file, which keeps the token out of argv.
const OLDEST_CURL: (u32, u32) = (7, 55);

/// The schemes of proxies that are spoken.
const PROXIES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

pub(super) fn curl() -> Vec<Finding> {
    let fix = "install curl 7.55 or newer; only oneup curl needs it";
    let output = process::command("curl".as_ref()).args(["-q", "--version"]).stdin(Stdio::null()).output();
    let text = match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        Ok(output) => {
            return vec![Finding::warning("curl", format!("it can't run: {}", output.status)).fix(fix)];
        }
        Err(error) => return vec![Finding::warning("curl", format!("it can't run: {error}")).fix(fix)],
    };
    let version = text.split_whitespace().nth(1).unwrap_or("of unknown version");
    let mut numbers = version.split('.').map_while(|part| part.parse::<u32>().ok());
    let recent = numbers.next().zip(numbers.next()).is_some_and(|version| version >= OLDEST_CURL);
    vec![if recent {
        Finding::ok("curl", format!("curl {version}"))
    } else {
        Finding::warning("curl", format!("curl {version} is too old")).fix(fix)
    }]
}

/// Whether the redirect of a Patient Access login would find its port free.
pub(super) fn callback(_: &Context, profiles: &[Profile]) -> Vec<Finding> {
    let patient = profiles.iter().find(|profile| profile.product == Product::Patient);
    let uri = patient.and_then(|profile| profile.redirect_uri.as_deref()).unwrap_or(REDIRECT_URI);
    vec![match Listener::bind(uri) {
        Ok(Some(_)) => Finding::ok("callback", format!("{uri} is free to listen on")),
        Ok(None) => {
            Finding::ok("callback", format!("{uri} is elsewhere: the login asks to paste the address"))
        }
        Err(error) if patient.is_some() => Finding::error("callback", &error),
        Err(error) => Finding::error("callback", &error).mild(),
    }]
}

/// The proxies in force, without their credentials.
pub(super) fn proxy() -> Vec<Finding> {
    let mut found = Vec::new();
    for name in ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY"] {
        let lower = name.to_ascii_lowercase();
        let Some((name, value)) =
            [lower.as_str(), name].into_iter().find_map(|name| Some((name, nonempty(name)?)))
        else {
            continue;
        };
        found.push(match without_credentials(&value) {
            Some(proxy) => Finding::ok("proxy", format!("{proxy} ({name}); never for loopback")),
            None => Finding::failure("proxy", format!("{name} is no proxy's URL"))
                .fix(format!("{name}=http://HOST:PORT")),
        });
    }
    if found.is_empty() {
        found.push(Finding::ok("proxy", "none"));
    } else if let Some(except) = ["no_proxy", "NO_PROXY"].into_iter().find_map(nonempty) {
        found.push(Finding::ok("proxy", format!("not for {except} (NO_PROXY)")));
    }
    found
}

/// A proxy's URL as curl reads it, the scheme being optional.
fn without_credentials(proxy: &str) -> Option<String> {
    let url = if proxy.contains("://") { Url::parse(proxy) } else { Url::parse(&format!("http://{proxy}")) };
    let known = |url: &Url| PROXIES.contains(&url.scheme()) && url.has_host();
    let mut url = url.ok().filter(known)?;
    let masked =
        if url.username().is_empty() && url.password().is_none() { "" } else { ", with credentials" };
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(format!("{}{masked}", url.as_str().trim_end_matches('/')))
}

/// Which certificates are believed.
pub(super) fn trust(context: &Context, _: &[Profile]) -> Vec<Finding> {
    let linux =
        |name: &'static str| nonempty(name).filter(|_| cfg!(target_os = "linux")).map(|value| (name, value));
    let own: Vec<_> = ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().filter_map(linux).collect();
    let lost = |(_, value): &&(&str, String)| !std::env::split_paths(value).any(|path| path.exists());
    if let Some((name, value)) = own.iter().find(lost) {
        return vec![
            Finding::failure("trust", format!("there is no {value}, which {name} names"))
                .fix(format!("unset {name}, or let it name certificates")),
        ];
    }
    let platform = match own.first() {
        Some((name, value)) => format!("{value} ({name})"),
        _ => "the platform's trust store".to_owned(),
    };
    vec![match (&context.cacert, Http::new(context)) {
        (_, Err(error)) => Finding::error("trust", &error),
        (Some(file), Ok(_)) => Finding::ok("trust", format!("{platform}, and {}", file.display())),
        (None, Ok(_)) => Finding::ok("trust", platform),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxys_credentials_are_never_shown() {
        for (proxy, shown) in [
            ("http://user:s3cret@proxy:8080", Some("http://proxy:8080, with credentials")),
            ("proxy:3128", Some("http://proxy:3128")),
            ("user:s3cret@proxy:3128/", Some("http://proxy:3128, with credentials")),
            ("socks5h://proxy", Some("socks5h://proxy")),
            ("http://", None),
            ("bogus://proxy", None),
        ] {
            assert_eq!(without_credentials(proxy).as_deref(), shown, "{proxy}");
        }
    }
}
