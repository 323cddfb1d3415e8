//! curl's arguments, read as curl reads them: one [`Item`] for each option or URL.

use std::ffi::{OsStr, OsString};

use super::config;
use super::options::{Opt, Role, Unknown, by_letter, by_name};
use crate::error::{Error, Result};
use crate::text::sanitize;

/// Where an item stood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// On the command line.
    Argument,
    /// In a configuration file: its place in [`Arguments::files`], and the line.
    File(usize, usize),
}

/// One option with its value, or one URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Which option; `--url` for a URL.
    pub option: Opt,
    /// The option with its dashes, in full, as every curl that knows it takes it.
    pub spelling: String,
    /// False after `--no-`.
    pub on: bool,
    /// Whether curl expands variables in the value (`--expand-`).
    pub expand: bool,
    /// The value, where the option takes one.
    pub value: Option<OsString>,
    /// Where it stood.
    pub source: Source,
}

impl Item {
    /// Its role, where it is switched on.
    pub fn role(&self) -> Role {
        if self.on { self.option.role() } else { Role::Plain }
    }

    fn new(option: Opt, spelling: String) -> Self {
        Self { option, spelling, on: true, expand: false, value: None, source: Source::Argument }
    }
}

/// All that curl is asked to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arguments {
    /// In the order in which curl would meet them, configuration files in their place.
    pub items: Vec<Item>,
    /// The configuration files that were read, by name.
    pub files: Vec<OsString>,
}

/// What opens configuration files: the text of the file of this name.
pub type ReadFile<'a> = dyn FnMut(&OsStr) -> Result<String> + 'a;

/// Reads curl's arguments. `rc` is the configuration file that curl would read by itself; it is left out where the
/// first argument is `-q`.
///
/// # Errors
/// An option that isn't known, lacks its value, or can't be understood; a file that can't be read.
pub fn parse(args: &[OsString], rc: Option<&OsStr>, read: &mut ReadFile<'_>) -> Result<Arguments> {
    let mut all = Arguments::default();
    let mut flags = true;
    let mut rest = args.iter().map(OsString::as_os_str).peekable();
    while let Some(arg) = rest.next() {
        if !flags || !arg.as_encoded_bytes().starts_with(b"-") {
            all.items.push(url(arg));
        } else if arg == "--" {
            flags = false;
        } else {
            let word = arg.to_str().ok_or_else(|| {
                Error::usage(format!("curl's argument {arg:?} is not UTF-8"))
                    .with_hint("give the option and its value as two arguments")
            })?;
            let (items, used) = option(word, rest.peek().copied())?;
            if used {
                rest.next();
            }
            for item in items {
                all.take(item, read)?;
            }
        }
    }
    if let Some(rc) = rc.filter(|_| all.items.first().is_none_or(|item| item.role() != Role::Disable)) {
        let items = all.file(rc, read)?;
        all.items.splice(0..0, items);
    }
    all.items.retain(|item| item.option.role() != Role::Disable);
    Ok(all)
}

impl Arguments {
    /// The name of the file and the line where an item stood.
    pub fn place(&self, item: &Item) -> Option<String> {
        match item.source {
            Source::Argument => None,
            Source::File(file, line) => Some(format!("{}, line {line}", shown(&self.files[file]))),
        }
    }

    fn take(&mut self, item: Item, read: &mut ReadFile<'_>) -> Result<()> {
        match (item.role(), &item.value) {
            (Role::Config, Some(_)) if item.expand => {
                Err(Error::usage("curl's --expand-config names a file that oneup can't know")
                    .with_hint("name the file: -K FILE"))
            }
            (Role::Config, Some(name)) => {
                let items = self.file(name, read)?;
                self.items.extend(items);
                Ok(())
            }
            _ => {
                self.items.push(item);
                Ok(())
            }
        }
    }

    fn file(&mut self, name: &OsStr, read: &mut ReadFile<'_>) -> Result<Vec<Item>> {
        let text = read(name)?;
        self.files.push(name.to_owned());
        config::parse(&text, self.files.len() - 1)
            .map_err(|error| error.with_detail(format!("in curl's configuration file {}", shown(name))))
    }
}

/// A file's name, fit for a terminal.
fn shown(name: &OsStr) -> String {
    sanitize(&name.to_string_lossy(), 200)
}

fn url(text: &OsStr) -> Item {
    let option = Opt { name: "url", short: None, takes_value: true };
    Item { value: Some(text.to_owned()), ..Item::new(option, "--url".into()) }
}

/// Reads one word that begins with a dash; `next` is what follows it. Tells whether `next` was its value.
///
/// # Errors
/// As [`parse`].
pub fn option(word: &str, next: Option<&OsStr>) -> Result<(Vec<Item>, bool)> {
    match word.strip_prefix("--") {
        Some(long) => long_option(long, next).map(|(item, used)| (vec![item], used)),
        None => short_options(word, next),
    }
}

/// `--NAME`, `--no-NAME`, `--expand-NAME`, each with `=VALUE` (curl 8.16) or the value in the next argument.
fn long_option(word: &str, next: Option<&OsStr>) -> Result<(Item, bool)> {
    let (name, inline) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
    let lower = name.to_ascii_lowercase();
    let (prefix, bare) = ["no-", "expand-"]
        .into_iter()
        .find_map(|prefix| lower.strip_prefix(prefix).map(|bare| (prefix, bare)))
        .unwrap_or(("", &lower));
    let option = by_name(bare).map_err(|unknown| no_such(&format!("--{name}"), unknown))?;
    let (off, expand) = (prefix == "no-", prefix == "expand-");
    if (off && option.takes_value) || (expand && !option.takes_value) {
        return Err(no_such(&format!("--{name}"), Unknown::Name));
    }
    let mut item = Item::new(option, format!("--{prefix}{}", option.name));
    (item.on, item.expand) = (!off, expand);
    if !option.takes_value {
        return match inline {
            None => Ok((item, false)),
            Some(_) => Err(Error::usage(format!("curl's {} takes no value", item.spelling))
                .with_hint("curl --help all lists its options")),
        };
    }
    let used = inline.is_none();
    item.value = inline.map(OsStr::new).or(next).map(OsStr::to_owned);
    needs_value(&item)?;
    Ok((item, used && next.is_some()))
}

/// `-sSfo FILE`: letters, the last of which may take the rest of the word or the next argument as its value.
fn short_options(word: &str, next: Option<&OsStr>) -> Result<(Vec<Item>, bool)> {
    let mut items = Vec::new();
    let letters = word.strip_prefix('-').unwrap_or(word);
    for (at, letter) in letters.char_indices() {
        let spelling = format!("-{letter}");
        let option = by_letter(letter).ok_or_else(|| no_such(&spelling, Unknown::Name))?;
        let mut item = Item::new(option, spelling);
        // -N is --no-buffer.
        item.on = letter != 'N';
        if !option.takes_value {
            items.push(item);
            continue;
        }
        let attached = &letters[at + letter.len_utf8()..];
        let used = attached.is_empty();
        item.value = if used { next.map(OsStr::to_owned) } else { Some(attached.into()) };
        needs_value(&item)?;
        items.push(item);
        return Ok((items, used && next.is_some()));
    }
    if items.is_empty() {
        return Err(no_such(word, Unknown::Name));
    }
    Ok((items, false))
}

fn needs_value(item: &Item) -> Result<()> {
    // `--help` alone is fine.
    if item.value.is_some() || item.option.role() == Role::Info {
        return Ok(());
    }
    Err(Error::usage(format!("curl's {} needs a value", item.spelling))
        .with_hint("curl --help all lists its options"))
}

fn no_such(spelling: &str, unknown: Unknown) -> Error {
    let spelling = spelling.escape_debug();
    match unknown {
        Unknown::Name => Error::usage(format!("oneup knows no option {spelling} of curl"))
            .with_hint("run curl itself: oneup token show --format header | curl -H @- URL"),
        Unknown::Ambiguous(names) => {
            Error::usage(format!("curl's option {spelling} could be any of --{}", names.join(", --")))
                .with_hint("write it out in full")
        }
    }
}

#[cfg(test)]
mod tests;
