//! Untrusted text made safe for a terminal. The only sanitizer in the tree.

pub mod closest_match;
pub mod wrap;

use std::borrow::Cow;
use std::fmt;

/// The longest piece of untrusted text that a message shows, in characters.
pub const MAX_SNIPPET_LEN: usize = 300;

/// Returns untrusted text as one line for a terminal: control characters, escape sequences, invisible and
/// bidirectional formatting characters become visible `\u{…}`, whitespace becomes one space, and what would be longer
/// than `max_len` characters is cut.
pub fn sanitize(text: &str, max_len: usize) -> String {
    let (mut line, mut remaining) = (String::new(), max_len);
    for c in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        let columns = if is_printable(c) { 1 } else { c.escape_unicode().len() };
        if columns > remaining {
            line.push_str("...");
            break;
        }
        remaining -= columns;
        push_sanitized(&mut line, c);
    }
    line
}

/// Returns a URL that may not parse, for a message: cut, and without what may be a user name and password.
pub fn sanitize_url(url: &str) -> String {
    let (scheme, rest) = url.split_at(url.find("://").map_or(0, |end| end + 3));
    // Up to the last @: a password can contain any of `/?#@` by mistake, which no parser splits as it was meant.
    match rest.rsplit_once('@') {
        Some((_, host)) => sanitize(&format!("{scheme}***@{host}"), 200),
        None => sanitize(url, 200),
    }
}

/// Displays text with everything escaped that a terminal would interpret. Newlines stay.
pub struct Sanitized<'a>(pub &'a str);

impl fmt::Display for Sanitized<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&sanitize_lines(self.0))
    }
}

fn sanitize_lines(text: &str) -> Cow<'_, str> {
    if text.chars().all(|c| c == '\n' || is_printable(c)) {
        return Cow::Borrowed(text);
    }
    let mut sanitized = String::new();
    for c in text.chars() {
        if c == '\n' { sanitized.push(c) } else { push_sanitized(&mut sanitized, c) }
    }
    Cow::Owned(sanitized)
}

fn push_sanitized(line: &mut String, c: char) {
    if is_printable(c) { line.push(c) } else { line.extend(c.escape_unicode()) }
}

/// Returns whether a character does nothing but appear: it is neither a control character nor an invisible or
/// bidirectional formatting character.
pub fn is_printable(c: char) -> bool {
    let invisible = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}');
    !c.is_control() && !invisible
}

/// Returns bytes as lowercase hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_their_passwords() {
        for (url, shown) in [
            ("https://user:pw@a.example/t", "https://***@a.example/t"),
            ("https://user:p/w#@a.example/t", "https://***@a.example/t"),
            ("user:pw@a.example", "***@a.example"),
            ("https://a.example/t", "https://a.example/t"),
        ] {
            assert_eq!(sanitize_url(url), shown);
        }
    }

    #[test]
    fn escapes_what_moves_the_cursor_or_changes_direction() {
        assert_eq!(sanitize("a\x1b[31mb\u{9b}c\u{202e}d", 99), "a\\u{1b}[31mb\\u{9b}c\\u{202e}d");
        assert_eq!(sanitize(" two\r\n lines\t", 99), "two lines");
        assert_eq!(sanitize("wörd ✓", 99), "wörd ✓");
        assert_eq!(Sanitized("a\x1b[0m\nb\r").to_string(), "a\\u{1b}[0m\nb\\u{d}");
    }

    #[test]
    fn cuts_long_text() {
        assert_eq!(sanitize(&"x".repeat(10_000), 5), "xxxxx...");
        assert_eq!(sanitize(&"\x7f".repeat(10_000), 15), "\\u{7f}\\u{7f}...");
        assert_eq!(sanitize("xxxxx", 5), "xxxxx");
    }
}
