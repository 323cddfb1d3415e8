//! curl's command line as oneup writes it: the judged items, then what keeps the token where it belongs.

use std::ffi::OsString;

use super::arguments::{Item, Source};
use super::config;
use super::policy::{Judged, Section};
use super::url::Url;

/// A command line with holes where the names of private files go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word {
    /// As it is.
    Plain(OsString),
    /// The name of a file with these options, for `--config`.
    Config(String),
    /// `@` and the name of a file with the header, for `--header`.
    Header,
}

/// The whole command line after `curl`.
pub fn command_line(judged: &Judged, cacert: Option<&std::path::Path>) -> Vec<Word> {
    // First, so that curl doesn't read what oneup has read for it.
    let mut words = plain(["-q"]);
    for (index, section) in judged.sections.iter().enumerate() {
        if index > 0 {
            words.extend(plain(["--next"]));
        }
        body(&section.items, &mut words);
        if let Some(file) = cacert.filter(|_| !names(section, &["cacert", "capath"])) {
            words.extend(plain(["--cacert"]));
            words.push(Word::Plain(file.into()));
        }
        words.extend(tail(section));
    }
    if judged.verbose && !judged.sections.iter().any(|section| names(section, &["verbose"])) {
        words.extend(plain(["--verbose"]));
    }
    words
}

fn plain<const N: usize>(words: [&str; N]) -> Vec<Word> {
    words.map(|word| Word::Plain(word.into())).to_vec()
}

fn names(section: &Section, options: &[&str]) -> bool {
    section.items.iter().any(|item| item.on && options.contains(&item.option.name))
}

/// The items; those of one configuration file together in one file again, since their values may be secret.
fn body(items: &[Item], words: &mut Vec<Word>) {
    let file = |item: &Item| match item.source {
        Source::Argument => None,
        Source::File(file, _) => Some(file),
    };
    for run in items.chunk_by(|a, b| file(a) == file(b)) {
        if run.first().and_then(file).is_some() {
            let line = |item: &Item| {
                config::line(&item.spelling, item.value.as_deref().and_then(|value| value.to_str()))
            };
            words.extend(plain(["--config"]));
            words.push(Word::Config(run.iter().map(line).collect()));
            continue;
        }
        for item in run {
            words.push(Word::Plain(item.spelling.clone().into()));
            words.extend(item.value.clone().map(Word::Plain));
        }
    }
}

/// https only, on redirects too; plain http to this machine and never through a proxy; the header.
fn tail(section: &Section) -> Vec<Word> {
    if section.urls.is_empty() {
        return Vec::new();
    }
    let protocols = if section.urls.iter().any(|url| url.plain) { "=http,https" } else { "=https" };
    let mut words = plain(["--proto", protocols, "--proto-redir", protocols, "--proto-default", "https"]);
    if section.urls.iter().any(Url::is_loopback) {
        words.extend(plain(["--noproxy", "*"]));
    }
    if section.auth {
        words.extend(plain(["--header"]));
        words.push(Word::Header);
    }
    words
}
