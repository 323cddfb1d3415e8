//! `oneup man [COMMAND…]`: manual pages in roff format.

use std::path::Path;

use clap::Command;

use crate::cli::Man;
use crate::cli::help::{self, man};
use crate::context::nonempty;
use crate::error::{Error, Exit, Result};
use crate::output::time::rfc3339;
use crate::system::clock::now;
use crate::text::closest_match::closest_match;
use crate::text::sanitize;

/// Prints the page of oneup or of one of its commands, or writes all pages into a directory.
///
/// # Errors
/// Usage, for an unknown command; a directory that can't be written.
pub fn run(args: &Man) -> Result<Exit> {
    let (root, date) = (help::described(), date());
    if let Some(dir) = &args.dir {
        return write_all(&root, dir, &date);
    }
    // `token show`, `token-show` and `oneup-token-show` name the same page.
    let joined = args.command.join("-");
    let wanted = joined.strip_prefix("oneup").map_or(joined.as_str(), |rest| rest.trim_start_matches('-'));
    let pages = man::commands(&root);
    let short = |command: &Command| man::name(command)["oneup".len()..].trim_start_matches('-').to_owned();
    let Some(command) = pages.iter().find(|command| short(command) == wanted) else {
        let names: Vec<String> = pages.iter().map(|command| short(command)).collect();
        let error = Error::usage(format!("no manual page for `{}`", sanitize(&args.command.join(" "), 80)));
        return Err(match closest_match(wanted, names.iter().map(String::as_str)) {
            Some(name) => error.with_hint(format!("did you mean `oneup man {name}`?")),
            None => error.with_hint("oneup --help"),
        });
    };
    let page = man::render(&root, command, &date)
        .map_err(|error| Error::failure("can't render the page").with_cause(error))?;
    super::print(page)
}

fn write_all(root: &Command, dir: &Path, date: &str) -> Result<Exit> {
    let unwritable = |error| Error::failure(format!("can't write into {}", dir.display())).with_cause(error);
    std::fs::create_dir_all(dir).map_err(unwritable)?;
    for command in man::commands(root) {
        let file = dir.join(format!("{}.1", man::name(command)));
        man::render(root, command, date).and_then(|page| std::fs::write(file, page)).map_err(unwritable)?;
    }
    Ok(Exit::Success)
}

/// Returns today's date, or that of `SOURCE_DATE_EPOCH`, which makes packages reproducible.
fn date() -> String {
    let fixed = nonempty("SOURCE_DATE_EPOCH").and_then(|seconds| seconds.parse().ok());
    let day = rfc3339(fixed.unwrap_or_else(now)).unwrap_or_default();
    day.split('T').next().unwrap_or_default().to_owned()
}
