//! What curl is limited to, whatever its arguments are: https, on redirects too; plain http to this machine, and never
//! through a proxy. A user's stricter limits stay.

use super::policy::CurlPlan;
use super::url::Url;

/// Returns the options that set the limits. `no_proxy` is the value of the environment variable.
pub fn limits(plan: &CurlPlan, no_proxy: Option<&str>) -> Vec<String> {
    let is_http = plan.urls.iter().any(|url| url.is_http);
    let mut words = Vec::new();
    for (name, option) in [("proto", "--proto"), ("proto-redir", "--proto-redir")] {
        words.extend([option.to_owned(), protocols(last_value(plan, name), is_http)]);
    }
    if let Some(hosts) = direct_hosts(plan, last_value(plan, "noproxy").or(no_proxy)) {
        words.extend(["--noproxy".to_owned(), hosts]);
    }
    words
}

/// Returns the value of the last option with this name, which is the one that counts.
fn last_value<'a>(plan: &'a CurlPlan, name: &str) -> Option<&'a str> {
    plan.options.iter().rev().find(|option| option.spec.name == name).and_then(|option| option.value_text())
}

/// Returns what both the user and oneup allow, as a value of `--proto`.
fn protocols(user: Option<&str>, is_http: bool) -> String {
    let names = [("http", is_http), ("https", true)].into_iter();
    let names = names.filter(|(name, allowed)| *allowed && user.is_none_or(|user| allows(user, name)));
    match names.map(|(name, _)| name).collect::<Vec<_>>().join(",") {
        names if names.is_empty() => "-all".to_owned(),
        names => format!("={names}"),
    }
}

/// Returns whether a value of `--proto`, such as `=https` or `-all,https`, allows a protocol.
fn allows(value: &str, protocol: &str) -> bool {
    value.split(',').fold(true, |allowed, word| {
        let name = word.trim_start_matches(['=', '+', '-']);
        let modifiers = &word[..word.len() - name.len()];
        let matches = name.eq_ignore_ascii_case("all") || name.eq_ignore_ascii_case(protocol);
        match modifiers.chars().next_back() {
            Some('=') => matches,
            Some('-') => allowed && !matches,
            _ => allowed || matches,
        }
    })
}

/// Returns a value of `--noproxy`: the loopback hosts beside the list of the user; `None` if there are none.
fn direct_hosts(plan: &CurlPlan, user: Option<&str>) -> Option<String> {
    let mut hosts: Vec<&str> =
        plan.urls.iter().filter(|url| url.is_loopback()).map(|url: &Url| url.host.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    match user.map(str::trim).unwrap_or_default() {
        _ if hosts.is_empty() => None,
        // Only alone it means every host.
        "*" => Some("*".to_owned()),
        "" => Some(hosts.join(",")),
        list => Some(format!("{list},{}", hosts.join(","))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_intersected() {
        for (user, https, http) in [
            (None, "=https", "=http,https"),
            (Some("=https"), "=https", "=https"),
            (Some("-all,https"), "=https", "=https"),
            (Some("=http"), "-all", "=http"),
            (Some("=all"), "=https", "=http,https"),
            (Some("-HTTP"), "=https", "=https"),
            (Some("ftp"), "=https", "=http,https"),
            (Some("=ftp"), "-all", "-all"),
            (Some("=ftp,+https"), "=https", "=https"),
            (Some(""), "=https", "=http,https"),
        ] {
            assert_eq!(protocols(user, false), https, "{user:?}");
            assert_eq!(protocols(user, true), http, "{user:?}");
        }
    }
}
