//! Manual pages: clap_mangen's sections of the options, then examples, exit status, environment and files.

use std::io::Result;

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, italic, roman};

use super::tables::{self, FILES, VARIABLES};
use crate::cli::sections::Sections;

/// Returns the name of a command's page, such as `oneup-token-show`.
pub fn name(command: &Command) -> String {
    bin_name(command).replace(' ', "-")
}

/// Returns all commands that have a page: the given one and all below it.
pub fn commands(command: &Command) -> Vec<&Command> {
    std::iter::once(command).chain(children(command).flat_map(commands)).collect()
}

/// Renders a command's page as roff (man(7)). `root` is oneup itself, for SEE ALSO; `date` is YYYY-MM-DD.
///
/// # Errors
/// None: it writes to memory.
pub fn render(root: &Command, command: &Command, date: &str) -> Result<Vec<u8>> {
    let man = Man::new(command.clone())
        .title(name(command).to_uppercase())
        .date(date)
        .source(concat!("oneup ", env!("CARGO_PKG_VERSION")))
        .manual("oneup manual");
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    // Neither hyphens nor gaps in command lines.
    Roff::new().control("nh", []).control("ad", ["l"]).to_writer(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if children(command).next().is_some() {
        man.render_subcommands_section(&mut page)?;
    }
    let mut roff = Roff::new();
    if let Some(sections) = command.get::<Sections>() {
        examples(&mut roff, sections);
        roff.control("SH", ["EXIT STATUS"]);
        for (codes, meaning) in tables::exit_codes(*sections) {
            tagged(&mut roff, bold(codes), meaning);
        }
    }
    environment(&mut roff, command);
    roff.control("SH", ["FILES"]);
    for (file, meaning) in FILES {
        tagged(&mut roff, italic(file), meaning);
    }
    see_also(&mut roff, root, command);
    roff.to_writer(&mut page)?;
    // clap_mangen breaks the line twice before a list of values, and mandoc warns of that.
    Ok(String::from_utf8_lossy(&page).replace("\n.br\n\n.br\n", "\n.sp\n").into_bytes())
}

/// Returns a command as it is typed, such as `oneup token show`.
pub fn bin_name(command: &Command) -> &str {
    command.get_bin_name().unwrap_or("oneup")
}

fn children(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| sub.get_name() != "help")
}

fn tagged(roff: &mut Roff, tag: Inline, text: &str) {
    roff.control("TP", []).text([tag]).text([roman(text)]);
}

fn examples(roff: &mut Roff, sections: &Sections) {
    roff.control("SH", ["EXAMPLES"]);
    for (index, (what, lines)) in sections.examples.iter().enumerate() {
        if index > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(format!("{what}:"))]).control("PP", []).control("RS", []).control("EX", []);
        for line in lines.lines() {
            roff.text([bold(line)]);
        }
        roff.control("EE", []).control("RE", []);
    }
}

/// The variables of `login` are left out where they have no effect.
fn environment(roff: &mut Roff, command: &Command) {
    roff.control("SH", ["ENVIRONMENT"]);
    let logs_in = bin_name(command) == "oneup" || bin_name(command).starts_with("oneup login");
    for (names, meaning) in VARIABLES {
        if logs_in || !names.starts_with("ONEUP_CLIENT_") {
            tagged(roff, bold(names), meaning);
        }
    }
}

/// The parent, the commands beside this one, and those below it.
fn see_also(roff: &mut Roff, root: &Command, command: &Command) {
    let parent = |name: &str| name.rsplit_once(' ').map(|(parent, _)| parent.to_owned());
    let own = bin_name(command);
    let related = commands(root).into_iter().filter(|other| {
        let other = bin_name(other);
        other != own
            && (other == "oneup"
                || parent(own).as_deref() == Some(other)
                || parent(other) == parent(own)
                || parent(other).as_deref() == Some(own))
    });
    let pages: Vec<String> = related.map(|other| format!("{}(1)", name(other))).collect();
    roff.control("SH", ["SEE ALSO"]).text([bold(pages.join(", "))]);
}
