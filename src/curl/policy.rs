//! The verdict: which sections of a curl command line get the token, and what is refused with it.
//!
//! curl applies a header to every URL of a section (what `--next` separates), so a section gets the token only when
//! every URL in it belongs to the profile.

use super::arguments::{Arguments, Item};
use super::hosts::Hosts;
use super::options::Role;
use super::url::{self, Url};
use crate::error::{Error, Result};
use crate::text::sanitize;

/// What the person and the profile say.
#[derive(Debug)]
pub struct Policy<'a> {
    /// What `/PATH` is joined to.
    pub fhir_base: &'a str,
    /// Where the token may go.
    pub hosts: &'a Hosts,
    /// `--no-auth-elsewhere`.
    pub no_auth_elsewhere: bool,
    /// oneup's `--verbose`, which curl gets too.
    pub verbose: bool,
}

/// A list of URLs and the options that hold for all of them.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// With URLs rewritten.
    pub items: Vec<Item>,
    /// What those URLs are.
    pub urls: Vec<Url>,
    /// Whether the token goes with it.
    pub auth: bool,
}

/// What curl will be told.
#[derive(Debug, PartialEq, Eq)]
pub struct Judged {
    /// In order; never empty.
    pub sections: Vec<Section>,
    /// Whether redirects are followed somewhere.
    pub follows: bool,
    /// Whether curl shows request headers on stderr, which must then be masked.
    pub verbose: bool,
    /// URLs that could have had the token, were they not in a section with a foreign one.
    pub without: Vec<String>,
}

impl Judged {
    /// How many sections get the token.
    pub fn authorized(&self) -> usize {
        self.sections.iter().filter(|section| section.auth).count()
    }
}

impl Policy<'_> {
    /// Judges the arguments.
    ///
    /// # Errors
    /// A URL that can't be read or isn't the profile's; an option that would carry the token elsewhere.
    pub fn judge(&self, arguments: &Arguments) -> Result<Judged> {
        let any = |role| arguments.items.iter().any(|item| item.role() == role);
        let mut judged = Judged {
            sections: Vec::new(),
            follows: any(Role::Follow) || any(Role::TrustRedirects),
            verbose: self.verbose || any(Role::Verbose),
            without: Vec::new(),
        };
        // Then curl only prints; no URL is fetched.
        let only_prints = any(Role::Info);
        for items in arguments.items.split(|item| item.role() == Role::Next) {
            let section = if only_prints {
                Section { items: items.to_vec(), urls: Vec::new(), auth: false }
            } else {
                self.section(arguments, items, &mut judged.without)?
            };
            judged.sections.push(section);
        }
        if judged.authorized() > 0 {
            let refuse = |item: &Item| self.refuses_anywhere(item, judged.verbose);
            check(arguments, arguments.items.iter(), refuse)?;
        }
        Ok(judged)
    }

    fn section(&self, all: &Arguments, items: &[Item], without: &mut Vec<String>) -> Result<Section> {
        let mut section = Section { items: Vec::new(), urls: Vec::new(), auth: false };
        let mut foreign = false;
        for item in items {
            let mut item = item.clone();
            if item.option.role() == Role::Url {
                let url = self.url(&item).map_err(|error| placed(all, &item, error))?;
                if !self.hosts.contain(&url) {
                    self.foreign(&url, &item).map_err(|error| placed(all, &item, error))?;
                    foreign = true;
                }
                item.value = Some(url.text.clone().into());
                section.urls.push(url);
            }
            section.items.push(item);
        }
        section.auth = !foreign && !section.urls.is_empty();
        if section.auth {
            check(all, section.items.iter(), |item| refuses_in(&section, item))?;
        }
        let ours = section.urls.iter().filter(|url| foreign && self.hosts.contain(url));
        without.extend(ours.map(|url| url.text.clone()));
        Ok(section)
    }

    fn foreign(&self, url: &Url, item: &Item) -> Result<()> {
        if self.no_auth_elsewhere {
            return Ok(());
        }
        let host = url.host.as_str();
        let shown = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        let error = Error::usage(format!("{shown} is none of the profile's hosts, so it gets no token"));
        let bare = item.value.as_ref().is_some_and(|value| !value.to_string_lossy().contains("://"));
        Err(if !bare || host.contains(['.', ':']) {
            error.with_hint(format!(
                "--allow-host {shown} sends it there, --no-auth-elsewhere fetches without it; both stand before curl's arguments"
            ))
        } else {
            error.with_hint("a path on the profile's FHIR server begins with a slash, such as /Patient")
        })
    }

    fn url(&self, item: &Item) -> Result<Url> {
        let value = item.value.clone().unwrap_or_default();
        let refused = |what: &str| {
            let shown = sanitize(&value.to_string_lossy(), 200);
            // What stands before an @ may be a password.
            let shown = shown.rsplit_once('@').map_or(shown.as_str(), |(_, rest)| rest);
            Error::usage(format!("the URL {shown:?} {what}"))
                .with_hint("write it plainly: https://HOST/PATH, or /PATH for the profile's FHIR server")
        };
        if item.expand {
            return Err(refused("holds variables, so oneup can't know its host"));
        }
        let text = value.to_str().ok_or_else(|| refused("is not UTF-8"))?;
        url::read(text, self.fhir_base).map_err(|what| refused(&what))
    }

    /// What concerns all of curl, not a section.
    fn refuses_anywhere(&self, item: &Item, verbose: bool) -> Option<(&'static str, &'static str)> {
        match item.role() {
            Role::Trace => {
                Some(("would write the token to a file", "-v shows the exchange with the token masked"))
            }
            Role::Stderr if verbose => {
                Some(("with -v would write the token to a file", "leave one of them out"))
            }
            _ => None,
        }
    }
}

/// Why an option can't stand in a section with the token, and what to do instead.
fn refuses_in(section: &Section, item: &Item) -> Option<(&'static str, &'static str)> {
    let loopback = section.urls.iter().all(Url::is_loopback);
    let plain = section.urls.iter().any(|url| url.plain);
    let rerouted = section.items.iter().any(|item| item.role() == Role::Reroute);
    match item.role() {
        Role::TrustRedirects => {
            Some(("would send the token wherever a redirect leads", "use --location (-L)"))
        }
        Role::Credentials => Some(("is another way to authenticate", "leave it out: oneup adds the token")),
        Role::Header if item.expand => {
            Some(("holds variables, so it might be Authorization", "use --header"))
        }
        Role::Header if is_authorization(item) => {
            Some(("would add a second Authorization", "leave it out: oneup adds the token"))
        }
        Role::Insecure if !loopback || rerouted => {
            Some(("would show the token to whoever answers", "name the server's CA: --cacert FILE"))
        }
        Role::Reroute if plain => Some(("would carry the token over plain http", "use https")),
        _ => None,
    }
}

fn is_authorization(item: &Item) -> bool {
    let text = item.value.as_deref().unwrap_or_default().to_string_lossy();
    let name = text.split([':', ';']).next().unwrap_or_default();
    name.trim().eq_ignore_ascii_case("authorization")
}

fn check<'a>(
    all: &Arguments,
    mut items: impl Iterator<Item = &'a Item>,
    refuse: impl Fn(&Item) -> Option<(&'static str, &'static str)>,
) -> Result<()> {
    let found = items.find_map(|item| refuse(item).map(|why| (item, why)));
    found.map_or(Ok(()), |(item, (what, instead))| {
        let full = item.option.to_string();
        let long = if item.spelling == full { String::new() } else { format!(" ({full})") };
        let error = Error::usage(format!("curl's {}{long} {what}", item.spelling)).with_hint(instead);
        Err(placed(all, item, error))
    })
}

/// Names the file that an item came from, and the way past it.
fn placed(all: &Arguments, item: &Item, error: Error) -> Error {
    match all.place(item) {
        None => error,
        Some(place) => error
            .with_detail(format!("in curl's configuration file {place}"))
            .with_hint("`oneup curl -- -q ARGS` runs curl without ~/.curlrc"),
    }
}

#[cfg(test)]
mod tests;
