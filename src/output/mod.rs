//! What is printed, as text; the commands write it.

pub mod inspect;
pub mod progress;
pub mod report;
pub mod secret_format;
pub mod time;

use crate::context::nonempty;
use crate::text::is_printable;

/// The columns that a report leaves free, so that it fits even when it is quoted.
pub const MARGIN: usize = 5;

/// The narrowest and the widest report, in columns.
const WIDTHS: (usize, usize) = (30, 75);

/// Returns the width of a report, in columns: that of the terminal at stdout, else of `COLUMNS`, less the margin.
pub fn width() -> usize {
    let terminal = terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
    let columns = terminal.or_else(|| nonempty("COLUMNS")?.parse().ok()).unwrap_or(usize::MAX);
    (columns.saturating_sub(MARGIN)).clamp(WIDTHS.0, WIDTHS.1)
}

/// Returns JSON with a newline. What a terminal would interpret is escaped, as JSON allows.
pub fn json(value: &serde_json::Value) -> String {
    let mut text = String::new();
    for c in format!("{value:#}\n").chars() {
        if c == '\n' || is_printable(c) {
            text.push(c);
        } else {
            text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

/// Describes a duration by its two largest units.
pub fn duration(seconds: u64) -> String {
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let first = units.iter().position(|(count, _)| *count > 0).unwrap_or(3);
    let shown: Vec<String> = units[first..]
        .iter()
        .take(2)
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect();
    if shown.is_empty() { "0 s".into() } else { shown.join(" ") }
}

/// Returns text with its ANSI colors, or without them, as stdout and `--color` require.
pub fn colored(text: &str) -> String {
    match anstream::AutoStream::choice(&std::io::stdout()) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(text).to_string(),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_cannot_either_and_says_the_same() {
        let value = serde_json::json!({"a\u{9b}": "\u{1b}[2J\u{202e}\u{e0001}\n\u{7f}wörd \u{1f600}"});
        let text = json(&value);
        assert_eq!(
            text,
            "{\n  \"a\\u009b\": \"\\u001b[2J\\u202e\\udb40\\udc01\\n\\u007fwörd \u{1f600}\"\n}\n"
        );
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
    }

    #[test]
    fn durations_show_their_two_largest_units() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (7199, "1 h 59 min"),
            (3601, "1 h"),
            (90_061, "1 d 1 h"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }
}
