//! A manual page: the same words as `--help`, in the sections that readers of manual pages look for.

use clap::{Arg, Command};
use roff::{Inline, Roff, bold, italic, roman};

use super::examples::{self, Topic};
use super::tables::{EXIT_CODES, FILES, VARIABLES};

/// The name of a command's page, such as `oneup-token-show`.
pub fn name(command: &Command) -> String {
    spoken(command).replace(' ', "-")
}

/// Every command that has a page: the given one and all below it.
pub fn commands(command: &Command) -> Vec<&Command> {
    std::iter::once(command).chain(children(command).flat_map(commands)).collect()
}

/// The page in roff (man(7)). `root` is oneup itself, for the references between pages; `date` is YYYY-MM-DD.
pub fn render(root: &Command, command: &Command, date: &str) -> String {
    let topic = examples::of(path(command));
    let mut roff = Roff::new();
    let version = format!("oneup {}", env!("CARGO_PKG_VERSION"));
    roff.control("TH", [name(command).to_uppercase().as_str(), "1", date, &version, "oneup manual"]);
    // Commands are typed as they stand: no hyphenation, no justified gaps.
    roff.control("nh", []).control("ad", ["l"]);
    roff.control("SH", ["NAME"]).text([roman(format!(
        "{} - {}",
        name(command),
        command.get_about().map(ToString::to_string).unwrap_or_default()
    ))]);
    roff.control("SH", ["SYNOPSIS"]).text(synopsis(command));
    description(&mut roff, command);
    options(&mut roff, command);
    if let Some(topic) = topic {
        examples(&mut roff, topic);
        exit_status(&mut roff, topic);
    }
    environment(&mut roff, command);
    roff.control("SH", ["FILES"]);
    for (file, what) in FILES {
        entry(&mut roff, [italic(file)], what);
    }
    see_also(&mut roff, root, command);
    roff.render()
}

/// The command as it is typed, such as `oneup token show`.
fn spoken(command: &Command) -> &str {
    command.get_bin_name().unwrap_or("oneup")
}

fn path(command: &Command) -> &str {
    spoken(command).strip_prefix("oneup").unwrap_or_default().trim_start()
}

fn children(command: &Command) -> impl Iterator<Item = &Command> {
    command.get_subcommands().filter(|sub| sub.get_name() != "help")
}

/// Plain text with words in backticks in bold.
fn words(text: &str) -> Vec<Inline> {
    // A sentence a line, as roff's readers have it.
    let text = text.replace(". ", ".\n");
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { bold(part) } else { roman(part) }).collect()
}

/// A tagged paragraph.
fn entry(roff: &mut Roff, tag: impl IntoIterator<Item = Inline>, text: &str) {
    roff.control("TP", []).text(tag.into_iter().collect::<Vec<_>>()).text(words(text));
}

fn synopsis(command: &Command) -> Vec<Inline> {
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim_start_matches(spoken(command));
    let mut line = vec![bold(spoken(command))];
    for (at, part) in usage.split(['<', '>']).enumerate() {
        line.push(if at % 2 == 1 { italic(part) } else { roman(part.replace("[OPTIONS]", "[options]")) });
    }
    line
}

fn description(roff: &mut Roff, command: &Command) {
    roff.control("SH", ["DESCRIPTION"]);
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    // The first paragraph of several is the one line of NAME.
    let skipped = usize::from(about.contains("\n\n"));
    for (count, paragraph) in about.split("\n\n").skip(skipped).enumerate() {
        if count > 0 {
            roff.control("PP", []);
        }
        roff.text(words(paragraph));
    }
    if children(command).next().is_some() {
        roff.control("SH", ["COMMANDS"]);
        for sub in children(command) {
            let about = sub.get_about().map(ToString::to_string).unwrap_or_default();
            entry(roff, [bold(spoken(sub))], &about);
        }
    }
}

fn options(roff: &mut Roff, command: &Command) {
    roff.control("SH", ["OPTIONS"]);
    let shown: Vec<&Arg> = command.get_arguments().filter(|arg| !arg.is_hide_set()).collect();
    let mut headings: Vec<Option<&str>> = vec![None];
    for arg in &shown {
        if !headings.contains(&arg.get_help_heading()) {
            headings.push(arg.get_help_heading());
        }
    }
    // What every command takes comes last.
    headings.sort_by_key(|heading| *heading == Some("Global options"));
    for heading in headings {
        if let Some(heading) = heading {
            roff.control("SS", [heading]);
        }
        shown.iter().filter(|arg| arg.get_help_heading() == heading).for_each(|arg| option(roff, arg));
    }
}

fn option(roff: &mut Roff, arg: &Arg) {
    let help = arg.get_long_help().or(arg.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut pieces: Vec<String> = help.replace("\n\n", " [").split(" [").map(in_words).collect();
    if arg_takes_value(arg) {
        let defaults = arg.get_default_values().iter();
        pieces.extend(defaults.map(|value| in_words(&format!("default: {}", value.to_string_lossy()))));
    }
    pieces.extend(arg.get_env().map(|name| in_words(&format!("env: {}", name.to_string_lossy()))));
    entry(roff, tag(arg), &pieces.join("\n"));
    let values = arg.get_possible_values().into_iter().filter(|value| value.get_help().is_some());
    let values: Vec<_> = values.filter(|_| !arg.is_hide_possible_values_set()).collect();
    if !values.is_empty() {
        roff.control("RS", []);
        for value in &values {
            let what = value.get_help().map(ToString::to_string).unwrap_or_default();
            entry(roff, [bold(value.get_name())], &what);
        }
        roff.control("RE", []);
    }
}

fn arg_takes_value(arg: &Arg) -> bool {
    arg.get_action().takes_values()
}

/// A piece of the help as a sentence; the help has `env: X` and `default: X` in brackets.
fn in_words(piece: &str) -> String {
    let piece = piece.trim_end_matches([']', '.']);
    match piece.split_once(": ") {
        Some(("env", names)) => format!("Environment: `{}`.", names.replace(", ", "`, `")),
        Some(("default", value)) => format!("Default: {value}."),
        _ => format!("{piece}."),
    }
}

fn tag(arg: &Arg) -> Vec<Inline> {
    let mut tag = Vec::new();
    if let Some(short) = arg.get_short() {
        tag.extend([bold(format!("-{short}")), roman(", ")]);
    }
    let value = arg.get_value_names().and_then(<[_]>::first).map(ToString::to_string);
    match arg.get_long() {
        Some(long) => {
            tag.push(bold(format!("--{long}")));
            if let Some(value) = value.filter(|_| arg_takes_value(arg)) {
                tag.extend([roman(" "), italic(value)]);
            }
        }
        None => tag.push(italic(value.unwrap_or_else(|| arg.get_id().to_string()))),
    }
    tag
}

fn examples(roff: &mut Roff, topic: &Topic) {
    roff.control("SH", ["EXAMPLES"]);
    for (count, (what, lines)) in topic.examples.iter().enumerate() {
        if count > 0 {
            roff.control("PP", []);
        }
        let end = if what.ends_with('?') { "" } else { ":" };
        roff.text(words(&format!("{what}{end}"))).control("PP", []).control("RS", []).control("EX", []);
        for line in lines.lines() {
            roff.text([bold(line)]);
        }
        roff.control("EE", []).control("RE", []);
    }
}

fn exit_status(roff: &mut Roff, topic: &Topic) {
    roff.control("SH", ["EXIT STATUS"]);
    for (codes, meaning) in EXIT_CODES.iter().filter(|(codes, _)| topic.exits.contains(codes)) {
        entry(roff, [bold(*codes)], &sentence(meaning));
    }
}

fn sentence(text: &str) -> String {
    let (first, rest) = text.split_at(1);
    format!("{}{rest}.", first.to_uppercase())
}

fn environment(roff: &mut Roff, command: &Command) {
    roff.control("SH", ["ENVIRONMENT"]);
    let of_login =
        |names: &[&str]| names.contains(&"ONEUP_CLIENT_ID") || names.contains(&"ONEUP_CLIENT_SECRET");
    let logs_in = path(command).is_empty() || path(command).starts_with("login");
    for (names, meaning) in VARIABLES.iter().filter(|(names, _)| logs_in || !of_login(names)) {
        let mut tag = Vec::new();
        for name in *names {
            if !tag.is_empty() {
                tag.push(roman(", "));
            }
            tag.push(bold(*name));
        }
        entry(roff, tag, &sentence(meaning));
    }
}

fn see_also(roff: &mut Roff, root: &Command, command: &Command) {
    roff.control("SH", ["SEE ALSO"]);
    let parent = path(command).rsplit_once(' ').map(|(parent, _)| format!("oneup {parent}"));
    let all = commands(root);
    let near = all.into_iter().filter(|other| {
        let its = path(other).rsplit_once(' ').map(|(parent, _)| format!("oneup {parent}"));
        spoken(other) != spoken(command)
            && (spoken(other) == "oneup"
                || Some(spoken(other)) == parent.as_deref()
                || its == parent
                || its.as_deref() == Some(spoken(command)))
    });
    let mut line = Vec::new();
    for other in near {
        if !line.is_empty() {
            line.push(roman(", "));
        }
        line.extend([bold(name(other)), roman("(1)")]);
    }
    roff.text(line);
}
