//! curl's configuration files (`~/.curlrc`, `-K FILE`): an option a line.
//!
//! oneup reads them itself, so that what it judged is what curl gets: curl is handed the items, not the file.

use std::ffi::OsStr;

use super::arguments::{Item, Source, option};
use super::options::Role;
use crate::error::{Error, Result};

/// Reads the text of the configuration file with this index.
///
/// # Errors
/// A line that can't be understood, a nested file, or `next`, which would end a section of the command line.
pub fn parse(text: &str, file: usize) -> Result<Vec<Item>> {
    let mut all = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        let at = |error: Error| error.with_detail(format!("line {}", index + 1));
        let line = line.trim_matches([' ', '\t', '\r']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let items = option_line(line).map_err(at)?;
        for mut item in items {
            if matches!(item.option.role(), Role::Config | Role::Next) {
                return Err(at(Error::usage(format!(
                    "{} in a configuration file of curl is not supported",
                    item.spelling
                ))));
            }
            item.source = Source::File(file, index + 1);
            all.push(item);
        }
    }
    Ok(all)
}

/// `name value`, `name = value`, `name: value` or `-o value`, with or without the dashes.
fn option_line(line: &str) -> Result<Vec<Item>> {
    let dashed = line.starts_with('-');
    let separates = |c: char| c == ' ' || c == '\t' || (!dashed && (c == '=' || c == ':'));
    let end = line.find(separates).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let value = value(rest.trim_start_matches(separates))?;
    let word = if dashed { name.to_owned() } else { format!("--{name}") };
    let (items, used) = option(&word, value.as_deref().map(OsStr::new))?;
    if value.is_some() && !used {
        return Err(Error::usage(format!("curl's option {} has more than it takes", word.escape_debug())));
    }
    Ok(items)
}

/// A quoted or bare value; none where there is nothing or a comment.
fn value(text: &str) -> Result<Option<String>> {
    let Some(quoted) = text.strip_prefix('"') else {
        let (bare, after) = text.split_once([' ', '\t', '\r']).unwrap_or((text, ""));
        let after = after.trim_start();
        if !after.is_empty() && !after.starts_with('#') {
            return Err(Error::usage("a value with spaces stands without quotes"));
        }
        return Ok((!bare.is_empty()).then(|| bare.to_owned()));
    };
    let mut value = String::new();
    let mut chars = quoted.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return Ok(Some(value)),
            '\\' => value.push(match chars.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('v') => '\u{b}',
                Some(other) => other,
                None => break,
            }),
            c => value.push(c),
        }
    }
    Err(Error::usage("a quote is not closed"))
}

/// One line that curl reads as this option and value.
pub fn line(spelling: &str, value: Option<&str>) -> String {
    let Some(value) = value else { return format!("{spelling}\n") };
    let mut line = format!("{spelling} \"");
    for c in value.chars() {
        match c {
            '"' | '\\' => line.extend(['\\', c]),
            '\t' => line.push_str("\\t"),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\u{b}' => line.push_str("\\v"),
            c => line.push(c),
        }
    }
    line.push_str("\"\n");
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_form_of_a_line_is_read() {
        let text = "# comment\n\n silent\nurl = https://a.example\n--url \"b\"\nurl: c # d\n-o out\r\n-sSoout\n\
                    user-agent \"a \\\"b\\\" \\\\ \\n\"\nno-keepalive\nheader=\"X: y\"\ndata = \"\"\n--url=e\nexpand-data x";
        let shown: Vec<_> = parse(text, 0)
            .expect("parses")
            .iter()
            .map(|item| format!("{}={:?}", item.spelling, item.value.as_deref().unwrap_or_default()))
            .collect();
        assert_eq!(
            shown.join(" "),
            r#"--silent="" --url="https://a.example" --url="b" --url="c" -o="out" -s="" -S="" -o="out" --user-agent="a \"b\" \\ \n" --no-keepalive="" --header="X: y" --data="" --url="e" --expand-data="x""#
        );
    }

    #[test]
    fn a_line_that_is_not_plain_is_refused() {
        for text in [
            "next",
            "-K other",
            "config = other",
            "silent yes",
            "frobnicate",
            "url",
            "url = a b",
            "data = \"a",
            "-s: x",
            "--",
            "-",
            "= a",
            "-ofoo bar",
            "*comment",
            "// comment",
            "-s:",
        ] {
            assert!(parse(text, 0).is_err(), "{text}: {:?}", parse(text, 0));
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(value in "[^\0]*") {
            let items = parse(&line("--data", Some(&value)), 0).expect("a written line");
            prop_assert_eq!(items.len(), 1);
            prop_assert_eq!(items[0].value.as_deref(), Some(OsStr::new(&value)));
        }

        #[test]
        fn no_text_panics(text in "\\PC*") {
            let _ = parse(&text, 0);
        }
    }
}
