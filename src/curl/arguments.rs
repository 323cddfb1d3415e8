//! curl's arguments, parsed as curl parses them: one [`CurlOption`] for each option or URL.

use std::ffi::{OsStr, OsString};

use super::options::{OptionSpec, Role, find_long, find_short};
use crate::error::{Error, Result};

/// oneup's own options, which come before curl's.
const OWN_OPTIONS: [&str; 3] = ["--allow-host", "--tenant", "--scope"];

/// The hint for everything that `oneup curl` does not do.
pub const PLAIN_CURL: &str = "run curl itself: oneup token show --format header | curl -H @- URL";
const LIST_OPTIONS: &str = "`curl --help all` lists curl's options";

/// One option with its value, or one URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CurlOption {
    /// Which option; `--url` for a URL.
    pub spec: OptionSpec,
    /// The option with its dashes, in full, as every curl that has it accepts it.
    pub spelling: String,
    /// False after `--no-`.
    pub enabled: bool,
    /// Whether curl expands variables in the value (`--expand-`).
    pub expand: bool,
    /// The value, where the option takes one.
    pub value: Option<OsString>,
}

impl CurlOption {
    /// Returns its role, or [`Role::Plain`] if it is switched off.
    pub fn role(&self) -> Role {
        if self.enabled { self.spec.role() } else { Role::Plain }
    }

    /// Returns the value, if it is UTF-8.
    pub fn value_text(&self) -> Option<&str> {
        self.value.as_deref().and_then(OsStr::to_str)
    }

    /// Returns the option for a message: as it is spelled, and in full.
    pub fn description(&self) -> String {
        let long = self.spec.to_string();
        if self.spelling == long {
            format!("curl's {long}")
        } else {
            format!("curl's {} ({long})", self.spelling)
        }
    }

    /// Returns whether curl reads stdin for this option.
    pub fn reads_stdin(&self) -> bool {
        // Here `-` is stdout.
        const WRITES: [&str; 6] =
            ["output", "dump-header", "cookie-jar", "stderr", "etag-save", "ssl-sessions"];
        let value = self.value_text().unwrap_or_default();
        match self.spec.name {
            "url" => false,
            "upload-file" => matches!(value, "-" | "."),
            "data-urlencode" | "variable" => value.ends_with("@-"),
            "form" => ["=@-", "=<-"].iter().any(|marker| value.contains(marker)),
            name => value == "@-" || (value == "-" && !WRITES.contains(&name)),
        }
    }

    fn new(spec: OptionSpec, spelling: String) -> Self {
        Self { spec, spelling, enabled: true, expand: false, value: None }
    }

    fn url(text: &OsStr) -> Self {
        let spec = OptionSpec { name: "url", short: None, takes_value: true };
        Self { value: Some(text.to_owned()), ..Self::new(spec, "--url".into()) }
    }
}

/// Parses curl's arguments. `-q` is left out, since oneup always passes it.
///
/// # Errors
/// Usage: an option that isn't known, lacks its value, or is not UTF-8.
pub fn parse(args: &[OsString]) -> Result<Vec<CurlOption>> {
    let mut options = Vec::new();
    let mut flags = true;
    let mut rest = args.iter().map(OsString::as_os_str).peekable();
    while let Some(arg) = rest.next() {
        if !flags || !arg.as_encoded_bytes().starts_with(b"-") {
            options.push(CurlOption::url(arg));
        } else if arg == "--" {
            flags = false;
        } else {
            let word = arg.to_str().ok_or_else(|| {
                Error::usage(format!("curl's argument {arg:?} is not UTF-8"))
                    .with_hint("give the option and its value as two arguments")
            })?;
            let next = rest.peek().copied();
            let (parsed, used_next) = match word.strip_prefix("--") {
                Some(long) => parse_long(long, next).map(|(option, used)| (vec![option], used))?,
                None => parse_short(word, next)?,
            };
            if used_next {
                rest.next();
            }
            options.extend(parsed);
        }
    }
    options.retain(|option| option.spec.role() != Role::Disable);
    Ok(options)
}

/// Parses `--NAME`, `--no-NAME`, `--expand-NAME`, each with `=VALUE` (curl 8.16) or the value in the next argument.
/// Returns whether `next` was its value.
fn parse_long(word: &str, next: Option<&OsStr>) -> Result<(CurlOption, bool)> {
    let (name, inline) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    let unknown = || unknown_option(&format!("--{name}"));
    let lower = name.to_ascii_lowercase();
    let (prefix, bare) = ["no-", "expand-"]
        .into_iter()
        .find_map(|prefix| lower.strip_prefix(prefix).map(|bare| (prefix, bare)))
        .unwrap_or(("", &lower));
    let spec = find_long(bare).ok_or_else(unknown)?;
    let (off, expand) = (prefix == "no-", prefix == "expand-");
    if (off && spec.takes_value) || (expand && !spec.takes_value) {
        return Err(unknown());
    }
    let mut option = CurlOption::new(spec, format!("--{prefix}{}", spec.name));
    (option.enabled, option.expand) = (!off, expand);
    if !spec.takes_value {
        return match inline {
            None => Ok((option, false)),
            Some(_) => {
                Err(Error::usage(format!("curl's {} takes no value", option.spelling))
                    .with_hint(LIST_OPTIONS))
            }
        };
    }
    option.value = inline.map(OsStr::new).or(next).map(OsStr::to_owned);
    require_value(&option)?;
    Ok((option, inline.is_none() && next.is_some()))
}

/// Parses `-sSfo FILE`: letters, the last of which may take the rest of the word or the next argument as its value.
fn parse_short(word: &str, next: Option<&OsStr>) -> Result<(Vec<CurlOption>, bool)> {
    let mut options = Vec::new();
    let letters = word.strip_prefix('-').unwrap_or(word);
    for (index, letter) in letters.char_indices() {
        let spelling = format!("-{letter}");
        let spec = find_short(letter).ok_or_else(|| unknown_option(&spelling))?;
        let mut option = CurlOption::new(spec, spelling);
        // -N is --no-buffer.
        option.enabled = letter != 'N';
        if !spec.takes_value {
            options.push(option);
            continue;
        }
        let attached = &letters[index + letter.len_utf8()..];
        let use_next = attached.is_empty();
        option.value = if use_next { next.map(OsStr::to_owned) } else { Some(attached.into()) };
        require_value(&option)?;
        options.push(option);
        return Ok((options, use_next && next.is_some()));
    }
    if options.is_empty() {
        return Err(unknown_option(word));
    }
    Ok((options, false))
}

fn require_value(option: &CurlOption) -> Result<()> {
    // `--help` can stand without a value.
    if option.value.is_some() || option.spec.role() == Role::Info {
        return Ok(());
    }
    Err(Error::usage(format!("curl's {} needs a value", option.spelling)).with_hint(LIST_OPTIONS))
}

fn unknown_option(spelling: &str) -> Error {
    let own = OWN_OPTIONS.iter().find(|own| spelling.starts_with(**own));
    let error = Error::usage(format!("unknown curl option {spelling}"));
    error.with_detail("long options are accepted in full only").with_hint(match own {
        Some(own) => format!("{own} is an option of oneup and comes first: oneup curl {own} … CURL-ARGS"),
        None => PLAIN_CURL.to_owned(),
    })
}

#[cfg(test)]
mod tests;
