//! curl's command line as oneup writes it: the checked options, then the limits that keep the token at its hosts.
//!
//! The header and the URLs are in a configuration, which curl reads from a pipe before any other option. A curl that
//! can't read it has no URL, so it makes no request; an option that names the pipe again finds it empty.

use std::ffi::OsString;
use std::path::Path;

use super::arguments::CurlOption;
use super::limits::limits;
use super::options::Role;
use super::policy::CurlPlan;
use crate::oauth::secret::Secret;

/// Whether an option is part of the configuration: the URLs, and what changes how the URLs after it are saved.
fn is_in_config(option: &CurlOption) -> bool {
    matches!(option.spec.role(), Role::Url | Role::PerUrlDefault)
}

/// Returns the configuration: the header, then the URLs in their order.
///
/// `header` is a whole line such as `Authorization: Bearer …`.
pub fn config(plan: &CurlPlan, header: &Secret) -> Secret {
    let options = plan.options.iter().filter(|option| is_in_config(option));
    let lines = options.map(|option| config_line(&option.spelling, option.value_text()));
    let urls: String = lines.collect();
    let header = Secret::new(config_line("--header", Some(header.expose())));
    Secret::new(format!("{}{urls}", header.expose()))
}

/// What oneup adds to the arguments.
#[derive(Debug, Default)]
pub struct Additions<'a> {
    /// The name of the file that holds the [configuration](config); `None` if there is no URL.
    pub config: Option<&'a Path>,
    /// `--cacert` of oneup.
    pub cacert: Option<&'a Path>,
    /// The environment's `no_proxy`.
    pub no_proxy: Option<&'a str>,
}

/// Returns the arguments after `curl`.
pub fn arguments(plan: &CurlPlan, additions: &Additions<'_>) -> Vec<OsString> {
    let config = additions.config;
    // First, so that curl doesn't read ~/.curlrc.
    let mut words = vec![OsString::from("-q")];
    if let Some(config) = config {
        words.extend(["--config".into(), config.into()]);
    }
    for option in plan.options.iter().filter(|option| config.is_none() || !is_in_config(option)) {
        words.push(option.spelling.clone().into());
        words.extend(option.value.clone());
    }
    if let Some(file) = additions.cacert.filter(|_| !plan.has(Role::CaCertificates)) {
        words.extend(["--cacert".into(), file.into()]);
    }
    if config.is_some() {
        words.extend(limits(plan, additions.no_proxy).into_iter().map(OsString::from));
    }
    if plan.verbose && !plan.has(Role::Verbose) {
        words.push("--verbose".into());
    }
    words
}

/// Returns one line that every curl reads as this option and value.
fn config_line(spelling: &str, value: Option<&str>) -> String {
    let Some(value) = value else { return format!("{spelling}\n") };
    // A line that grows would leave copies of the token in memory.
    let mut line = String::with_capacity(spelling.len() + 2 * value.len() + 4);
    line.push_str(spelling);
    line.push_str(" \"");
    for c in value.chars() {
        if matches!(c, '"' | '\\') {
            line.push('\\');
        }
        line.push(c);
    }
    line.push_str("\"\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn config_values_are_quoted() {
        assert_eq!(config_line("--url", Some(r#"a"b\c d"#)), "--url \"a\\\"b\\\\c d\"\n");
        assert_eq!(config_line("--remote-name-all", None), "--remote-name-all\n");
    }
}
