//! Views become bytes; someone else writes them.

pub mod inspect;
pub mod progress;
pub mod report;
pub mod secret_format;
pub mod time;

/// The longest piece of foreign text that a message shows, in characters.
pub const SNIPPET: usize = 300;

/// Text from a server or a token, fit for a terminal: control characters, escapes and bidi controls become visible
/// `\u{…}`, white space becomes one space, and what would be longer than `max` characters is cut.
pub fn plain(text: &str, max: usize) -> String {
    let (mut shown, mut left) = (String::new(), max);
    for c in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        let columns = if is_harmless(c) { 1 } else { c.escape_unicode().len() };
        if columns > left {
            shown.push_str("...");
            break;
        }
        left -= columns;
        if is_harmless(c) { shown.push(c) } else { shown.extend(c.escape_unicode()) }
    }
    shown
}

/// JSON for programs, with its newline. What could disturb a terminal is escaped in there too, as JSON allows.
pub fn json(value: &serde_json::Value) -> String {
    let mut text = String::new();
    for c in format!("{value:#}\n").chars() {
        if c == '\n' || is_harmless(c) {
            text.push(c);
        } else {
            text.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    text
}

/// A duration for people: its two largest units.
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

/// Text with ANSI colours, as stdout and `--color` want it: with them, or without.
pub fn coloured(text: &str) -> String {
    match anstream::AutoStream::choice(&std::io::stdout()) {
        anstream::ColorChoice::Never => anstream::adapter::strip_str(text).to_string(),
        _ => text.to_owned(),
    }
}

fn is_harmless(c: char) -> bool {
    let invisible = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    !c.is_control() && !invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_move_the_cursor_or_turn_around() {
        assert_eq!(plain("a\x1b[31mb\u{9b}c\u{202e}d", 99), "a\\u{1b}[31mb\\u{9b}c\\u{202e}d");
        assert_eq!(plain(" two\r\n lines\t", 99), "two lines");
        assert_eq!(plain("wörd ✓", 99), "wörd ✓");
    }

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

    #[test]
    fn foreign_text_is_cut() {
        assert_eq!(plain(&"x".repeat(10_000), 5), "xxxxx...");
        assert_eq!(plain(&"\x7f".repeat(10_000), 15), "\\u{7f}\\u{7f}...");
        assert_eq!(plain("xxxxx", 5), "xxxxx");
    }
}
